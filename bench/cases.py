"""What is measured: the table of cases, and how each kind of case gets its figures."""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.errors import BenchError
from bench.measure import LATE_MAX, Bench, Figures, Load, Run, run

P99_MAX_MS = 50.0  # what "held" means
HELD_MIN, HELD_FROM, HELD_MAX = 5.0, 50.0, 4096.0  # messages/s of the search; the last is more than clients take
HELD_STEPS, HELD_TRIES = 8, 2
DISTURBED = 0.2  # cores taken by others: a step that failed meanwhile is tried once more
HELD_STEP_S, HELD_WARM_UP_S, HELD_SETTLE_S = 2.0, 0.5, 1.0
HELD_WITHIN = 1.1  # the search ends when what is held and what is not are as close as this
BUSY = 0.9  # of the cores of load client, publisher and Redis: then these are the limit, not the server
SLOW_S = 12.0  # several MB for each client, more than the kernel and a server hold of it
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
    """Start, measure once, end.

    Raises:
        BenchError: there are no figures, or they are of a lower rate.
    """
    with run(asked.bench, asked.variant, load) as started:
        figures = started.step(load, asked.seconds)
    if figures.late > LATE_MAX:
        raise BenchError(f"the rate was not kept: publishing took {figures.late:.0%} longer")
    return figures


def slow(asked: Asked) -> dict[str, Any]:
    """Figures over a time in which clients that never read run full, and are dealt with."""
    return single(replace(asked, seconds=max(asked.seconds, SLOW_S)))


def held(asked: Asked) -> dict[str, Any]:
    """The highest rate at which nothing is missed and p99 is good.

    A rate that fails once is tried once more: something else may have run. Later repeats begin near what was found.
    """
    earlier = max((figures["rate"] * 0.7 for figures in asked.earlier(asked.variant)), default=HELD_FROM)
    search, best, limited = Search(earlier), None, "load side"
    with ExitStack() as running:
        started: Run | None = None
        for rate in search:
            for attempt in range(HELD_TRIES + 1):
                figures, why = None, ""
                try:
                    if started is None:
                        started = running.enter_context(run(asked.bench, asked.variant, replace(asked.load, rate=rate)))
                    load = replace(asked.load, rate=rate)
                    figures = started.step(load, HELD_STEP_S, warm_up_s=HELD_WARM_UP_S, settle_s=HELD_SETTLE_S)
                    why = "late" if figures.late > LATE_MAX else "" if figures.p99 < P99_MAX_MS else "p99"
                except BenchError as error:
                    why = str(error)
                if why:
                    running.close()  # what is under way would disturb the next step
                    started = None
                disturbed = figures is None or figures.foreign_cores > DISTURBED
                if not why or (attempt + 1 >= HELD_TRIES and not disturbed):
                    break
            search.tell(good=not why)
            if why:
                limited = "load side" if why == "late" or (figures and figures.other_cores > BUSY) else why
            else:
                best = figures
    if best is None:
        raise BenchError(f"held nothing: {limited}")
    return asdict(best) | {"rate": search.good, "limited": limited}


class Search:
    """The rates to try, given what came of those before.

    Upwards first, past one that fails: who joins what gathers may do better with more to join. Then between the highest
    good one and the bad one above it; downwards where none was good.
    """

    def __init__(self, start: float) -> None:
        self.good = 0.0
        self._start = start
        self._bad: list[float] = []
        self._rate = start

    def __iter__(self) -> Iterator[float]:
        yield from self._climb(2.0, bad_max=2)
        if not self.good:
            self._rate = self._start / 2
            yield from self._climb(0.5, bad_max=HELD_STEPS)
        for _ in range(HELD_STEPS):
            above = [rate for rate in self._bad if rate > self.good]
            if not self.good or not above or min(above) / self.good < HELD_WITHIN:
                return
            self._rate = math.sqrt(self.good * min(above))
            yield self._rate

    def tell(self, *, good: bool) -> None:
        """What came of the last rate."""
        if good:
            self.good = self._rate
        else:
            self._bad.append(self._rate)

    def _climb(self, factor: float, *, bad_max: int) -> Iterator[float]:
        bad = 0
        while HELD_MIN < self._rate < HELD_MAX and bad < bad_max:
            known = len(self._bad)
            yield self._rate
            bad = bad + 1 if len(self._bad) > known else 0
            if factor < 1 and not bad:
                return
            self._rate *= factor


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
        return figures | {"subscriptions": started.subscriptions(bench)}


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table below.

    Attributes:
        variants: which are measured in turn; tables compare with the first.
        repeats_max: of what hardly varies.
    """

    title: str
    kind: Callable[[Asked], dict[str, Any]]
    loads: Sequence[Load]
    variants: Sequence[str]
    repeats_max: int = 20


CASES: dict[str, Case] = {
    "busy": Case(
        "One busy room: 1,000 clients, 60 messages/s",
        single,
        [Load(1, 1000, 60)],
        ["naive", "ws", "socketio", "gateway", "gateway-50", "gateway-0", "gateway-deflate", "limit"],
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
        "Memory per idle client", memory, [Load(1, 10_000, 1)], ["naive", "ws", "socketio", "gateway"], repeats_max=1
    ),
    "slow": Case(
        "1,000 clients, without and with 50 more that never read",
        slow,
        [Load(1, 1000, 600), Load(1, 1000, 600, slow=50)],
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
