"""The holder of all rooms, which publishes at a given rate. Run as `python -m bench.publisher REDIS_URL`.

What it writes is what ingestors write: leases are acquired and renewed, and batches go through the publish script. Many
rooms are written in one go without waiting for answers, so that the publisher takes little of the core it shares.
"""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import hiredis
from redis.exceptions import NoScriptError

from bench.child import obey
from bench.errors import BenchError
from bench.marks import event
from shared import event_loop
from shared.broker import Broker, Published
from shared.demand import Demand
from shared.lease import Lease, Leases, Renewed, new_owner
from shared.phases import Phase, RoomPhase
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey

TICK_S = 0.002  # what is due is collected for so long
BATCH_MAX = 256
RENEW_S = 10 / 3  # as ingestors do by default
LEASE_TTL_S = 60.0  # longer than theirs: no measurement is about take-over
HISTORY_TTL_S, HISTORY_LEN = 600, 2000
UNANSWERED_MAX = 2000  # batches


class Pipeline(asyncio.Protocol):
    """A connection to Redis on which commands are sent without waiting for the answers to those before."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is of another class

    def connection_lost(self, exc: Exception | None) -> None:
        for future in self._waiting:
            future.set_exception(ConnectionError("Redis closed the connection"))

    def ask(self, command: tuple[str | bytes | int, ...]) -> "asyncio.Future[Any]":
        """Send a command; its answer, which can be an error as a value."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append(future)
        if not self._unsent:
            loop.call_soon(self._write)  # with what others ask in this tick
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub names a tuple of one
        return future

    def _write(self) -> None:
        self.transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            self._waiting.popleft().set_result(answer)


class PipelinedRedis(RedisClient):
    """Redis as a `Broker` sees it, with all of its publishing on one connection and in the order of the calls."""

    def __init__(self, redis: RedisClient, pipeline: Pipeline) -> None:
        super().__init__(redis.commands, redis.commands.connection_pool)
        self._pipeline = pipeline

    async def ask_once(self, key: str, *command: str | bytes | int) -> Any:
        answer = await self._pipeline.ask(command)
        if isinstance(answer, Exception):
            raise NoScriptError if str(answer).startswith("NOSCRIPT") else BenchError(str(answer))
        return answer


class Publisher:
    """The rooms, and what was published in each of them: the same number of events."""

    def __init__(self, redis: RedisClient, pipeline: Pipeline) -> None:
        self._redis = redis
        self._broker = Broker(PipelinedRedis(redis, pipeline), history_ttl_s=HISTORY_TTL_S, history_len=HISTORY_LEN)
        self._leases = Leases(redis, ttl_s=LEASE_TTL_S, history_ttl_s=HISTORY_TTL_S, history_len=HISTORY_LEN)
        self._held: list[Lease] = []
        self._last = 0

    async def hold(self, rooms: list[str]) -> dict[str, Any]:
        """Become the holder of these rooms, which are live."""
        demand = Demand(self._redis, idle_timeout_s=3600)
        for name in rooms:
            room = RoomKey("tiktok", name)
            await demand.announce(room)
            lease = await self._leases.acquire(room, new_owner("bench"))
            if not isinstance(lease, Lease):
                raise BenchError(f"no lease: {lease}")
            await self._broker.set_phase(lease, RoomPhase(phase=Phase.CONNECTED, at=1))
            self._held.append(lease)
        return {}

    async def renew(self) -> None:
        """Keep the leases, and speak on the channels, as holders do."""
        while True:
            started = time.monotonic()
            for lease in tuple(self._held):
                if not isinstance(await self._leases.renew(lease), Renewed):
                    raise BenchError("a lease was lost")
                await asyncio.sleep(RENEW_S / len(self._held) / 2)
            await asyncio.sleep(max(0.1, started + RENEW_S - time.monotonic()))

    async def publish(self, rate: float, count: int) -> dict[str, Any]:
        """Publish `count` events in each room, `rate` a second in each, the rooms one after the other."""
        total, step_s = count * len(self._held), 1 / (rate * len(self._held))
        cpu_s, late_s, sent = time.process_time(), 0.0, 0
        under_way: set[asyncio.Task[None]] = set()
        started = time.monotonic()
        while sent < total:
            now = time.monotonic()
            due = min(total, int((now - started) / step_s) + 1)
            if due > sent:
                late_s = max(late_s, now - started - sent * step_s)
                under_way |= {asyncio.create_task(self._store(*batch)) for batch in self._batches(sent, due)}
                sent = due
            await asyncio.sleep(max(TICK_S, started + sent * step_s - time.monotonic()))
            under_way = await settle(under_way, UNANSWERED_MAX)
        await settle(under_way, 0)
        self._last += count
        return {
            "last": self._last, "late_ms": late_s * 1000, "elapsed_s": time.monotonic() - started,
            "cpu_s": time.process_time() - cpu_s,
        }  # fmt: skip

    def _batches(self, sent: int, due: int) -> Iterator[tuple[Lease, int, int]]:
        """Lease, first and last number of what is published of each room when `due` of all events are."""
        rooms = len(self._held)
        for index in range(rooms) if due - sent >= rooms else (n % rooms for n in range(sent, due)):
            first = self._last + -(-(sent - index) // rooms) + 1
            last = self._last + -(-(due - index) // rooms)
            for start in range(first, last + 1, BATCH_MAX):
                yield self._held[index], start, min(last, start + BATCH_MAX - 1)

    async def _store(self, lease: Lease, first: int, last: int) -> None:
        stamp_ns, now_ms = time.monotonic_ns(), int(time.time() * 1000)
        entries = [
            ("chat", now_ms, event(lease.room.room, number, stamp_ns, f"{lease.epoch}-{number}"))
            for number in range(first, last + 1)
        ]
        answer = await self._broker.publish(lease, first, entries, state={}, min_id=None)
        if not isinstance(answer, Published):
            raise BenchError(f"not published: {answer}")


async def settle(tasks: set[asyncio.Task[None]], left_max: int) -> set[asyncio.Task[None]]:
    """Wait until at most so many are left, and return those.

    Raises:
        BenchError: one failed, or they took too long.
    """
    deadline = time.monotonic() + 10
    while True:
        for task in tasks:
            if task.done():
                task.result()
        tasks = {task for task in tasks if not task.done()}
        if len(tasks) <= left_max:
            return tasks
        if time.monotonic() > deadline:
            raise BenchError("Redis does not take what is published")
        await asyncio.wait(tasks, timeout=1, return_when=asyncio.FIRST_COMPLETED)


async def serve(redis_url: str) -> None:
    """Do as standard input says."""
    redis = open_redis(redis_url, name="bench")
    options = redis.commands.connection_pool.connection_kwargs
    _, pipeline = await asyncio.get_running_loop().create_connection(Pipeline, options["host"], options["port"])
    publisher = Publisher(redis, pipeline)
    async with asyncio.TaskGroup() as tasks:
        renewing = tasks.create_task(publisher.renew())
        await obey({"hold": publisher.hold, "publish": publisher.publish})
        renewing.cancel()
    pipeline.transport.abort()
    await redis.aclose()


if __name__ == "__main__":
    event_loop.run(serve(sys.argv[1]))
