"""Who we are to Douyin, and when we become somebody else."""

import itertools
import random

import pytest

from ingestor.connectors.douyin.visitor import YOUNG_S, Visitor


@pytest.fixture
def clock() -> list[float]:
    """Its last item is the time."""
    return [0.0]


@pytest.fixture
def visitor(clock: list[float]) -> Visitor:
    numbers = itertools.count(1)

    async def fetch() -> str:
        return f"1%7C{next(numbers)}"

    return Visitor(fetch, random.Random(1), lambda: clock[-1])


def test_the_number_has_nineteen_digits_and_the_nonce_twenty_one(visitor: Visitor) -> None:
    assert 7_300_000_000_000_000_000 <= int(visitor.number) < 8_000_000_000_000_000_000
    assert len(visitor.nonce) == 21


def test_a_page_gives_the_number_once(visitor: Visitor) -> None:
    own = visitor.number
    for told, number in (
        ("", own),
        ("123456789012", own),
        ("7659797852999091746", "7659797852999091746"),
        ("7659797852999091747", "7659797852999091746"),
    ):
        visitor.learn_number(told)
        assert visitor.number == number


async def test_a_visitor_who_was_refused_at_once_stays_who_they_are(visitor: Visitor) -> None:
    await visitor.cookie.get()
    number = visitor.number
    assert not visitor.renew("1%7C1")
    assert visitor.number == number
    assert await visitor.cookie.get() == {"ttwid": "1%7C1"}


async def test_a_refusal_makes_cookie_and_number_new(visitor: Visitor, clock: list[float]) -> None:
    await visitor.cookie.get()
    number = visitor.number
    clock.append(YOUNG_S)
    assert visitor.renew("1%7C1")
    assert visitor.number != number
    renewed = visitor.number
    assert visitor.renew("1%7C1")  # another room, refused as the old one: there is somebody new already
    assert visitor.number == renewed
    assert await visitor.cookie.get() == {"ttwid": "1%7C2"}
