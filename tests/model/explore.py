"""Looking for violations: all orders up to a depth, or random ones far beyond it. Both are deterministic."""

import random
from dataclasses import dataclass

from tests.model.ledger import Violation
from tests.model.log_model import LogModel, Mode, Move, State

GOING_ON = frozenset({"claim", "add", "store", "renew", "subscribe", "work", "deliver", "join", "come back", "pull"})


@dataclass(frozen=True, slots=True)
class Found:
    """A violation, and the moves that lead to it."""

    violation: Violation
    trail: tuple[Move, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.violation), *("  " + " ".join(map(str, move)) for move in self.trail)])


@dataclass(frozen=True, slots=True)
class Explored:
    """How much was seen, and the shortest way to each kind of violation."""

    states: int
    found: dict[str, Found]


def breadth_first(model: LogModel, start: State, depth: int, *, states_max: int = 10_000_000) -> Explored:
    """All states within so many moves of `start`; what lies behind a violation is not looked at."""
    parents: dict[State, tuple[State, Move] | None] = {start: None}
    found: dict[str, Found] = {}
    level = [start]
    for _ in range(depth):
        following = []
        for state in level:
            for move in model.moves(state):
                try:
                    after = model.step(state, move)
                except Violation as violation:
                    found.setdefault(violation.invariant, Found(violation, (*_trail(parents, state), move)))
                    continue
                if after not in parents:
                    parents[after] = (state, move)
                    following.append(after)
            if len(parents) >= states_max:
                return Explored(len(parents), found)
        level = following
    return Explored(len(parents), found)


def random_walks(model: LogModel, start: State, *, walks: int, length: int, seed: int) -> Explored:
    """Walks of so many random moves; each has its own seed. Ends with the first violation.

    Every other move is one that things go on by: of all moves most are faults, and nothing would ever get far.
    """
    steps = 0
    for walk in range(walks):
        draw = random.Random(seed + walk)
        state, trail = start, list[Move]()
        for _ in range(length):
            moves = model.moves(state)
            if not moves:
                break
            going_on = [move for move in moves if move[0] in GOING_ON and move[-1] not in (Mode.DEAF, Mode.LATE)]
            trail.append(draw.choice(going_on if going_on and draw.random() < 0.5 else moves))
            steps += 1
            try:
                state = model.step(state, trail[-1])
            except Violation as violation:
                return Explored(steps, {violation.invariant: Found(violation, tuple(trail))})
    return Explored(steps, {})


def _trail(parents: dict[State, tuple[State, Move] | None], state: State) -> tuple[Move, ...]:
    trail = []
    while (parent := parents[state]) is not None:
        state, move = parent
        trail.append(move)
    return tuple(reversed(trail))
