"""What chaos does. Each fault begins, lasts a while, and heals; then everything must flow again within its bound."""

import asyncio
import contextlib
import random
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, cast

import redis

from tests.chaos.proxy import Proxy
from tests.chaos.world import LEASE_TTL_S, ROOMS, Part, World, called
from tests.conftest import RedisServer
from tests.topologies import ClusterTopology, Topology, ask, wait_until

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


def _redis_told(*commands: tuple[str, ...]) -> Fault:
    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        for command in commands:
            await asyncio.to_thread(world.redis.tell, *command)
        yield

    return fault


def _log_of(room: str) -> str:
    return f"rc:{{{'douyin' if '/' in room else 'tiktok'}:{called(room)}}}:log"


@asynccontextmanager
async def _log_lost(world: World, rng: random.Random) -> AsyncIterator[None]:
    """One room's log is deleted under its holder."""
    await asyncio.to_thread(world.redis.tell, "DEL", _log_of(rng.choice(list(world.rooms))))
    yield


# --- one Redis --------------------------------------------------------------------------------------------------------


def _restarted(end: Callable[[RedisServer, random.Random], tuple[str, ...]]) -> Fault:
    """Away for a moment, and back with what it finds on its disk."""

    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        server = world.redis.servers[0]
        async with world.changing:
            options = await asyncio.to_thread(end, server, rng)
            await asyncio.sleep(rng.uniform(0.1, 2.0))
            await asyncio.to_thread(server.start, *options)
            if options:
                await asyncio.to_thread(ask, server.port, "CONFIG", "SET", "appendonly", "no")
            await asyncio.to_thread(_clear_disk, server)
        yield

    return fault


def _clear_disk(server: RedisServer) -> None:
    (server.directory / "dump.rdb").unlink(missing_ok=True)
    shutil.rmtree(server.directory / "appendonlydir", ignore_errors=True)


def _killed_empty(server: RedisServer, rng: random.Random) -> tuple[str, ...]:
    server.stop()
    return ()


def _shut_down_saved(server: RedisServer, rng: random.Random) -> tuple[str, ...]:
    with contextlib.suppress(redis.ConnectionError):
        ask(server.port, "SHUTDOWN", "SAVE")
    server.process.wait()
    return ()


def _killed_after_snapshot(server: RedisServer, rng: random.Random) -> tuple[str, ...]:
    ask(server.port, "SAVE")
    time.sleep(rng.uniform(0.2, 2.0))
    server.stop()
    return ()


def _killed_with_append_only_file(server: RedisServer, rng: random.Random) -> tuple[str, ...]:
    ask(server.port, "CONFIG", "SET", "appendonly", "yes")
    wait_until(
        lambda: b"aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0" in ask(server.port, "INFO", "persistence")
    )
    time.sleep(rng.uniform(0.2, 1.0))
    server.stop()
    return ("--appendonly", "yes")


@asynccontextmanager
async def _redis_frozen(world: World, rng: random.Random) -> AsyncIterator[None]:
    async with world.changing:
        process = world.redis.servers[0].process
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(rng.uniform(0.5, 2 * LEASE_TTL_S))
        finally:
            process.send_signal(signal.SIGCONT)
    yield


@asynccontextmanager
async def _memory_used_up(world: World, rng: random.Random) -> AsyncIterator[None]:
    """Soon what needs memory is refused, while trimming gives some back now and then."""
    async with world.changing:
        for server in world.redis.servers:
            await asyncio.to_thread(_limit_memory, server, rng.choice((0, 50_000)))
        await asyncio.sleep(rng.uniform(0.5, 2 * LEASE_TTL_S))
        for server in world.redis.servers:
            await asyncio.to_thread(ask, server.port, "CONFIG", "SET", "maxmemory", 0)
    yield


def _limit_memory(server: RedisServer, free_bytes: int) -> None:
    used = ask(server.port, "INFO", "memory").partition(b"used_memory:")[2].split()[0]
    ask(server.port, "CONFIG", "SET", "maxmemory", int(used) + free_bytes)


# --- masters and replicas ---------------------------------------------------------------------------------------------


def _when_settled(strike: Callable[[Topology, random.Random], None]) -> Fault:
    """Begins when every replica is there, and while nobody else changes who is master of what."""

    @asynccontextmanager
    async def fault(world: World, rng: random.Random) -> AsyncIterator[None]:
        async with world.changing:
            await asyncio.to_thread(world.redis.settle)
            await asyncio.to_thread(strike, world.redis, rng)
        yield

    return fault


def _master_killed(topology: Topology, rng: random.Random, *, ahead_s: float = 0.0) -> None:
    """A replica takes its place; then it returns, and believes to be the master until it is told otherwise.

    Args:
        topology: what is struck.
        rng: chooses.
        ahead_s: what it did so long before its end has not reached its replicas.
    """
    master = rng.choice(topology.masters())
    replicas = topology.replicas_of(master)
    if ahead_s:
        topology.leave_behind(replicas, ahead_s + 0.3)
        time.sleep(ahead_s)
    master.stop()
    try:
        topology.wait_for_one_of(replicas)
    finally:
        master.start()


def _master_killed_ahead_of_replicas(topology: Topology, rng: random.Random) -> None:
    _master_killed(topology, rng, ahead_s=rng.uniform(0.2, 1.0))


def _failed_over(topology: Topology, rng: random.Random) -> None:
    topology.fail_over(rng.choice(topology.masters()))


def _replica_killed(topology: Topology, rng: random.Random) -> None:
    replica = rng.choice(topology.replicas_of(rng.choice(topology.masters())))
    replica.stop()
    time.sleep(rng.uniform(0.2, 3.0))
    replica.start()


def _slot_migrated(topology: Topology, rng: random.Random) -> None:
    """A room's keys move one by one, while it runs."""
    cluster, log = cast(ClusterTopology, topology), _log_of(rng.choice(ROOMS))
    source = cluster.owner(log)
    target = rng.choice([server for server in cluster.masters() if server is not source])
    for _ in cluster.migration(log, target):
        time.sleep(rng.uniform(0.0, 0.5))


# --- links ------------------------------------------------------------------------------------------------------------


def _gateway_redis(world: World) -> list[Proxy]:
    return [part.redis for part in world.gateways if part.redis]


def _ingestor_redis(world: World) -> list[Proxy]:
    return [part.redis for part in world.ingestors if part.redis]


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


_ON_ANY: Final[dict[str, Fault]] = {
    "ingestor SIGTERM": _killed(_ingestors, signal.SIGTERM),
    "ingestor SIGKILL": _killed(_ingestors, signal.SIGKILL),
    "ingestor SIGSTOP": _paused(_ingestors, 0.5, 2 * LEASE_TTL_S),
    "gateway SIGTERM": _killed(_gateways, signal.SIGTERM),
    "gateway SIGKILL": _killed(_gateways, signal.SIGKILL),
    "gateway SIGSTOP": _paused(_gateways, 0.5, 5.0),
    "Redis FLUSHALL": _redis_told(("FLUSHALL",)),
    "Redis loses a log": _log_lost,
    "maxmemory reached": _memory_used_up,
    "pub/sub clients killed": _redis_told(("CLIENT", "KILL", "TYPE", "pubsub")),
    "all clients of Redis killed": _redis_told(
        ("CLIENT", "KILL", "TYPE", "normal"), ("CLIENT", "KILL", "TYPE", "pubsub")
    ),
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

_ON_SINGLE: Final[dict[str, Fault]] = {
    "Redis restart, empty": _restarted(_killed_empty),
    "Redis restart, all kept": _restarted(_shut_down_saved),
    "Redis restart, old snapshot": _restarted(_killed_after_snapshot),
    "Redis restart, append-only file": _restarted(_killed_with_append_only_file),
    "Redis SIGSTOP": _redis_frozen,
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
}

_ON_REPLICATED: Final[dict[str, Fault]] = {
    "master killed": _when_settled(_master_killed),
    "master killed, replicas behind": _when_settled(_master_killed_ahead_of_replicas),
    "replica killed": _when_settled(_replica_killed),
}

POSSIBLE: Final[Mapping[str, Mapping[str, Fault]]] = {
    "single": _ON_ANY | _ON_SINGLE,
    "sentinel": _ON_ANY | _ON_REPLICATED | {"SENTINEL FAILOVER": _when_settled(_failed_over)},
    "cluster": _ON_ANY
    | _ON_REPLICATED
    | {"CLUSTER FAILOVER": _when_settled(_failed_over), "slot migrated": _when_settled(_slot_migrated)},
}
"""Every fault by name, for each topology of Redis."""

FAULTS: Final[Mapping[str, Fault]] = {name: fault for faults in POSSIBLE.values() for name, fault in faults.items()}

_TAKE_A_TAIL: Final = frozenset({
    "Redis restart, old snapshot", "Redis restart, append-only file", "master killed", "master killed, replicas behind",
    "SENTINEL FAILOVER",
})  # fmt: skip
"""After these the log may lack its end. Who wrote it puts it back, and nobody else can."""

_KEEP_WRITERS: Final = frozenset(name for name in FAULTS if name.startswith(("gateway", "clients", "upstream")))

_END_ONE: Final = (
    frozenset({"ingestor SIGTERM", "ingestor SIGKILL"}),
    frozenset({"gateway SIGTERM", "gateway SIGKILL"}),
)
"""Two of these could end all that there are, and nothing can flow before they are back."""


def may_strike_together(kinds: Sequence[str]) -> list[str]:
    """Without those that nothing is promised for together: a log's end lost and its writer lost too, or nobody left."""
    chosen: list[str] = []
    for kind in kinds:
        if not any(kind in ends and not ends.isdisjoint(chosen) for ends in _END_ONE):
            chosen.append(kind)
    tails = [kind for kind in chosen if kind in _TAKE_A_TAIL]
    if not tails:
        return chosen
    return [tails[0], *(kind for kind in chosen if kind in _KEEP_WRITERS)]
