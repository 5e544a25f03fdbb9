"""An ingestor on an in-process Redis and a platform whose every answer the test chooses."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from prometheus_client import REGISTRY

from ingestor import service
from ingestor.settings import IngestorSettings
from shared.broker import Broker
from shared.demand import Demand
from shared.keys import RoomKeys
from shared.phases import Phase, RoomPhase
from shared.redis_client import RedisClient
from shared.room import RoomKey
from tests.fakes import FakeConnector

ROOM = RoomKey("tiktok", "7300000000000000001")
OTHER = RoomKey("tiktok", "7300000000000000002")
FOUR = [RoomKey("tiktok", f"730000000000000001{n}") for n in range(4)]
NAME = RoomKey("tiktok", "@ana")


class Stage:
    """A Redis, a platform, and what a gateway would do and see."""

    def __init__(self, redis: RedisClient) -> None:
        self.redis = redis
        self.connector = FakeConnector()
        self.broker = Broker(redis, history_ttl_s=60, history_len=2000)
        self.demand = Demand(redis, idle_timeout_s=60)

    def ingestor(self, name: str = "one", **settings: Any) -> contextlib.AbstractAsyncContextManager[Any]:
        values = {
            "ingestor_name": name, "lease_ttl_s": 1, "scan_interval_s": 0.1, "upstream_backoff_s": 0.01,
            "offline_ttl_s": 30, "failed_ttl_s": 30, "drain_s": 2,
        }  # fmt: skip
        return service.running(
            IngestorSettings(**{**values, **settings}), self.redis, dict.fromkeys(("tiktok", "douyin"), self.connector)
        )

    async def four_rooms(self) -> None:
        """Wait until four rooms run, in each of which something was said."""
        for n, room in enumerate(FOUR, start=1):
            await self.demand.announce(room)
            (await self.connector.upstream(n)).push((str(n), "a"), position="p1")
            await self.logged("live_status", "a", room=room)

    async def idler(self, **load: int | str) -> None:
        """Be an ingestor that says how busy it is, and takes nothing. Until cancelled."""
        while True:
            await self.demand.heartbeat("ingestor", "idler", load)
            await asyncio.sleep(0.05)

    async def phase(self, phase: Phase, room: RoomKey = ROOM) -> RoomPhase:
        """Wait for a phase."""
        found: RoomPhase | None = None
        async with asyncio.timeout(10):
            while found is None or found.phase is not phase:
                found = (await self.broker.state(room)).phase
                await asyncio.sleep(0.005)
        return found

    async def log(self, room: RoomKey = ROOM) -> list[str]:
        """The log as a client would tell it: chat texts, other types by name, and `|` where an epoch begins."""
        entries = [
            (entry, json.loads(entry.data)) for entry in await self.broker.tail(room, 500) if not entry.is_marker
        ]
        return [event.get("content", entry.type) for entry, event in entries]

    async def likes(self) -> list[int]:
        """The totals that the log tells, in order."""
        entries = await self.broker.tail(ROOM, 500)
        return [json.loads(entry.data)["total_like_count"] for entry in entries if entry.type == "like"]

    async def logged(self, *texts: str, room: RoomKey = ROOM) -> None:
        """Wait until the log tells this and nothing else."""
        async with asyncio.timeout(10):
            while await self.log(room) != list(texts):
                await asyncio.sleep(0.005)

    async def key(self, key: str) -> bytes | None:
        async with self.redis.turn() as commands:
            value: bytes | None = await commands.get(key)
            return value

    async def held(self, *rooms: RoomKey) -> list[RoomKey]:
        """Those of the rooms that somebody holds."""
        return [room for room in rooms if await self.key(RoomKeys.of(room).lease) is not None]

    async def wanted(self, room: RoomKey = ROOM) -> bool:
        return (await self.demand.look(room)).remaining_ms > 0

    async def released(self, room: RoomKey = ROOM) -> None:
        async with asyncio.timeout(10):
            while await self.key(RoomKeys.of(room).lease) is not None:
                await asyncio.sleep(0.005)


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that can be seen from here."""
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.005)


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
