"""What one room is told by a provider holds for all."""

import asyncio

import pytest

from ingestor.connectors.gate import MAX_AT_ONCE, Gate
from shared.errors import Blocked, KeyRefused, RateLimited, UpstreamError


class Provider:
    """Answers what it is told to, and counts the questions."""

    def __init__(self) -> None:
        self.asked = 0
        self.refusal: UpstreamError | None = None

    async def question(self) -> str:
        self.asked += 1
        if self.refusal:
            raise self.refusal
        return "answer"


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate(rate_rest_s=30, key_rest_s=600, clock=clock)


@pytest.fixture
def provider() -> Provider:
    return Provider()


async def test_an_open_gate_lets_questions_through(gate: Gate, provider: Provider) -> None:
    assert await gate.ask(provider.question) == "answer"


@pytest.mark.parametrize(
    ("refusal", "rest_s"),
    [
        (RateLimited("slow down", retry_after_s=7), 7),
        (RateLimited("slow down", retry_after_s=0), 0),
        (RateLimited("slow down"), 30),
        (KeyRefused("no"), 600),
    ],
)
async def test_a_closed_gate_answers_for_the_provider(
    gate: Gate, provider: Provider, clock: Clock, refusal: UpstreamError, rest_s: float
) -> None:
    provider.refusal = refusal
    with pytest.raises(type(refusal)):
        await gate.ask(provider.question)
    provider.refusal = None
    if rest_s:
        clock.now_s += rest_s - 1
        with pytest.raises(type(refusal), match=refusal.detail) as closed:
            await gate.ask(provider.question)
        assert closed.value.retry_after_s == pytest.approx(1)
        assert provider.asked == 1
        clock.now_s += 1
    assert await gate.ask(provider.question) == "answer"


async def test_other_refusals_leave_it_open(gate: Gate, provider: Provider) -> None:
    provider.refusal = Blocked("captcha")
    for _ in range(2):
        with pytest.raises(Blocked):
            await gate.ask(provider.question)
    assert provider.asked == 2


async def test_a_shorter_wait_does_not_cut_a_longer_one_short(gate: Gate, clock: Clock) -> None:
    """Several rooms were under way when the first refusal came."""
    told = [RateLimited(retry_after_s=60), RateLimited(retry_after_s=5)]
    at_once = asyncio.Barrier(2)

    async def question() -> None:
        await at_once.wait()
        raise told.pop(0)

    await asyncio.gather(gate.ask(question), gate.ask(question), return_exceptions=True)
    clock.now_s += 59
    with pytest.raises(RateLimited):
        await gate.ask(question)


async def test_who_waits_in_line_learns_from_those_before(gate: Gate) -> None:
    release = asyncio.Event()
    asked = 0

    async def question() -> None:
        nonlocal asked
        asked += 1
        await release.wait()
        raise RateLimited(retry_after_s=60)

    rooms = [asyncio.create_task(gate.ask(question)) for _ in range(MAX_AT_ONCE * 3)]
    while asked < MAX_AT_ONCE:
        await asyncio.sleep(0)
    release.set()
    results = await asyncio.gather(*rooms, return_exceptions=True)
    assert all(isinstance(result, RateLimited) for result in results)
    assert asked == MAX_AT_ONCE
