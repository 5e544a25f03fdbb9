"""One room of a gateway on a cluster in memory, with one client in it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from gateway.close_codes import Code
from gateway.feed import Cluster
from gateway.options import DEFAULT_FILTER, EventFilter
from gateway.room import Room
from gateway.settings import GatewaySettings
from gateway.subscriber import SendLimits, Subscriber
from shared.broker import Broker, Entry, RoomState
from shared.channels import Channels
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.demand import Demand
from shared.demand import Member as ClusterMember
from shared.errors import BrokerUnavailable
from shared.phases import Phase, RoomPhase
from shared.room import RoomKey
from tests.holder import phase_of
from tests.log_entries import ROOM, told
from tests.sinks import AtOnce, ListSink


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


def resting(phase: Phase, *, rest_ms: int = 60_000) -> RoomPhase:
    """A phase in which a room is left alone for so long."""
    return phase_of(phase, retry_at=now_ms() + rest_ms)


class FakeDemand:
    """Wishes, as they were told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.away = False
        self.ingestors: list[ClusterMember] = []
        self.points_to: RoomKey | None = None
        self.held = False

    async def is_held(self, room: RoomKey) -> bool:
        return self.held

    async def announce(self, room: RoomKey) -> None:
        self._tell("announce")

    async def refresh(self, room: RoomKey) -> None:
        self._tell("refresh")

    async def want_raw(self, room: RoomKey) -> None:
        self._tell("raw")

    async def want_wait(self, room: RoomKey) -> None:
        self._tell("wait")

    async def target(self, name: RoomKey) -> RoomKey | None:
        return self.points_to

    async def members(self, kind: str) -> list[ClusterMember]:
        self._tell("members")
        return self.ingestors

    def _tell(self, word: str) -> None:
        if self.away:
            raise BrokerUnavailable("away")
        self.told.append(word)


class Listener(ListSink):
    """A client in the room, and its sink."""

    waits = False

    def __init__(self, wanted: EventFilter = DEFAULT_FILTER) -> None:
        super().__init__()
        self.subscriber = Subscriber(self, SendLimits(10**6, 10**7, 10), wanted)
        self.notes: list[str] = []

    def on_phase(self, room: Room) -> None:
        self.notes.append(room.phase.phase if room.phase else "nobody")

    def on_target(self, name: Room) -> None:
        self.notes.append(f"to {name.target}")

    def on_unavailable(self) -> None:
        self.notes.append("unavailable")

    def on_untaken(self, room: Room, code: Code) -> None:
        self.notes.append(code)

    def dismiss(self, code: Code) -> None:
        self.notes.append(f"dismissed {code}")


class WatchedTasks(asyncio.TaskGroup):
    """The tasks of a room; who waits for it to finish its work looks here."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[asyncio.Task[Any]] = []

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task = super().create_task(coro, **options)
        self._started.append(task)
        return task

    @property
    def done(self) -> bool:
        """Whether none of them goes on."""
        return all(task.done() for task in self._started)


@dataclass
class Scene:
    """A room with what it stands on."""

    room: Room
    log: FakeLog
    channels: FakeChannels
    demand: FakeDemand
    tasks: WatchedTasks
    listener: Listener = field(default_factory=Listener)

    async def join(self) -> None:
        """The listener joins the room and the fan-out."""
        self.room.attach(self.listener)
        await self.room.feed.started.wait()
        self.room.hub.add(self.listener.subscriber)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the room work until the condition holds."""
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0)

    async def settle(self) -> None:
        """Let the room finish its work."""
        await self.until(lambda: self.tasks.done)

    @property
    def told(self) -> list[str]:
        """What the listener was sent."""
        return told(self.listener.written)

    def publish(self, *entries: Entry) -> None:
        """Store entries, and let the channel bring them."""
        self.log.add(*entries)
        for entry in entries:
            self.room.feed.on_entry(entry)


@asynccontextmanager
async def scene(*entries: Entry, key: RoomKey = ROOM, **settings: Any) -> AsyncIterator[Scene]:
    log, channels, demand = FakeLog(*entries), FakeChannels(), FakeDemand()
    read = GatewaySettings(**{"_env_file": None, "lease_ttl_s": 3, "idle_timeout_s": 100} | settings)
    async with WatchedTasks() as tasks:
        cluster = Cluster(cast(Broker, log), cast(Channels, channels), cast(Demand, demand), tasks, read, AtOnce())
        found = Scene(Room(key, cluster), log, channels, demand, tasks)
        yield found
        await found.room.aclose()
