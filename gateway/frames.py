"""A text frame: made once per event, as it goes on the wire, and shared by every client that gets it."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from shared.cursor import Cursor

_TEXT: Final = 0x81  # RFC 6455 5.2: the last frame of a text message; a server does not mask
_DEFLATED: Final = 0xC1  # the same with RSV1, RFC 7692 6: the payload is compressed
WINDOW_BITS: Final = 12  # most events are smaller than 4 KiB, and no window outlives its message
_DEFLATE_FROM_BYTES: Final = 128  # what is smaller does not get smaller
_TAIL: Final = b"\x00\x00\xff\xff"  # of a sync flush; RFC 7692 7.2.1: it is left out


def wire_frame(payload: bytes, first: int = _TEXT) -> bytes:
    """The bytes of a frame from a server: header, and payload as it is."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return bytes((first, 126)) + size.to_bytes(2) + payload
    return bytes((first, 127)) + size.to_bytes(8) + payload


class Frame(Struct, eq=False):
    """One text frame. A struct, as it is made for every event: it takes half the time of a dataclass.

    Attributes:
        type: the event's; "" of a frame made by the gateway, which is never filtered or shed.
        wire: as it is written to a socket.
        size: bytes of the JSON.
        cursor: the event's place in the log; None of a gateway's frame.
    """

    type: str
    wire: bytes
    size: int
    cursor: Cursor | None = None
    _deflated: bytes | None = None

    @property
    def payload(self) -> bytes:
        """The JSON, in UTF-8."""
        return self.wire[-self.size :]

    @property
    def text(self) -> str:
        """The JSON, for servers that make frames by themselves."""
        return self.payload.decode()

    @property
    def deflated(self) -> bytes:
        """As it is written to a client that takes compressed messages; compressed when first asked for."""
        if self._deflated is None:
            self._deflated = self.wire if self.size < _DEFLATE_FROM_BYTES else _deflate(self.payload)
        return self._deflated


def event_frame(event_type: str, payload: bytes, cursor: Cursor) -> Frame:
    """The frame of an event."""
    return Frame(event_type, wire_frame(payload), len(payload), cursor)


def _deflate(payload: bytes) -> bytes:
    """A message compressed by itself, so that it can be read by any client, whatever it got before."""
    compressor = zlib.compressobj(wbits=-WINDOW_BITS, memLevel=5)
    compressed = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return wire_frame(compressed.removesuffix(_TAIL), _DEFLATED)


def control(text: str) -> Frame:
    """A frame of the gateway's own."""
    payload = text.encode()
    return Frame("", wire_frame(payload), len(payload))


Encoding = Callable[[Iterable[Frame]], bytes]
"""Frames joined, as one kind of client takes them."""


def plain(frames: Iterable[Frame]) -> bytes:
    """As every client takes them."""
    return b"".join([frame.wire for frame in frames])


def deflated(frames: Iterable[Frame]) -> bytes:
    """As clients take them that agreed on permessage-deflate."""
    return b"".join([frame.deflated for frame in frames])


class Delivery(Struct, frozen=True):
    """One entry of the log as clients get it: its frame, with a `gap` frame before it where something is missing.

    A marker has no frame of its own, but a place: a client's position may be one.
    """

    cursor: Cursor
    frames: tuple[Frame, ...]

    @property
    def size(self) -> int:
        """Bytes of all frames."""
        size = 0
        for frame in self.frames:
            size += len(frame.payload)
        return size


def last_cursor(frames: Sequence[Frame]) -> Cursor | None:
    """The place of the last event among them."""
    return next((frame.cursor for frame in reversed(frames) if frame.cursor is not None), None)
