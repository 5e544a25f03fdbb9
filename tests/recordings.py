"""An ingestor with every connector there is, on a Redis of its own, and what it tells of rooms."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from ingestor import service
from ingestor.connectors import registry
from ingestor.settings import IngestorSettings
from shared.broker import Broker
from shared.demand import Demand
from shared.phases import Phase
from shared.redis_client import open_redis
from shared.room import RoomKey

_CURSOR = re.compile(rb'"cursor":"[^"]*",')
TOLD_MAX = 100_000


def told(data: bytes, room: RoomKey) -> bytes:
    """The bytes of an event without what is of one log only: its cursor, and how its room is called."""
    identity = f'"platform":"{room.platform}","room":"{room.room}",'.encode()
    return _CURSOR.sub(b"", data, count=1).replace(identity, b"")


class Ingesting:
    """What a gateway would do and see."""

    def __init__(self, broker: Broker, demand: Demand, stop: Callable[[], Awaitable[None]]) -> None:
        self.broker = broker
        self.stop = stop
        """Ends the ingestor; what it told can still be looked at."""
        self._demand = demand

    async def wants(self, room: RoomKey, *, raw: bool = True) -> None:
        """Want a room."""
        if raw:
            await self._demand.want_raw(room)
        await self._demand.announce(room)

    async def events(self, room: RoomKey) -> list[bytes]:
        """The log of a room, each as `told`."""
        entries = await self.broker.tail(room, TOLD_MAX)
        return [told(entry.data, room) for entry in entries if not entry.is_marker]

    async def has(self, room: RoomKey, events: int, *, within_s: float = 30) -> None:
        """Wait for so many events."""
        async with asyncio.timeout(within_s):
            while len(await self.events(room)) < events:
                await asyncio.sleep(0.02)

    async def over(self, room: RoomKey, phase: Phase = Phase.ENDED, *, within_s: float = 30) -> list[bytes]:
        """Wait until a room is over; its events."""
        async with asyncio.timeout(within_s):
            while (state := await self.broker.state(room)).phase is None or state.phase.phase is not phase:
                await asyncio.sleep(0.02)
        return await self.events(room)


@contextlib.asynccontextmanager
async def ingesting(
    overrides: Mapping[str, object] = MappingProxyType({}), **settings: Any
) -> AsyncIterator[Ingesting]:
    """Run it while the block runs.

    Args:
        overrides: settings of connectors.
        settings: of the ingestor.
    """
    redis = open_redis(f"memory://{uuid4().hex}", name="test")
    values: dict[str, Any] = {
        "history_len": TOLD_MAX, "history_bytes": 64 * 1024 * 1024, "upstream_backoff_s": 0.01,
        "scan_interval_s": 0.1, **settings
    }  # fmt: skip
    async with contextlib.AsyncExitStack() as around, contextlib.AsyncExitStack() as stack:
        around.push_async_callback(redis.aclose)
        connectors = await stack.enter_async_context(registry.connectors(overrides))
        await stack.enter_async_context(service.running(IngestorSettings(**values), redis, connectors))
        yield Ingesting(
            Broker(redis, history_ttl_s=600, history_len=TOLD_MAX), Demand(redis, idle_timeout_s=300), stack.aclose
        )
