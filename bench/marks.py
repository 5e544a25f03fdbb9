"""The event that is published, and the mark in its text that clients find without reading JSON.

A mark is `benchmark#S<number>##T<nanoseconds>#` of fixed length: the event's number in its room, from 1 on, and the
time of publishing by CLOCK_MONOTONIC.
"""

import msgspec

from shared.events import Chat, User, encode

MARK = b"benchmark#S"  # long and rare: a search for it skips most of the bytes it passes
NUMBER_AT, NUMBER_END = len(MARK), len(MARK) + 12  # within a mark
STAMP_AT, STAMP_END = NUMBER_END + 3, NUMBER_END + 22
MARK_BYTES = STAMP_END + 1

_TEXT = " " + "hello everyone in this room, greetings from the back row. " * 5
_USER = User(id="6919", unique_id="ana", nickname="Ana", avatar="https://example.com/a.webp", roles=[], badges=[])
_EVENT = Chat(
    platform="tiktok", room="", id="7301", time=1765432111123, user=_USER, content="", emotes=[], mentions=[]
)  # fmt: skip


def mark(number: int, stamp_ns: int) -> bytes:
    """The mark of event `number`, published at `stamp_ns`."""
    return b"%s%012d##T%019d#" % (MARK, number, stamp_ns)


def read_mark(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Number and stamp of the whole mark that begins at `at`."""
    return int(data[at + NUMBER_AT : at + NUMBER_END]), int(data[at + STAMP_AT : at + STAMP_END])


def event(room: str, number: int, stamp_ns: int, cursor: str) -> bytes:
    """A chat event of about 600 bytes, as an ingestor encodes it."""
    text = mark(number, stamp_ns).decode() + _TEXT
    return encode(msgspec.structs.replace(_EVENT, room=room, content=text), cursor)


EVENT_BYTES = len(event("7300000000000000001", 1, 1, "1765432100000000-1000"))
