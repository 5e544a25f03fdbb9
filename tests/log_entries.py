"""Log entries made short, `event(1, 3)` is the third event of epoch 1; and what clients read of them, made short."""

import json
from collections.abc import Iterable

from gateway.frames import Delivery, Frame
from shared.broker import Entry
from shared.cursor import Cursor
from shared.room import RoomKey

ROOM = RoomKey("tiktok", "7300000000000000001")


def event(epoch: int, offset: int, event_type: str = "chat") -> Entry:
    """An event whose text is its id."""
    return Entry(Cursor(epoch, offset), event_type, 1, b"%d-%d" % (epoch, offset))


def events(epoch: int, *offsets: int) -> list[Entry]:
    """Events of one epoch."""
    return [event(epoch, offset) for offset in offsets]


def marker(epoch: int, prev: Cursor | None) -> Entry:
    """The entry that opens an epoch."""
    return Entry(Cursor(epoch, 0), "epoch", 0, b"-" if prev is None else str(prev).encode())


def told(frames: Iterable[Frame]) -> list[str]:
    """What a client reads: ids of events, `gap <after> <before> <reason>`, and other frames by their word."""
    return [word(frame.text) for frame in frames]


def word(text: str) -> str:
    """One frame."""
    if not text.startswith("{"):
        return text
    read = json.loads(text)
    if read.get("type") == "gap":
        return f"gap {read['after']} {read['before']} {read['reason']}"
    return str(read.get("type") or read.get("status") or read["code"])


def told_by(deliveries: Iterable[Delivery | None]) -> list[str]:
    """The same, of deliveries."""
    return told(frame for delivery in deliveries if delivery is not None for frame in delivery.frames)
