"""The lag of the event loop, as it is told."""

import asyncio

import pytest

from shared.loop_lag import EVERY_S, LOOKS_MAX, lags_s, watch


@pytest.mark.parametrize("now", [9.99, 10.0])
def test_look_that_comes_in_time_or_too_early_is_not_late(now: float) -> None:
    assert lags_s(10.0, now) == [0.0]


def test_every_look_that_was_due_during_a_standstill_counts() -> None:
    assert lags_s(10.0, 10.0 + 2.5 * EVERY_S) == pytest.approx([2.5 * EVERY_S, 1.5 * EVERY_S, 0.5 * EVERY_S])


def test_looks_of_hours_are_not_told_one_by_one() -> None:
    found = lags_s(10.0, 10.0 + 3600)
    assert len(found) == LOOKS_MAX
    assert found[0] == 3600


async def test_standstill_of_the_loop_is_told() -> None:
    now, seen = 100.0, list[float]()
    watching = asyncio.create_task(watch(seen.append, lambda: now))
    await asyncio.sleep(0)
    now += 1.5 * EVERY_S  # nobody else had a turn meanwhile
    async with asyncio.timeout(5):
        while not seen:
            await asyncio.sleep(0.001)
    watching.cancel()
    assert seen == pytest.approx([0.5 * EVERY_S])
