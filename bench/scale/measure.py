"""`python -m bench.scale measure`: what `make bench` does not measure and the model needs, as `docs/scale.json`.

All of it is CPU time, of one process at a time, so it may run on a machine that others use, too. Redis is asked by one
room after the other: that is the dear case, for a Redis that is behind joins what goes to one gateway. How much that
saves is told by a figure with fifty rooms at once. Subscribers of a channel are bare sockets that only read.
"""

import asyncio
import json
import os
import statistics
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench import intake
from bench.ingest import feeding, ingest
from bench.intake import EVENT, hold
from bench.measure import Load, bench, run
from bench.procfs import cpu_s
from bench.servers import redis_server
from gateway.tail import RING_MAX, Tail
from shared import event_loop
from shared.broker import Broker, Entry, Published
from shared.cursor import Cursor
from shared.demand import Demand
from shared.events import encode
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, Renewed
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from simulator.room import FRAME_SIZES

ROOMS = 50  # that publish at once
ENTRIES = 18_000  # stored per figure
LISTENERS = 30  # gateways on each channel, where copies are measured
BATCH, BATCH_LARGE = 3, 30  # entries of one call
WANTED = 2000  # rooms in a scan
FRAMES = (FRAME_SIZES, (10,), (30,))  # messages in each frame
WAVES = 8
CLIENTS, JOINERS = 500, 2000  # there before, and those whose coming is measured
PING_S, IDLE_S = 2.0, 10.0  # pings come ten times as often as by default, to be seen above the rest

_EVENT = encode(EVENT, Cursor(1765432111123456, 1))


def measure(rounds: int) -> dict[str, float]:
    """Every figure, by its name: medians of so many rounds."""
    figures: dict[str, list[float]] = {}
    with redis_server({max(os.sched_getaffinity(0))}) as (url, pid):
        for _ in range(rounds):
            for name, value in event_loop.run(_redis(url, pid)).items():
                figures.setdefault(name, []).append(value)
            figures.setdefault("gateway_intake_us", []).append(
                event_loop.run(intake.measure(intake.gateway, url, ROOMS, WAVES))[0]
            )
        figures |= _ingestor(url, rounds)
    figures["gateway_room_kib"] = [_room_kib()]
    for _ in range(rounds):
        for name, value in _clients().items():
            figures.setdefault(name, []).append(value)
    return {name: round(statistics.median(values), 3) for name, values in figures.items()}


def write(machine: dict[str, object], rounds: int, path: Path) -> None:
    """Measure, and write a file."""
    path.write_text(json.dumps({"machine": machine, "costs": measure(rounds)}, indent=1) + "\n", "utf8")


# --- Redis ------------------------------------------------------------------------------------------------------------


async def _redis(url: str, pid: int) -> dict[str, float]:
    """What Redis spends on a call, an entry of it, a copy of that to a gateway, a renewal and a room in a scan."""
    redis = open_redis(url, name="bench")
    await redis.commands.flushall()
    leases = [await hold(redis, RoomKey("tiktok", str(7300000000000000000 + number))) for number in range(ROOMS)]
    writer = _Writer(redis, leases)
    await writer.publish(BATCH)  # the scripts are loaded, the logs made
    small, large, busy = await writer.costs(pid)
    async with _listening(url, leases, LISTENERS):
        small_heard, large_heard, busy_heard = await writer.costs(pid)
    call, entry = _line(small, large)
    write, copy = _line((small_heard - small) / LISTENERS, (large_heard - large) / LISTENERS)
    entry_bytes = await redis.commands.memory_usage(RoomKeys.of(leases[0].room).log, samples=0)
    kept = await redis.commands.xlen(RoomKeys.of(leases[0].room).log)
    renewed = await _spent(pid, lambda: _renew(redis, leases))
    scan, own = await _scan(redis, pid)
    await redis.aclose()
    return {
        "redis_call_us": call,
        "redis_entry_us": entry,
        "redis_write_us": write,
        "redis_copy_us": copy,
        "redis_copy_busy_us": (busy_heard - busy) / LISTENERS,
        "redis_renewal_us": renewed / (10 * ROOMS),
        "redis_scanned_us": scan,
        "ingestor_scanned_us": own,
        "log_entry_bytes": entry_bytes / kept,
    }


class _Writer:
    """The holder of all rooms."""

    def __init__(self, redis: RedisClient, leases: list[Lease]) -> None:
        self._broker = Broker(redis, history_ttl_s=600, history_len=2000)
        self._next = dict.fromkeys(leases, 1)

    async def costs(self, pid: int) -> tuple[float, float, float]:
        """What Redis spends on an entry: of a small batch, of a large one, and of a small one while it is behind."""
        small = await _spent(pid, lambda: self.publish(BATCH))
        large = await _spent(pid, lambda: self.publish(BATCH_LARGE))
        busy = await _spent(pid, lambda: self.publish(BATCH, at_once=ROOMS))
        return small / ENTRIES, large / ENTRIES, busy / ENTRIES

    async def publish(self, batch: int, at_once: int = 1) -> None:
        """Store `ENTRIES`, so many in a call, in so many rooms at once."""
        turns = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as tasks:
            for lease in self._next:
                tasks.create_task(self._publish(lease, batch, turns))

    async def _publish(self, lease: Lease, batch: int, turns: asyncio.Semaphore) -> None:
        async with turns:
            await self._calls(lease, batch)

    async def _calls(self, lease: Lease, batch: int) -> None:
        for _ in range(ENTRIES // len(self._next) // batch):
            answer = await self._broker.publish(
                lease, self._next[lease], [("chat", 1765432111123, _EVENT)] * batch, state={}, min_id=None
            )
            assert isinstance(answer, Published), answer
            self._next[lease] += batch


def _line(small: float, large: float) -> tuple[float, float]:
    """Of two costs per entry: what comes once for each batch, and what for each entry in it."""
    batch = (small - large) / (1 / BATCH - 1 / BATCH_LARGE)
    return batch, large - batch / BATCH_LARGE


async def _renew(redis: RedisClient, leases: list[Lease]) -> None:
    """As lease keepers do: renew, and look what is wanted; ten times each."""
    keeper = Leases(redis, ttl_s=60, history_ttl_s=600, history_len=2000)
    demand = Demand(redis, idle_timeout_s=600)

    async def keep(lease: Lease) -> None:
        for _ in range(10):
            assert isinstance(await keeper.renew(lease), Renewed)
            await demand.look(lease.room)

    async with asyncio.TaskGroup() as tasks:
        for lease in leases:
            tasks.create_task(keep(lease))


async def _scan(redis: RedisClient, pid: int) -> tuple[float, float]:
    """What a room costs in the list of those that are wanted: in Redis, and in who asks."""
    demand = Demand(redis, idle_timeout_s=600)
    for number in range(WANTED):
        await demand.announce(RoomKey("tiktok", str(7400000000000000000 + number)))

    async def scans() -> None:
        for _ in range(5):
            assert len(await demand.wanted()) == WANTED + ROOMS

    own_s = time.process_time()
    spent = await _spent(pid, scans)
    return spent / 5 / (WANTED + ROOMS), (time.process_time() - own_s) * 1e6 / 5 / (WANTED + ROOMS)


async def _spent(pid: int, work: Callable[[], Awaitable[None]]) -> float:
    """Microseconds of CPU that a process has spent meanwhile."""
    before = cpu_s(pid)
    await work()
    return (cpu_s(pid) - before) * 1e6


@asynccontextmanager
async def _listening(url: str, leases: list[Lease], count: int) -> AsyncIterator[None]:
    """So many connections that subscribe to every room and read what comes."""
    where = urlsplit(url)
    channels = [RoomKeys.of(lease.room).events.encode() for lease in leases]
    command = b"".join(b"SSUBSCRIBE %s\r\n" % channel for channel in channels)

    async def read(reader: asyncio.StreamReader) -> None:
        while await reader.read(1 << 18):
            pass

    async with asyncio.TaskGroup() as tasks:
        reading, writers = [], []
        for _ in range(count):
            reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1 << 18)
            writer.write(command)
            for channel in channels:
                await reader.readuntil(channel)
            reading.append(tasks.create_task(read(reader)))
            writers.append(writer)
        yield
        for task in reading:
            task.cancel()
        for writer in writers:
            writer.close()


# --- our processes ----------------------------------------------------------------------------------------------------


def _ingestor(url: str, rounds: int) -> dict[str, list[float]]:
    """What a frame costs, and each message in it; undisturbed."""
    found: dict[str, list[float]] = {"ingestor_frame_us": [], "ingestor_message_us": []}
    for _ in range(rounds):
        costs, frames = [], []
        for sizes in FRAMES:
            with feeding(ROOMS, 300, sizes) as feed:
                costs.append(event_loop.run(ingest(url, feed)).calm_us)
                frames.append(feed.frames_per_message)
        slope, rest = statistics.linear_regression(frames, costs)
        found["ingestor_frame_us"].append(slope)
        found["ingestor_message_us"].append(rest)
    return found


def _clients() -> dict[str, float]:
    """What a gateway spends on a client that comes, and on a ping."""
    interval = {"ROOMCAST_PING_INTERVAL_S": f"{PING_S:g}"}
    with _environment(interval), bench() as shared, run(shared, "gateway", Load(1, CLIENTS, 1)) as running:
        before = cpu_s(running.server.pid)
        running.connect(JOINERS)
        running.join()
        joined = cpu_s(running.server.pid)
        time.sleep(IDLE_S)
        idle = cpu_s(running.server.pid) - joined
    return {
        "gateway_join_us": (joined - before) * 1e6 / JOINERS,
        "gateway_ping_us": idle * 1e6 / (CLIENTS + JOINERS) / (IDLE_S / PING_S),
    }


def _room_kib() -> float:
    """What a gateway keeps of a room in which enough was said: its newest entries, as frames."""
    room = RoomKey("tiktok", "7300000000000000001")
    tail = Tail(room)
    tail.begin([], Cursor(1, 0))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for offset in range(1, 2 * RING_MAX):
        tail.enter(Entry(Cursor(1, offset), "chat", 1765432111123, b"%b" % _EVENT))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / 1024


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
