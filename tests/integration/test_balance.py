"""Ingestors join, one after the other, while every room talks: each relieves those before it, and nothing is lost."""

import asyncio
import contextlib
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from ingestor import service
from ingestor.assigner import Load, surplus
from ingestor.connectors.base import LiveRoom, SeenIds, Upstream
from ingestor.settings import IngestorSettings
from shared.broker import Broker
from shared.demand import Demand
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from tests.fakes import FakeConnector, FakeUpstream

ROOMS = [RoomKey("tiktok", str(7300000000000000000 + number)) for number in range(30)]
TALK_EVERY_S = 0.1
WITHIN_S = 40


class TalkativePlatform(FakeConnector):
    """Something is said in every room, all the time; who connects is told first what was said before.

    Attributes:
        said: how many messages there were in each room.
    """

    def __init__(self) -> None:
        super().__init__()
        self.said: Counter[RoomKey] = Counter()
        self.listeners: dict[RoomKey, list[FakeUpstream]] = defaultdict(list)

    async def connect(self, room: RoomKey, live: LiveRoom, position: str, seen: SeenIds) -> Upstream:
        upstream = await super().connect(room, live, position, seen)
        listener = self.upstreams[-1]
        if self.said[room]:
            listener.push(*((str(number), str(number)) for number in range(1, self.said[room] + 1)))
        self.listeners[room].append(listener)
        return upstream

    def say(self, room: RoomKey) -> None:
        """The next number, in one room."""
        self.said[room] += 1
        number = str(self.said[room])
        for listener in self.listeners[room]:
            listener.push((number, number), position=number)

    async def talk(self) -> None:
        """Until cancelled."""
        while True:
            for room in ROOMS:
                self.say(room)
                await asyncio.sleep(TALK_EVERY_S / len(ROOMS))


class Cluster:
    """Ingestors of one platform on one Redis, and what is seen of them from outside."""

    def __init__(self, url: str, redis: RedisClient) -> None:
        self.platform = TalkativePlatform()
        self.demand = Demand(redis, idle_timeout_s=300)
        self.broker = Broker(redis, history_ttl_s=600, history_len=2000)
        self._url = url

    @contextlib.asynccontextmanager
    async def ingestor(self, name: str, **settings: Any) -> AsyncIterator[None]:
        values = {"scan_interval_s": 0.1, "relief_held_s": 0.1, **settings}
        redis = open_redis(self._url, name=name)
        try:
            async with service.running(
                IngestorSettings(ingestor_name=name, **values), redis, {"tiktok": self.platform}
            ):
                yield
        finally:
            await redis.aclose()

    async def holders(self) -> Counter[str]:
        """How many rooms each ingestor holds; "" counts those that nobody does."""
        holders: Counter[str] = Counter()
        for room in ROOMS:
            holders[(await self.broker.state(room)).holder.partition(" ")[2].partition("/")[0]] += 1
        return holders

    async def until(self, settled: Callable[[Counter[str]], bool]) -> Counter[str]:
        """Wait for holders of whom that is true."""
        async with asyncio.timeout(WITHIN_S):
            while not settled(holders := await self.holders()):
                await asyncio.sleep(0.02)
        return holders

    async def until_all_is_told(self) -> None:
        """Wait until the last message of every room is in its log."""
        async with asyncio.timeout(WITHIN_S):
            for room in ROOMS:
                while (await self.log(room))[-1:] != [str(self.platform.said[room])]:
                    await asyncio.sleep(0.02)

    async def until_each_room_has_one_upstream(self) -> None:
        """Wait for what must be so when nothing moves any more."""
        async with asyncio.timeout(WITHIN_S):
            while any(sum(not listener.closed for listener in self.platform.listeners[room]) != 1 for room in ROOMS):
                await asyncio.sleep(0.02)

    async def log(self, room: RoomKey) -> list[str]:
        """The log as a client would tell it: chat texts, other types by name."""
        entries = [entry for entry in await self.broker.tail(room, 2000) if not entry.is_marker]
        return [json.loads(entry.data).get("content", entry.type) for entry in entries]


@pytest.fixture
async def cluster(redis_url: str) -> AsyncIterator[Cluster]:
    redis = open_redis(redis_url, name="test")
    yield Cluster(redis_url, redis)
    await redis.aclose()


def even(*names: str) -> Callable[[Counter[str]], bool]:
    """Whether these hold all rooms, and none of them clearly more than its share."""

    def settled(holders: Counter[str]) -> bool:
        loads = [Load(holders[name], 200) for name in names]
        return set(holders) == set(names) and not any(
            surplus(load, [*loads[:number], *loads[number + 1 :]], excess=0.2) for number, load in enumerate(loads)
        )

    return settled


def handed_over() -> float:
    return REGISTRY.get_sample_value("roomcast_ingestor_leases_total", {"what": "handed_over"}) or 0.0


async def test_newcomers_relieve_the_others_and_no_message_is_missed_or_doubled(cluster: Cluster) -> None:
    moved_before = handed_over()
    async with contextlib.AsyncExitStack() as stack:
        for room in ROOMS:
            cluster.platform.say(room)
            await cluster.demand.announce(room)
        await stack.enter_async_context(cluster.ingestor("one"))
        await cluster.until(even("one"))
        talking = asyncio.create_task(cluster.platform.talk())
        stack.callback(talking.cancel)

        await stack.enter_async_context(cluster.ingestor("two"))
        await cluster.until(even("one", "two"))
        await stack.enter_async_context(cluster.ingestor("three"))
        await cluster.until(even("one", "two", "three"))

        talking.cancel()
        await cluster.until_each_room_has_one_upstream()
        await cluster.until_all_is_told()
    assert handed_over() - moved_before >= 13 + 8  # by the first one, to come down to 17 of 30; to the third one
    for room in ROOMS:
        told = [str(number) for number in range(1, cluster.platform.said[room] + 1)]
        assert await cluster.log(room) == ["live_status", *told]
