"""A log in memory, and entries made short: `event(1, 3)` is the third event of epoch 1."""

import asyncio
import json
from collections.abc import Iterable, Sequence

from gateway.frames import Delivery, Frame
from shared.broker import Entry, RoomState
from shared.cursor import Cursor
from shared.demand import Member as ClusterMember
from shared.errors import BrokerUnavailable
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
    words = []
    for frame in frames:
        if frame.type:
            words.append(frame.text)
            continue
        read = json.loads(frame.text)
        if read.get("type") == "gap":
            words.append(f"gap {read['after']} {read['before']} {read['reason']}")
        else:
            words.append(read.get("type") or read["status"])
    return words


def told_by(deliveries: Iterable[Delivery | None]) -> list[str]:
    """The same, of deliveries."""
    return told(frame for delivery in deliveries if delivery is not None for frame in delivery.frames)


class FakeLog:
    """The log of one room as a gateway reads it.

    Attributes:
        entries: what is in it.
        last: the last id it ever gave; None: there is no log.
        room_state: of the room.
        gate: readers wait until it is set.
        asking: readers that wait.
        away: every call fails.
        reads: calls of `page`.
    """

    def __init__(self, *entries: Entry) -> None:
        self.entries = list(entries)
        self.last = entries[-1].cursor if entries else None
        self.room_state = RoomState()
        self.gate = asyncio.Event()
        self.gate.set()
        self.asking = 0
        self.away = False
        self.reads = 0

    def add(self, *entries: Entry) -> None:
        """Append."""
        self.entries += entries
        self.last = entries[-1].cursor

    async def _open(self) -> None:
        self.asking += 1
        await self.gate.wait()
        self.asking -= 1
        if self.away:
            raise BrokerUnavailable("away")

    async def last_id(self, room: RoomKey) -> Cursor | None:
        await self._open()
        return self.last

    async def page(self, room: RoomKey, after: Cursor, count: int = 200) -> list[Entry]:
        self.reads += 1
        found = [entry for entry in self.entries if entry.cursor >= after][:count]  # as of the request
        await self._open()
        return found

    async def tail(self, room: RoomKey, count: int, max_bytes: int = 0) -> Sequence[Entry]:
        await self._open()
        return self.entries[-count:]

    async def state(self, room: RoomKey) -> RoomState:
        await self._open()
        return self.room_state


class FakeChannels:
    """A link whose subscriptions are confirmed at once."""

    def __init__(self) -> None:
        self.up = True
        self.subscribed: set[RoomKey] = set()

    async def subscribe(self, room: RoomKey) -> None:
        self.subscribed.add(room)

    async def unsubscribe(self, room: RoomKey) -> None:
        self.subscribed.discard(room)


class FakeDemand:
    """Wishes, as they were told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.away = False
        self.ingestors: list[ClusterMember] = []
        self.points_to: RoomKey | None = None

    async def announce(self, room: RoomKey) -> None:
        self._tell("announce")

    async def refresh(self, room: RoomKey) -> None:
        self._tell("refresh")

    async def want_raw(self, room: RoomKey) -> None:
        self._tell("raw")

    async def target(self, name: RoomKey) -> RoomKey | None:
        return self.points_to

    async def members(self, kind: str) -> list[ClusterMember]:
        self._tell("members")
        return self.ingestors

    def _tell(self, word: str) -> None:
        if self.away:
            raise BrokerUnavailable("away")
        self.told.append(word)
