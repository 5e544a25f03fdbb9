"""What captures are: lines, streams of frames, or recordings; read into messages as they come, in bounded memory.

What cannot be read is told, and does not stop what follows.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Annotated, BinaryIO, Final

import msgspec

from ingestor.connectors.base import Message, SeenIds
from ingestor.connectors.registry import CONNECTORS
from ingestor.connectors.webcast import MAX_FRAME_BYTES, MAX_UNZIPPED_BYTES, Dialect, WebcastProtocol
from ingestor.recording import MAGIC, BadRecording, Kind, Reader
from shared.errors import RemoteProtocolError

LINE_MAX_BYTES: Final = 2 * MAX_UNZIPPED_BYTES  # the largest payload in base64, and some words
NO_ROOM: Final = "0"  # of messages before the first one that names a room

_UTF8_MARK: Final = b"\xef\xbb\xbf"
Problem = Callable[[str], None]
"""Tells the user about a place, `line 3: ...`, that could not be read."""


class _Line(msgspec.Struct):
    method: str
    payload_b64: bytes
    msg_id: Annotated[int, msgspec.Meta(ge=0)] = 0


_line_decoder: Final = msgspec.json.Decoder(_Line, strict=False)  # ids may be strings of digits


class Lookahead:
    """A stream whose first bytes can be looked at before they are read."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.start = stream.read(size)

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end."""
        part, self.start = self.start[:size], self.start[size:]
        return part + self._stream.read(size - len(part))

    def readline(self, size: int) -> bytes:
        """The next line with its end, or `size` bytes of it."""
        end = self.start.find(b"\n") + 1
        if end:
            return self.read(end)
        part, self.start = self.start, b""
        return part + self._stream.readline(size - len(part))


def read_messages(capture: Lookahead, dialect: Dialect, problem: Problem) -> Iterator[tuple[str, Message]]:
    """The messages of a capture, each with its place. Lines and frames are told apart by what they hold."""
    # As a length, the first four characters of a text mean 150 MB and more.
    if int.from_bytes(capture.start, "little") > MAX_FRAME_BYTES or len(capture.start) < 4:
        return _read_lines(capture, problem)
    return _read_frames(capture, dialect, problem)


def _read_lines(capture: Lookahead, problem: Problem) -> Iterator[tuple[str, Message]]:
    number = 0
    while line := capture.readline(LINE_MAX_BYTES):
        number += 1
        if len(line) == LINE_MAX_BYTES and not line.endswith(b"\n"):
            problem(f"line {number}: longer than {LINE_MAX_BYTES} bytes")
            while line and not line.endswith(b"\n"):
                line = capture.readline(LINE_MAX_BYTES)
            continue
        text = line.removeprefix(_UTF8_MARK).strip()
        if not text:
            continue
        try:
            read = _line_decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # msgspec raises all three
            problem(f"line {number}: {error}")
            continue
        yield (
            f"line {number}",
            Message(read.method, read.payload_b64, str(read.msg_id) if read.msg_id else "", history=False),
        )


def _read_frames(capture: Lookahead, dialect: Dialect, problem: Problem) -> Iterator[tuple[str, Message]]:
    counted: list[str] = []
    protocol = WebcastProtocol(dialect, seen=SeenIds(), count=counted.append)
    number = 0
    while length := capture.read(4):
        number += 1
        size = int.from_bytes(length, "little")
        if size > MAX_FRAME_BYTES:
            problem(f"frame {number}: {size} bytes is too much for a frame; the rest cannot be read")
            return
        frame = capture.read(size)
        if len(length) < 4 or len(frame) < size:
            problem(f"frame {number}: cut short")
            return
        messages: list[Message] = []
        with contextlib.suppress(RemoteProtocolError):  # after several in a row, which does not matter here
            messages = protocol.receive_frame(frame)
        if "bad_frame" in counted:
            problem(f"frame {number}: cannot be read")
        counted.clear()
        protocol.frames_to_send()
        for message in messages:
            yield f"frame {number}", message


def is_recording(start: bytes) -> bool:
    """Whether a capture begins as a recording does; a stream could with a first frame of 559903 bytes only."""
    return start.startswith(MAGIC)


def read_recording(reader: Reader, problem: Problem) -> Iterator[tuple[str, int, Message]]:
    """The messages of a recording, each with its place and the time of its receipt."""
    seen = SeenIds()
    counted: list[str] = []
    make = CONNECTORS[reader.header.platform].dialect
    protocol = WebcastProtocol(make(NO_ROOM), seen=seen, count=counted.append)
    for number, record in enumerate(reader, start=1):
        messages: list[Message] = []
        try:
            if record.kind == Kind.OPENED:
                opened = record.as_opened()
                dialect = make(opened.room_id or NO_ROOM, opened.position)
                protocol = WebcastProtocol(dialect, seen=seen, position=opened.position, count=counted.append)
            elif record.kind == Kind.MESSAGE:
                message = record.as_message()
                messages = [message] if not message.id or seen.add(message.id) else []
            elif record.kind == Kind.FRAME:
                with contextlib.suppress(RemoteProtocolError):  # after several in a row, which does not matter here
                    messages = protocol.receive_frame(record.content)
                protocol.frames_to_send()
        except (BadRecording, ValueError) as error:  # protobuf takes no such room
            problem(f"record {number}: {error}")
        if "bad_frame" in counted:
            problem(f"record {number}: the frame cannot be read")
        counted.clear()
        for message in messages:
            yield f"record {number}", record.at_ms, message
    if reader.torn:
        problem(f"the end cannot be read: {reader.torn}")
