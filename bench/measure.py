"""One measurement: a server, its clients, and events at a steady rate.

A measurement whose clients missed an event, or were closed, is an error and gives no figures.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import redis

from bench.child import Child, child
from bench.errors import BenchError
from bench.procfs import cpu_s, machine_s, memory_kib
from bench.servers import CHANNEL, FIRST_ROOM, VARIANTS, Server, redis_server, server

WARM_UP_S = 1.0
LATE_S, LATE_MAX = 0.1, 0.1  # of publishing: what is normal, and the share of a measurement beyond it
JOIN_S, SETTLE_S, CONNECT_S = 40.0, 10.0, 130.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a server is given to do.

    Attributes:
        clients: in each room.
        rate: events per second in each room.
        batch: how many events a server that makes them itself joins in one send.
        slow: clients beside the others that never read.
    """

    rooms: int
    clients: int
    rate: float
    batch: int = 1
    slow: int = 0

    @property
    def connections(self) -> int:
        """Clients that read, in all rooms."""
        return self.rooms * self.clients


@dataclass(frozen=True, slots=True)
class Figures:
    """What one measurement gave.

    Attributes:
        cpu_us: CPU time of the server per delivery.
        server_cores: busy on average with the server.
        other_cores: the same of load client, publisher and Redis together.
        foreign_cores: the same of everything else on this machine, which disturbs.
        p50, p99, p999, highest: ms from publishing to reading.
        joined: events per read of a client, about as many as the server joined in one write.
        wire_bytes: per delivery, with frame headers.
        late: share of its time by which publishing took longer than it should: beyond `LATE_MAX` the rate was not kept.
        slow_closed: of the clients that never read, those that the server has closed.
    """

    deliveries: int
    per_s: float
    cpu_us: float
    server_cores: float
    other_cores: float
    foreign_cores: float
    p50: float
    p99: float
    p999: float
    highest: float
    joined: float
    wire_bytes: float
    late: float
    slow_closed: int


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share: Redis, and who runs on which cores."""

    redis: redis.Redis
    redis_url: str
    redis_pid: int
    server_cores: set[int]
    other_cores: set[int]


@contextmanager
def bench() -> Iterator[Bench]:
    """Redis, and the division of the cores: one is the server's alone where there are several."""
    cores = sorted(os.sched_getaffinity(0))
    server_cores, other_cores = ({cores[0]}, set(cores[1:2])) if len(cores) > 1 else (set(cores), set(cores))
    os.sched_setaffinity(0, other_cores)
    try:
        with redis_server(other_cores) as (url, pid), redis.Redis.from_url(url, protocol=2) as client:
            yield Bench(client, url, pid, server_cores, other_cores)
    finally:
        os.sched_setaffinity(0, cores)


class Source(Protocol):
    """Where events come from."""

    def publish(self, rate: float, count: int, batch: int) -> tuple[int, float]:
        """Publish `count` events in each room; the number of the last, and how long it took in s."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes that it takes, other than the server."""


class FromRedis:
    """Events that a publisher writes into Redis."""

    def __init__(self, publisher: Child, redis_pid: int) -> None:
        self._publisher = publisher
        self.pids: tuple[int, ...] = (publisher.pid, redis_pid)

    def publish(self, rate: float, count: int, batch: int) -> tuple[int, float]:
        answer = self._publisher.ask("publish", rate=rate, count=count, timeout_s=count / rate * 2 + 15)
        return answer["last"], answer["elapsed_s"]


class FromServer:
    """Events that the server makes itself."""

    pids: tuple[int, ...] = ()

    def __init__(self, running: Server) -> None:
        self._server = Child(running.process)

    def publish(self, rate: float, count: int, batch: int) -> tuple[int, float]:
        started = time.monotonic()
        self._server.write(f"{count} {rate} {batch}")
        last = int(self._server.line(count / rate * 2 + 15))
        return last, time.monotonic() - started


class Run:
    """A server with clients that are in their rooms.

    Attributes:
        clients: in each room.
    """

    def __init__(self, running: Server, load_client: Child, source: Source, rooms: int) -> None:
        self.server = running
        self.clients = 0
        self._load_client = load_client
        self._source = source
        self._rooms = rooms
        self._last = 0

    def connect(self, clients: int, slow: int = 0) -> None:
        """Open connections: so many more in each room."""
        variant = self.server.variant
        self._load_client.ask(
            "connect", port=self.server.port, dialect=variant.dialect, clients=clients, slow=slow, timeout_s=CONNECT_S,
            paths=[variant.path.replace("%s", str(FIRST_ROOM + room)) for room in range(self._rooms)],
        )  # fmt: skip
        self.clients += clients

    def join(self) -> None:
        """Publish single events until every client has seen one.

        Raises:
            BenchError: some saw none.
        """
        deadline = time.monotonic() + JOIN_S
        while time.monotonic() < deadline:
            self._last, _ = self._source.publish(1000 / self._rooms, 1, 1)
            answer = self._load_client.ask("wait", number=1, timeout_s=SETTLE_S, at_most_s=1.0)
            if answer["lost"]:
                raise BenchError(f"{answer['lost']} clients were closed: {answer['why']}")
            if not answer["behind"]:
                return self._settle(SETTLE_S)
        raise BenchError(f"{answer['behind']} clients saw nothing of their room")

    def step(self, load: Load, seconds: float, *, warm_up_s: float = WARM_UP_S, settle_s: float = SETTLE_S) -> Figures:
        """Publish as `load` says, first unmeasured, then measured.

        Raises:
            BenchError: an event was missed or doubled, or a client closed.
        """
        self._publish(load, max(1, round(load.rate * warm_up_s)), settle_s)
        self._load_client.ask("begin", timeout_s=5)
        before, others_before, all_before = self._spent()
        started = time.monotonic()
        late_s = self._publish(load, max(1, round(load.rate * seconds)), settle_s)
        elapsed_s = time.monotonic() - started
        after, others_after, all_after = self._spent()
        spent_s, others_s, all_s = after - before, others_after - others_before, all_after - all_before
        got = self._load_client.ask("figures", timeout_s=10)
        if got["faults"]:
            raise BenchError(f"{got['faults']} events were missed or doubled")
        p50, p99, p999, highest = got["latencies_ms"]
        return Figures(
            deliveries=got["events"],
            per_s=got["events"] / elapsed_s,
            cpu_us=spent_s * 1e6 / got["events"],
            server_cores=spent_s / elapsed_s,
            other_cores=others_s / elapsed_s,
            foreign_cores=max(0.0, all_s - spent_s - others_s) / elapsed_s,
            p50=p50,
            p99=p99,
            p999=p999,
            highest=highest,
            joined=got["events"] / got["reads"],
            wire_bytes=got["bytes"] / got["events"],
            slow_closed=got["slow_closed"],
            late=max(0.0, late_s - LATE_S) / seconds,
        )

    def memory_kib(self) -> int:
        """Of the server, now."""
        return memory_kib(self.server.pid)

    def subscriptions(self, bench: Bench) -> int:
        """How often the first room's channel is subscribed to."""
        ask: Any = bench.redis.execute_command
        return int(ask("PUBSUB", "SHARDNUMSUB", CHANNEL % FIRST_ROOM)[1])

    def _spent(self) -> tuple[float, float, float]:
        """CPU time so far of the server, of what feeds and reads it, and of the whole machine."""
        others = sum(cpu_s(pid) for pid in (self._load_client.pid, *self._source.pids))
        return cpu_s(self.server.pid), others, machine_s()

    def _publish(self, load: Load, count: int, settle_s: float) -> float:
        """Publish and wait; how much longer publishing took than it should, in s."""
        self._last, elapsed_s = self._source.publish(load.rate, count, load.batch)
        self._settle(settle_s)
        return elapsed_s - count / load.rate

    def _settle(self, settle_s: float) -> None:
        answer = self._load_client.ask("wait", number=self._last, timeout_s=settle_s + 10, at_most_s=settle_s)
        if answer["lost"]:
            raise BenchError(f"{answer['lost']} clients were closed: {answer['why']}")
        if answer["behind"]:
            raise BenchError(f"{answer['behind']} clients had not got everything {settle_s:g} s later")


@contextmanager
def run(bench: Bench, variant_name: str, load: Load, *, cores: set[int] | None = None) -> Iterator[Run]:
    """Start a server, and let the clients of `load` join their rooms.

    Raises:
        BenchError: it did not come up, or not all could join.
    """
    variant = VARIANTS[variant_name]
    bench.redis.flushall()
    rooms = [str(FIRST_ROOM + n) for n in range(load.rooms)]
    with ExitStack() as stack:
        load_client = stack.enter_context(child("bench.load", bench.other_cores))
        running = stack.enter_context(server(variant, bench.redis_url, cores or bench.server_cores))
        source: Source = FromServer(running)
        if not variant.feeds_itself:
            publisher = stack.enter_context(child("bench.publisher", bench.other_cores, bench.redis_url))
            publisher.ask("hold", rooms=rooms, timeout_s=30)
            source = FromRedis(publisher, bench.redis_pid)
        started = Run(running, load_client, source, load.rooms)
        started.connect(load.clients, load.slow)
        started.join()
        yield started
