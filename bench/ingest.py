"""An ingestor's part of `bench.intake`: real workers on real WebSockets, fed with frames made beforehand.

The workers, decoders, log writers and scripts are an ingestor's; what is left out is how it comes to its rooms, and all
that a connector does before its socket is open.
"""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.upstream_frames import frames_of, room_id, serve
from ingestor.connectors.base import Decoder, LiveRoom, Message, SeenIds, Upstream
from ingestor.connectors.inflate import inflate
from ingestor.connectors.tiktok.frames import dialect
from ingestor.connectors.tiktok.messages import TABLE, TikTokDecoder
from ingestor.connectors.webcast import MAX_FRAME_BYTES, WebcastProtocol
from ingestor.connectors.websocket import WebSocketTransport
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


@contextmanager
def feeding(rooms: int, messages: int) -> Iterator[Feed]:
    """Make frames of so many rooms with so many messages each, and serve them."""
    frames = [frames_of(number, messages) for number in range(rooms)]
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

    waiting: Callable[[], int]
    frames_left: int

    async def receive(self) -> bytes:
        deadline = time.monotonic() + 30
        while self.waiting() > WAITING_MAX:
            assert time.monotonic() < deadline, "nothing is stored"
            await asyncio.sleep(0.001)
        if not self.frames_left:
            await asyncio.Event().wait()
        self.frames_left -= 1
        return await super().receive()


class FedConnector:
    """Opens the sockets of a feed."""

    platform = "tiktok"

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.workers: dict[RoomKey, RoomWorker] = {}
        self.sockets: list[GatedSocket] = []

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
        writer = self.workers[room]._writer
        socket.waiting = lambda: writer.waiting
        socket.frames_left = len(self._feed.frames[number])
        self.sockets.append(socket)
        return Upstream(socket, WebcastProtocol(dialect(room.room), seen=seen, position=position))

    def decoder(self, room: RoomKey) -> Decoder:
        return TikTokDecoder(room)

    async def aclose(self) -> None: ...


async def ingest(redis_url: str, feed: Feed) -> tuple[float, float]:
    """Microseconds of this process's CPU, and by the clock, per message."""
    redis = open_redis(redis_url, name="bench")
    await redis.commands.flushall()
    settings = load(IngestorSettings, redis_url=redis_url)
    connector = FedConnector(feed)
    services = _services(redis, settings)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    cpu_s, clock_s = time.process_time(), time.monotonic()
    async with asyncio.TaskGroup() as tasks:
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
            socket.frames_left or socket.waiting() for socket in connector.sockets
        ):
            if time.monotonic() > deadline:
                raise TimeoutError("not all was stored")
            await asyncio.sleep(0.01)
        cpu_s, clock_s = time.process_time() - cpu_s, time.monotonic() - clock_s
        for worker in connector.workers.values():
            worker.stop()
    os.sched_setaffinity(0, cores)
    await redis.aclose()
    return cpu_s * 1e6 / feed.messages, clock_s * 1e6 / feed.messages


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
