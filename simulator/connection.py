"""The platform's side of one webcast connection: frames in and out, acks checked byte for byte. No I/O, no clock.

What both platforms do is here; each adds its own headers, greetings and receipts. The mirror image of the client
protocol in the connectors, and written apart from it on purpose: two readings of the same protocol notes that have to
agree.
"""

import gzip
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from google.protobuf.message import DecodeError

from protos.webcast_pb2 import Header, Message, PushFrame, Response

SERVICE = 8888  # Source: recorded sessions of 2022 to 2026 on both platforms; method is 8 in all frames of them.
METHOD = 8
GZIP_LEVEL = 4
UNACKED_MAX = 4096  # frames; the oldest then counts as missing


@dataclass(frozen=True, slots=True)
class Entered:
    """The client asked for a room: begin to tell it about `room_id`, after `cursor` where it names one."""

    room_id: int
    cursor: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The client sent `hb`."""


@dataclass(frozen=True, slots=True)
class WrongAck:
    """The client acked a frame that it was not asked to, or not with the bytes it was given."""


Received = Entered | Heartbeat | WrongAck | None


class ServerConnection(ABC):
    """State of one connection, driven by whoever owns the socket.

    What the client does right and wrong is added to `counters`: acks_good, acks_bad, acks_missing, heartbeats,
    bad_frames.
    """

    def __init__(self, random: Random, counters: Counter[str], *, gzip_allowed: bool, ack_s: float) -> None:
        self._random = random
        self._counters = counters
        self._gzip_allowed = gzip_allowed
        self._ack_s = ack_s
        self._seq_id = 0
        # 63 bits, rising with every frame, as in recorded sessions (5953523861883305473, ...474, ...486).
        self._log_id = random.getrandbits(40) << 22
        self._unacked: OrderedDict[int, tuple[Sequence[bytes], float]] = OrderedDict()

    # From the client

    def receive_frame(self, data: bytes) -> Received:
        """Take in a client's frame; None when there is nothing to answer."""
        try:
            frame = PushFrame.FromString(data)
            match frame.payload_type:
                case b"hb":
                    return self._receive_heartbeat(frame)
                case b"ack":
                    return self._receive_ack(frame, data)
                case _:
                    return self._receive_other(frame)
        except DecodeError:
            self._counters["bad_frames"] += 1
        return None

    def _receive_heartbeat(self, frame: PushFrame) -> Heartbeat:
        self._counters["heartbeats"] += 1
        return Heartbeat()

    def _receive_ack(self, frame: PushFrame, data: bytes) -> WrongAck | None:
        accepted, _ = self._unacked.pop(frame.log_id, ((), 0.0))
        if frame.payload not in accepted:
            self._counters["acks_bad"] += 1
            return WrongAck()
        self._counters["acks_good"] += 1
        return None

    def _receive_other(self, frame: PushFrame) -> Received:
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

    @abstractmethod
    def opening(
        self, greeting: Sequence[Message], history: Sequence[Message], cursor: str, now_ms: int, now_s: float
    ) -> list[PushFrame]:
        """What a client is told when it enters a room."""

    @abstractmethod
    def messages(self, messages: Sequence[Message], cursor: str, now_ms: int, now_s: float) -> list[PushFrame]:
        """`msg` frames: what happened, as far as this client is told."""

    @abstractmethod
    def heartbeat_answer(self, cursor: str, now_ms: int) -> PushFrame:
        """The `hb` frame."""

    def close(self) -> PushFrame:
        """The frame that asks the client to leave."""
        return PushFrame(service=SERVICE, method=METHOD, payload_encoding=b"pb", payload_type=b"close")

    # Parts

    def _framed(self, payload_type: bytes, response: Response, headers: list[Header], *, gzipped: bool) -> PushFrame:
        payload = response.SerializeToString()
        self._seq_id += 1
        self._log_id += self._random.randrange(1, 1 << 16)
        return PushFrame(
            seq_id=self._seq_id,
            log_id=self._log_id,
            service=SERVICE,
            method=METHOD,
            headers=headers,
            payload_encoding=b"pb",
            payload_type=payload_type,
            payload=gzip.compress(payload, GZIP_LEVEL, mtime=0) if gzipped else payload,
        )

    def _expect_ack(self, frame: PushFrame, now_s: float, *accepted: bytes) -> None:
        self._unacked[frame.log_id] = (accepted, now_s)


def header_list(pairs: dict[str, str]) -> list[Header]:
    """Headers of a frame, in this order."""
    return [Header(key=key.encode(), value=value.encode()) for key, value in pairs.items()]
