"""Every script sent again after its first try got lost on the way there, or its answer on the way back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
import redis.exceptions

from shared.broker import Published
from shared.channels import Channels
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable
from shared.keys import ROOMS
from shared.lease import Lease, Lost, Released, Renewed, new_owner
from shared.phases import Phase, RoomPhase
from shared.redis_client import broker_errors
from shared.scripts import Script
from tests.integration.shared.conftest import Bench, Ear, batch

CONNECTED = RoomPhase(phase=Phase.CONNECTED, at=1)

Answer = TypeVar("Answer")


class Loss:
    """The next script does not get to Redis, or its answer does not come back."""

    def __init__(self, bench: Bench, loses: str) -> None:
        self._commands = bench.redis.commands
        self._ask_once = bench.redis.ask_once
        self._loses = loses

    def __getattr__(self, name: str) -> Any:
        return getattr(self._commands, name)

    async def evalsha(self, *args: Any) -> Any:
        return await self._lossy(self._commands.evalsha, *args)

    async def eval(self, *args: Any) -> Any:
        return await self._lossy(self._commands.eval, *args)

    async def ask_once(self, key: str, *command: str | bytes | int) -> Any:
        with broker_errors():
            return await self._lossy(self._ask_once, key, *command)

    async def _lossy(self, ask: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        loses, self._loses = self._loses, ""
        if loses == "request":
            raise redis.exceptions.ConnectionError("lost by the test")
        try:
            answer = await ask(*args)
        except redis.exceptions.NoScriptError:
            self._loses = loses  # it is sent once more, as a text
            raise
        if loses == "answer":
            raise redis.exceptions.ConnectionError("lost by the test")
        return answer


@pytest.fixture(params=["request", "answer"])
def loses(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def sent_twice(bench: Bench, loses: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """What the second try is answered, after one whose outcome is not known."""
    loss = Loss(bench, loses)
    bench.redis.commands, bench.redis.ask_once = loss, loss.ask_once  # type: ignore[method-assign]
    with pytest.raises(BrokerUnavailable):
        await ask()
    return await ask()


async def test_acquire(bench: Bench, loses: str) -> None:
    owner = new_owner("one")
    lease = await sent_twice(bench, loses, lambda: bench.leases.acquire(bench.room, owner, need_demand=False))
    assert isinstance(lease, Lease)
    assert [entry.cursor for entry in await bench.log()] == [Cursor(lease.epoch, 0)]
    assert (await bench.commands.get(bench.keys.lease)).decode() == lease.token
    assert (await bench.broker.state(bench.room)).holder == lease.token


async def test_acquire_that_replaces_a_holder(bench: Bench, loses: str) -> None:
    old, owner = await bench.hold(), new_owner("one")
    lease = await sent_twice(
        bench, loses, lambda: bench.leases.acquire(bench.room, owner, need_demand=False, replaces=old.owner)
    )
    assert isinstance(lease, Lease)
    assert [entry.cursor for entry in await bench.log()] == [Cursor(old.epoch, 0), Cursor(lease.epoch, 0)]
    assert lease.prev == Cursor(old.epoch, 0)


async def test_publish(bench: Bench, loses: str, ear: Ear) -> None:
    lease = await bench.hold()
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        answer = await sent_twice(
            bench, loses, lambda: bench.broker.publish(lease, 1, batch("a", "b"), state={"cursor": "p"}, min_id=None)
        )
        await bench.leases.renew(lease)
        await ear.until(lambda: ear.alive)
    assert answer == Published(Cursor(lease.epoch, 2), 2 if loses == "request" else 0)
    assert [entry.data for entry in await bench.log()] == [b"-", b"a", b"b"]
    assert [entry.data for entry in ear.entries] == [b"a", b"b"]
    assert (await bench.broker.state(bench.room)).position == "p"


async def test_renew(bench: Bench, loses: str) -> None:
    lease = await bench.hold()
    await bench.commands.delete(bench.keys.lease)  # so that it is a revival
    assert await sent_twice(bench, loses, lambda: bench.leases.renew(lease)) == Renewed(Cursor(lease.epoch, 0))
    assert (await bench.commands.get(bench.keys.lease)).decode() == lease.token


async def test_release(bench: Bench, loses: str) -> None:
    lease = await bench.hold()
    answer = await sent_twice(
        bench, loses,
        lambda: bench.leases.release(lease, only_if_idle=False, acknowledged=Cursor(lease.epoch, 0)),
    )  # fmt: skip
    assert answer is (Released.OK if loses == "request" else Released.LOST)
    assert not await bench.commands.exists(bench.keys.lease)
    assert (await bench.hold()).clean


async def test_release_that_comes_again_behind_the_next_holder(bench: Bench) -> None:
    lease = await bench.hold()

    async def release() -> Released:
        return await bench.leases.release(lease, only_if_idle=False, acknowledged=Cursor(lease.epoch, 0))

    assert await release() is Released.OK
    after = await bench.hold()
    assert await release() is Released.LOST
    assert await bench.leases.renew(after) == Renewed(Cursor(after.epoch, 0))


async def test_set_phase(bench: Bench, loses: str, ear: Ear) -> None:
    lease = await bench.hold()
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        assert await sent_twice(bench, loses, lambda: bench.broker.set_phase(lease, CONNECTED, {"title": "T"}))
        await bench.leases.renew(lease)
        await ear.until(lambda: ear.alive)
    assert set(ear.phases) == {CONNECTED}
    state = await bench.broker.state(bench.room)
    assert (state.phase, state.title) == (CONNECTED, "T")


async def test_forget_rooms(bench: Bench, loses: str) -> None:
    await bench.commands.zadd(ROOMS, {"tiktok:1": 5, "tiktok:2": 6})
    forget = Script("forget_rooms")
    await sent_twice(bench, loses, lambda: forget(bench.redis, [ROOMS], ["tiktok:1", 5, "tiktok:2", 5]))
    assert await bench.commands.zrange(ROOMS, 0, -1) == [b"tiktok:2"]


async def test_two_tries_of_everything_in_flight(bench: Bench) -> None:
    owner = new_owner("one")
    lease, same = await asyncio.gather(bench.hold(owner=owner), bench.hold(owner=owner))
    assert lease == same
    published = await asyncio.gather(
        *(bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None) for _ in range(2))
    )
    assert {answer.stored for answer in published if isinstance(answer, Published)} == {0, 1}
    last = Cursor(lease.epoch, 1)
    renewed = await asyncio.gather(bench.leases.renew(lease), bench.leases.renew(lease))
    assert list(renewed) == [Renewed(last)] * 2
    released = await asyncio.gather(
        *(bench.leases.release(lease, only_if_idle=False, acknowledged=last) for _ in range(2))
    )
    assert set(released) == {Released.OK, Released.LOST}
    assert (await bench.hold()).clean


async def test_what_arrives_after_the_release_brings_nothing_back(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.leases.release(lease, only_if_idle=False, acknowledged=Cursor(lease.epoch, 0))
    await bench.commands.delete(bench.keys.log, bench.keys.state)  # as after their time

    assert await bench.broker.publish(lease, 1, batch("late"), state={"title": "late"}, min_id=None) == Lost()
    assert await bench.leases.renew(lease) == Lost()
    assert not await bench.broker.set_phase(lease, CONNECTED)
    assert await bench.leases.release(lease, only_if_idle=False, acknowledged=None) is Released.LOST

    assert await bench.commands.keys("*") == []
