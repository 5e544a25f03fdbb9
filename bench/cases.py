"""What is measured: the table of cases, and how each kind of case gets its figures."""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.errors import BenchError
from bench.measure import Bench, Figures, Load, Run, run
from bench.servers import CHANNEL, FIRST_ROOM

P99_MAX_MS = 50.0  # what "held" means
HELD_FROM, HELD_MAX = 50.0, 4096.0  # messages/s the search begins with and ends at; the latter is more than clients take
HELD_STEPS = 14
HELD_STEP_S, HELD_WARM_UP_S, HELD_SETTLE_S = 2.0, 0.5, 1.0
HELD_WITHIN = 1.1  # the search ends when what is held and what is not are as close as this
BUSY = 0.9  # of the cores of load client, publisher and Redis: then these are the limit, not the server
BATCH, BATCH_MAX = 8, 256


@dataclass(frozen=True, slots=True)
class Record:
    """One measurement: its figures, or why there are none."""

    case: str
    load: Load
    variant: str
    repeat: int
    figures: dict[str, Any]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One measurement to make, and all that were made before it."""

    bench: Bench
    case: str
    load: Load
    variant: str
    seconds: float
    before: Sequence[Record]

    def earlier(self, *variants: str) -> Iterator[dict[str, Any]]:
        """Figures of the same case and load, of these variants; the newest last."""
        for record in self.before:
            if record.case == self.case and record.variant in variants and record.figures:
                yield record.figures


def steady(asked: Asked) -> dict[str, Any]:
    """Figures at a given rate. The limit joins as many messages as the gateway did, or a few."""
    if asked.variant != "limit":
        return single(asked)
    joined = [figures["joined"] for figures in asked.earlier("gateway")] or [BATCH]
    batch = min(BATCH_MAX, max(1, round(joined[-1])))
    return asdict(measure(asked, replace(asked.load, batch=batch))) | {"batch": batch}


def single(asked: Asked) -> dict[str, Any]:
    """Figures at a given rate. The limit joins nothing."""
    return asdict(measure(asked, asked.load))


def measure(asked: Asked, load: Load) -> Figures:
    """Start, measure once, end."""
    with run(asked.bench, asked.variant, load) as started:
        return started.step(load, asked.seconds)


def held(asked: Asked) -> dict[str, Any]:
    """The highest rate at which nothing is missed and p99 is good: by doubling, then between the last two.

    Later repeats begin near what the one before found.
    """
    rate = max((figures["rate"] * 0.7 for figures in asked.earlier(asked.variant)), default=HELD_FROM)
    low, high, best, limited = 0.0, math.inf, None, ""
    with ExitStack() as running:
        started: Run | None = None
        for _ in range(HELD_STEPS):
            if rate >= HELD_MAX or high / max(low, 1.0) < HELD_WITHIN:
                break
            load = replace(asked.load, rate=rate)
            try:
                if started is None:
                    started = running.enter_context(run(asked.bench, asked.variant, load))
                figures = started.step(load, HELD_STEP_S, warm_up_s=HELD_WARM_UP_S, settle_s=HELD_SETTLE_S)
                good, why = figures.p99 < P99_MAX_MS, f"p99 {figures.p99:.0f} ms"
                others = figures.other_cores
            except BenchError as error:
                good, why, others = False, str(error), 0.0
                running.close()  # it may have anything left to say
                started = None
            if good:
                low, best = rate, figures
            else:
                high, limited = rate, "load side" if others > BUSY or "the publisher" in why else why
            rate = math.sqrt(low * high) if low and high < math.inf else rate * 2 if good else rate / 2
    if best is None:
        raise BenchError(f"held nothing: {limited}")
    return asdict(best) | {"rate": low, "limited": limited if high < math.inf else "load side"}


def memory(asked: Asked) -> dict[str, Any]:
    """Memory that idle clients take: half of them first, then all."""
    load = asked.load
    with run(asked.bench, asked.variant, replace(load, clients=1)) as started:
        before = started.memory_kib()
        figures = {}
        for clients in (load.clients // 2, load.clients):
            started.connect(clients - started.clients)
            started.join()
            figures[f"kib_at_{clients}"] = (started.memory_kib() - before) / (clients - 1)
        return figures | {"kib_before": before}


def workers(asked: Asked) -> dict[str, Any]:
    """Figures of several processes on all cores, and how often they subscribe upstream."""
    bench = asked.bench
    with run(bench, asked.variant, asked.load, cores=bench.server_cores | bench.other_cores) as started:
        figures = asdict(started.step(asked.load, asked.seconds))
        answer = bench.redis.execute_command("PUBSUB", "SHARDNUMSUB", CHANNEL % FIRST_ROOM)
        return figures | {"subscriptions": answer[1]}


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table below.

    Attributes:
        shows: the figures that are printed, as `name: format`.
    """

    title: str
    kind: Callable[[Asked], dict[str, Any]]
    loads: Sequence[Load]
    variants: Sequence[str]


CASES: dict[str, Case] = {
    "busy": Case(
        "One busy room: 1,000 clients, 60 messages/s",
        single,
        [Load(1, 1000, 60)],
        ["naive", "ws", "socketio", "gateway", "gateway-0", "gateway-deflate", "limit"],
    ),
    "joined": Case(
        "The same room at 1,000 messages/s; the limit joins as many messages as the gateway",
        steady,
        [Load(1, 1000, 1000)],
        ["gateway", "gateway-0", "gateway-deflate", "limit"],
    ),
    "held": Case(
        f"Deliveries/s held by 1,000 clients in one room, p99 under {P99_MAX_MS:g} ms and nothing missed",
        held,
        [Load(1, 1000, HELD_FROM)],
        ["naive", "ws", "socketio", "gateway", "gateway-0", "limit"],
    ),
    "growth": Case(
        "60,000 deliveries/s in one room, to more and more clients",
        single,
        [Load(1, 100, 600), Load(1, 1000, 60), Load(1, 5000, 12), Load(1, 10_000, 6)],
        ["naive", "ws", "gateway", "limit"],
    ),
    "rooms": Case(
        "10,000 clients in more and more rooms, 5 messages/s in each",
        single,
        [Load(1, 10_000, 5), Load(10, 1000, 5), Load(100, 100, 5), Load(1000, 10, 5)],
        ["ws", "gateway"],
    ),
    "memory": Case(
        "Memory per idle client", memory, [Load(1, 10_000, 1)], ["naive", "ws", "socketio", "gateway"]
    ),
    "slow": Case(
        "1,000 clients, without and with 50 more that never read",
        single,
        [Load(1, 1000, 400), Load(1, 1000, 400, slow=50)],
        ["gateway"],
    ),
    "workers": Case(
        "One process and two, on two cores shared with the clients",
        workers,
        [Load(1, 1000, 60), Load(1, 1000, 1000)],
        ["gateway", "gateway-workers"],
    ),
}  # fmt: skip


def median(records: Sequence[Record], name: str) -> float | None:
    """Of one figure over the repeats; None where fewer than half gave it."""
    values = [record.figures[name] for record in records if name in record.figures]
    return statistics.median(values) if len(values) * 2 > len(records) else None
