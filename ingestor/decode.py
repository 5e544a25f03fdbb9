"""What a capture holds, as events: `python -m ingestor decode` and `events`.

A capture is either lines of JSON with `method` and `payload_b64` (`msg_id` if it is known), or a stream of frames, each
behind its length as u32, little-endian. Everything is read as it comes, in bounded memory; a line or frame that cannot
be read is told, and does not stop what follows.
"""

import contextlib
import functools
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import click
import msgspec

from ingestor.arithmetic import RoomArithmetic
from ingestor.connectors.base import Decoder, Message, SeenIds
from ingestor.connectors.decoder import room_of
from ingestor.connectors.registry import CONNECTORS
from ingestor.connectors.webcast import MAX_FRAME_BYTES, MAX_UNZIPPED_BYTES, Dialect, WebcastProtocol
from shared import events
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.errors import BadRoom, RemoteProtocolError
from shared.platforms import DEFAULT_PLATFORM
from shared.room import RoomKey

LINE_MAX_BYTES: Final = 2 * MAX_UNZIPPED_BYTES  # the largest payload in base64, and some words
ROOMS_MAX: Final = 1000  # whose sums are kept
NO_ROOM: Final = "0"  # of messages before the first one that names a room

_UTF8_MARK: Final = b"\xef\xbb\xbf"
Problem = Callable[[str], None]
"""Tells the user about a place, `line 3: ...`, that could not be read."""


class _Line(msgspec.Struct):
    method: str
    payload_b64: bytes
    msg_id: Annotated[int, msgspec.Meta(ge=0)] = 0


_line_decoder: Final = msgspec.json.Decoder(_Line, strict=False)  # ids may be strings of digits


class _Lookahead:
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


def read_messages(stream: BinaryIO, dialect: Dialect, problem: Problem) -> Iterator[tuple[str, Message]]:
    """The messages of a capture, each with its place. Lines and frames are told apart by what they hold."""
    capture = _Lookahead(stream, 4)
    # As a length, the first four characters of a text mean 150 MB and more.
    if int.from_bytes(capture.start, "little") > MAX_FRAME_BYTES or len(capture.start) < 4:
        return _read_lines(capture, problem)
    return _read_frames(capture, dialect, problem)


def _read_lines(capture: _Lookahead, problem: Problem) -> Iterator[tuple[str, Message]]:
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


def _read_frames(capture: _Lookahead, dialect: Dialect, problem: Problem) -> Iterator[tuple[str, Message]]:
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


class Decoding:
    """Events of the messages of captures, with the sums of gifts and likes, as a holder would publish them.

    No clock ends a streak: a capture has the time of its messages only, and not in order.
    """

    def __init__(self, platform: str, room: RoomKey | None, now_ms: Callable[[], int]) -> None:
        """Begin.

        Args:
            platform: of all messages.
            room: of all messages, whatever they call it: that is what the first one names that names any. None: each
                message has its own.
            now_ms: the time of receipt, for messages that tell none.
        """
        self._platform = platform
        self._decoder_of = CONNECTORS[platform].decoder
        self._room = room
        self._named = ""
        self._now_ms = now_ms
        self._rooms: OrderedDict[RoomKey, tuple[Decoder, RoomArithmetic]] = OrderedDict()

    def decode(self, message: Message) -> list[events.Event]:
        """The events of one message."""
        if self._room is None or not self._named:
            self._named = room_of(message) or self._named
        decoder, arithmetic = self._of(self._room or RoomKey(self._platform, self._named or NO_ROOM))
        told = decoder.decode(msgspec.structs.replace(message, room_id=self._named), self._now_ms())
        return [ready for event in told for ready in arithmetic.apply(event, event.time)]

    def _of(self, room: RoomKey) -> tuple[Decoder, RoomArithmetic]:
        if room not in self._rooms:
            self._rooms[room] = self._decoder_of(room), RoomArithmetic(room)
            if len(self._rooms) > ROOMS_MAX:
                self._rooms.popitem(last=False)
        self._rooms.move_to_end(room)
        return self._rooms[room]


def _opened(file: str) -> contextlib.AbstractContextManager[BinaryIO]:
    if file == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    return Path(file).open("rb")


@click.command("decode")
@click.option("--platform", type=click.Choice(sorted(CONNECTORS)), default=DEFAULT_PLATFORM, show_default=True)
@click.option("--room", "room_text", metavar="ROOM", help="Whose capture it is; otherwise each message names its own.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def decode_command(platform: str, room_text: str | None, files: Sequence[str]) -> None:
    """Print what captures hold, one event per line. `-` is the standard input."""
    try:
        room = RoomKey(platform, room_text) if room_text is not None else None
    except BadRoom as error:
        raise click.BadParameter(str(error), param_hint="--room") from None
    decoding = Decoding(platform, room, now_ms)
    output = sys.stdout.buffer
    problems = printed = 0

    def problem(where: str, what: str) -> None:
        nonlocal problems
        problems += 1
        click.echo(f"{where}: {what}", err=True)

    for file in files:
        try:
            with _opened(file) as stream:
                dialect = CONNECTORS[platform].dialect(NO_ROOM)
                for place, message in read_messages(stream, dialect, functools.partial(problem, file)):
                    for event in decoding.decode(message):
                        printed += 1
                        output.write(events.encode(event, Cursor(0, printed)) + b"\n")
                        if isinstance(event, events.Raw) and event.decode_error:
                            problem(file, f"{place}: {event.method}: {event.decode_error}")
        except BrokenPipeError:  # of the output: whoever read it has seen enough
            raise
        except OSError as error:
            problem(file, error.strerror or str(error))
    output.flush()
    sys.exit(1 if problems else 0)


@click.command("events")
def events_command() -> None:
    """Print every known message of every platform, and the types of event it can become."""
    for platform, row in CONNECTORS.items():
        for method, types in row.messages.types().items():
            click.echo(f"{platform:<8} {method:<42} {', '.join(types)}")
