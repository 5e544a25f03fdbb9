"""What a peer sends, made fit for an event: text, numbers, ids. Whatever comes, the result is valid and bounded."""

from typing import Final

from shared.events import TEXT_MAX_BYTES

MAX_INT: Final = 2**53 - 1
"""Larger integers lose digits in JavaScript."""

_YEAR_5138_S: Final = 10**11  # in milliseconds it is 1973


def text(raw: bytes) -> str:
    """Peer bytes as text: invalid UTF-8 replaced, cut at 4 KiB between characters, otherwise as sent."""
    if not raw:
        return ""
    decoded = raw.decode("utf-8", "replace")
    if len(raw) * 3 <= TEXT_MAX_BYTES:  # a replaced byte becomes three
        return decoded
    return cut(decoded)


def cut(decoded: str) -> str:
    """The part of a text that fits into 4 KiB of UTF-8."""
    return decoded.encode("utf-8", "replace")[:TEXT_MAX_BYTES].decode("utf-8", "ignore")


def count(number: int) -> int:
    """A number of things: at least 0, exact in JSON."""
    return number if 0 <= number <= MAX_INT else min(max(number, 0), MAX_INT)


def integer(number: int) -> int:
    """A number that may be negative, exact in JSON."""
    return min(max(number, -MAX_INT), MAX_INT)


def milliseconds(point: int) -> int:
    """A point in time, which comes in milliseconds or in seconds; 0 for none, and for what cannot be one."""
    # Source: captured 2023-10: nearly all headers have milliseconds, those of some lines of the platform seconds.
    told = point * 1000 if 0 < point < _YEAR_5138_S else point
    return told if 0 < told <= MAX_INT else 0


def decimal(identifier: int) -> str:
    """An id as events carry it; "" for the 0 that stands for none."""
    return str(identifier) if identifier else ""
