"""Answers that are found once for all who ask."""

import asyncio

import pytest

from gateway.fresh import KEPT_MAX, Fresh, LookFailed
from shared.errors import BrokerUnavailable, Malformed


class Lookout:
    """Answers how often it looked, when the test lets it."""

    def __init__(self) -> None:
        self.looks = 0
        self.at_once = 0
        self.most_at_once = 0
        self.away = False
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.now = 0.0
        self.takes_s = 0.0
        self.fresh = Fresh(self.look, fresh_s=2.0, looks_max=2, clock=lambda: self.now)

    async def look(self, key: str) -> str:
        self.looks += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
            self.now += self.takes_s
            if self.away:
                raise BrokerUnavailable("away")
            if self.broken:
                raise ZeroDivisionError
            return f"{key}{self.looks}"
        finally:
            self.at_once -= 1


async def test_all_who_ask_within_a_moment_are_told_the_same() -> None:
    lookout = Lookout()
    lookout.gate.clear()
    askers = [asyncio.create_task(lookout.fresh.get("a")) for _ in range(50)]
    await asyncio.sleep(0)
    lookout.gate.set()
    assert set(await asyncio.gather(*askers)) == {"a1"}
    lookout.now = 2.0
    assert await lookout.fresh.get("a") == "a1"
    lookout.now = 2.1
    assert await lookout.fresh.get("a") == "a2"


async def test_one_who_leaves_takes_the_answer_from_nobody() -> None:
    lookout = Lookout()
    lookout.gate.clear()
    first, second = (asyncio.create_task(lookout.fresh.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    lookout.gate.set()
    assert await second == "a2"


async def test_a_bounded_number_looks_at_once() -> None:
    lookout = Lookout()
    lookout.gate.clear()
    askers = [asyncio.create_task(lookout.fresh.get(str(n))) for n in range(20)]
    for _ in range(5):
        await asyncio.sleep(0)  # as far as they come
    lookout.gate.set()
    await asyncio.gather(*askers)
    assert (lookout.looks, lookout.most_at_once) == (20, 2)


async def test_that_redis_is_away_is_an_answer_too() -> None:
    lookout = Lookout()
    lookout.away = True
    for _ in range(3):
        with pytest.raises(BrokerUnavailable, match="away"):
            await lookout.fresh.get("a")
    assert lookout.looks == 1
    lookout.away, lookout.now = False, 2.1
    assert await lookout.fresh.get("a") == "a2"


async def test_that_redis_holds_something_else_is_told_as_it_is() -> None:
    async def look(key: str) -> str:
        raise Malformed(f"{key} is of another type than ours")

    with pytest.raises(Malformed, match="a is of another type"):
        await Fresh(look, fresh_s=2.0).get("a")


async def test_a_fault_of_ours_is_found_and_logged_once_for_all_who_ask(caplog: pytest.LogCaptureFixture) -> None:
    lookout = Lookout()
    lookout.broken, lookout.takes_s = True, 1.0
    asked = await asyncio.gather(*(lookout.fresh.get("a") for _ in range(50)), return_exceptions=True)
    assert {type(answer) for answer in asked} == {LookFailed}
    assert (lookout.looks, [record.message for record in caplog.records]) == (1, ["look failed at=a"])
    lookout.now, lookout.broken = 11.1, False  # as long as an answer that took as much
    assert await lookout.fresh.get("a") == "a2"


async def test_what_took_long_to_find_is_good_for_longer() -> None:
    lookout = Lookout()
    lookout.takes_s = 1.0
    assert await lookout.fresh.get("a") == "a1"
    lookout.now = 11.0
    assert await lookout.fresh.get("a") == "a1"
    lookout.now, lookout.away = 11.1, True
    with pytest.raises(BrokerUnavailable):
        await lookout.fresh.get("a")
    lookout.now, lookout.away = lookout.now + 2.1, False
    assert await lookout.fresh.get("a") == "a3"


async def test_answers_are_not_kept_without_end() -> None:
    lookout = Lookout()
    await lookout.fresh.get("asked again")
    for n in range(KEPT_MAX - 1):
        await lookout.fresh.get(str(n))
    await lookout.fresh.get("asked again")
    await lookout.fresh.get("one more")
    assert len(lookout.fresh) == KEPT_MAX
    assert await lookout.fresh.get("asked again") == "asked again1"
