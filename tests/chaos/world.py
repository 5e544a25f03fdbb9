"""A whole cluster as real processes, with a proxy on every link: what chaos breaks, and what it must not disturb.

Links to Redis have none behind Sentinels and in a Cluster: there the servers themselves say where they are.
"""

import asyncio
import contextlib
import random
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from simulator.platforms import PLATFORMS
from tests.balancer import ASK_EVERY_S, Balancer
from tests.chaos.clients import Client
from tests.chaos.proxy import Proxy
from tests.conftest import free_port
from tests.e2e.cluster import Processes, wait_for
from tests.topologies import Topology

LEASE_TTL_S: Final = 3.0
ROOMS: Final = ("7300000000000010000", "7300000000000010001", "douyin/728804800000", "douyin/728804800001")
MARK: Final = "WebcastChatMessage"
JUDGED: Final = frozenset(
    f"Webcast{name}Message" for name in "Caption Chat EmojiChat EmoteChat Gift Like Member RoomUserSeq".split()
)
"""Messages that become events whatever was told before: most of what is sent. Others may be `raw`, and who asks for
those is known to a holder only from its next look at the demand on."""


@dataclass(slots=True)
class Part:
    """One ingestor or gateway: its process, and its links."""

    name: str
    process: "subprocess.Popen[bytes]"
    start: Any
    redis: Proxy | None
    other: Proxy
    """Of an ingestor: to the platforms. Of a gateway: from its clients."""

    def send(self, what: signal.Signals) -> None:
        """A signal, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(what)

    async def restart(self) -> None:
        """End what is left of it, and start it again."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGKILL)
        await asyncio.to_thread(self.process.wait)
        self.process = await asyncio.to_thread(self.start)


@dataclass(slots=True)
class World:
    """The cluster and its clients."""

    processes: Processes
    redis: Topology
    http: httpx.AsyncClient
    rng: random.Random
    ingestors: list[Part] = field(default_factory=list)
    gateways: list[Part] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    slow: list[Client] = field(default_factory=list)
    rooms: Sequence[str] = ROOMS
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever ends or begins a server of Redis, or changes who is master of what."""

    # --- the simulator ------------------------------------------------------------------------------------------------

    async def control(self, path: str, **body: Any) -> Any:
        """Tell the simulator."""
        answer = await self.http.post(f"/_control{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def sent(self, room: str) -> list[str]:
        """The ids of what was sent in a room and is judged, in order."""
        answer = await self.http.get(f"/_control/rooms/{called(room)}/messages")
        answer.raise_for_status()
        return [message["id"] for message in answer.json()["messages"] if message["method"] in JUDGED]

    async def sent_between(self, room: str, first: dict[str, str], last: dict[str, str]) -> list[str]:
        """The same from one mark to another."""
        sent = await self.sent(room)
        return sent[sent.index(first[room]) : sent.index(last[room]) + 1]

    async def mark(self) -> dict[str, str]:
        """Send a mark in every room; its ids by room."""
        messages = [{"method": MARK, "payload_b64": ""}]
        return {
            room: (await self.control(f"/rooms/{called(room)}/messages", messages=messages))["ids"][0]
            for room in self.rooms
        }

    async def reached(self, marks: dict[str, str], timeout_s: float) -> bool:
        """Wait until every client has the mark of its room."""
        try:
            async with asyncio.timeout(timeout_s):
                while not all(marks[client.room] in client.ids for client in self.clients):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return False
        return True

    async def flowing(self, timeout_s: float) -> bool:
        """Wait until something that is sent from now on has reached every client."""
        marks: dict[str, set[str]] = {room: set() for room in self.rooms}
        loop = asyncio.get_running_loop()
        ends, next_mark = loop.time() + timeout_s, 0.0
        while loop.time() < ends:
            if loop.time() >= next_mark:
                next_mark = loop.time() + 0.1
                for room, message in (await self.mark()).items():
                    marks[room].add(message)
            if all(not marks[client.room].isdisjoint(client.ids) for client in self.clients):
                return True
            await asyncio.sleep(0.01)
        return False

    # --- looking ------------------------------------------------------------------------------------------------------

    def addresses(self) -> list[str]:
        """Where clients meet the gateways, `host:port`."""
        return [f"127.0.0.1:{part.other.port}" for part in self.gateways]

    def memory_mib(self) -> dict[str, float]:
        """What each process holds."""
        held = {}
        for part in (*self.ingestors, *self.gateways):
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{part.process.pid}/status").read_text("utf8")
                held[part.name] = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        return held


def called(room: str) -> str:
    """What the simulator calls a room."""
    return room.rpartition("/")[2]


@contextlib.asynccontextmanager
async def running_world(
    folder: Path,
    redis: Topology,
    *,
    seed: int,
    ingestors: int = 2,
    gateways: int = 2,
    clients: int = 2,
    slow: int = 1,
    rate: float = 8.0,
    balanced: bool = False,
) -> AsyncIterator[World]:
    """A cluster in which everything flows, until the block ends.

    Args:
        folder: for the output of its processes.
        redis: what they share; it outlives them.
        seed: of what the simulator sends and clients choose.
        ingestors, gateways: how many.
        clients: in each room.
        slow: clients beside them that read slowly, in one room.
        rate: messages a second in each room.
        balanced: clients are led to gateways that say they are ready, in turn; otherwise they take any.
    """
    (folder / "output").mkdir(parents=True, exist_ok=True)
    processes = Processes(folder / "output", redis.url)
    try:
        await asyncio.to_thread(
            processes.simulator, "--rooms", "2", "--rate", str(rate), "--seed", str(seed), "--payload-rate", "1"
        )
        async with contextlib.AsyncExitStack() as stack:
            http = await stack.enter_async_context(
                httpx.AsyncClient(base_url=processes.simulator_url, verify=False, trust_env=False, timeout=10)
            )
            world = World(processes, redis, http, random.Random(f"{seed}/world"))
            for number in range(ingestors):
                world.ingestors.append(await _ingestor(stack, world, f"ingestor-{number}"))
            notice_s = 4 * ASK_EVERY_S if balanced else 0.0
            for number in range(gateways):
                world.gateways.append(await _gateway(stack, world, f"gateway-{number}", notice_s))
            balancer = Balancer(world.addresses())
            if balanced:
                await stack.enter_async_context(balancer.running())
            watching = await stack.enter_async_context(asyncio.TaskGroup())

            def client(room: str, name: str) -> Client:
                rng = random.Random(f"{seed}/{name}")
                return Client(room, balancer.pick if balanced else partial(_any_of, world.addresses(), rng), rng)

            world.clients += [client(room, f"{room}/{number}") for room in world.rooms for number in range(clients)]
            for number in range(slow):
                world.slow.append(client(world.rooms[0], f"slow/{number}"))
                world.slow[-1].pause_s = 0.2
            tasks = [watching.create_task(client.run()) for client in (*world.clients, *world.slow)]
            try:
                if not await world.flowing(60):
                    raise TimeoutError("nothing flows: " + processes.output()[-4000:])
                yield world
            finally:
                for task in tasks:
                    task.cancel()
    finally:
        processes.end()


def _any_of(addresses: Sequence[str], rng: random.Random) -> str:
    return f"ws://{rng.choice(addresses)}"


async def _way_to_redis(stack: contextlib.AsyncExitStack, world: World) -> tuple[str, Proxy | None]:
    """The URL for one part, and the proxy that it leads to, if any."""
    if world.redis.kind != "single":
        return world.redis.url, None
    proxy = await stack.enter_async_context(Proxy(world.redis.servers[0].port).running())
    return f"redis://127.0.0.1:{proxy.port}/0", proxy


async def _ingestor(stack: contextlib.AsyncExitStack, world: World, name: str) -> Part:
    redis_url, to_redis = await _way_to_redis(stack, world)
    simulator_port = int(world.processes.simulator_url.rpartition(":")[2])
    to_platform = await stack.enter_async_context(Proxy(simulator_port).running())
    url = f"http://127.0.0.1:{to_platform.port}"
    env = {name: value for row in PLATFORMS for name, value in row.settings(url).items()} | {
        "REDIS_URL": redis_url,
        "ROOMCAST_INGESTOR_NAME": name,
        "ROOMCAST_LEASE_TTL_S": f"{LEASE_TTL_S}",
        "ROOMCAST_LOG_LEVEL": "INFO",
        "ROOMCAST_DOUYIN_COOKIES": "sessionid=s",  # told everything, gifts too
        "ROOMCAST_UPSTREAM_SILENCE_S": "5",
        "ROOMCAST_UPSTREAM_RETRIES": "20",
        "ROOMCAST_UPSTREAM_TIMEOUT_S": "2",
    }

    def start() -> "subprocess.Popen[bytes]":
        process = world.processes.start("-m", "ingestor", env=env)
        world.processes.until_said(process, "pub/sub link up")  # it hears of rooms
        return process

    return Part(name, await asyncio.to_thread(start), start, to_redis, to_platform)


async def _gateway(stack: contextlib.AsyncExitStack, world: World, name: str, notice_s: float) -> Part:
    redis_url, to_redis = await _way_to_redis(stack, world)
    port = free_port()
    from_clients = await stack.enter_async_context(Proxy(port).running())
    env = {
        "REDIS_URL": redis_url,
        "ROOMCAST_GATEWAY_NAME": name,
        "ROOMCAST_LEASE_TTL_S": f"{LEASE_TTL_S}",
        "ROOMCAST_LOG_LEVEL": "INFO",
        "ROOMCAST_DRAIN_NOTICE_S": f"{notice_s}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }

    def start() -> "subprocess.Popen[bytes]":
        process = world.processes.start("-m", "gateway", env=env)
        wait_for(f"http://127.0.0.1:{port}/health", process)
        return process

    return Part(name, await asyncio.to_thread(start), start, to_redis, from_clients)
