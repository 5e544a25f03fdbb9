"""One run: faults one after the other and several at once, chosen by a seed; then the judgement of every client."""

import asyncio
import contextlib
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.faults import FAULTS, may_strike_together
from tests.chaos.oracle import Verdict, judge
from tests.chaos.world import World, running_world

FLOWING_WITHIN_S: Final = 30.0  # a bound for tests; what is usual stands in the table
TOGETHER: Final = 0.25  # share of faults that strike together with others


@dataclass(slots=True)
class Row:
    """What one kind of fault did."""

    times: int = 0
    recovery_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        sent: messages between the marks, in all rooms.
        verdicts: one for each client that reads as fast as it can.
        slow: of those that do not: what is left out for them is announced otherwise.
        memory_mib: highest of each process.
    """

    seed: int
    rows: dict[str, Row] = field(default_factory=dict)
    stuck: list[str] = field(default_factory=list)
    sent: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    slow: list[Verdict] = field(default_factory=list)
    reconnects: int = 0
    recovered: int = 0
    memory_mib: dict[str, float] = field(default_factory=dict)

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
    async with running_world(folder, seed=seed, redis=redis, clients=clients) as world:
        first = await world.mark()
        if not await world.reached(first, FLOWING_WITHIN_S):
            outcome.stuck.append("before the first fault")
        ends, order = time.monotonic() + seconds, list(kinds)
        struck = 0
        while time.monotonic() < ends and (most is None or struck < most):
            if struck % len(order) == 0:
                rng.shuffle(order)
            count = 1 if rng.random() > TOGETHER else rng.choice((2, 3))
            chosen = [order[(struck + n) % len(order)] for n in range(min(count, len(order)))]
            struck += len(chosen)
            await _strike(world, outcome, may_strike_together(chosen), rng)
            _note_memory(world, outcome)
        last = await world.mark()
        if not await world.reached(last, FLOWING_WITHIN_S):
            outcome.stuck.append("after the last fault")
        await _judge(world, outcome, first, last)
    return outcome


async def _strike(world: World, outcome: Outcome, kinds: Sequence[str], rng: random.Random) -> None:
    async with contextlib.AsyncExitStack() as stack:
        rngs = [random.Random(rng.getrandbits(64)) for _ in kinds]
        contexts = [FAULTS[kind](world, own) for kind, own in zip(kinds, rngs, strict=True)]
        await asyncio.gather(*(stack.enter_async_context(context) for context in contexts))
        healed = time.monotonic()
        flows = await world.flowing(FLOWING_WITHIN_S)
        took_s = time.monotonic() - healed
    if not flows:
        outcome.stuck.append(" + ".join(kinds))
    name = kinds[0] if len(kinds) == 1 else "several at once"
    row = outcome.rows.setdefault(name, Row())
    row.times += 1
    row.recovery_s.append(took_s)
    await asyncio.sleep(rng.uniform(0.0, 0.5))


def _note_memory(world: World, outcome: Outcome) -> None:
    for name, held in world.memory_mib().items():
        outcome.memory_mib[name] = max(held, outcome.memory_mib.get(name, 0.0))


async def _judge(world: World, outcome: Outcome, first: dict[str, str], last: dict[str, str]) -> None:
    sent = {room: await world.sent(room) for room in world.rooms}
    outcome.sent = sum(sent[room].index(last[room]) - sent[room].index(first[room]) + 1 for room in world.rooms)
    for clients, verdicts in ((world.clients, outcome.verdicts), (world.slow, outcome.slow)):
        for client in clients:
            verdicts.append(judge(client.room, sent[client.room], client.frames, first[client.room], last[client.room]))
    outcome.reconnects = sum(client.reconnects for client in world.clients)
    outcome.recovered = sum(client.recovered for client in world.clients)


def table(outcomes: Sequence[Outcome]) -> str:
    """What the runs came to, as Markdown."""
    rows: dict[str, Row] = {}
    for outcome in outcomes:
        for name, row in outcome.rows.items():
            together = rows.setdefault(name, Row())
            together.times += row.times
            together.recovery_s += row.recovery_s
    lines = ["| fault | times | flowing again, median s | most s |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {row.times} | {statistics.median(row.recovery_s):.2f} | {max(row.recovery_s):.2f} |"
        for name, row in sorted(rows.items(), key=lambda item: [*FAULTS, item[0]].index(item[0]))
    ]
    heads = "seed, sent, delivered, resumed complete, gaps told, missing and told, lost, doubled, out of order, stuck"
    lines += ["", f"| {heads.replace(', ', ' | ')} |"]
    lines += ["|" + "---|" * 10]
    for outcome in outcomes:
        verdicts = outcome.verdicts
        counts = (
            outcome.seed,
            outcome.sent,
            sum(verdict.delivered for verdict in verdicts),
            f"{outcome.recovered} of {outcome.reconnects}",
            sum(verdict.gaps for verdict in verdicts),
            sum(verdict.announced for verdict in verdicts),
            sum(len(verdict.lost) for verdict in verdicts),
            sum(len(verdict.doubled) for verdict in verdicts),
            sum(len(verdict.disordered) for verdict in verdicts),
            len(outcome.stuck),
        )
        lines.append("| " + " | ".join(map(str, counts)) + " |")
    most = {name: max(outcome.memory_mib.get(name, 0.0) for outcome in outcomes) for name in outcomes[0].memory_mib}
    lines += ["", "Memory, most MiB: " + ", ".join(f"{name} {held:.0f}" for name, held in most.items())]
    return "\n".join(lines) + "\n"
