"""What the room page tells its own scripts: streamed in pieces, put together and read here. Pure.

Each piece is `self.__pace_f.push([1,"..."])`. The texts of all of them, joined, are rows: `<hex id>:<JSON>`, or
`<hex id>:T<hex count of bytes>,<text>` without a line end. In the JSON `"$13"` stands for row 13, `"$$x"` for the text
`$x` and `"$undefined"` for nothing. Source: a peer client's notes on pages recorded 2026-09; excerpts of real pages in
the tests of another, 2026.

A page may hold anything. What is read of it has bounds, so that a page of the largest size costs a second and a few
times its size at worst.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

MAX_PIECES: Final = 4096  # so a page of 1 MB, which is usual, may come in pieces of 256 bytes
MAX_ROWS: Final = 4096
MAX_VALUE_BYTES: Final = 512 * 1024  # of JSON to be read at one place: half of a usual page
MAX_ROOM_INFOS: Final = 4  # more than two have not been seen
MAX_HOPS: Final = 8  # from reference to reference
MAX_LAYERS: Final = 3  # of JSON in JSON

# Possessive, or each character would be remembered for a way back.
_PIECE: Final = re.compile(rb'self\.__pace_f\.push\(\[1,("(?:[^"\\]++|\\.)*+")', re.DOTALL)
_ROW: Final = re.compile(rb"([0-9a-f]{1,8}):(?:T([0-9a-f]{1,8}),)?")
_REFERENCE: Final = re.compile(r"\$([0-9a-f]{1,8})")
_ROOM_INFO: Final = re.compile(rb'"roomInfo":\s{0,8}')
_DECODER: Final = json.JSONDecoder(strict=False)


class _Row(NamedTuple):
    """Where in the stream a row is, without its id."""

    id: bytes
    start: int
    end: int
    is_text: bool


class Page:
    """One page. Rows are found at once, and read when they are asked for."""

    def __init__(self, html: bytes) -> None:
        self._html = html
        self._stream = _stream(html)
        self._rows = list(_rows(self._stream))
        self._by_id = {row.id: row for row in self._rows}

    def room_infos(self) -> Iterator[object]:
        """The values of `roomInfo`, in their order; what cannot be read is left out.

        Where the rows have none, they may be JSON within JSON, or the pieces are no longer those we know: then the page
        is searched as it is, with one layer of escapes after the other taken off.
        """
        places = (
            match.end()
            for row in self._rows
            if not row.is_text  # it is somebody's own words
            for match in _ROOM_INFO.finditer(self._stream, row.start, row.end)
        )
        text, found = self._stream, list(islice(places, MAX_ROOM_INFOS))
        bare = self._html
        for _ in range(MAX_LAYERS):
            if found:
                break
            text = bare = bare.replace(b'\\"', b'"').replace(b"\\\\", b"\\")
            found = [match.end() for match in islice(_ROOM_INFO.finditer(text), MAX_ROOM_INFOS)]
        for start in found:
            value = self.at(_json(_part(text, start, len(text))))
            if value is not None:
                yield value

    def at(self, value: object, *path: str) -> object:
        """The value at a path of keys, None where it ends early; references on the way are followed.

        One that leads nowhere stays the text that it is.
        """
        value = self._followed(value)
        for key in path:
            value = self._followed(value.get(key) if isinstance(value, dict) else None)
        return value

    def _followed(self, value: object) -> object:
        for _ in range(MAX_HOPS):
            if not isinstance(value, str) or not value.startswith("$"):
                break
            if value.startswith("$$"):
                return value[1:]
            if value == "$undefined":
                return None
            reference = _REFERENCE.fullmatch(value)
            row = self._by_id.get(reference[1].encode()) if reference else None
            if row is None:
                break
            if row.is_text:
                return _part(self._stream, row.start, row.end).decode("utf8", "replace")
            value = _json(_part(self._stream, row.start, row.end))
        return value


def _stream(html: bytes) -> bytes:
    """The texts of all pieces, joined."""
    texts = []
    for piece in _PIECE.finditer(html):
        text = _json(piece[1])
        if isinstance(text, str):
            texts.append(text)
        if len(texts) == MAX_PIECES:
            break
    return "".join(texts).encode("utf8", "replace")


def _rows(stream: bytes) -> Iterator[_Row]:
    """Cut the stream. A line without an id, as excerpts of pages have it, is a row without one."""
    start = 0
    for _ in range(MAX_ROWS):
        if start >= len(stream):
            break
        head = _ROW.match(stream, start)
        begin = head.end() if head else start
        is_text = head is not None and head[2] is not None
        if head is not None and is_text:
            start = end = min(begin + int(head[2], 16), len(stream))
        else:
            line_end = stream.find(b"\n", begin)
            end = len(stream) if line_end < 0 else line_end
            start = end + 1
        yield _Row(head[1] if head else b"", begin, end, is_text)


def _part(text: bytes, start: int, end: int) -> bytes:
    """As much of a place as may be read."""
    return text[start : min(end, start + MAX_VALUE_BYTES)]


def _json(text: bytes) -> object:
    """The JSON value that a text begins with, None where there is none."""
    try:
        value, _ = _DECODER.raw_decode(text.decode("utf8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value
