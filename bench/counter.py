"""How clients count: what arrived, whether all of it did, and when. Everything here is pure: bytes in, counts out.

Most clients only search for marks, which costs a few nanoseconds per event; every sampled one reads each frame.
"""

import math
import zlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.marks import MARK, MARK_BYTES, NUMBER_AT, NUMBER_END, read_mark

PING, PONG, CLOSE = 9, 10, 8
_MARK_TAIL = MARK_BYTES - len(MARK)
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

    def begin(self, number: int) -> None:
        """Let `number` be the first."""
        self.first, self.last = number, number - 1

    def saw(self, number: int, count: int = 1) -> None:
        """`count` events came, the last of them `number`."""
        if not self.first:
            self.begin(number)
        step = number - self.last
        if step > count:
            self.gaps += step - count
        elif step < count:
            self.doubles += min(count, count - step)
        self.last = max(self.last, number)


@dataclass(slots=True)
class Tally:
    """What all clients of a run got together.

    Attributes:
        latencies: ns from publishing to reading, of every event of the sampled clients.
    """

    reads: int = 0
    bytes: int = 0
    latencies: "array[int]" = field(default_factory=lambda: array("q"))

    def clear(self) -> None:
        """Count from here on."""
        self.reads = self.bytes = 0
        del self.latencies[:]

    def percentiles_ms(self, *percents: float) -> list[float]:
        """For each, the latency that so many of all do not exceed; 0 where there are none."""
        ordered = sorted(self.latencies) or [0]
        return [ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] / 1e6 for percent in percents]


@dataclass(slots=True)
class MarkCounter:
    """Counts marks in a stream that is cut anywhere, by searching for the first and the last one of a read.

    Where these are as far apart as their numbers say, the ones between are all there; else they are counted. An event
    left out and another one doubled in the same read go unseen: `FrameCounter` sees them.
    """

    sequence: Sequence = field(default_factory=Sequence)
    rest: bytes = b""
    """Of the last read: too short to hold a whole mark. The caller puts it before the next one."""
    _pitch: int = 0
    """From one mark to the next, in bytes, as long as numbers keep their length."""

    def feed(self, data: bytearray, start: int, end: int) -> None:
        """Take `data[start:end]`, which begins with `rest`."""
        search_to = end - _MARK_TAIL
        first_at = data.find(MARK, start, search_to)
        if first_at >= 0:
            sequence = self.sequence
            last_at = data.rfind(MARK, first_at, search_to)
            first = last = int(data[first_at + NUMBER_AT : first_at + NUMBER_END])
            count = 1
            if last_at > first_at:
                last = int(data[last_at + NUMBER_AT : last_at + NUMBER_END])
                count = last - first + 1
                if last_at - first_at != (count - 1) * self._pitch:
                    count = self._count(data, first_at, last_at, count, search_to)
            if not sequence.first:
                sequence.begin(first)
            sequence.saw(last, count)
        self.rest = bytes(data[max(start, end - MARK_BYTES + 1) : end])

    def _count(self, data: bytearray, first_at: int, last_at: int, expected: int, search_to: int) -> int:
        count = data.count(MARK, first_at, search_to)
        if count == expected:
            self._pitch = (last_at - first_at) // (count - 1)
        return count


def find_pings(data: bytearray, start: int, new: int, end: int) -> list[bytes]:
    """The payloads of the WebSocket pings that end in `data[new:end]`, without following frame by frame.

    `data[start:new]` came before. What is sent is ASCII, so the byte of a ping can else only be a length, and is known
    by the header before it. A random payload can look like a ping, which then gets an answer too many: no harm is done.
    """
    pings = []
    cut_at = start + 3 if new - start == MARK_BYTES - 1 else start  # the header before may be cut off
    at = data.find(0x80 | PING, cut_at, end)
    while at >= 0 and at + 1 < end:
        length = data[at + 1]
        if length > 125 or data[max(start, at - 3) : at - 1] == b"\x81\x7e":
            at = data.find(0x80 | PING, at + 1, end)
        else:
            after = at + 2 + length
            if new < after <= end:
                pings.append(bytes(data[at + 2 : after]))
            at = data.find(0x80 | PING, after, end)
    return pings


def count_engineio_pings(data: bytearray, start: int, new: int, end: int) -> int:
    """How many heartbeats of Engine.IO end in `data[new:end]`; each wants an answer."""
    return data.count(_ENGINEIO_PING, max(start, new - len(_ENGINEIO_PING) + 1), end)


@dataclass(slots=True)
class FrameCounter:
    """Reads every frame: numbers and latencies of all events, pings and closes.

    Args:
        on_control: called with opcode and payload of control frames, and with 0 and what Engine.IO sends of this kind.
        latencies: takes one of each event.
    """

    on_control: Callable[[int, bytes], None]
    latencies: "array[int]"
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
                length, header = (buffer[at + 2] << 8) + buffer[at + 3] if size - at >= 4 else size, 4
            elif length == 127:
                length, header = int.from_bytes(buffer[at + 2 : at + 10]) if size - at >= 10 else size, 10
            payload_at, at = at + header, at + header + length
            if at > size:
                at -= header + length
                break
            if head & 0x08:
                self.on_control(head & 0x0F, bytes(buffer[payload_at:at]))
            elif head & 0x40:
                text = zlib.decompressobj(-15).decompress(buffer[payload_at:at] + b"\x00\x00\xff\xff")
                self._message(text, text.find(MARK), now_ns)
            elif (mark_at := buffer.find(MARK, payload_at, at)) >= 0:
                self._message(buffer, mark_at, now_ns)
            elif length <= 2:  # Engine.IO speaks in texts of one or two characters
                self.on_control(0, bytes(buffer[payload_at:at]))
        del buffer[:at]

    def _message(self, text: bytes | bytearray, mark_at: int, now_ns: int) -> None:
        if mark_at >= 0:
            number, stamp_ns = read_mark(text, mark_at)
            self.sequence.saw(number)
            self.latencies.append(now_ns - stamp_ns)


@dataclass(slots=True)
class LengthCounter:
    """Counts messages by following the lengths of frames, and takes each for the next event: none can be read so fast.

    One message that is no event is a fault, so a count that is right at the end is right.

    Args:
        on_control: as of `FrameCounter`.
        sequence: that goes on.
    """

    on_control: Callable[[int, bytes], None]
    sequence: Sequence
    rest: bytes = b""
    """Of the last read: a header that was cut, or a control frame. The caller puts it before the next one."""
    _missing: int = 0
    """Bytes of the last message that were not read yet."""

    def feed(self, data: bytearray, start: int, end: int) -> None:
        """Take `data[start:end]`, which begins with `rest`."""
        messages, at = self.sequence.last, start
        if self._missing:
            at += self._missing
            if at > end:
                self._missing = at - end
                return
            messages += 1
            self._missing = 0
        while at < end:
            if end - at >= 4 and data[at + 1] == 126:  # nearly all of them
                after = at + 4 + (data[at + 2] << 8) + data[at + 3]
            elif not (after := self._end_of_frame(data, at, end)):
                break
            if data[at] & 0x08:
                if after > end:
                    break
                self.on_control(data[at] & 0x0F, bytes(data[at + 2 : after]))
            elif after > end:
                self._missing, after = after - end, end
            else:
                messages += 1
            at = after
        self.rest = bytes(data[at:end])
        self.sequence.last = messages

    @staticmethod
    def _end_of_frame(data: bytearray, at: int, end: int) -> int:
        """0: the header is not there as a whole."""
        left = end - at
        length = data[at + 1] if left > 1 else 127
        if length < 126:
            return at + 2 + length
        if length == 127 and left >= 10:
            return at + 10 + int.from_bytes(data[at + 2 : at + 10])
        return 0
