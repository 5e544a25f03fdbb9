"""When clients are pinged, and when they are given up, in a loop whose time passes at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.keepalive import Keepalive
from tests.model.virtual_time import VirtualTimeLoop


class Client:
    """Answers pings, or does not.

    Attributes:
        pinged: when, and with what.
        given_up: when.
    """

    def __init__(self, keepalive: Keepalive, *, answers: bool = False, after_s: float = 0.0) -> None:
        self.pinged: list[tuple[float, bytes]] = []
        self.given_up: list[float] = []
        self._keepalive = keepalive
        self._answers = answers
        self._after_s = after_s

    def ping(self, payload: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.pinged.append((loop.time(), payload))
        if self._answers:
            loop.call_later(self._after_s, self._keepalive.answered, self, payload)

    def on_unanswered(self) -> None:
        self.given_up.append(asyncio.get_running_loop().time())


class CountingLoop(VirtualTimeLoop):
    """Counts the timers that are set."""

    timers = 0

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        if getattr(callback, "__name__", "") == "_tick":
            self.timers += 1
        return super().call_later(delay, callback, *args, context=context)


def in_virtual_time(work: Callable[[CountingLoop], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, CountingLoop)
        runner.run(work(loop))  # type: ignore[arg-type]


def test_who_answers_is_pinged_again_and_kept() -> None:
    async def work(loop: CountingLoop) -> None:
        keepalive = Keepalive(20, 20)
        client = Client(keepalive, answers=True)
        keepalive.add(client)
        await asyncio.sleep(90)
        assert len(client.pinged) == 4
        assert client.given_up == []

    in_virtual_time(work)


def test_who_does_not_answer_is_given_up_once() -> None:
    async def work(loop: CountingLoop) -> None:
        keepalive = Keepalive(20, 10)
        client = Client(keepalive)
        keepalive.add(client)
        await asyncio.sleep(200)
        assert len(client.pinged) == len(client.given_up) == 1
        assert 30 <= client.given_up[0] <= 32
        assert len(keepalive) == 0

    in_virtual_time(work)


def test_any_number_of_clients_takes_one_timer_and_none_takes_none() -> None:
    async def work(loop: CountingLoop) -> None:
        keepalive = Keepalive(20, 20)
        clients = [Client(keepalive, answers=True) for _ in range(1000)]
        for client in clients:
            keepalive.add(client)
        await asyncio.sleep(100)
        ticks = loop.timers
        assert ticks <= 101
        assert all(len(client.pinged) >= 4 for client in clients)
        for client in clients:
            keepalive.discard(client)
        await asyncio.sleep(100)
        assert loop.timers <= ticks + 1

    in_virtual_time(work)


def test_clients_are_pinged_in_the_order_in_which_they_came_and_answered() -> None:
    async def work(loop: CountingLoop) -> None:
        keepalive = Keepalive(20, 20)
        early, late = Client(keepalive, answers=True, after_s=8), Client(keepalive, answers=True)
        keepalive.add(early)
        await asyncio.sleep(5)
        keepalive.add(late)
        await asyncio.sleep(45)
        assert early.pinged[0] < late.pinged[0] < late.pinged[1] < early.pinged[1]

    in_virtual_time(work)


def test_only_the_answer_to_the_last_ping_counts() -> None:
    async def work(loop: CountingLoop) -> None:
        keepalive = Keepalive(20, 10)
        client = Client(keepalive)
        keepalive.answered(client, b"unasked")  # not known at all
        keepalive.add(client)
        keepalive.answered(client, b"unasked")
        assert len(keepalive) == 1
        await asyncio.sleep(22)
        (_, first) = client.pinged[0]
        keepalive.answered(client, b"")
        keepalive.answered(client, b"another")
        keepalive.answered(client, first)
        keepalive.answered(client, first)  # twice
        assert len(keepalive) == 1
        await asyncio.sleep(22)
        (_, second) = client.pinged[1]
        assert second != first
        keepalive.answered(client, first)  # late
        await asyncio.sleep(12)
        assert len(client.given_up) == 1
        keepalive.answered(client, second)  # too late
        assert len(keepalive) == 0

    in_virtual_time(work)


def test_who_left_is_not_pinged_and_not_given_up() -> None:
    async def work(loop: CountingLoop) -> None:
        keepalive = Keepalive(20, 10)
        unasked, asked = Client(keepalive), Client(keepalive)
        keepalive.add(asked)
        await asyncio.sleep(22)
        keepalive.add(unasked)
        for client in (asked, unasked, asked):
            keepalive.discard(client)
        await asyncio.sleep(100)
        assert (len(asked.pinged), len(unasked.pinged)) == (1, 0)
        assert asked.given_up == unasked.given_up == []

    in_virtual_time(work)


@pytest.mark.parametrize("interval_s", [None, 0])
def test_without_an_interval_nobody_is_pinged(interval_s: float | None) -> None:
    async def work(loop: CountingLoop) -> None:
        keepalive = Keepalive(interval_s, 20)
        keepalive.add(Client(keepalive))
        assert len(keepalive) == loop.timers == 0

    in_virtual_time(work)


def test_without_a_timeout_nobody_is_given_up() -> None:
    async def work(loop: CountingLoop) -> None:
        keepalive = Keepalive(20, None)
        client = Client(keepalive)
        keepalive.add(client)
        await asyncio.sleep(90)
        assert len(client.pinged) == 4
        assert client.given_up == []

    in_virtual_time(work)


def test_fault_in_one_client_does_not_end_the_pings_of_the_others() -> None:
    class Faulty(Client):
        def ping(self, payload: bytes) -> None:
            raise RuntimeError

    async def work(loop: CountingLoop) -> None:
        told: list[object] = []
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        keepalive = Keepalive(20, 10)
        other = Client(keepalive, answers=True)
        keepalive.add(Faulty(keepalive))
        keepalive.add(other)
        await asyncio.sleep(50)
        assert len(other.pinged) == 2
        assert [type(error) for error in told] == [RuntimeError]

    in_virtual_time(work)
