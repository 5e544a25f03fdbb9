"""How clients count: what arrived, whether all of it did, and when. Everything here is pure: bytes in, counts out.

Most clients only search for marks, which costs a few nanoseconds per event; every sampled one reads each frame.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.histogram import Histogram
from bench.marks import MARK, MARK_BYTES, read_mark

PING, PONG, CLOSE = 9, 10, 8
_ENGINEIO_PING = b"\x81\x012"


@dataclass(slots=True)
class Sequence:
    """The numbers one client saw. The first may be any; from then on each must follow the one before.

    Attributes:
        first, last: 0 before the first event.
        gaps, doubles: events that were left out, or came again or late.
    """

    first: int = 0
    last: int = 0
    gaps: int = 0
    doubles: int = 0

    def saw(self, number: int, count: int = 1) -> None:
        """`count` events came, the last of them `number`."""
        if not self.first:
            self.first, self.last = number - count + 1, number - count
        step = number - self.last
        if step > count:
            self.gaps += step - count
        elif step < count:
            self.doubles += count - step
        self.last = max(self.last, number)


@dataclass(slots=True)
class Tally:
    """What all clients of a run got together."""

    reads: int = 0
    bytes: int = 0
    latency: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class MarkCounter:
    """Counts marks in a stream that is cut anywhere, by searching for them.

    Within one read it compares how many came with how far the numbers got: an event left out and another one doubled
    in the same read go unseen. `FrameCounter` sees them.
    """

    sequence: Sequence = field(default_factory=Sequence)
    rest: bytes = b""
    """Of the last read: too short to hold a whole mark. The caller puts it before the next one."""

    def feed(self, data: bytearray, start: int, end: int) -> None:
        """Take `data[start:end]`, which begins with `rest`."""
        searched_to = end - MARK_BYTES + len(MARK)
        count = data.count(MARK, start, searched_to)
        if count:
            self.sequence.saw(read_mark(data, data.rfind(MARK, start, searched_to))[0], count)
        self.rest = bytes(data[max(start, end - MARK_BYTES + 1) : end])


def find_pings(data: bytearray, start: int, end: int) -> list[bytes]:
    """The payloads of the WebSocket pings in `data[start:end]`, without following frame by frame.

    What is sent is ASCII, so the byte of a ping can else only be a length, and is known by the header before it.
    """
    pings = []
    at = data.find(0x80 | PING, start, end)
    while at >= 0 and at + 1 < end:
        length = data[at + 1]
        if length > 125 or data[max(start, at - 3) : at - 1] == b"\x81\x7e":
            at = data.find(0x80 | PING, at + 1, end)
        else:
            pings.append(bytes(data[at + 2 : at + 2 + length]))
            at = data.find(0x80 | PING, at + 2 + length, end)
    return pings


def count_engineio_pings(data: bytearray, start: int, end: int) -> int:
    """Heartbeats of Engine.IO, each of which wants an answer."""
    return data.count(_ENGINEIO_PING, start, end)


@dataclass(slots=True)
class FrameCounter:
    """Reads every frame: numbers and latencies of all events, pings and closes.

    Args:
        deflated: compressed messages are expected, each compressed by itself.
        sampled: False looks into compressed messages only until the first event; each further one is taken for one.
    """

    on_control: Callable[[int, bytes], None]
    latency: Histogram | None = None
    deflated: bool = False
    sampled: bool = True
    sequence: Sequence = field(default_factory=Sequence)
    rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes | bytearray | memoryview, now_ns: int) -> None:
        """Take what was read at `now_ns`."""
        buffer = self.rest
        buffer += data
        at, size = 0, len(buffer)
        while size - at >= 2:
            head, length, header = buffer[at], buffer[at + 1], 2
            if length == 126:
                length, header = int.from_bytes(buffer[at + 2 : at + 4]), 4
            elif length == 127:
                length, header = int.from_bytes(buffer[at + 2 : at + 10]), 10
            end = at + header + length
            if end > size or size - at < header:
                break
            if head & 0x08:
                self.on_control(head & 0x0F, bytes(buffer[at + header : end]))
            elif self.sampled or not self.sequence.first:
                self._message(head, bytes(buffer[at + header : end]), now_ns)
            else:
                self.sequence.saw(self.sequence.last + 1)
            at = end
        del buffer[:at]

    def _message(self, head: int, payload: bytes, now_ns: int) -> None:
        if head & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
        at = payload.find(MARK)
        if at >= 0:
            number, stamp_ns = read_mark(payload, at)
            self.sequence.saw(number)
            if self.latency is not None:
                self.latency.add(max(0, now_ns - stamp_ns))
        elif len(payload) <= 2:  # Engine.IO speaks in texts of one or two characters
            self.on_control(0, payload)
