"""What a supervisor makes of answers that are late, and of wakes that never came."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from ingestor.services import Services
from ingestor.settings import IngestorSettings
from ingestor.supervisor import Supervisor
from shared.broker import Broker
from shared.demand import Demand, Kind
from shared.errors import NotDone
from shared.lease import Held, Idle, Lease, Leases, new_owner
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from tests.fakes import FakeConnector

ROOM = RoomKey("tiktok", "7300000000000000001")
OTHER = RoomKey("tiktok", "7300000000000000000")


class SlowLeases(Leases):
    """Answers to `acquire` travel for as long as the test wants."""

    def __init__(self, redis: RedisClient) -> None:
        super().__init__(redis, ttl_s=60, history_ttl_s=60, history_len=2000)
        self.answered = asyncio.Event()
        self.arrived = asyncio.Event()

    async def acquire(
        self, room: RoomKey, owner: str, *, need_demand: bool = True, replaces: str = "", floor: int = 0
    ) -> Lease | Held | Idle:
        answer = await super().acquire(room, owner, need_demand=need_demand, replaces=replaces, floor=floor)
        self.answered.set()
        await self.arrived.wait()
        return answer


async def test_a_room_released_while_it_is_asked_for_is_asked_for_again() -> None:
    """Else it would rest for what is left of a lease that nobody has any more."""
    redis = open_redis(f"memory://{uuid4().hex}", name="test")
    demand, leases = Demand(redis, idle_timeout_s=60), SlowLeases(redis)
    broker = Broker(redis, history_ttl_s=60, history_len=2000)
    connector = FakeConnector()
    values: dict[str, Any] = {"scan_interval_s": 10}
    supervisor = Supervisor(Services(broker, leases, demand, IngestorSettings(**values)), {"tiktok": connector})
    await demand.announce(ROOM)
    other = await Leases(redis, ttl_s=60, history_ttl_s=60, history_len=2000).acquire(ROOM, new_owner("other"))
    assert isinstance(other, Lease)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor.run())
        await leases.answered.wait()
        await leases.release(other, only_if_idle=False, acknowledged=None)
        supervisor.wake(ROOM)
        leases.arrived.set()
        await connector.upstream(1)
        supervisor.stop()
    await redis.aclose()


async def test_a_room_whose_wake_was_lost_is_found_when_wakes_arrive_again() -> None:
    """Else it would wait for the next scan, and for the end of a lease that is gone with the Redis that had it."""
    redis = open_redis(f"memory://{uuid4().hex}", name="test")
    demand, leases = Demand(redis, idle_timeout_s=60), SlowLeases(redis)
    leases.arrived.set()
    broker = Broker(redis, history_ttl_s=60, history_len=2000)
    connector = FakeConnector()
    values: dict[str, Any] = {"scan_interval_s": 10}
    supervisor = Supervisor(Services(broker, leases, demand, IngestorSettings(**values)), {"tiktok": connector})
    await demand.announce(ROOM)
    await Leases(redis, ttl_s=60, history_ttl_s=60, history_len=2000).acquire(ROOM, new_owner("other"))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor.run())
        await leases.answered.wait()  # and left to the other one
        await redis.commands.flushall()
        await demand.announce(ROOM)
        supervisor.rescan()
        await connector.upstream(1)
        supervisor.stop()
    await redis.aclose()


class SlowBroker(Broker):
    """The answer to who is held travels for as long as the test wants."""

    def __init__(self, redis: RedisClient) -> None:
        super().__init__(redis, history_ttl_s=60, history_len=2000)
        self.answered = asyncio.Event()
        self.arrived = asyncio.Event()

    async def left_alone_ms(self, rooms: Sequence[RoomKey], now_ms: int) -> list[int]:
        answer = await super().left_alone_ms(rooms, now_ms)
        self.answered.set()
        await self.arrived.wait()
        return answer


async def test_a_room_released_while_a_full_ingestor_asked_who_is_held_is_taken_when_there_is_a_place() -> None:
    """Else it would rest for what is left of a lease that nobody has any more."""
    redis = open_redis(f"memory://{uuid4().hex}", name="test")
    demand, leases = Demand(redis, idle_timeout_s=60), Leases(redis, ttl_s=60, history_ttl_s=60, history_len=2000)
    broker, connector = SlowBroker(redis), FakeConnector()
    values: dict[str, Any] = {"scan_interval_s": 10, "max_rooms": 1}
    supervisor = Supervisor(Services(broker, leases, demand, IngestorSettings(**values)), {"tiktok": connector})
    other = await leases.acquire(OTHER, new_owner("other"), need_demand=False)
    assert isinstance(other, Lease)
    await demand.announce(OTHER)
    await demand.announce(ROOM)  # the newest is taken first, of two in one ms the one with the larger number
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor.run())
        upstream = await connector.upstream(1)
        await broker.answered.wait()
        upstream.push(("1", ""), method="end")
        while supervisor.rooms:
            await asyncio.sleep(0.005)
        await leases.release(other, only_if_idle=False, acknowledged=None)
        supervisor.wake(OTHER)
        broker.arrived.set()
        await connector.upstream(2)
        supervisor.stop()
    await redis.aclose()


class RefusedDemand(Demand):
    """Redis refuses what ingestors tell, for as long as the test wants."""

    refusing = True

    async def heartbeat(self, kind: Kind, name: str, load: Mapping[str, int | str]) -> None:
        if self.refusing:
            raise NotDone("OOM")
        await super().heartbeat(kind, name, load)


async def test_an_ingestor_whose_redis_refuses_says_so_until_it_does_not() -> None:
    redis = open_redis(f"memory://{uuid4().hex}", name="test")
    demand, leases = RefusedDemand(redis, idle_timeout_s=60), SlowLeases(redis)
    broker = Broker(redis, history_ttl_s=60, history_len=2000)
    values: dict[str, Any] = {"scan_interval_s": 0.1}
    supervisor = Supervisor(Services(broker, leases, demand, IngestorSettings(**values)), {"tiktok": FakeConnector()})

    async def told(fault: str) -> None:
        while supervisor.fault != fault:
            await asyncio.sleep(0.005)

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        await told("redis is away")
        tasks.create_task(supervisor.run())
        await told("redis refuses")
        demand.refusing = False
        await told("")
        supervisor.stop()
        await told("stopping")
    await redis.aclose()
