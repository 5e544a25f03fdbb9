"""An ingestor's part of `bench.intake`: real workers on real WebSockets, fed with frames made beforehand.

The workers, decoders, log writers and scripts are an ingestor's; what is left out is how it comes to its rooms, and all
that a connector does before its socket is open.
"""

import asyncio
import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from bench.upstream_frames import frames_of, room_id, serve
from ingestor.connectors.base import Decoder, LiveRoom, Message, SeenIds, Upstream
from ingestor.connectors.inflate import inflate
from ingestor.connectors.tiktok.frames import dialect
from ingestor.connectors.tiktok.messages import TABLE, TikTokDecoder
from ingestor.connectors.webcast import MAX_FRAME_BYTES, WebcastProtocol
from ingestor.connectors.websocket import WebSocketTransport
from ingestor.log_writer import LogWriter
from ingestor.room_worker import RoomWorker
from ingestor.services import Services
from ingestor.settings import IngestorSettings
from protos import webcast_pb2 as pb
from shared.broker import Broker
from shared.demand import Demand
from shared.events import Event, encode
from shared.lease import Lease, Leases, new_owner
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from shared.settings import load

WINDOW_S = 0.2  # of CPU time; the least disturbed one is the figure to compare on a machine that others use, too
WAITING_MAX = 512  # events of a room that may wait to be stored before more of its frames are read


@dataclass(frozen=True)
class Feed:
    """A server of frames.

    Attributes:
        port: where it listens.
        frames: of each room.
        messages: in all of them.
    """

    port: int
    frames: list[list[bytes]]
    messages: int

    @property
    def frames_per_message(self) -> float:
        """How much of a frame a message is."""
        return sum(map(len, self.frames)) / self.messages


@contextmanager
def feeding(rooms: int, messages: int, sizes: Sequence[int]) -> Iterator[Feed]:
    """Make frames of so many rooms with so many messages each, one of `sizes` in each frame, and serve them."""
    frames = [frames_of(number, messages, sizes) for number in range(rooms)]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, frames), daemon=True)
    process.start()
    try:
        yield Feed(ours.recv(), frames, rooms * messages)
    finally:
        process.kill()
        process.join()


class GatedSocket(WebSocketTransport):
    """A socket that is not read while the room has too much to store, and stays open at its end."""

    writer: LogWriter
    frames_left: int

    async def receive(self) -> list[bytes]:
        if self.writer.waiting > WAITING_MAX:
            await self.writer.drain()
        if not self.frames_left:
            await asyncio.Event().wait()
        frames = await super().receive()
        self.frames_left -= len(frames)
        return frames


class FedConnector:
    """Opens the sockets of a feed."""

    platform = "tiktok"

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.workers: dict[RoomKey, RoomWorker] = {}
        self.sockets: list[GatedSocket] = []

    @property
    def events(self) -> int:
        """Passed on so far, in all rooms."""
        return sum(worker.events for worker in self.workers.values())

    async def resolve(self, name: RoomKey) -> RoomKey:
        return name

    async def check_live(self, room: RoomKey) -> LiveRoom:
        return LiveRoom()

    async def connect(self, room: RoomKey, live: LiveRoom, position: str, seen: SeenIds) -> Upstream:
        number = int(room.room) - room_id(0)
        socket = await GatedSocket.open(
            f"ws://127.0.0.1:{self._feed.port}/{number}", headers={}, user_agent="bench", proxy=None, timeout_s=10,
            max_frame_bytes=MAX_FRAME_BYTES,
        )  # fmt: skip
        assert isinstance(socket, GatedSocket)
        socket.writer = self.workers[room]._writer
        socket.frames_left = len(self._feed.frames[number])
        self.sockets.append(socket)
        return Upstream(socket, WebcastProtocol(dialect(room.room), seen=seen, position=position))

    def decoder(self, room: RoomKey) -> Decoder:
        return TikTokDecoder(room)

    async def aclose(self) -> None: ...


class Cost(NamedTuple):
    """Microseconds per message: of this process's CPU, of the same in the least disturbed fifth of a second, and by the
    clock.
    """

    cpu_us: float
    calm_us: float
    clock_us: float


async def watch(connector: FedConnector, moments: list[tuple[float, int]]) -> None:
    """Note how much was done at which CPU time."""
    while True:
        await asyncio.sleep(0.01)
        now_s, events = time.process_time(), connector.events
        if not moments or (now_s > moments[-1][0] + WINDOW_S and events > moments[-1][1] + 500):
            moments.append((now_s, events))


async def ingest(redis_url: str, feed: Feed) -> Cost:
    """Have all of a feed stored and published."""
    redis = open_redis(redis_url, name="bench")
    await redis.commands.flushall()
    settings = load(IngestorSettings, redis_url=redis_url)
    connector = FedConnector(feed)
    services = _services(redis, settings)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    cpu_s, clock_s = time.process_time(), time.monotonic()
    moments: list[tuple[float, int]] = []
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch(connector, moments))
        running = []
        for number in range(len(feed.frames)):
            room = RoomKey("tiktok", str(room_id(number)))
            await services.demand.announce(room)
            lease = await services.leases.acquire(room, new_owner("bench"))
            assert isinstance(lease, Lease), lease
            worker = connector.workers[room] = await RoomWorker.open(services, connector, lease)
            running.append(tasks.create_task(worker.run()))
        deadline = time.monotonic() + 120
        while len(connector.sockets) < len(feed.frames) or any(
            socket.frames_left or socket.writer.waiting for socket in connector.sockets
        ):
            if time.monotonic() > deadline:
                raise TimeoutError("not all was stored")
            await asyncio.sleep(0.01)
        cpu_s, clock_s = time.process_time() - cpu_s, time.monotonic() - clock_s
        watching.cancel()
        calm_s = min((later - sooner) / (done - had) for (sooner, had), (later, done) in itertools.pairwise(moments))
        for worker in connector.workers.values():
            worker.stop()
    os.sched_setaffinity(0, cores)
    await redis.aclose()
    us = 1e6 / feed.messages
    return Cost(cpu_s * us, calm_s * us * connector.events, clock_s * us)


def _services(redis: RedisClient, settings: IngestorSettings) -> Services:
    ttl_s, length = settings.history_ttl_s, settings.history_len
    return Services(
        broker=Broker(redis, history_ttl_s=ttl_s, history_len=length),
        leases=Leases(redis, ttl_s=settings.lease_ttl_s, history_ttl_s=ttl_s, history_len=length),
        demand=Demand(redis, idle_timeout_s=settings.idle_timeout_s),
        settings=settings,
    )


# --- parts ------------------------------------------------------------------------------------------------------------


def parts(feed: Feed) -> dict[str, float]:
    """Microseconds per message of what is done with a frame, each alone."""
    number, frames = 0, feed.frames[0]
    room = RoomKey("tiktok", str(room_id(number)))
    pushes = [pb.PushFrame.FromString(frame) for frame in frames]
    zipped = [push.payload for push in pushes if push.payload[:2] == b"\x1f\x8b"]
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        began = time.process_time()
        work()
        spent[name] = time.process_time() - began

    protocol = WebcastProtocol(dialect(room.room), seen=SeenIds())
    decoder = TikTokDecoder(room)
    messages: list[Message] = []
    timed("gunzip", lambda: [inflate(payload, 2**23) for payload in zipped])
    timed("frames", lambda: messages.extend(m for frame in frames for m in protocol.receive_frame(frame)))
    known = [message for message in messages if message.method in TABLE.decoders]
    timed("protobuf", lambda: [TABLE.decoders[message.method].schema.FromString(message.payload) for message in known])
    events: list[Event] = []
    timed("events", lambda: events.extend(event for message in messages for event in decoder.decode(message, 0)))
    timed("json", lambda: [encode(event, "1765432111123456-1234") for event in events])
    spent["frames"] -= spent["gunzip"]
    spent["events"] -= spent["protobuf"]
    return {name: seconds * 1e6 / len(messages) for name, seconds in spent.items()}
