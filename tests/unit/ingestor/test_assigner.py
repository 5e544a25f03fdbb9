"""Who tries for which room, and who hands which to others."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.assigner import (
    MAX_CLAIM_DELAY_S,
    Holding,
    Load,
    Relief,
    claim_delay_s,
    plan,
    relieve,
    surplus,
)
from ingestor.supervisor import HAND_OVER_REST_S
from shared.room import RoomKey

A, B, C = (RoomKey("tiktok", f"73000000000000000{n}") for n in (10, 11, 12))
NAME = RoomKey("tiktok", "@ana")
EXCESS = 0.2
SCAN_S = 3.0


ROOMS = [RoomKey("tiktok", str(7400000000000000000 + number)) for number in range(200)]


def held(count: int, *, held_s: float = 100, events: int = 5) -> dict[RoomKey, Holding]:
    return dict.fromkeys(ROOMS[:count], Holding(held_s, events))


def handed_over(
    running: dict[RoomKey, Holding],
    *others: Load,
    max_rooms: int = 200,
    calm_s: float = math.inf,
    **relief: Any,
) -> list[RoomKey]:
    limits = {"rooms": 5, "excess": EXCESS, "held_s": 60, "fresh_s": 7, **relief}
    return relieve(running, Load(len(running), max_rooms), others, calm_s=calm_s, relief=Relief(**limits))


# --- taking -----------------------------------------------------------------------------------------------------------


def test_wanted_rooms_are_tried_for_in_order() -> None:
    assert plan([B, A], set(), capacity=5, resting={}, now=0) == [B, A]


def test_held_rooms_are_not_tried_for_again() -> None:
    assert plan([A, B], {A}, capacity=5, resting={}, now=0) == [B]


def test_no_more_rooms_are_tried_for_than_fit() -> None:
    assert plan([A, B, C], {A}, capacity=2, resting={}, now=0) == [B]
    assert plan([B], {A}, capacity=1, resting={}, now=0) == []


def test_names_take_no_place() -> None:
    assert plan([A, NAME], {B}, capacity=1, resting={}, now=0) == [NAME]
    assert plan([A], {NAME}, capacity=1, resting={}, now=0) == [A]


def test_a_resting_room_is_left_alone_until_its_time() -> None:
    assert plan([A, B], set(), capacity=5, resting={A: 10.0}, now=9.9) == [B]
    assert plan([A, B], set(), capacity=5, resting={A: 10.0}, now=10.0) == [A, B]


def test_a_loaded_ingestor_lets_others_go_first() -> None:
    assert claim_delay_s(Load(0, 200), []) == 0
    assert claim_delay_s(Load(100, 200), []) == MAX_CLAIM_DELAY_S / 4
    assert claim_delay_s(Load(500, 200), []) == MAX_CLAIM_DELAY_S / 2
    assert claim_delay_s(Load(200, 200), [Load(0, 200)]) == MAX_CLAIM_DELAY_S


def test_a_newcomer_is_clearly_first_although_nobody_is_nearly_full() -> None:
    newcomer = claim_delay_s(Load(0, 200), [Load(20, 200), Load(10, 200)])
    with_its_share = claim_delay_s(Load(10, 200), [Load(20, 200), Load(0, 200)])
    assert newcomer == 0
    assert with_its_share >= MAX_CLAIM_DELAY_S / 2


def test_nobody_waits_for_an_ingestor_that_is_full() -> None:
    assert claim_delay_s(Load(9, 200), [Load(3, 3)]) == claim_delay_s(Load(9, 200), [])


def test_equals_do_not_wait_for_each_other() -> None:
    assert claim_delay_s(Load(10, 200), [Load(10, 200), Load(10, 200)]) == claim_delay_s(Load(10, 200), [])


# --- handing over -----------------------------------------------------------------------------------------------------


def test_an_ingestor_above_its_share_hands_over_no_more_rooms_at_once_than_it_may() -> None:
    assert len(handed_over(held(30), Load(0, 200))) == 5
    assert len(handed_over(held(30), Load(0, 200), rooms=50)) == 15
    assert handed_over(held(30), Load(0, 200), rooms=0) == []


def test_shares_are_in_proportion_to_what_each_may_hold() -> None:
    assert surplus(Load(30, 100), [Load(0, 200)], EXCESS) == 20
    assert surplus(Load(30, 200), [Load(0, 100)], EXCESS) == 10
    assert surplus(Load(10, 100), [Load(20, 200)], EXCESS) == 0


def test_nothing_moves_where_there_is_nobody_else() -> None:
    assert handed_over(held(200)) == []


def test_nothing_moves_to_somebody_full() -> None:
    assert handed_over(held(30), Load(3, 3)) == []


@pytest.mark.parametrize(("own", "other", "moved"), [(3, 0, 0), (4, 0, 2), (12, 8, 2), (110, 90, 0), (120, 80, 20)])
def test_small_differences_are_left_as_they_are(own: int, other: int, moved: int) -> None:
    assert surplus(Load(own, 200), [Load(other, 200)], EXCESS) == moved


def test_who_has_fallen_silent_is_not_counted_on() -> None:
    assert handed_over(held(30), Load(0, 200, age_s=7.1)) == []
    assert len(handed_over(held(30), Load(0, 200, age_s=7.0))) == 5


def test_nothing_moves_until_all_have_told_their_load_since_the_last_hand_over() -> None:
    told_before, told_since = Load(0, 200, age_s=4), Load(0, 200, age_s=2)
    assert handed_over(held(30), told_since, told_before, calm_s=3) == []
    assert len(handed_over(held(30), told_since, told_since, calm_s=3)) == 5
    assert len(handed_over(held(30), told_since, Load(9, 200, age_s=15), calm_s=3)) == 5  # that one is gone


def test_a_room_taken_a_moment_ago_stays() -> None:
    assert handed_over(held(30, held_s=59), Load(0, 200)) == []
    settled = dict.fromkeys(ROOMS[:3], Holding(60, 9))
    opening = dict.fromkeys(ROOMS[3:30], Holding(1, 0))
    assert handed_over(settled | opening, Load(0, 200)) == ROOMS[:3]


def test_the_quietest_rooms_go_first() -> None:
    running = held(20, events=1000) | {A: Holding(100, 900), B: Holding(1000, 900), C: Holding(100, 1)}
    assert handed_over(running, Load(0, 200), rooms=3) == [C, B, A]


# --- a cluster --------------------------------------------------------------------------------------------------------


class Cluster:
    """Ingestors that scan in turn, each at its own moment, and know of the others what these told at theirs."""

    def __init__(self, loads: Sequence[Load], offsets: Sequence[float], rooms_at_once: int) -> None:
        self.loads = list(loads)
        self.moves = 0
        self.gave: set[int] = set()
        self.took: set[int] = set()
        self._relief = Relief(rooms_at_once, EXCESS, held_s=60, fresh_s=7)
        self._scans = sorted((offset, number) for number, offset in enumerate(offsets))
        self._told = [(load, offset - SCAN_S) for load, offset in zip(loads, offsets, strict=True)]
        self._calm_since = [-math.inf] * len(loads)
        self._views = [self._view(number, 0.0) for number in range(len(loads))]

    def come_to_rest(self) -> None:
        """Scan until nothing has moved for longer than any rule lets anyone wait."""
        quiet_rounds = 0
        for number in itertools.count():
            assert number < 1000, "it never comes to rest"
            before = self.moves
            for offset, ingestor in self._scans:
                self._scan(ingestor, number * SCAN_S + offset)
            quiet_rounds = quiet_rounds + 1 if self.moves == before else 0
            if quiet_rounds == 4:
                return

    def _scan(self, number: int, now: float) -> None:
        own = self.loads[number]
        self._told[number] = own, now
        self._views[number] = self._view(number, now)
        calm_s = now - self._calm_since[number]
        if calm_s < 0:
            return
        moved = len(relieve(held(own.rooms), own, self._views[number], calm_s=calm_s, relief=self._relief))
        if moved:
            self._calm_since[number] = now + HAND_OVER_REST_S
            self.gave.add(number)
        for _ in range(moved):
            self._add(number, -1)
            self._add(self._winner(but=number), 1)

    def _winner(self, but: int) -> int:
        """Who is first at a room that is handed over."""
        delays = [
            (claim_delay_s(load, self._views[number]), number)
            for number, load in enumerate(self.loads)
            if number != but and load.rooms < load.max_rooms
        ]
        winner = min(delays)[1]  # ValueError: it was handed over to nobody
        self.took.add(winner)
        self.moves += 1
        return winner

    def _add(self, number: int, change: int) -> None:
        load = self.loads[number]
        self.loads[number] = Load(load.rooms + change, load.max_rooms)

    def _view(self, number: int, now: float) -> list[Load]:
        return [
            Load(load.rooms, load.max_rooms, max(0.0, now - at))
            for other, (load, at) in enumerate(self._told)
            if other != number
        ]

    def surpluses(self) -> list[int]:
        return [
            surplus(load, [*self.loads[:number], *self.loads[number + 1 :]], EXCESS)
            for number, load in enumerate(self.loads)
        ]


@st.composite
def loads(draw: st.DrawFn, *, places: st.SearchStrategy[int]) -> list[Load]:
    return [Load(draw(st.integers(0, most)), most) for most in draw(st.lists(places, min_size=2, max_size=6))]


@st.composite
def clusters(draw: st.DrawFn, *, places: st.SearchStrategy[int]) -> Cluster:
    drawn = draw(loads(places=places))
    offsets = [draw(st.integers(0, 2999)) / 1000 for _ in drawn]
    return Cluster(drawn, offsets, draw(st.integers(1, 10)))


@given(loads(places=st.integers(1, 60)))
def test_what_is_handed_over_by_all_at_once_has_its_place_below_the_shares_of_others(drawn: list[Load]) -> None:
    total, places = sum(load.rooms for load in drawn), sum(load.max_rooms for load in drawn)
    given_away = sum(
        surplus(load, [*drawn[:number], *drawn[number + 1 :]], EXCESS) for number, load in enumerate(drawn)
    )
    assert given_away <= sum(max(0.0, total * load.max_rooms / places - load.rooms) for load in drawn) + 1e-9


@given(clusters(places=st.integers(1, 60)))
@settings(deadline=None)
def test_any_cluster_comes_to_rest_with_nobody_clearly_above_its_share(cluster: Cluster) -> None:
    total = sum(load.rooms for load in cluster.loads)
    cluster.come_to_rest()
    assert sum(load.rooms for load in cluster.loads) == total
    assert all(load.rooms <= load.max_rooms for load in cluster.loads)
    assert cluster.surpluses() == [0] * len(cluster.loads)


@given(clusters(places=st.just(200)))
@settings(deadline=None)
def test_no_more_rooms_move_than_have_to_and_nobody_takes_what_it_must_give_back(cluster: Cluster) -> None:
    share = sum(load.rooms for load in cluster.loads) / len(cluster.loads)
    above = sum(max(0.0, load.rooms - share) for load in cluster.loads)
    cluster.come_to_rest()
    assert cluster.moves <= above
    assert not cluster.gave & cluster.took
