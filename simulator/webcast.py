"""The platform's side of one webcast connection: frames in and out, acks checked byte for byte. No I/O, no clock.

The mirror image of the client protocol in the connectors, and written apart from it on purpose: two readings of the
same protocol notes that have to agree.
"""

import gzip
import json
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from google.protobuf.message import DecodeError

from protos.webcast_pb2 import EnterRoom, Header, HeartBeat, Message, PushFrame, Response

SERVICE = 8888  # Source: recorded session of 2024-12; method is 8 in all frames of it.
METHOD = 8
GZIP_FROM_BYTES = 300  # Source: the same session: small frames arrive with compress_type none.
GZIP_LEVEL = 4
UNACKED_MAX = 4096  # frames; the oldest then counts as missing


@dataclass(frozen=True, slots=True)
class Entered:
    """The client sent `im_enter_room`: begin to tell it about `room_id`, after `cursor` where it names one."""

    room_id: int
    cursor: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The client sent `hb`."""


@dataclass(frozen=True, slots=True)
class WrongAck:
    """The client acked a frame that it was not asked to, or not with the bytes it was given."""


class ServerConnection:
    """State of one connection, driven by whoever owns the socket.

    What the client does right and wrong is added to `counters`: acks_good, acks_bad, acks_missing, enter_rooms,
    heartbeats, bad_frames.
    """

    def __init__(
        self, random: Random, counters: Counter[str], *, gzip_allowed: bool, ping_interval_s: int, ack_s: float
    ) -> None:
        self._random = random
        self._counters = counters
        self._gzip_allowed = gzip_allowed
        self._ping_interval_s = ping_interval_s
        self._ack_s = ack_s
        self._seq_id = 0
        # 63 bits, rising with every frame, as in the recorded session (5953523861883305473, ...474, ...486).
        self._log_id = random.getrandbits(40) << 22
        self._unacked: OrderedDict[int, tuple[bytes, float]] = OrderedDict()

    # From the client

    def receive_frame(self, data: bytes) -> Entered | Heartbeat | WrongAck | None:
        """Take in a client's frame; None when there is nothing to answer."""
        try:
            frame = PushFrame.FromString(data)
            match frame.payload_type:
                case b"im_enter_room":
                    enter = EnterRoom.FromString(frame.payload)
                    self._counters["enter_rooms"] += 1
                    return Entered(enter.room_id, enter.cursor)
                case b"hb":
                    HeartBeat.FromString(frame.payload)
                    self._counters["heartbeats"] += 1
                    return Heartbeat()
                case b"ack":
                    expected = self._unacked.pop(frame.log_id, None)
                    if expected is None or expected[0] != frame.payload:
                        self._counters["acks_bad"] += 1
                        return WrongAck()
                    self._counters["acks_good"] += 1
                case _:
                    self._counters["bad_frames"] += 1
        except DecodeError:
            self._counters["bad_frames"] += 1
        return None

    def expire_acks(self, now_s: float) -> int:
        """Count the acks that have not come in time; returns how many."""
        missing = 0
        while self._unacked:
            log_id, (_, sent_s) = next(iter(self._unacked.items()))
            if now_s - sent_s < self._ack_s and len(self._unacked) <= UNACKED_MAX:
                break
            del self._unacked[log_id]
            missing += 1
        self._counters["acks_missing"] += missing
        return missing

    # To the client

    def messages(self, messages: Sequence[Message], cursor: str, now_ms: int, now_s: float) -> PushFrame:
        """A `msg` frame. Most ask for an ack."""
        need_ack = self._random.random() < 0.9
        internal_ext = self._internal_ext(cursor, now_ms) if need_ack or self._random.random() < 0.5 else b""
        frame = self._response_frame(
            b"msg",
            Response(messages=messages, internal_ext=internal_ext, need_ack=need_ack),
            cursor,
            now_ms,
        )
        if need_ack:
            self._unacked[frame.log_id] = (internal_ext, now_s)
        return frame

    def enter_room_answer(self, messages: Sequence[Message], cursor: str, now_ms: int) -> PushFrame:
        """The `im_enter_room_resp` frame: history, and what the platform says to newcomers. Never acked."""
        response = Response(messages=messages, internal_ext=b"-")
        frame = self._response_frame(b"im_enter_room_resp", response, cursor, now_ms)
        frame.headers.append(Header(key=b"with_sys_msg", value=b"0"))
        frame.headers.append(Header(key=b"im_register_log_id", value=b"%d" % frame.log_id))
        return frame

    def heartbeat_answer(self, cursor: str, now_ms: int) -> PushFrame:
        """The `hb` frame: no log id, no encoding, an empty response, gzipped. Source: recorded session of 2024-12."""
        return PushFrame(
            seq_id=1,
            service=SERVICE,
            method=METHOD,
            headers=_headers(server_time=str(now_ms), compress_type="gzip", im_cursor=cursor),
            payload_type=b"hb",
            payload=gzip.compress(b"", mtime=0),
        )

    def close(self) -> PushFrame:
        """The frame that asks the client to leave."""
        return PushFrame(service=SERVICE, method=METHOD, payload_encoding=b"pb", payload_type=b"close")

    def _response_frame(self, payload_type: bytes, response: Response, cursor: str, now_ms: int) -> PushFrame:
        response.cursor = cursor.encode()
        response.fetch_interval = 1000
        response.now = now_ms
        response.fetch_type = 1
        response.heartbeat_duration = self._ping_interval_s
        payload = response.SerializeToString()
        gzipped = self._gzip_allowed and (len(payload) >= GZIP_FROM_BYTES or self._random.random() < 0.2)
        self._seq_id += 1
        self._log_id += self._random.randrange(1, 1 << 16)
        return PushFrame(
            seq_id=self._seq_id,
            log_id=self._log_id,
            service=SERVICE,
            method=METHOD,
            headers=_headers(compress_type="gzip" if gzipped else "none", im_cursor=cursor),
            payload_encoding=b"pb",
            payload_type=payload_type,
            payload=gzip.compress(payload, GZIP_LEVEL, mtime=0) if gzipped else payload,
        )

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


def pipe_internal_ext(cursor: str, now_ms: int) -> str:
    """The older form of internal_ext, still the one in bootstraps."""
    return f"fetch_time:{now_ms}|start_time:0|ack_ids:,,|flag:0|seq:1|next_cursor:{cursor}|wss_info:0-{now_ms}-0-0"


def _headers(**pairs: str) -> list[Header]:
    return [Header(key=key.encode(), value=value.encode()) for key, value in pairs.items()]
