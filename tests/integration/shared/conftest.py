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
from tests.conftest import RedisServer


@dataclass
class Ear:
    """`Deliveries` that only remember, in order."""

    heard: list[Entry | Cursor | RoomPhase | RoomKey | bool] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def _hear(self, what: Entry | Cursor | RoomPhase | RoomKey | bool) -> None:
        self.heard.append(what)
        self.changed.set()

    def on_entry(self, room: RoomKey, entry: Entry) -> None:
        self._hear(entry)

    def on_alive(self, room: RoomKey, last: Cursor) -> None:
        self._hear(last)

    def on_phase(self, room: RoomKey, phase: RoomPhase) -> None:
        self._hear(phase)

    def on_resubscribed(self, room: RoomKey) -> None:
        self._hear(room)

    def on_link(self, up: bool) -> None:
        self._hear(up)

    @property
    def entries(self) -> list[Entry]:
        return [what for what in self.heard if isinstance(what, Entry)]

    @property
    def alive(self) -> list[Cursor]:
        return [what for what in self.heard if isinstance(what, Cursor)]

    @property
    def phases(self) -> list[RoomPhase]:
        return [what for what in self.heard if isinstance(what, RoomPhase)]

    @property
    def resubscribed(self) -> list[RoomKey]:
        return [what for what in self.heard if isinstance(what, RoomKey)]

    @property
    def link(self) -> list[bool]:
        return [what for what in self.heard if isinstance(what, bool)]

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait for something that a delivery makes true."""
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
async def own_bench(own_redis: RedisServer) -> AsyncIterator[Bench]:
    """On a real Redis that the test may break."""
    redis = open_redis(own_redis.url, name="test")
    yield Bench(redis)
    await redis.aclose()


@pytest.fixture
def ear() -> Ear:
    """To be passed to `Channels`."""
    return Ear()


def batch(*texts: str) -> list[tuple[str, int, bytes]]:
    """Entries to publish."""
    return [("chat", 5, text.encode()) for text in texts]
