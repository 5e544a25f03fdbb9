"""When rooms are flushed."""

import asyncio

import pytest

from gateway.flusher import ENOUGH, REST_MAX, SLICE, Flusher, Pace
from gateway.variant import Flushed


class Clock:
    """Time that passes when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Room:
    """A room whose flush takes some time of the clock."""

    def __init__(self, clock: Clock, clients: int = 1, takes_s: float = 0.0) -> None:
        self.pace = Pace()
        self.gathered = 0
        self.flushes: list[int] = []
        self._clock = clock
        self._clients = clients
        self._left = 0
        self._takes_s = takes_s

    @property
    def owes(self) -> bool:
        return self.gathered > 0

    def flush(self, flushed: Flushed, budget: int, now: float) -> bool:
        if not self._left:
            self.flushes.append(self.gathered)
            self.gathered, self._left = 0, self._clients
        self._clock.now += self._takes_s
        written = min(budget - flushed.clients, self._left)
        flushed.clients += written
        self._left -= written
        return not self._left


@pytest.fixture
def clock() -> Clock:
    return Clock()


def push(flusher: Flusher, room: Room, count: int = 1) -> None:
    room.gathered += count
    flusher.want(room)


async def ticks(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_first_event_after_a_pause_goes_out_with_all_of_its_tick(clock: Clock) -> None:
    flusher, room = Flusher(0.05, clock), Room(clock, takes_s=0.005)
    push(flusher, room)
    push(flusher, room)
    assert room.flushes == []
    await ticks()
    assert room.flushes == [2]
    clock.now += 1
    push(flusher, room)
    await ticks()
    assert room.flushes == [2, 1]


async def test_room_rests_for_as_long_as_its_writing_is_dear(clock: Clock) -> None:
    flusher, room = Flusher(0.05, clock), Room(clock, takes_s=0.004)
    push(flusher, room)
    await ticks()
    assert room.pace.latest - clock.now == pytest.approx(REST_MAX * 0.004)
    push(flusher, room)
    await ticks()
    push(flusher, room)
    assert (room.flushes, room.pace.timer is not None) == ([1], True)
    clock.now += 0.1
    async with asyncio.timeout(5):
        while len(room.flushes) < 2:
            await asyncio.sleep(0.001)
    assert room.flushes == [1, 2]


@pytest.mark.parametrize(
    ("took_s", "rest_s"), [(0.0001, 0.0009), (0.005, 0.045), (0.01, 0.04), (0.04, 0.01), (0.06, 0.0)]
)
def test_rest_and_flush_together_stay_within_the_bound(took_s: float, rest_s: float) -> None:
    pace = Pace()
    pace.took_s = took_s
    pace.rest(0.0, 0.05)
    assert pace.latest == pytest.approx(rest_s)
    assert pace.earliest <= pace.latest


async def test_bound_of_zero_flushes_every_tick(clock: Clock) -> None:
    flusher, room = Flusher(0, clock), Room(clock, takes_s=0.1)
    for _ in range(3):
        push(flusher, room)
        await ticks()
    assert room.flushes == [1, 1, 1]


async def test_enough_gathered_events_end_a_long_rest(clock: Clock) -> None:
    flusher, room = Flusher(10, clock), Room(clock, takes_s=1.0)
    push(flusher, room)
    await ticks()
    push(flusher, room, ENOUGH - 1)
    timer = room.pace.timer
    assert timer is not None
    push(flusher, room)
    assert timer.cancelled()
    assert room.pace.hurried
    flusher.forget(room)
    clock.now = room.pace.earliest
    push(flusher, room)
    await ticks()
    assert room.flushes == [1, ENOUGH + 1]


async def test_what_comes_during_a_flush_is_flushed_after_it(clock: Clock) -> None:
    flusher, room = Flusher(0, clock), Room(clock, clients=2 * SLICE)
    push(flusher, room)
    await asyncio.sleep(0)
    push(flusher, room)
    await ticks(6)
    assert room.flushes == [1, 1]


async def test_small_room_does_not_wait_for_a_large_one(clock: Clock) -> None:
    flusher, large, small = Flusher(0, clock), Room(clock, clients=10 * SLICE), Room(clock)
    push(flusher, large)
    push(flusher, small)
    await ticks(2)
    assert small.flushes == [1]
    assert large._left


async def test_fault_in_a_room_ends_no_other(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    flusher, broken, well = Flusher(0, clock), Room(clock), Room(clock)
    broken.flushes = None  # type: ignore[assignment]
    push(flusher, broken)
    push(flusher, well)
    await ticks()
    assert well.flushes == [1]
    assert "flush failed" in caplog.text


async def test_closed_room_is_not_flushed(clock: Clock) -> None:
    flusher, room = Flusher(10, clock), Room(clock, takes_s=1.0)
    push(flusher, room)
    await ticks()
    push(flusher, room)
    flusher.forget(room)
    assert room.pace.timer is None
