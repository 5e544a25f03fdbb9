"""The file format of recordings: what an upstream sent, byte for byte, and when it came. Nothing here opens a file.

A recording is a gzip file of any number of members; `zcat` reads it. Unzipped it is one line of JSON (`Header`), then
records: time of receipt in ms since 1970 (u64), kind (u8), length (u32), bytes; little-endian. Each member is written
at once and holds whole records, so a file that was cut off is readable up to its last whole member.

    opened   JSON (`Opened`): a connection is open, and this is how it begins
    message  msgpack (`Message`): came with the opening, beside the connection; before any frame
    frame    what came over the connection; a polled answer as the frame that it becomes

Only what came in is in it, never an address, a cookie or a frame of ours.
"""

import gzip
import zlib
from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import Annotated, BinaryIO, Final, NamedTuple, Protocol, Self, cast

import msgspec

from ingestor.connectors.base import LiveRoom, Message
from shared.errors import RoomcastError

FORMAT: Final = 1
MAGIC: Final = b"\x1f\x8b"  # of gzip

RECORD_MAX_BYTES: Final = 8 * 1024 * 1024 + 64 * 1024
"""What a connection may hand over at once, unzipped, and what stands around it."""

HEADER_MAX_BYTES: Final = 4 * 1024
OPENED_MAX_BYTES: Final = 64 * 1024
LEVEL: Final = 6

_HEAD: Final = Struct("<QBI")
_TIME_MAX: Final = 2**53 - 1


class BadRecording(RoomcastError):
    """It is no recording, or one of a version that is not known here. The text says which."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording is of.

    Attributes:
        recording: the version of the format.
        started_at: ms since 1970.
    """

    recording: int = FORMAT
    platform: str
    room: str
    started_at: int

    def line(self) -> bytes:
        """How a recording begins."""
        return msgspec.json.encode(self) + b"\n"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection begins.

    Attributes:
        live: what the live check before it learnt.
        room_id: what messages of this connection call their room, "" when that was not known.
        position: where it goes on from, "" when it begins anew.
        overlapped: it was known from the start that nothing was missed since that place.
    """

    live: LiveRoom
    room_id: Annotated[str, msgspec.Meta(pattern="^[0-9]{0,20}$")]
    position: str
    overlapped: bool


class Kind(IntEnum):
    """What a record holds. Unknown ones are skipped: a later version may have more."""

    OPENED = 1
    MESSAGE = 2
    FRAME = 3


class Record(NamedTuple):
    """One record; `content` is undecoded."""

    at_ms: int
    kind: int
    content: bytes

    @classmethod
    def opened(cls, at_ms: int, opened: Opened) -> Self:
        """A connection is open."""
        return cls(at_ms, Kind.OPENED, msgspec.json.encode(opened))

    @classmethod
    def message(cls, at_ms: int, message: Message) -> Self:
        """Something came with the opening."""
        return cls(at_ms, Kind.MESSAGE, msgspec.msgpack.encode(message))

    @classmethod
    def frame(cls, at_ms: int, frame: bytes) -> Self:
        """A frame came."""
        return cls(at_ms, Kind.FRAME, frame)

    def packed(self) -> bytes:
        """As it stands in a member."""
        return _HEAD.pack(max(self.at_ms, 0), self.kind, len(self.content)) + self.content

    def as_opened(self) -> Opened:
        """Read an `opened`.

        Raises:
            BadRecording: it is none.
        """
        if len(self.content) > OPENED_MAX_BYTES:
            raise BadRecording("the record of an opening is too large")
        try:
            return msgspec.json.decode(self.content, type=Opened)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadRecording("the record of an opening cannot be read") from None

    def as_message(self) -> Message:
        """Read a `message`.

        Raises:
            BadRecording: it is none.
        """
        try:
            return msgspec.msgpack.decode(self.content, type=Message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadRecording("the record of a message cannot be read") from None


def member(data: bytes | bytearray) -> bytes:
    """Whole records, with the header before the first, as a member of the file."""
    return gzip.compress(data, LEVEL, mtime=0)


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes: fewer at the end, none behind it."""


class Reader:
    """Reads a recording as it comes, in bounded memory. It iterates over the records that can be read.

    Attributes:
        header: what it is of.
        torn: what is wrong with its end; "" while nothing is, and at a good one.
    """

    def __init__(self, stream: Readable) -> None:
        """Begin.

        Args:
            stream: at its start; the caller closes it.

        Raises:
            BadRecording: it is none.
        """
        self.torn = ""
        self._unzipped = gzip.GzipFile(fileobj=cast(BinaryIO, stream), mode="rb")  # which only reads
        self.header = self._header()

    def __iter__(self) -> Iterator[Record]:
        while (record := self.read()) is not None:
            yield record

    def read(self) -> Record | None:
        """The next record, None at the end."""
        if self.torn:
            return None
        head = self._bytes(_HEAD.size)
        if not head:
            return None
        if len(head) < _HEAD.size:
            self.torn = self.torn or "cut short"
            return None
        at_ms, kind, size = _HEAD.unpack(head)
        if size > RECORD_MAX_BYTES or at_ms > _TIME_MAX:
            self.torn = "no record where one should be"
            return None
        content = self._bytes(size)
        if len(content) < size:
            self.torn = self.torn or "cut short"
            return None
        return Record(at_ms, kind, content)

    def batch(self, max_bytes: int) -> list[Record]:
        """The next records: at least one, and no further one once they hold so many bytes. Empty at the end."""
        records: list[Record] = []
        size = 0
        while size < max_bytes and (record := self.read()) is not None:
            records.append(record)
            size += _HEAD.size + len(record.content)
        return records

    def _header(self) -> Header:
        try:
            line = self._unzipped.readline(HEADER_MAX_BYTES)
            header = msgspec.json.decode(line, type=Header)
        except (EOFError, OSError, zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadRecording("it is no recording") from None
        if header.recording != FORMAT or not line.endswith(b"\n"):
            raise BadRecording("it is a recording of a version that is not known here")
        return header

    def _bytes(self, size: int) -> bytes:
        try:
            return self._unzipped.read(size)
        except EOFError:
            self.torn = "cut short"
        except (OSError, zlib.error):
            self.torn = "damaged"
        return b""
