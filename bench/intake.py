"""`python -m bench.intake`: what a message costs on its way in, in CPU time of one process.

A redis-server and whoever sends on one core, who takes in on the other, as fast as it can.

Gateway: the bare link, the link with messages parsed, and a gateway process with one client per room, which wants none
of the messages but the last ones. They are about 600 bytes each.

Ingestor: real workers in this process on real WebSockets, fed with frames that the simulator wrote (`bench.ingest`),
of its sizes and of larger ones: a frame costs something, and so does each message in it.
What is done with a frame is also measured alone, over the frames of one room; what is then left is sockets, the event
loop, numbering and publishing.
"""

import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import click
import websockets

from bench.ingest import feeding, ingest, parts
from bench.servers import free_port, redis_server, wait_for_port
from shared import event_loop
from shared.broker import Broker, Entry
from shared.channels import Channels
from shared.cursor import Cursor
from shared.demand import Demand
from shared.events import Chat, User, encode
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, new_owner
from shared.phases import Phase, RoomPhase
from shared.pubsub_link import DEFAULT_LIMITS, PubSubLink
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from simulator.room import FRAME_SIZES

LARGE_FRAMES = ((10,), (30,))  # messages in each frame of a busier room than the simulator has
WAVE = 10_000  # messages; two waves are under way at once, which is less than Redis holds for a late subscriber


@click.command()
@click.option("--rooms", default=50, show_default=True, type=click.IntRange(1, 1000))
@click.option("--waves", default=20, show_default=True, type=click.IntRange(3, 1000), help=f"Of {WAVE} messages each.")
@click.option("--messages", default=600, show_default=True, type=click.IntRange(100, 10_000), help="Per ingested room.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20))
def main(rooms: int, waves: int, messages: int, rounds: int) -> None:
    """Measure, and print medians."""
    with redis_server({max(os.sched_getaffinity(0))}) as (redis_url, _):
        print("gateway, per message:")
        for name, listening in (("read", link), ("read, parse", channels), ("gateway process", gateway)):
            costs = [event_loop.run(measure(listening, redis_url, rooms, waves)) for _ in range(rounds)]
            cpu_us, clock_us = (statistics.median(column) for column in zip(*costs, strict=True))
            print(f"  {name:16} {cpu_us:6.2f} us of CPU, {clock_us:6.2f} us by the clock", end="")
            print(f"   {1e6 / cpu_us:9,.0f} messages per second of CPU")
        print("ingestor, per message, making its frames ...")
        ingestor(redis_url, rooms, messages, rounds)


def ingestor(redis_url: str, rooms: int, messages: int, rounds: int) -> None:
    """Measure workers with frames of several sizes in turn, and tell what a frame costs from what a message does."""
    with ExitStack() as stack:
        feeds = [stack.enter_context(feeding(rooms, messages, sizes)) for sizes in (FRAME_SIZES, *LARGE_FRAMES)]
        alone = parts(feeds[0])
        all_costs = [[event_loop.run(ingest(redis_url, feed)) for feed in feeds] for _ in range(rounds)]
    print("  alone: ", ", ".join(f"{name} {us:.1f} us" for name, us in alone.items()))
    calm = []
    for feed, costs in zip(feeds, zip(*all_costs, strict=True), strict=True):
        cpu_us, calm_us, clock_us = (statistics.median(column) for column in zip(*costs, strict=True))
        calm.append(calm_us)
        size = 1 / feed.frames_per_message
        print(f"  {size:4.1f} per frame   {cpu_us:6.2f} us of CPU, {clock_us:6.2f} us by the clock", end="")
        print(f"   {1e6 / cpu_us:9,.0f} messages per second of CPU, undisturbed {1e6 / calm_us:9,.0f}")
    per_frame_us, per_message_us = statistics.linear_regression([feed.frames_per_message for feed in feeds], calm)
    print(f"  undisturbed: {per_frame_us:.0f} us for a frame and {per_message_us:.0f} us for each message in it")


# --- who listens ------------------------------------------------------------------------------------------------------


class Listener:
    """Who takes messages in: how many ends of waves it has seen, and what its process has spent."""

    def __init__(self, pid: int, ends: Callable[[], int]) -> None:
        self._pid = pid
        self.ends = ends

    def cpu_s(self) -> float:
        """On-CPU time of the process so far."""
        tasks = Path(f"/proc/{self._pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


class CountingLink(PubSubLink):
    """Counts messages that end a wave, and reads no other."""

    ends = 0

    def _on_message(self, name: bytes, message: bytes) -> None:
        if b" chat " in message[:40]:
            self.ends += 1


class CountingDeliveries:
    """Counts entries that end a wave."""

    ends = 0

    def on_entry(self, room: RoomKey, entry: Entry) -> None:
        if entry.type == "chat":
            self.ends += 1

    def on_alive(self, room: RoomKey, last: Cursor) -> None: ...

    def on_phase(self, room: RoomKey, phase: RoomPhase) -> None: ...

    def on_resubscribed(self, room: RoomKey) -> None: ...

    def on_link(self, up: bool) -> None: ...


@asynccontextmanager
async def link(redis: RedisClient, redis_url: str, rooms: list[RoomKey]) -> AsyncIterator[Listener]:
    """The link alone."""
    async with CountingLink(redis, DEFAULT_LIMITS) as counting:
        for room in rooms:
            await counting._confirmation(counting._want(RoomKeys.of(room).events, sharded=True))
        yield Listener(os.getpid(), lambda: counting.ends)


@asynccontextmanager
async def channels(redis: RedisClient, redis_url: str, rooms: list[RoomKey]) -> AsyncIterator[Listener]:
    """The link, and its messages parsed."""
    deliveries = CountingDeliveries()
    async with Channels(redis, deliveries) as subscribed:
        for room in rooms:
            await subscribed.subscribe(room)
        yield Listener(os.getpid(), lambda: deliveries.ends)


class Clients:
    """One client for each room; they count the events that end a wave, and want no others."""

    def __init__(self) -> None:
        self.ends = 0
        self.connected = asyncio.Semaphore(0)

    async def read(self, port: int, room: RoomKey) -> None:
        """One of them, until it is cancelled."""
        address = f"ws://127.0.0.1:{port}/ws/{room.room}?lang=en&events=chat"
        async with websockets.connect(address, compression=None) as client:
            async for frame in client:
                text = str(frame)
                self.ends += text.startswith('{"type":"chat"')
                if text.startswith('{"status":"connected"'):
                    self.connected.release()


@asynccontextmanager
async def gateway(redis: RedisClient, redis_url: str, rooms: list[RoomKey]) -> AsyncIterator[Listener]:
    """A gateway process, and a client for each room."""
    port = free_port()
    environment = {
        **os.environ, "PORT": str(port), "HOST": "127.0.0.1", "REDIS_URL": redis_url, "ROOMCAST_LOG_LEVEL": "WARNING",
        "ROOMCAST_NEW_ROOMS_PER_MINUTE": "100000",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "gateway"], env=environment)
    try:
        wait_for_port(port, process)
        clients = Clients()
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(clients.read(port, room)) for room in rooms]
            for _ in rooms:
                await clients.connected.acquire()
            yield Listener(process.pid, lambda: clients.ends)
            for task in reading:
                task.cancel()
    finally:
        process.terminate()
        process.wait(15)


# --- who publishes ----------------------------------------------------------------------------------------------------


@contextmanager
def publisher(redis_url: str, leases: list[Lease], waves: int) -> Iterator[Connection]:
    """A process of its own, on the last core; it publishes a wave for each word it gets."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    rooms = [(RoomKeys.of(lease.room).events, lease.epoch) for lease in leases]
    process = context.Process(target=publish_waves, args=(theirs, redis_url, rooms, waves), daemon=True)
    process.start()
    try:
        ours.recv()
        yield ours
    finally:
        process.kill()
        process.join()


def publish_waves(pipe: Connection, redis_url: str, rooms: list[tuple[str, int]], waves: int) -> None:
    """Publish a wave for each word that comes: the same number of messages in each room, in turn."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    where = urlsplit(redis_url)
    redis = socket.create_connection((where.hostname, where.port))
    redis.sendall(b"*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n")
    event = encode(EVENT, Cursor(1765432111123456, 1))
    pipe.send("ready")
    each = WAVE // len(rooms)
    for wave in range(waves):
        pipe.recv()
        for offset in range(wave * each + 1, wave * each + each + 1):
            kind = b"chat" if offset == wave * each + each else b"like"
            commands = []
            for channel, epoch in rooms:
                message = b"%d-%d %s 1765432111123 %s" % (epoch, offset, kind, event)
                parts = (b"SPUBLISH", channel.encode(), message)
                commands.append(b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
            redis.sendall(b"".join(commands))
    pipe.recv()


# --- measuring --------------------------------------------------------------------------------------------------------

Listening = Callable[[RedisClient, str, list[RoomKey]], AbstractAsyncContextManager[Listener]]


async def measure(listening: Listening, redis_url: str, rooms: int, waves: int) -> tuple[float, float]:
    """Microseconds of the listener's CPU, and by the clock, per message."""
    cores = os.sched_getaffinity(0)
    redis = open_redis(redis_url, name="bench")
    await redis.commands.flushall()
    leases = [await hold(redis, RoomKey("tiktok", str(7300000000000000000 + number))) for number in range(rooms)]
    with publisher(redis_url, leases, waves) as pipe:
        os.sched_setaffinity(0, {min(cores)})
        try:
            async with listening(redis, redis_url, [lease.room for lease in leases]) as listener:
                await take(pipe, listener, 0, 2, rooms)  # the first ones warm up
                cpu_s, clock_s = listener.cpu_s(), time.monotonic()
                await take(pipe, listener, 2, waves, rooms)
                cpu_s, clock_s = listener.cpu_s() - cpu_s, time.monotonic() - clock_s
        finally:
            os.sched_setaffinity(0, cores)
    await redis.aclose()
    messages = WAVE // rooms * rooms * (waves - 2)
    return cpu_s * 1e6 / messages, clock_s * 1e6 / messages


async def hold(redis: RedisClient, room: RoomKey) -> Lease:
    """Acquire a room, as an ingestor does."""
    await Demand(redis, idle_timeout_s=600).announce(room)
    lease = await Leases(redis, ttl_s=60, history_ttl_s=600, history_len=2000).acquire(room, new_owner("bench"))
    assert isinstance(lease, Lease), lease
    broker = Broker(redis, history_ttl_s=600, history_len=2000)
    await broker.set_phase(lease, RoomPhase(phase=Phase.CONNECTED, at=1))
    return lease


async def take(pipe: Connection, listener: Listener, first: int, last: int, rooms: int) -> None:
    """Have waves published, two under way at a time, and wait until they are taken in.

    Raises:
        TimeoutError: one was not.
    """
    for wave in range(first, last):
        pipe.send(wave)
        deadline = time.monotonic() + 30
        while listener.ends() < rooms * (wave if wave < last - 1 else last):
            if time.monotonic() > deadline:
                raise TimeoutError(f"wave {wave} was not taken in")
            await asyncio.sleep(0.002)


EVENT = Chat(
    platform="tiktok",
    room="7300000000000000001",
    id="7301",
    time=1765432111123,
    user=User(id="6919", unique_id="ana", nickname="Ana", avatar="https://example.com/a.webp", roles=[], badges=[]),
    content="hello " * 50,
    emotes=[],
    mentions=[],
)

if __name__ == "__main__":
    main()
