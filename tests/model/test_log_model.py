"""The model of the log: no order of events breaks its word, and without any one of its rules some order does.

`MODEL_DEPTH` (default 5) moves are tried in every order, and `MODEL_WALKS` (default 500) random walks of 28 moves are
made, for each set of faults and each start. Larger values look further; each move more takes about six times the time
and memory. A failure prints the moves that lead to it.
"""

import itertools
import os
from collections.abc import Sequence
from dataclasses import fields

import pytest

from tests.model.explore import Explored, breadth_first, random_walks
from tests.model.log_model import Fault, LogModel, Mode, Move, State
from tests.model.rules import Rules

DEPTH = int(os.environ.get("MODEL_DEPTH", "5"))
WALKS = int(os.environ.get("MODEL_WALKS", "500"))
WALK_LENGTH = 28
SEED = 20_260_101

ALWAYS = {Fault.NETWORK, Fault.EXPIRY, Fault.TRIM, Fault.LINK, Fault.SILENCE, Fault.OVERFLOW}
FAULTS = {
    "without loss": frozenset(ALWAYS),
    "log loss and clock": frozenset(ALWAYS | {Fault.LOG_LOSS, Fault.CLOCK}),
    "rewind and clock": frozenset(ALWAYS | {Fault.REWIND, Fault.CLOCK}),
}
CHECKS = ("lease_check", "hole_check", "nomkstream")
"""Each covers for the others, so they are only taken out together."""

pytestmark = pytest.mark.timeout(0)  # how long it takes is what the two variables say


def new_or_running(model: LogModel, start: str) -> State:
    return State() if start == "new" else model.running()


def names(value: object) -> str | None:
    return "+".join(value) if isinstance(value, tuple) else None


def violations(explored: Explored) -> str:
    return "\n".join(map(str, explored.found.values()))


# --- with all rules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["new", "running"])
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_no_order_of_a_few_moves_breaks_an_invariant(faults: frozenset[Fault], start: str) -> None:
    model = LogModel(Rules(), faults)
    explored = breadth_first(model, new_or_running(model, start), DEPTH)
    print(f"{explored.states} states")
    assert not explored.found, violations(explored)


@pytest.mark.parametrize("start", ["new", "running"])
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_no_random_walk_breaks_an_invariant(faults: frozenset[Fault], start: str) -> None:
    model = LogModel(Rules(), faults)
    explored = random_walks(model, new_or_running(model, start), walks=WALKS, length=WALK_LENGTH, seed=SEED)
    print(f"{explored.states} states")
    assert not explored.found, violations(explored)


# --- without a rule ---------------------------------------------------------------------------------------------------


FOUND_BY_WALKS: Sequence[tuple[tuple[str, ...], set[Fault], str, str]] = [
    (CHECKS, {Fault.EXPIRY, Fault.LOG_LOSS}, "running", "I3"),
    (("microseconds",), {Fault.LOG_LOSS}, "running", "I1"),
    (("heartbeat",), {Fault.SILENCE}, "running", "I2"),
    (("inclusive_read",), {Fault.SILENCE, Fault.TRIM}, "running", "I2"),
    (("given_up",), {Fault.NETWORK, Fault.LOG_LOSS}, "running", "I4"),
    (("read_on_subscribe",), {Fault.LINK}, "running", "I2"),
    (("first_log",), {Fault.SILENCE}, "new", "I2"),
]

FOUND_BY_SEARCH: Sequence[tuple[tuple[str, ...], set[Fault], list[Move], int, str]] = [
    # XADD's refusal of a small id is all that is left.
    (CHECKS, {Fault.EXPIRY, Fault.LOG_LOSS}, [], 5, "I3"),
    (("microseconds",), {Fault.LOG_LOSS}, [], 4, "I1"),
    # What was written after a clock and a log went back is lost again.
    (
        ("jitter",),
        {Fault.CLOCK, Fault.REWIND},
        [
            ("set clock back",), ("release", 0, Mode.DONE), ("save",), ("claim", 1, Mode.DONE), ("add", 1),
            ("store", 1, Mode.DONE),
        ],
        4,
        "I1",
    ),
    (("heartbeat",), {Fault.SILENCE}, [], 4, "I2"),
    (("inclusive_read",), {Fault.SILENCE, Fault.TRIM}, [("add", 0), ("store", 0, Mode.DONE)], 6, "I2"),
    # The server forgets an epoch that the gateway saw, and the holder before goes on.
    (
        ("doubles_per_epoch",),
        {Fault.REWIND},
        [
            ("save",), ("add", 0), ("store", 0, Mode.DONE), ("deliver",), ("expire",), ("claim", 1, Mode.DONE),
            ("deliver",), ("rewind",), ("renew", 0, Mode.DONE),
        ],
        6,
        "I4",
    ),
    (
        ("gap_entry",),
        {Fault.OVERFLOW},
        [("add", 0), ("store", 0, Mode.LATE), ("add", 0), ("overflow", 0)],
        5,
        "I2",
    ),
    (("given_up",), {Fault.LOG_LOSS}, [("add", 0), ("store", 0, Mode.DEAF), ("deliver",)], 6, "I4"),
    (("read_on_subscribe",), {Fault.LINK}, [], 5, "I2"),
    # A client reads what its gateway does not hear, and then the log is trimmed.
    (
        ("one_place",),
        {Fault.TRIM},
        [
            ("restart",), ("add", 0), ("store", 0, Mode.DONE), ("trim all",), ("subscribe",), ("work",),
            ("come back",), ("add", 0), ("store", 0, Mode.DONE), ("pull",), ("trim all",),
        ],
        4,
        "I4",
    ),
    # A client reads faster than the channel brings, and then the log is lost.
    (
        ("no_step_back",),
        {Fault.LOG_LOSS},
        [
            ("flush",), ("restart",), ("subscribe",), ("claim", 1, Mode.DONE), ("work",), ("deliver",), ("add", 1),
            ("store", 1, Mode.DONE), ("come back",), ("pull",),
        ],
        4,
        "I4",
    ),
]  # fmt: skip


def test_every_rule_is_taken_out() -> None:
    walked, searched = (case[0] for case in FOUND_BY_WALKS), (case[0] for case in FOUND_BY_SEARCH)
    assert set(itertools.chain(*walked, *searched)) == {field.name for field in fields(Rules)}


@pytest.mark.parametrize(("rules", "faults", "start", "invariant"), FOUND_BY_WALKS, ids=names)
def test_without_a_rule_random_walks_break_an_invariant(
    rules: tuple[str, ...], faults: set[Fault], start: str, invariant: str
) -> None:
    model = LogModel(Rules().without(*rules), frozenset(faults))
    explored = random_walks(model, new_or_running(model, start), walks=20_000, length=WALK_LENGTH, seed=SEED)
    print(f"{explored.states} states\n{violations(explored)}")
    assert list(explored.found) == [invariant]


@pytest.mark.parametrize(("rules", "faults", "moves", "depth", "invariant"), FOUND_BY_SEARCH, ids=names)
def test_without_a_rule_an_exhaustive_search_finds_the_shortest_way_to_break_an_invariant(
    rules: tuple[str, ...], faults: set[Fault], moves: list[Move], depth: int, invariant: str
) -> None:
    with_all, without = LogModel(Rules(), frozenset(faults)), LogModel(Rules().without(*rules), frozenset(faults))
    explored = breadth_first(without, without.running(*moves), depth)
    print(f"{explored.states} states\n{violations(explored)}")
    assert list(explored.found) == [invariant]
    assert not breadth_first(with_all, with_all.running(*moves), depth).found
