"""One room on an open Redis, and an ear for what its channel says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from shared.broker import Broker, Entry
from shared.cursor import Cursor
from shared.demand import Demand
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, new_owner
from shared.phases import RoomPhase
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey


@dataclass
class Ear:
    """`Deliveries` that only remember."""

    entries: list[Entry] = field(default_factory=list)
    alive: list[Cursor] = field(default_factory=list)
    phases: list[RoomPhase] = field(default_factory=list)
    resubscribed: list[RoomKey] = field(default_factory=list)
    link: list[bool] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_entry(self, room: RoomKey, entry: Entry) -> None:
        self.entries.append(entry)
        self.changed.set()

    def on_alive(self, room: RoomKey, last: Cursor) -> None:
        self.alive.append(last)
        self.changed.set()

    def on_phase(self, room: RoomKey, phase: RoomPhase) -> None:
        self.phases.append(phase)
        self.changed.set()

    def on_resubscribed(self, room: RoomKey) -> None:
        self.resubscribed.append(room)
        self.changed.set()

    def on_link(self, up: bool) -> None:
        self.link.append(up)
        self.changed.set()

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until something is true that a delivery can make true."""
        async with asyncio.timeout(15):
            while not happened():
                self.changed.clear()
                await self.changed.wait()


class Bench:
    """Everything of one room, and its raw keys for tests that break things."""

    def __init__(self, redis: RedisClient) -> None:
        self.redis = redis
        self.commands = redis.commands
        self.room = RoomKey("tiktok", "7001")
        self.keys = RoomKeys.of(self.room)
        self.broker = Broker(redis, history_ttl_s=60, history_len=2000)
        self.leases = Leases(redis, ttl_s=10, history_ttl_s=60, history_len=2000)
        self.demand = Demand(redis, idle_timeout_s=30)

    async def hold(self, *, owner: str = "", replaces: str = "", floor: int = 0) -> Lease:
        """Acquire the room, which must succeed."""
        lease = await self.leases.acquire(
            self.room, owner or new_owner("one"), need_demand=False, replaces=replaces, floor=floor
        )
        assert isinstance(lease, Lease)
        return lease

    async def log(self) -> list[Entry]:
        """The whole log."""
        return await self.broker.page(self.room, Cursor(0, 0), 10_000)

    async def go_back(self, kept: int) -> None:
        """Let the log forget all but its first entries, as a restart from an old file does."""
        rows = await self.commands.xrange(self.keys.log)
        await self.commands.delete(self.keys.log)
        for cursor, fields in rows[:kept]:
            await self.commands.xadd(self.keys.log, fields, id=cursor)


@pytest.fixture
async def bench(redis_url: str) -> AsyncIterator[Bench]:
    """On the in-process Redis and on a real one."""
    redis = open_redis(redis_url, name="test")
    yield Bench(redis)
    await redis.aclose()


@pytest.fixture
def ear() -> Ear:
    """To be passed to `Channels`."""
    return Ear()


def batch(*texts: str) -> list[tuple[str, int, bytes]]:
    """Entries to publish."""
    return [("chat", 5, text.encode()) for text in texts]
