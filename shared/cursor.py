"""A place in a room's log: `<epoch>-<offset>`, which is a Redis stream id, a fencing token and a client's cursor.

Order is numeric by (epoch, offset), never by string. Offset 0 is the marker that opens an epoch.
"""

from functools import lru_cache
from typing import NamedTuple

from shared.errors import BadCursor

_ZERO = ord("0")
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
        # Spelt out, as it is done for every message: a pattern and `cls(...)` take twice the time.
        epoch, _, offset = (text if isinstance(text, bytes) else text.encode("ascii", "replace")).partition(b"-")
        return tuple.__new__(cls, (_epoch(epoch), _number(offset)))


def _number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 16 or (digits[0] == _ZERO and len(digits) > 1):
        raise BadCursor("a cursor is two numbers with a hyphen between")
    number = int(digits)
    if number >= _MAX:
        raise BadCursor("a cursor's numbers are below 2^53")
    return number


_epoch = lru_cache(maxsize=4096)(_number)  # few, and each is read as often as its holder publishes


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
