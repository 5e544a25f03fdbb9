"""What chaos does. Each fault begins, lasts a while, and heals; then everything must flow again within its bound."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from tests.chaos.proxy import Proxy
from tests.chaos.world import LEASE_TTL_S, Part, World, called, tell_redis

Fault = Callable[[World, random.Random], AbstractAsyncContextManager[None]]


# --- processes --------------------------------------------------------------------------------------------------------


def _killed(parts: Callable[[World], list[Part]], how: signal.Signals) -> Fault:
    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        part = rng.choice(parts(world))
        part.send(how)
        yield
        await part.restart()

    return fault


def _paused(parts: Callable[[World], list[Part]], low_s: float, high_s: float) -> Fault:
    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        part = rng.choice(parts(world))
        part.send(signal.SIGSTOP)
        await asyncio.sleep(rng.uniform(low_s, high_s))
        part.send(signal.SIGCONT)
        yield

    return fault


# --- Redis ------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _redis_restarted(world: World, rng: random.Random) -> AsyncIterator[None]:
    """Killed, away for a moment, and back with nothing in it."""
    await asyncio.to_thread(world.redis_server.stop)
    await asyncio.sleep(rng.uniform(0.1, 2.0))
    await asyncio.to_thread(world.redis_server.start)
    yield


@asynccontextmanager
async def _redis_frozen(world: World, rng: random.Random) -> AsyncIterator[None]:
    world.redis_server.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(rng.uniform(0.5, 2 * LEASE_TTL_S))
    world.redis_server.process.send_signal(signal.SIGCONT)
    yield


def _redis_told(*commands: tuple[str, ...]) -> Fault:
    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        for command in commands:
            await tell_redis(world, *command)
        yield

    return fault


@asynccontextmanager
async def _log_lost(world: World, rng: random.Random) -> AsyncIterator[None]:
    """One room's log is deleted under its holder."""
    room = rng.choice(list(world.rooms))
    platform = "douyin" if "/" in room else "tiktok"
    await tell_redis(world, "DEL", f"rc:{{{platform}:{called(room)}}}:log")
    yield


# --- links ------------------------------------------------------------------------------------------------------------


def _gateway_redis(world: World) -> list[Proxy]:
    return [part.redis for part in world.gateways]


def _ingestor_redis(world: World) -> list[Proxy]:
    return [part.redis for part in world.ingestors]


def _upstream(world: World) -> list[Proxy]:
    return [part.other for part in world.ingestors]


def _downstream(world: World) -> list[Proxy]:
    return [part.other for part in world.gateways]


def _cut(links: Callable[[World], list[Proxy]]) -> Fault:
    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        rng.choice(links(world)).cut()
        yield

    return fault


def _troubled(
    links: Callable[[World], list[Proxy]], trouble: Callable[[Proxy, bool], None], low_s: float, high_s: float
) -> Fault:
    """One of the links is troubled for a while."""

    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        link = rng.choice(links(world))
        trouble(link, True)
        await asyncio.sleep(rng.uniform(low_s, high_s))
        trouble(link, False)
        yield

    return fault


def _delayed(link: Proxy, on: bool) -> None:
    link.delay_s = 0.2 if on else 0.0


def _half_open(links: Callable[[World], list[Proxy]]) -> Fault:
    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        rng.choice(links(world)).half_open()
        yield

    return fault


# --- upstream, clients ------------------------------------------------------------------------------------------------


def _simulated(kind: str, **options: object) -> Fault:
    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        await world.control("/faults", kind=kind, count=rng.randint(1, 12), **options)
        await asyncio.sleep(rng.uniform(0.5, 2.0))
        yield

    return fault


def _told_to(action: str, **options: object) -> Fault:
    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        room = called(rng.choice(list(world.rooms)))
        await world.control(f"/rooms/{room}/{action}", **options)
        yield

    return fault


@asynccontextmanager
async def _clients_hop(world: World, rng: random.Random) -> AsyncIterator[None]:
    for _ in range(3):
        await asyncio.gather(*(client.hop() for client in world.clients if rng.random() < 0.7))
        await asyncio.sleep(rng.uniform(0.1, 0.5))
    yield


@asynccontextmanager
async def _clients_slow(world: World, rng: random.Random) -> AsyncIterator[None]:
    """Half of the clients hardly read for a while: their gateways have to hold what they do not take, or close them."""
    slow = [client for client in world.clients if rng.random() < 0.5]
    for client in slow:
        client.pause_s = 1.0
    await asyncio.sleep(rng.uniform(1.0, 5.0))
    for client in slow:
        client.pause_s = 0.0
    yield


def _ingestors(world: World) -> list[Part]:
    return world.ingestors


def _gateways(world: World) -> list[Part]:
    return world.gateways


FAULTS: Final[Mapping[str, Fault]] = {
    "ingestor SIGTERM": _killed(_ingestors, signal.SIGTERM),
    "ingestor SIGKILL": _killed(_ingestors, signal.SIGKILL),
    "ingestor SIGSTOP": _paused(_ingestors, 0.5, 2 * LEASE_TTL_S),
    "gateway SIGTERM": _killed(_gateways, signal.SIGTERM),
    "gateway SIGKILL": _killed(_gateways, signal.SIGKILL),
    "gateway SIGSTOP": _paused(_gateways, 0.5, 5.0),
    "Redis restart, empty": _redis_restarted,
    "Redis SIGSTOP": _redis_frozen,
    "Redis FLUSHALL": _redis_told(("FLUSHALL",)),
    "Redis loses a log": _log_lost,
    "pub/sub clients killed": _redis_told(("CLIENT", "KILL", "TYPE", "pubsub")),
    "all clients of Redis killed": _redis_told(
        ("CLIENT", "KILL", "TYPE", "normal"), ("CLIENT", "KILL", "TYPE", "pubsub")
    ),
    "gateway-Redis cut": _cut(_gateway_redis),
    "gateway-Redis refused": _troubled(_gateway_redis, Proxy.refuse, 0.5, 4.0),
    "gateway-Redis frozen": _troubled(_gateway_redis, Proxy.freeze, 0.5, 6.0),
    "gateway-Redis half-open": _half_open(_gateway_redis),
    "gateway-Redis slow": _troubled(_gateway_redis, _delayed, 1.0, 3.0),
    "ingestor-Redis cut": _cut(_ingestor_redis),
    "ingestor-Redis refused": _troubled(_ingestor_redis, Proxy.refuse, 0.5, 2 * LEASE_TTL_S),
    "ingestor-Redis frozen": _troubled(_ingestor_redis, Proxy.freeze, 0.5, 2 * LEASE_TTL_S),
    "ingestor-Redis half-open": _half_open(_ingestor_redis),
    "ingestor-Redis slow": _troubled(_ingestor_redis, _delayed, 1.0, 3.0),
    "upstream cut": _cut(_upstream),
    "upstream half-open": _half_open(_upstream),
    "upstream frozen": _troubled(_upstream, Proxy.freeze, 0.5, 4.0),
    "upstream drop": _told_to("drop", code=1011),
    "upstream stall": _told_to("stall", duration_s=3),
    "upstream duplicate": _simulated("duplicate"),
    "upstream reorder": _simulated("reorder"),
    "upstream delay": _simulated("delay", delay_s=0.3),
    "upstream corrupt frame": _simulated("corrupt_frame"),
    "upstream corrupt gzip": _simulated("corrupt_gzip"),
    "upstream corrupt payload": _simulated("corrupt_payload"),
    "upstream unknown frame": _simulated("unknown_frame"),
    "clients cut": _cut(_downstream),
    "clients half-open": _half_open(_downstream),
    "clients hop": _clients_hop,
    "clients slow": _clients_slow,
}
"""Every fault by name."""
