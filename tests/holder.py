"""A scripted ingestor: plays a room through the real lease and log, without any platform behind it."""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from shared.broker import Broker, Published
from shared.cursor import Cursor
from shared.demand import Demand
from shared.events import Event, Gap, encode, type_of
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, Renewed, new_owner
from shared.phases import Phase, RoomPhase
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from tests.events import chat


def phase_of(phase: Phase, **details: object) -> RoomPhase:
    """A phase that begins now."""
    return RoomPhase(phase=phase, at=time.time_ns() // 1_000_000, **details)  # type: ignore[arg-type]


class Holder:
    """Holds one room; every method does what its ingestor would."""

    def __init__(self, redis: RedisClient, room: RoomKey, *, history_len: int = 2000, ttl_s: float = 30) -> None:
        self.room = room
        self._redis = redis
        self.demand = Demand(redis, idle_timeout_s=300)
        self.broker = Broker(redis, history_ttl_s=600, history_len=history_len)
        self._leases = Leases(redis, ttl_s=ttl_s, history_ttl_s=600, history_len=history_len)
        self._lease: Lease | None = None
        self._offset = 0

    @property
    def lease(self) -> Lease:
        """What it holds."""
        assert self._lease is not None, "acquire first"
        return self._lease

    async def acquire(self, *, replaces: str = "") -> Lease:
        """Take the room, wanted or not; `replaces` is the owner of a lease to take over."""
        lease = await self._leases.acquire(self.room, new_owner("holder"), need_demand=False, replaces=replaces)
        assert isinstance(lease, Lease), lease
        self._lease, self._offset = lease, 0
        return lease

    async def wanted(self, *, raw: bool = False, wait: bool = False) -> None:
        """Return when a gateway wants the room; with `raw`, its raw events too; with `wait`, somebody waits for it."""
        async with asyncio.timeout(10):
            while True:
                wish = await self.demand.look(self.room)
                if wish.remaining_ms and wish.raw >= raw and wish.wait >= wait:
                    return
                await asyncio.sleep(0.005)

    async def release(self) -> None:
        """Give the room up."""
        await self._leases.release(self.lease, only_if_idle=False, acknowledged=None)

    async def die(self) -> None:
        """Be gone without a word; its lease has expired since."""
        await self._redis.commands.delete(RoomKeys.of(self.room).lease)

    async def tell(self, phase: Phase, **details: object) -> RoomPhase:
        """Tell a phase."""
        told = phase_of(phase, **details)
        assert await self.broker.set_phase(self.lease, told)
        return told

    async def rest(self, phase: Phase, code: str = "", *, rest_s: float = 60) -> None:
        """End in a resting phase, and release the room."""
        await self.tell(phase, code=code, retry_at=time.time_ns() // 1_000_000 + int(rest_s * 1000))
        await self.demand.drop(self.room)
        await self.release()

    async def go_live(self) -> None:
        """All phases of a good start."""
        await self.acquire()
        for phase in (Phase.ACQUIRED, Phase.RESOLVING, Phase.CHECKING_LIVE, Phase.CONNECTED):
            await self.tell(phase)

    async def point_to(self, room: str) -> None:
        """Of a name: say which room it means."""
        await self.demand.set_target(self.room, RoomKey(self.room.platform, room), 60)
        await self.tell(Phase.TARGET, target=room)

    async def publish(self, *events: Event | Gap) -> Cursor:
        """Publish events; returns the last one's place."""
        first = self._offset + 1
        entries: Sequence[tuple[str, int, bytes]] = [
            (type_of(event), 1_765_432_111_200, encode(event, Cursor(self.lease.epoch, first + index)))
            for index, event in enumerate(events)
        ]
        answer = await self.broker.publish(self.lease, first, entries, state={}, min_id=None)
        assert isinstance(answer, Published), answer
        self._offset += len(events)
        return answer.last

    async def chat(self, *contents: str) -> Cursor:
        """Publish chats."""
        return await self.publish(*(chat(self.room, content) for content in contents))

    async def renew(self) -> None:
        """The heartbeat."""
        assert isinstance(await self._leases.renew(self.lease), Renewed)


class HolderClient:
    """Redis as the scripted holders of one test see it. Lives as an `async with` block."""

    def __init__(self, url: str) -> None:
        self.redis = open_redis(url, name="holder")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.redis.aclose()

    async def forget(self, room: RoomKey) -> None:
        """Let the room's log, state and lease be gone, as after their time or a flush."""
        keys = RoomKeys.of(room)
        await self.redis.commands.delete(keys.log, keys.state, keys.lease)

    def holder(self, room: str, **options: int) -> Holder:
        """A holder of `platform:room`."""
        return Holder(self.redis, RoomKey.parse(room), **options)
