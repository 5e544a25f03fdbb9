"""A place in a room's log: `<epoch>-<offset>`, which is a Redis stream id, a fencing token and a client's cursor.

Order is numeric by (epoch, offset), never by string. Offset 0 is the marker that opens an epoch.
"""

import re
from typing import NamedTuple

from shared.errors import BadCursor

_CURSOR = re.compile(r"(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})")
_MAX = 2**53  # both parts stay exact as Lua and JavaScript numbers


class Cursor(NamedTuple):
    """`epoch`: microseconds, larger for every later holder. `offset`: 1, 2, 3 ... within it, 0 for its marker."""

    epoch: int
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.offset}"

    @classmethod
    def parse(cls, text: str | bytes) -> "Cursor":
        """Read `<epoch>-<offset>`.

        Raises:
            BadCursor: other characters, leading zeros, or a part of 2^53 or more.
        """
        if isinstance(text, bytes):
            text = text.decode("ascii", "replace")
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise BadCursor("a cursor is two numbers with a hyphen between")
        cursor = cls(int(match[1]), int(match[2]))
        if cursor.epoch >= _MAX or cursor.offset >= _MAX:
            raise BadCursor("a cursor's numbers are below 2^53")
        return cursor


def follows(previous: Cursor, cursor: Cursor, marker_prev: Cursor | None) -> bool:
    """Whether nothing can lie between two entries.

    Args:
        previous: the entry before.
        cursor: the entry after.
        marker_prev: what the marker at `cursor` names as the id before it; None when it names none, or is no marker.
    """
    if cursor.offset == 0:
        return marker_prev == previous
    return cursor == (previous.epoch, previous.offset + 1)
