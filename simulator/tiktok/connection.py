"""TikTok's side of a connection: a client enters by a frame, and gives back one of three forms of internal_ext. Pure.

Source: recorded session of 2024-12, peer libraries, the web player of 2026.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

from protos.webcast_pb2 import EnterRoom, HeartBeat, Message, PushFrame, Response
from simulator.connection import METHOD, SERVICE, Entered, Heartbeat, Received, ServerConnection, header_list

GZIP_FROM_BYTES = 300  # Source: the recorded session: small frames arrive with compress_type none.


class TikTokConnection(ServerConnection):
    """State of one connection. Its `counters` have enter_rooms, too."""

    def __init__(
        self, random: Random, counters: Counter[str], *, gzip_allowed: bool, ping_interval_s: int, ack_s: float
    ) -> None:
        super().__init__(random, counters, gzip_allowed=gzip_allowed, ack_s=ack_s)
        self._ping_interval_s = ping_interval_s

    # From the client

    def _receive_heartbeat(self, frame: PushFrame) -> Heartbeat:
        HeartBeat.FromString(frame.payload)
        return super()._receive_heartbeat(frame)

    def _receive_other(self, frame: PushFrame) -> Received:
        if frame.payload_type != b"im_enter_room":
            return super()._receive_other(frame)
        enter = EnterRoom.FromString(frame.payload)
        self._counters["enter_rooms"] += 1
        return Entered(enter.room_id, enter.cursor)

    # To the client

    def opening(
        self, greeting: Sequence[Message], history: Sequence[Message], cursor: str, now_ms: int, now_s: float
    ) -> list[PushFrame]:
        """The `im_enter_room_resp` frame: what the platform says to newcomers, and history. Never acked."""
        response = Response(messages=[*greeting, *as_history(history)], internal_ext=b"-")
        frame = self._response_frame(b"im_enter_room_resp", response, cursor, now_ms)
        frame.headers.extend(header_list({"with_sys_msg": "0", "im_register_log_id": str(frame.log_id)}))
        return [frame]

    def messages(self, messages: Sequence[Message], cursor: str, now_ms: int, now_s: float) -> list[PushFrame]:
        """A `msg` frame. Most ask for an ack."""
        need_ack = self._random.random() < 0.9
        internal_ext = self._internal_ext(cursor, now_ms) if need_ack or self._random.random() < 0.5 else b""
        response = Response(messages=messages, internal_ext=internal_ext, need_ack=need_ack)
        frame = self._response_frame(b"msg", response, cursor, now_ms)
        if need_ack:
            self._expect_ack(frame, now_s, internal_ext)
        return [frame]

    def heartbeat_answer(self, cursor: str, now_ms: int) -> PushFrame:
        """The `hb` frame: no log id, no encoding, an empty response, gzipped. Source: recorded session of 2024-12."""
        return PushFrame(
            seq_id=1,
            service=SERVICE,
            method=METHOD,
            headers=header_list({"server_time": str(now_ms), "compress_type": "gzip", "im_cursor": cursor}),
            payload_type=b"hb",
            payload=gzip.compress(b"", mtime=0),
        )

    def _response_frame(self, payload_type: bytes, response: Response, cursor: str, now_ms: int) -> PushFrame:
        response.cursor = cursor.encode()
        response.fetch_interval = 1000
        response.now = now_ms
        response.fetch_type = 1
        response.heartbeat_duration = self._ping_interval_s
        gzipped = self._gzip_allowed and (response.ByteSize() >= GZIP_FROM_BYTES or self._random.random() < 0.2)
        headers = header_list({"compress_type": "gzip" if gzipped else "none", "im_cursor": cursor})
        return self._framed(payload_type, response, headers, gzipped=gzipped)

    def _internal_ext(self, cursor: str, now_ms: int) -> bytes:
        """One of the three forms that were seen; a client must give it back byte for byte."""
        match self._random.choices(("json", "dash", "pipe"), (60, 25, 15))[0]:
            case "json":
                fields = {
                    "server_fetch_time": now_ms,
                    "push_time": now_ms + self._random.randrange(9),
                    "msg_type": "r",
                    "seq_id": self._random.randrange(200, 400),
                    "is_from_ws_proxy": False,
                }
                return json.dumps(fields, separators=(",", ":")).encode()
            case "pipe":
                return pipe_internal_ext(cursor, now_ms).encode()
            case _:
                return b"-"


def as_history(messages: Iterable[Message]) -> list[Message]:
    """The same messages, marked as told before."""
    return [
        Message(method=message.method, payload=message.payload, msg_id=message.msg_id, is_history=True)
        for message in messages
    ]


def pipe_internal_ext(cursor: str, now_ms: int) -> str:
    """The older form of internal_ext, still the one in bootstraps."""
    return f"fetch_time:{now_ms}|start_time:0|ack_ids:,,|flag:0|seq:1|next_cursor:{cursor}|wss_info:0-{now_ms}-0-0"
