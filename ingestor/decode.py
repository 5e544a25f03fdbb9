"""What a capture holds, as events: `python -m ingestor decode` and `events`.

A capture is lines of JSON with `method` and `payload_b64` (`msg_id` if it is known), or a stream of frames, each behind
its length as u32, little-endian, or a recording, which says itself whose it is. Everything is read as it comes, in
bounded memory; a line, frame or record that cannot be read is told, and does not stop what follows.
"""

import contextlib
import functools
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

import click
import msgspec

from ingestor.arithmetic import RoomArithmetic
from ingestor.captures import NO_ROOM, Lookahead, is_recording, read_messages, read_recording
from ingestor.connectors.base import Decoder, Message
from ingestor.connectors.decoder import room_of
from ingestor.connectors.registry import CONNECTORS
from ingestor.recording import BadRecording, Header, Reader
from shared import events
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.errors import BadRoom
from shared.platforms import DEFAULT_PLATFORM
from shared.room import RoomKey

ROOMS_MAX: Final = 1000  # whose sums are kept


class Decoding:
    """Events of the messages of captures, with the sums of gifts and likes, as a holder would publish them.

    No clock ends a streak: a capture has the time of its messages only, and not in order.
    """

    def __init__(self, platform: str, room: RoomKey | None) -> None:
        """Begin.

        Args:
            platform: of all messages.
            room: of all messages, whatever they call it: that is what the first one names that names any. None: each
                message has its own.
        """
        self._platform = platform
        self._decoder_of = CONNECTORS[platform].decoder
        self._room = room
        self._named = ""
        self._rooms: OrderedDict[RoomKey, tuple[Decoder, RoomArithmetic]] = OrderedDict()

    def decode(self, message: Message, received_ms: int) -> list[events.Event]:
        """The events of one message."""
        if self._room is None or not self._named:
            self._named = room_of(message) or self._named
        decoder, arithmetic = self._of(self._room or RoomKey(self._platform, self._named or NO_ROOM))
        told = decoder.decode(msgspec.structs.replace(message, room_id=self._named), received_ms)
        return [ready for event in told for ready in arithmetic.apply(event, event.time)]

    def _of(self, room: RoomKey) -> tuple[Decoder, RoomArithmetic]:
        if room not in self._rooms:
            self._rooms[room] = self._decoder_of(room), RoomArithmetic(room)
            if len(self._rooms) > ROOMS_MAX:
                self._rooms.popitem(last=False)
        self._rooms.move_to_end(room)
        return self._rooms[room]


def _recorded(header: Header, room: RoomKey | None) -> tuple[str, RoomKey]:
    """Platform and room of a recording; its room may be called otherwise.

    Raises:
        BadRecording: one of them is not known here.
    """
    if header.platform not in CONNECTORS:
        raise BadRecording("it is a recording of a platform that is not known here")
    try:
        return header.platform, RoomKey(header.platform, room.room if room else header.room)
    except BadRoom as error:
        raise BadRecording(str(error)) from None


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
    decoding = Decoding(platform, room)
    output = sys.stdout.buffer
    problems = printed = 0

    def show(file: str, decoding: Decoding, place: str, received_ms: int, message: Message) -> None:
        nonlocal printed
        for event in decoding.decode(message, received_ms):
            printed += 1
            output.write(events.encode(event, Cursor(0, printed)) + b"\n")
            if isinstance(event, events.Raw) and event.decode_error:
                problem(file, f"{place}: {event.method}: {event.decode_error}")

    def problem(where: str, what: str) -> None:
        nonlocal problems
        problems += 1
        click.echo(f"{where}: {what}", err=True)

    for file in files:
        try:
            with _opened(file) as stream:
                capture = Lookahead(stream, 4)
                told = functools.partial(problem, file)
                if is_recording(capture.start):
                    reader = Reader(capture)
                    recorded = Decoding(*_recorded(reader.header, room))
                    for place, at_ms, message in read_recording(reader, told):
                        show(file, recorded, place, at_ms, message)
                else:
                    dialect = CONNECTORS[platform].dialect(NO_ROOM)
                    for place, message in read_messages(capture, dialect, told):
                        show(file, decoding, place, now_ms(), message)
        except BadRecording as error:
            problem(file, str(error))
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
