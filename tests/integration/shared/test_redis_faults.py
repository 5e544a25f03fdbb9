"""A Redis that refuses, forgets, freezes or is not there: what is known afterwards, and nothing half done."""

import asyncio
import contextlib
import signal

import pytest

from shared import event_loop, metrics
from shared.broker import Published
from shared.channels import Channels
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable, LocalProtocolError, NotDone
from shared.lease import Lease, Leases, Lost, Released, Renewed, new_owner
from shared.phases import Phase, RoomPhase
from shared.redis_client import open_redis
from shared.scripts import Script
from tests.conftest import RedisServer, free_port
from tests.integration.shared.conftest import Bench, Ear, batch
from tests.measured import measured


@pytest.fixture
def bench(own_bench: Bench) -> Bench:
    """Only real ones fail like this."""
    return own_bench


async def use_memory_up(bench: Bench) -> None:
    await bench.commands.config_set("maxmemory", 1024 * 1024)


async def test_batch_over_maxmemory_is_refused_whole_and_stored_once_later(bench: Bench, ear: Ear) -> None:
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        lease = await bench.hold()
        await bench.broker.publish(lease, 1, batch("a"), state={"cursor": "a"}, min_id=None)
        await use_memory_up(bench)
        for _ in range(2):
            with pytest.raises(BrokerUnavailable):
                await bench.broker.publish(lease, 2, batch("b", "c"), state={"cursor": "c"}, min_id=None)
        assert await bench.broker.last_id(bench.room) == Cursor(lease.epoch, 1)
        assert (await bench.broker.state(bench.room)).position == "a"

        await bench.commands.config_set("maxmemory", 0)
        assert await bench.broker.publish(lease, 2, batch("b", "c"), state={}, min_id=None) == Published(
            Cursor(lease.epoch, 3), 2
        )
        await ear.until(lambda: len(ear.entries) == 4)
    assert ear.entries == await bench.log()


async def test_lease_and_wish_are_kept_and_given_up_while_memory_is_used_up(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.demand.announce(bench.room)
    await use_memory_up(bench)

    assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 0))
    await bench.demand.refresh(bench.room)
    assert await bench.leases.release(lease, only_if_idle=True, acknowledged=None) is Released.WANTED
    released = await bench.leases.release(lease, only_if_idle=False, acknowledged=Cursor(lease.epoch, 0))
    assert released is Released.OK
    assert not await bench.commands.exists(bench.keys.lease)
    await bench.commands.config_set("maxmemory", 0)
    assert (await bench.hold()).clean


async def test_expired_lease_is_revived_while_memory_is_used_up(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.commands.delete(bench.keys.lease)
    await use_memory_up(bench)

    assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 0))
    assert (await bench.commands.get(bench.keys.lease)).decode() == lease.token


async def test_nothing_is_half_acquired_or_half_told_over_maxmemory(bench: Bench) -> None:
    lease = await bench.hold()
    await use_memory_up(bench)
    keys = sorted(await bench.commands.keys("*"))

    with pytest.raises(BrokerUnavailable):
        await bench.leases.acquire(bench.room, new_owner("two"), need_demand=False, replaces=lease.owner)
    with pytest.raises(BrokerUnavailable):
        await bench.broker.set_phase(lease, RoomPhase(phase=Phase.CONNECTED, at=1))
    with pytest.raises(BrokerUnavailable):
        await bench.demand.announce(bench.room)

    assert sorted(await bench.commands.keys("*")) == keys
    assert len(await bench.log()) == 1
    assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 0))


async def test_every_refusal_is_counted_by_its_word(bench: Bench) -> None:
    lease = await bench.hold()
    await use_memory_up(bench)
    before = metrics.REDIS_REFUSALS.labels("OOM")._value.get()
    for _ in range(2):
        with pytest.raises(BrokerUnavailable):
            await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)
    assert metrics.REDIS_REFUSALS.labels("OOM")._value.get() == before + 2


async def test_refusal_of_one_command_of_several_is_told_by_its_word(bench: Bench) -> None:
    await bench.commands.config_set("min-replicas-to-write", 1)
    before = measured("redis_refusals_total", word="NOREPLICAS")
    with pytest.raises(NotDone):
        await bench.demand.heartbeat("gateway", "one", {"clients": 1})
    assert measured("redis_refusals_total", word="NOREPLICAS") == before + 1


async def test_replica_and_missing_replicas_are_refusals(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.commands.config_set("min-replicas-to-write", 1)
    with pytest.raises(BrokerUnavailable):
        await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)
    await bench.commands.config_set("min-replicas-to-write", 0)

    await bench.commands.execute_command("REPLICAOF", "127.0.0.1", free_port())
    with pytest.raises(BrokerUnavailable):
        await bench.leases.renew(lease)
    await bench.commands.execute_command("REPLICAOF", "NO", "ONE")
    assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 0))


async def test_broken_script_is_our_fault(bench: Bench) -> None:
    with pytest.raises(LocalProtocolError):
        await Script("publish")(bench.redis, ["one key"], [])


async def test_redis_that_is_not_there_is_told_soon() -> None:
    redis = open_redis(f"redis://127.0.0.1:{free_port()}", name="test")
    bench = Bench(redis)
    async with asyncio.timeout(5):
        for question in (
            bench.broker.last_id(bench.room),
            bench.demand.wanted(),
            bench.demand.announce(bench.room),
            bench.leases.acquire(bench.room, new_owner("one")),
        ):
            with pytest.raises(BrokerUnavailable):
                await question
    await redis.aclose()


async def test_frozen_redis_is_told_in_bounded_time_and_what_was_sent_counts_once(
    bench: Bench, own_redis: RedisServer
) -> None:
    lease = await bench.hold()
    own_redis.process.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(BrokerUnavailable):
                await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)
    finally:
        own_redis.process.send_signal(signal.SIGCONT)

    answer = await bench.broker.publish(lease, 1, batch("a", "b"), state={}, min_id=None)

    assert isinstance(answer, Published)
    assert [entry.data for entry in await bench.log()] == [b"-", b"a", b"b"]


async def test_lease_that_ran_out_while_redis_stood_still_is_revived(bench: Bench, own_redis: RedisServer) -> None:
    leases = Leases(bench.redis, ttl_s=0.2, history_ttl_s=60, history_len=100)
    lease = await leases.acquire(bench.room, new_owner("one"), need_demand=False)
    assert isinstance(lease, Lease)
    own_redis.process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(0.3)  # its clock goes on
    finally:
        own_redis.process.send_signal(signal.SIGCONT)

    assert await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None) == Lost()
    assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 0))
    assert await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None) == Published(
        Cursor(lease.epoch, 1), 1
    )


async def test_restarted_redis_is_used_again_at_once(bench: Bench, own_redis: RedisServer) -> None:
    await bench.hold()
    own_redis.stop()
    own_redis.start()
    assert await bench.broker.last_id(bench.room) is None
    assert (await bench.hold()).prev is None


def test_connection_that_closed_this_moment_is_opened_anew(own_redis: RedisServer) -> None:
    """Run as a process runs: on uvloop a write to such a connection raises what redis-py does not know."""

    async def ask() -> None:
        redis = open_redis(own_redis.url, name="test")
        async with redis.turn() as commands:
            await commands.ping()
            (idle,) = commands.connection_pool._available_connections
            idle._writer.transport.abort()  # as a peer that ends it; nobody else has noticed yet
            assert await commands.ping()
        await redis.aclose()

    event_loop.run(ask())


async def test_connections_dropped_under_who_uses_them_are_told_as_nothing_else(bench: Bench) -> None:
    dropping = True

    async def ask() -> None:
        while dropping:
            with contextlib.suppress(BrokerUnavailable):
                async with bench.redis.turn() as commands:
                    await commands.ping()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(20):
            tasks.create_task(ask())
        for _ in range(100):
            await asyncio.sleep(0.002)  # while others ask and connect
            bench.redis.drop_connections()
        dropping = False


async def test_batch_is_not_sent_again_in_silence(bench: Bench) -> None:
    """Else a Redis emptied between the two would seem never to have had it, and under new ids it would come twice."""
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)
    async with bench.redis.turn() as commands:
        for idle in commands.connection_pool._available_connections:
            idle._writer.transport.abort()
    with pytest.raises(BrokerUnavailable) as raised:
        await bench.broker.publish(lease, 2, batch("b"), state={}, min_id=None)
    assert not isinstance(raised.value, NotDone)  # as far as we know
    answer = await bench.broker.publish(lease, 2, batch("b"), state={}, min_id=None)
    assert answer == Published(Cursor(lease.epoch, 2), 1)


async def test_batch_for_a_redis_that_is_not_there_is_known_not_to_be_done(
    bench: Bench, own_redis: RedisServer
) -> None:
    lease = await bench.hold()
    own_redis.stop()
    with pytest.raises(BrokerUnavailable):
        await bench.demand.look(bench.room)  # finds out
    with pytest.raises(NotDone):
        await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)


async def test_many_questions_at_once_wait_for_their_turn(bench: Bench) -> None:
    await bench.hold()
    pages = await asyncio.gather(*(bench.log() for _ in range(500)))
    assert {len(page) for page in pages} == {1}
