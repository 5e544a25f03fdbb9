"""The frame protocol under every webcast room: frames in, messages out, and the frames we owe in return.

Two platforms speak it; what differs between them is a `Dialect`. Nothing here performs I/O, reads a clock or looks into
a message. Whatever a peer sends costs a bounded amount of memory: a frame, what it unzips to, and the items in it have
ceilings, and a frame that breaks one is skipped like any other that cannot be read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtobufMessage

from ingestor.connectors.base import Message, SeenIds
from ingestor.connectors.inflate import InflateError, inflate
from protos import webcast_pb2 as pb
from shared.errors import RemoteProtocolError

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024
"""Captured frames stay below 60 KB."""

MAX_UNZIPPED_BYTES: Final = 8 * 1024 * 1024

MAX_ITEMS: Final = 1000
"""Fields at the top level of a frame or response, so messages per frame too; 1 to 8 are usual, some 30 on connecting.
Two bytes on the wire can cost 70 in memory: without a bound a frame of the allowed size would take 300 MB."""

MAX_CURSOR_BYTES: Final = 1024
"""It is kept with the room, and goes into an address. Captured ones have some 70."""

MAX_INTERNAL_EXT_BYTES: Final = 16 * 1024
"""Captured ones stay below 300 bytes. It is sent back, in acks and in the address of the socket."""

MAX_BAD_FRAMES: Final = 5
"""Frames in a row that cannot be read, before the connection counts as broken."""

HEARTBEAT_S: Final = 10.0  # the web player's default, 2026; most peer libraries agree
HEARTBEAT_MIN_S: Final = 1.0
HEARTBEAT_MAX_S: Final = 60.0  # what peer libraries take for a dead connection

_GZIP_MAGIC: Final = b"\x1f\x8b\x08"  # never the start of a Response: wire type 7 does not exist
_WITH_MESSAGES: Final = frozenset({b"msg", b"im_enter_room_resp"})


class Told(Enum):
    """What it means that a message comes now."""

    NEWS = "it happened"
    HISTORY = "it happened before we listened"
    SYNC = "so things stand: told again on every connection"


NEWS, HISTORY, SYNC = Told.NEWS, Told.HISTORY, Told.SYNC
"""Looked up once: in Python 3.11 `Told.NEWS` takes as long as a message's id is looked for."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one platform's client sends (whole frames, ready to be sent), and how its server's words are meant.

    Attributes:
        room_id: what messages call their room, "" when that is not known.
        heartbeat: the n-th heartbeat of a connection, n = 1, 2, 3 ...
        enter_room: sent after the first heartbeat; empty where the address of the socket is the entry.
        ack: (log id, internal_ext as received) -> receipt.
        told: what it means that a message of a response comes now.
        position: (cursor, its response) -> where to go on from there, "" when the cursor says nothing about that.
        cursor_header: of a frame; newer than the cursor in its response. Source: a web player, 2026, and recordings.
        greeting: method of the message that welcomes every new connection, "" where there is none.
        happened_ms: when a message happened, as its envelope tells; 0 when it does not.
    """

    room_id: str
    heartbeat: Callable[[int], bytes]
    enter_room: bytes
    ack: Callable[[int, bytes], bytes]
    told: Callable[[pb.Response, pb.Message], Told]
    position: Callable[[str, pb.Response], str]
    cursor_header: bytes
    greeting: str = ""
    happened_ms: Callable[[pb.Message], int] = lambda message: 0


class WebcastProtocol:
    """One connection. `UpstreamProtocol` in `base.py` says what its attributes mean."""

    def __init__(
        self,
        dialect: Dialect,
        *,
        seen: SeenIds,
        position: str = "",
        ping_interval_s: float | None = None,
        count: Callable[[str], None] = lambda what: None,
    ) -> None:
        """Start a connection; the opening frames wait to be sent.

        Args:
            dialect: of the platform.
            seen: message ids passed on so far, of the room; read and added to.
            position: where the connection before this one left off, "" when there was none.
            ping_interval_s: the heartbeat interval that the handshake asked for.
            count: called for what is not passed on: `bad_frame`, `unknown_frame`, `duplicate`, `greeting`.
        """
        self.heartbeat_s = HEARTBEAT_S if ping_interval_s is None else _bounded(ping_interval_s)
        self.position = position
        self.overlapped = False
        self.closing = False
        self._interval_agreed = ping_interval_s is not None
        self._dialect = dialect
        self._count = count
        self._seen = seen
        self._seen_here = SeenIds()
        self._resumed = position != ""
        self._greeting_expected = self._resumed
        self._heartbeats = 0
        self._bad_in_a_row = 0
        self._waiting: list[bytes] = []
        # In this order. Source: the web player and two peer clients, 2026; a third one beats only after it has entered.
        self.heartbeat()
        if dialect.enter_room:
            self._waiting.append(dialect.enter_room)

    def __repr__(self) -> str:
        return f"<WebcastProtocol position={self.position!r} heartbeats={self._heartbeats} closing={self.closing}>"

    def frames_to_send(self) -> list[bytes]:
        """Frames that wait to be sent, in order; each is returned once. At the start: the opening frames."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def heartbeat(self) -> None:
        """Queue a heartbeat frame."""
        self._heartbeats += 1
        self._waiting.append(self._dialect.heartbeat(self._heartbeats))

    def receive_frame(self, frame: bytes) -> list[Message]:
        """Take one frame in; returns its new messages in the order they came.

        Raises:
            RemoteProtocolError: neither this frame nor the four before it could be read. A single bad frame is counted
                and skipped; it is not acknowledged.
        """
        try:
            return self._read(frame)
        except (_BadFrame, InflateError) as error:
            self._count("bad_frame")
            self._bad_in_a_row += 1
            if self._bad_in_a_row < MAX_BAD_FRAMES:
                return []
            raise RemoteProtocolError(f"{self._bad_in_a_row} frames in a row could not be read: {error}") from None

    def receive_bootstrap(self, response: pb.Response) -> list[Message]:
        """Take in what was told beside the socket, before it opened: history, and never acknowledged."""
        if not self.position:  # else that stands until the socket shows how far it takes us
            self._follow(response.cursor, response)
        self._read_interval(response)
        return self._new_messages(response, bootstrap=True)

    def _read(self, frame: bytes) -> list[Message]:
        push = _parse(pb.PushFrame, frame, MAX_FRAME_BYTES)
        if push.payload_type == b"close":
            self.closing = True
            return []
        if push.payload_type == b"hb":  # an answer; its zipped nothing is not worth unzipping
            return []
        if push.payload_type not in _WITH_MESSAGES:
            self._count("unknown_frame")
            return []
        headers = {header.key: header.value for header in push.headers}
        response = _parse(pb.Response, _unzipped(push.payload, headers), MAX_UNZIPPED_BYTES)
        if len(response.internal_ext) > MAX_INTERNAL_EXT_BYTES:
            raise _BadFrame(f"internal_ext of more than {MAX_INTERNAL_EXT_BYTES} bytes")
        self._bad_in_a_row = 0
        if response.need_ack:
            self._waiting.append(self._dialect.ack(push.log_id, response.internal_ext))
        self._follow(headers.get(self._dialect.cursor_header, b"") or response.cursor, response)
        self._read_interval(response)
        return self._new_messages(response)

    def _new_messages(self, response: pb.Response, *, bootstrap: bool = False) -> list[Message]:
        messages = []
        for item in response.messages:
            method = _method(item.method)
            message_id = str(item.msg_id) if item.msg_id else ""
            told = HISTORY if bootstrap else self._dialect.told(response, item)
            if message_id and self._is_duplicate(message_id, item, told):
                self._count("duplicate")
            elif self._is_greeting_again(method):
                self._count("greeting")
            else:
                messages.append(
                    Message(
                        method,
                        item.payload,
                        message_id,
                        history=told is HISTORY,
                        sync=told is SYNC,
                        room_id=self._dialect.room_id,
                        happened_ms=self._dialect.happened_ms(item),
                    )
                )
        return messages

    def _is_duplicate(self, message_id: str, item: pb.Message, told: Told) -> bool:
        if told is SYNC:  # it proves nothing about what happened, and may keep its id when it changes
            # The id alone is there when another holder passed it on.
            return message_id in self._seen or not self._seen.add(f"{message_id}@{item.wrds_version}")
        new = self._seen.add(message_id)
        # Only what an earlier connection passed on shows that this one joins it; a server may also repeat itself. And
        # without a place to go on from we are told a few kinds of messages again, and of the others nothing.
        if self._resumed and self._seen_here.add(message_id) and not new:
            self.overlapped = True
        return not new

    def _is_greeting_again(self, method: str) -> bool:
        """Every connection is welcomed, with a new message id; a session is welcomed once."""
        if not self._greeting_expected or method != self._dialect.greeting:
            return False
        self._greeting_expected = False
        return True

    def _follow(self, cursor: bytes, response: pb.Response) -> None:
        if 0 < len(cursor) <= MAX_CURSOR_BYTES:
            self.position = self._dialect.position(_text(cursor), response) or self.position

    def _read_interval(self, response: pb.Response) -> None:
        # The unit is not uniform: 15 in socket frames, equal to the handshake's seconds (recorded 2024-12), while the
        # web player reads milliseconds (2026).
        value = response.heartbeat_duration
        if value > 0 and not self._interval_agreed:
            self.heartbeat_s = _bounded(value / 1000 if value >= 1000 else float(value))


def frame(payload_type: bytes, payload: bytes = b"", *, encoding: bytes = b"", log_id: int = 0) -> bytes:
    """Bytes of a frame from the client."""
    return pb.PushFrame(
        log_id=log_id, payload_encoding=encoding, payload_type=payload_type, payload=payload
    ).SerializeToString()


def read_response(wire: bytes) -> pb.Response:
    """Read a Response that came beside the socket.

    Raises:
        RemoteProtocolError: it cannot be read, or is beyond a ceiling.
    """
    try:
        response = _parse(pb.Response, wire, MAX_UNZIPPED_BYTES)
    except _BadFrame as error:
        raise RemoteProtocolError(str(error)) from None
    if len(response.cursor) > MAX_CURSOR_BYTES or len(response.internal_ext) > MAX_INTERNAL_EXT_BYTES:
        raise RemoteProtocolError("cursor or internal_ext are too large for an address")
    return response


class _BadFrame(ValueError):
    """A frame that cannot be read."""


_P = TypeVar("_P", bound=ProtobufMessage)


def _parse(message_type: type[_P], wire: bytes, max_bytes: int) -> _P:
    if len(wire) > max_bytes:
        raise _BadFrame(f"more than {max_bytes} bytes")
    if not _few_fields(wire):
        raise _BadFrame(f"more than {MAX_ITEMS} items, or no protobuf")
    message = message_type()
    try:
        message.MergeFromString(wire)
    except DecodeError:
        raise _BadFrame("no protobuf") from None
    return message


def _few_fields(wire: bytes) -> bool:
    """Walk over the top level of a protobuf message: whether it has at most MAX_ITEMS fields, and ends with one."""
    position = fields = 0
    size = len(wire)
    try:
        while position < size:
            fields += 1
            if fields > MAX_ITEMS:
                return False
            tag = wire[position]
            position += 1
            if tag >= 0x80:
                tag, position = _varint(wire, position - 1)
            match tag & 7:
                case 2:
                    length = wire[position]
                    position += 1
                    if length >= 0x80:
                        length, position = _varint(wire, position - 1)
                    position += length
                case 0:
                    _, position = _varint(wire, position)
                case 1:
                    position += 8
                case 5:
                    position += 4
                case _:  # groups are not used by anybody, and could hide any number of fields
                    return False
    except IndexError:
        return False
    return position == size


def _varint(wire: bytes, position: int) -> tuple[int, int]:
    """The number at `position` and the position behind it.

    Raises:
        IndexError: it is cut short, or too long.
    """
    value = shift = 0
    while shift < 70:
        byte = wire[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise IndexError("a number of more than 10 bytes")


def _unzipped(payload: bytes, headers: dict[bytes, bytes]) -> bytes:
    """The server chooses per frame, and says so in a header, or not."""
    if payload and (headers.get(b"compress_type") == b"gzip" or payload.startswith(_GZIP_MAGIC)):
        return inflate(payload, MAX_UNZIPPED_BYTES)
    return payload


def _text(raw: bytes) -> str:
    return raw.decode("utf8", "replace")


_method = lru_cache(maxsize=512)(_text)  # there are some hundred


def _bounded(interval_s: float) -> float:
    return min(max(interval_s, HEARTBEAT_MIN_S), HEARTBEAT_MAX_S)
