"""One run: faults one after the other and several at once, chosen by a seed; then the judgement of every client."""

import asyncio
import contextlib
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.faults import FAULTS, may_strike_together
from tests.chaos.oracle import Verdict, judge
from tests.chaos.world import World, running_world
from tests.topologies import TOPOLOGIES, Topology

FLOWING_WITHIN_S: Final = 30.0  # a bound for tests; what is usual stands in the table
TOGETHER_SHARE: Final = 0.25  # of faults strike together with others
TOGETHER: Final = "several at once"
BEFORE: Final = "before the first"


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault, or several at once.

    Attributes:
        name: of the fault.
        marks: by room, the message from which on what happens is its doing.
        recovery_s: from its end until everything flowed again.
    """

    name: str
    marks: dict[str, str]
    recovery_s: float


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        seed: of the run.
        strikes: in order.
        stuck: where nothing flowed any more.
        sent: messages between the marks, by room.
        verdicts: one for each client that reads as fast as it can.
        slow: of those that do not: what is left out for them is announced otherwise.
        memory_mib: first and highest of each process.
    """

    seed: int
    strikes: list[Strike] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    sent: dict[str, list[str]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    slow: list[Verdict] = field(default_factory=list)
    memory_mib: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Nothing lost without a word, nothing doubled, nothing out of order, nothing stuck."""
        calm = all(not verdict.doubled and not verdict.disordered for verdict in self.slow)
        return not self.stuck and calm and all(verdict.is_clean for verdict in self.verdicts)


async def run(
    folder: Path,
    *,
    seed: int,
    seconds: float,
    kinds: Sequence[str],
    most: int | None = None,
    clients: int = 2,
    redis: str = "single",
) -> Outcome:
    """Break things for a while.

    Args:
        folder: for the output of the processes.
        seed: same seed, same faults in the same order.
        seconds: how long; the last fault may end a little later.
        kinds: of faults.
        most: faults at most.
        clients: in each room.
        redis: its topology; `kinds` are possible on it.
    """
    outcome = Outcome(seed)
    rng = random.Random(seed)
    async with (
        _running(redis, folder / "redis") as topology,
        running_world(folder, topology, seed=seed, clients=clients) as world,
    ):
        first = await world.mark()
        if not await world.reached(first, FLOWING_WITHIN_S):
            outcome.stuck.append("before the first fault")
        ends, order = time.monotonic() + seconds, list(kinds)
        struck = 0
        while time.monotonic() < ends and (most is None or struck < most):
            if struck % len(order) == 0:
                rng.shuffle(order)
            count = 1 if rng.random() > TOGETHER_SHARE else rng.choice((2, 3))
            chosen = [order[(struck + n) % len(order)] for n in range(min(count, len(order)))]
            struck += len(chosen)
            await _strike(world, outcome, may_strike_together(chosen), rng)
            _note_memory(world, outcome)
        last = await world.mark()
        if not await world.reached(last, FLOWING_WITHIN_S):
            outcome.stuck.append("after the last fault")
        await _judge(world, outcome, first, last)
    return outcome


@contextlib.asynccontextmanager
async def _running(kind: str, folder: Path) -> AsyncIterator[Topology]:
    topology = await asyncio.to_thread(TOPOLOGIES[kind], folder)
    try:
        yield topology
    finally:
        await asyncio.to_thread(topology.stop)


async def _strike(world: World, outcome: Outcome, kinds: Sequence[str], rng: random.Random) -> None:
    marks = await world.mark()
    async with contextlib.AsyncExitStack() as stack:
        rngs = [random.Random(rng.getrandbits(64)) for _ in kinds]
        contexts = [FAULTS[kind](world, own) for kind, own in zip(kinds, rngs, strict=True)]
        await asyncio.gather(*(stack.enter_async_context(context) for context in contexts))
        healed = time.monotonic()
        flows = await world.flowing(FLOWING_WITHIN_S)
        took_s = time.monotonic() - healed
    if not flows:
        outcome.stuck.append(" + ".join(kinds))
    outcome.strikes.append(Strike(kinds[0] if len(kinds) == 1 else TOGETHER, marks, took_s))
    await asyncio.sleep(rng.uniform(0.0, 0.5))


def _note_memory(world: World, outcome: Outcome) -> None:
    for name, held in world.memory_mib().items():
        first, most = outcome.memory_mib.get(name, (held, held))
        outcome.memory_mib[name] = first, max(held, most)


async def _judge(world: World, outcome: Outcome, first: dict[str, str], last: dict[str, str]) -> None:
    for room in world.rooms:
        outcome.sent[room] = await world.sent_between(room, first, last)
    for clients, verdicts in ((world.clients, outcome.verdicts), (world.slow, outcome.slow)):
        verdicts += [judge(client.room, outcome.sent[client.room], client.frames) for client in clients]


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Row:
    """What one kind of fault did."""

    recovery_s: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


_COUNTED: Final = ("sent", "owed", "delivered", "returns", "complete", "gaps told", "missing, told", "lost", "doubled")


def table(outcomes: Sequence[Outcome]) -> str:
    """What the runs came to, fault by fault and in all, as Markdown."""
    rows: dict[str, _Row] = {}
    for outcome in outcomes:
        for strike in outcome.strikes:
            rows.setdefault(strike.name, _Row()).recovery_s.append(strike.recovery_s)
        for room, sent in outcome.sent.items():
            _count(rows, outcome, room, sent)
    heads = ("fault", "times", *_COUNTED, "flowing again after, median s", "most s")
    lines = [" | ".join(heads), " | ".join(["---"] * len(heads))]
    total = _Row()
    for name in sorted(rows, key=[BEFORE, *FAULTS, TOGETHER].index):
        row = rows[name]
        total.recovery_s += row.recovery_s
        total.counts += row.counts
        lines.append(_line(name, row))
    lines.append(_line("in all", total))
    text = "\n".join(f"| {line} |" for line in lines) + "\n\n"
    disordered = sum(len(verdict.disordered) for outcome in outcomes for verdict in outcome.verdicts)
    text += f"Out of order: {disordered}. Stuck: {sum(len(outcome.stuck) for outcome in outcomes)}.\n"
    for outcome in outcomes:
        held = ", ".join(f"{name} {first:.0f} to {most:.0f}" for name, (first, most) in outcome.memory_mib.items())
        text += f"Memory with seed {outcome.seed}, first and most MiB: {held}.\n"
    return text


def _count(rows: dict[str, _Row], outcome: Outcome, room: str, sent: Sequence[str]) -> None:
    """Put all that happened in a room down to the strike it happened in."""
    began = {strike.marks[room]: strike.name for strike in outcome.strikes}
    name, blamed = BEFORE, {"": BEFORE}
    for message in sent:
        name = began.get(message, name)
        blamed[message] = name
    verdicts = [verdict for verdict in outcome.verdicts if verdict.room == room]
    happened: list[tuple[str, Iterable[str]]] = [("sent", sent)]
    for verdict in verdicts:
        happened += (
            ("owed", sent),
            ("delivered", verdict.delivered),
            ("returns", [message for message, _ in verdict.returns]),
            ("complete", [message for message, complete in verdict.returns if complete]),
            ("gaps told", verdict.gaps),
            ("missing, told", verdict.announced),
            ("lost", verdict.lost),
            ("doubled", verdict.doubled),
        )
    for what, messages in happened:
        for message in messages:
            rows.setdefault(blamed[message], _Row()).counts[what] += 1


def _line(name: str, row: _Row) -> str:
    took = row.recovery_s
    times = (f"{statistics.median(took):.2f}", f"{max(took):.2f}") if took else ("", "")
    return " | ".join((name, str(len(took)), *(str(row.counts[what]) for what in _COUNTED), *times))
