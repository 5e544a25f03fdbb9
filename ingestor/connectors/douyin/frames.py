"""What a Douyin client sends over the socket, byte for byte, and what it makes of the server's frames. Pure.

Source: a session recorded 2026-09: heartbeats and five acks are reproduced byte for byte; peer clients agree.
"""

import re
from dataclasses import dataclass
from typing import Final

from ingestor.connectors.webcast import Dialect, Told, frame
from protos import webcast_pb2 as pb

_STATE: Final = b"wss_msg_type:wrds"
_STARTED_MIN_S: Final = 1_400_000_000  # 2014
_REPLAYED_MS: Final = 200
"""What is told so soon is no news: recorded replays come within 50 ms, and what happens comes 0.8 s later or more."""

_NO_PLACE: Final = re.compile(r"(?:^|_)r-1(?:_|$)")
_INTERNAL_EXT_MAX: Final = 1024  # to be kept with the room; captured ones have up to 300 bytes


@dataclass(frozen=True, slots=True)
class Position:
    """Where a connection to a broadcast left off.

    Attributes:
        room_id: of the broadcast; a place in one means nothing in the next.
        since_ms: when we began to listen to it, by the platform's clock.
        cursor, internal_ext: as the server gave them.
    """

    room_id: str
    since_ms: int
    cursor: str
    internal_ext: str

    def __str__(self) -> str:
        return f"{self.room_id} {self.since_ms} {self.cursor} {self.internal_ext}"

    @classmethod
    def parse(cls, text: str, room_id: str) -> "Position | None":
        """Read `str(position)`; None when it is none, or one of another broadcast."""
        parts = text.split(" ", 3)
        if len(parts) != 4 or parts[0] != room_id or not re.fullmatch("[0-9]{1,15}", parts[1]) or not parts[2]:
            return None
        return cls(room_id, int(parts[1]), parts[2], parts[3])


def dialect(room_id: str, position: str = "") -> Dialect:
    """The client's side of a connection to one broadcast.

    Args:
        room_id: of the broadcast, "" when it is not known.
        position: of the connection before this one, "" when there was none.
    """
    listening = _Listening(room_id, Position.parse(position, room_id))
    return Dialect(
        room_id=room_id,
        heartbeat=lambda count: frame(b"hb"),
        enter_room=b"",  # the address says it all
        ack=lambda log_id, internal_ext: frame(b"ack", internal_ext, log_id=log_id),
        told=listening.told,
        position=listening.position,
        cursor_header=b"im-cursor",
        happened_ms=lambda message: 1000 * _happened_s(message),
    )


def _happened_s(message: pb.Message) -> int:
    """The second that a message's id begins with, in its upper half; 0 when it does not.

    Source: captures 2022 to 2026, ids and times of chats agree; ids of a few state messages do not begin with a time.
    """
    second = message.msg_id >> 32
    return second if second > _STARTED_MIN_S else 0


class _Listening:
    """Since when we have been listening, over all connections to one broadcast."""

    def __init__(self, room_id: str, position: Position | None) -> None:
        self._room_id = room_id
        self._since_ms = position.since_ms if position else 0

    def told(self, response: pb.Response, message: pb.Message) -> Told:
        """Every connection begins with how things stand, and with the latest messages once more."""
        self._begin(response)
        if message.is_history or _STATE in response.internal_ext:  # field 6 means here: it tells how things stand
            return Told.SYNC
        happened_s, since_s = _happened_s(message), self._since_ms // 1000
        before = happened_s < since_s or (happened_s == since_s and response.now - self._since_ms < _REPLAYED_MS)
        return Told.HISTORY if happened_s and before else Told.NEWS

    def position(self, cursor: str, response: pb.Response) -> str:
        """No place in the stream of messages (`r-1`), as in the first state of a connection: "" ."""
        self._begin(response)
        if _NO_PLACE.search(cursor) or " " in cursor or len(response.internal_ext) > _INTERNAL_EXT_MAX:
            return ""
        internal_ext = response.internal_ext.decode("utf8", "replace")
        return str(Position(self._room_id, self._since_ms, cursor, internal_ext))

    def _begin(self, response: pb.Response) -> None:
        if not self._since_ms and response.now > 0:
            self._since_ms = response.now
