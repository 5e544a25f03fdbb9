"""A Cluster, and masters behind Sentinels: other URLs, servers that change places, everything else as ever."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from shared.backoff import Backoff
from shared.broker import Hole, PublishAnswer, Published
from shared.channels import Channels, WakeChannel
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable, Malformed
from shared.keys import RoomKeys
from shared.lease import Lease, Released, Renewed, new_owner
from shared.pubsub_link import LinkLimits
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from tests.conftest import RedisServer, free_port, redis_program
from tests.integration.shared.conftest import Bench, Ear, batch
from tests.topologies import ClusterTopology, SentinelTopology, Topology, ask

LIMITS = LinkLimits(probe_after_s=0.1, answer_within_s=0.5, confirm_within_s=5, backoff=Backoff(0.01, 0.05))
ROOMS = [RoomKey("tiktok", str(number)) for number in range(8)]

Answer = TypeVar("Answer")


async def persist(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until Redis can answer, as every caller in the system does."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await ask()
            except BrokerUnavailable:
                await asyncio.sleep(0.05)


@pytest.fixture
def masters(tmp_path: Path) -> Iterator[ClusterTopology]:
    topology = ClusterTopology(tmp_path / "redis")
    yield topology
    topology.stop()


@pytest.fixture
async def cluster(masters: ClusterTopology) -> AsyncIterator[RedisClient]:
    redis = open_redis(masters.url, name="test")
    yield redis
    await redis.aclose()


@pytest.fixture(params=[SentinelTopology, ClusterTopology], ids=lambda kind: kind.kind)
def replicated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Topology]:
    topology: Topology = request.param(tmp_path / "redis")
    yield topology
    topology.stop()


@pytest.fixture
async def replicated_redis(replicated: Topology) -> AsyncIterator[RedisClient]:
    redis = open_redis(replicated.url, name="test")
    yield redis
    await redis.aclose()


def master_of(topology: Topology, room: RoomKey) -> RedisServer:
    if isinstance(topology, ClusterTopology):
        return topology.owner(RoomKeys.of(room).log)
    (master,) = topology.masters()
    return master


async def hold(bench: Bench, room: RoomKey) -> Lease:
    lease = await bench.leases.acquire(room, new_owner("one"))
    assert isinstance(lease, Lease)
    return lease


async def test_rooms_live_on_every_master(masters: ClusterTopology, cluster: RedisClient, ear: Ear) -> None:
    bench = Bench(cluster)
    woken: asyncio.Queue[RoomKey] = asyncio.Queue()
    assert len({master_of(masters, room).port for room in ROOMS}) == 3
    wakes_arrive = asyncio.Event()
    wakes = WakeChannel(cluster, woken.put_nowait, wakes_arrive.set, LIMITS)
    async with Channels(cluster, ear, LIMITS) as channels, wakes:
        await asyncio.gather(*map(channels.subscribe, ROOMS))
        async with asyncio.timeout(10):
            await wakes_arrive.wait()
            for room in ROOMS:
                await bench.demand.announce(room)
                assert await woken.get() == room
        assert set(await bench.demand.wanted()) == set(ROOMS)
        for room in ROOMS:
            lease = await hold(bench, room)
            assert await bench.broker.publish(lease, 1, batch("a"), state={"cursor": "p"}, min_id=None) == Published(
                Cursor(lease.epoch, 1), 1
            )
            assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 1))
            assert [entry.data for entry in await bench.broker.tail(room, 5)] == [b"-", b"a"]
            assert (await bench.broker.state(room)).position == "p"
            assert await bench.broker.last_id(room) == Cursor(lease.epoch, 1)
            assert [ms > 0 for ms in await bench.broker.left_alone_ms(ROOMS, 0)] == [each == room for each in ROOMS]
            assert await bench.leases.release(lease, only_if_idle=False, acknowledged=None) is Released.OK
        await ear.until(lambda: len(ear.alive) == len(ROOMS))
    assert len(ear.entries) == 2 * len(ROOMS)
    assert ear.resubscribed == []


async def test_keys_of_another_type_hide_no_other_answers(masters: ClusterTopology, cluster: RedisClient) -> None:
    bench = Bench(cluster)
    one, *_ = ROOMS
    await cluster.commands.set(RoomKeys.of(one).state, "1")
    await cluster.commands.set(RoomKeys.of(one).lease, "1", px=60_000)
    assert [ms > 0 for ms in await bench.broker.left_alone_ms(ROOMS, 0)] == [room == one for room in ROOMS]
    with pytest.raises(Malformed, match=":state is of another type"):
        await bench.broker.state(one)


async def test_room_whose_slot_moves_is_written_all_the_time_and_heard_again(
    masters: ClusterTopology, cluster: RedisClient, ear: Ear
) -> None:
    bench, room = Bench(cluster), ROOMS[0]
    target = next(server for server in masters.masters() if server is not master_of(masters, room))
    written = 0

    async def write_on(lease: Lease) -> None:
        nonlocal written
        while True:
            with contextlib.suppress(BrokerUnavailable):
                await bench.broker.publish(lease, written + 1, batch("x"), state={}, min_id=None)
                written += 1

    async with Channels(cluster, ear, LIMITS) as channels:
        await asyncio.gather(*map(channels.subscribe, ROOMS))
        await bench.demand.announce(room)
        writing = asyncio.create_task(write_on(await hold(bench, room)))
        for _ in masters.migration(RoomKeys.of(room).log, target):
            await asyncio.sleep(0.05)
        await ear.until(lambda: room in ear.resubscribed and channels.up)
        heard_again_from = written
        await ear.until(lambda: ear.entries[-1].cursor.offset > heard_again_from)
        writing.cancel()
        await asyncio.wait({writing})

    offsets = [entry.cursor.offset for entry in await bench.broker.page(room, Cursor(0, 0), 100_000)]
    assert offsets == list(range(len(offsets)))
    assert len(offsets) > heard_again_from


async def test_room_is_written_while_its_slot_is_neither_here_nor_there(
    masters: ClusterTopology, cluster: RedisClient
) -> None:
    """A script that named the channel as a key would be refused until the slot has moved: a channel is on no node."""
    bench, room = Bench(cluster), ROOMS[0]
    target = next(server for server in masters.masters() if server is not master_of(masters, room))
    await bench.demand.announce(room)
    lease = await hold(bench, room)
    answers: list[PublishAnswer | None] = []
    for _ in masters.migration(RoomKeys.of(room).log, target):
        answers.append(None)
        with contextlib.suppress(BrokerUnavailable):  # some of its keys are here, some there
            answers[-1] = await bench.broker.publish(lease, 1, batch("x"), state={}, min_id=None)
    first, *_, last = answers
    assert (first, last) == (Published(Cursor(lease.epoch, 1), 1), Published(Cursor(lease.epoch, 1), 0))
    assert None in answers


async def test_rooms_of_one_master_go_on_while_another_is_away(
    masters: ClusterTopology, cluster: RedisClient, ear: Ear
) -> None:
    bench = Bench(cluster)
    here, there = ROOMS[0], next(r for r in ROOMS if master_of(masters, r) is not master_of(masters, ROOMS[0]))
    away = master_of(masters, there)
    async with Channels(cluster, ear, LIMITS) as channels:
        await asyncio.gather(channels.subscribe(here), channels.subscribe(there))
        lease = await bench.leases.acquire(here, new_owner("one"), need_demand=False)
        assert isinstance(lease, Lease)
        away.stop()
        await ear.until(lambda: not channels.up)
        await persist(lambda: bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None))
        await ear.until(lambda: len(ear.entries) == 2)

        away.start()
        await ear.until(lambda: there in ear.resubscribed and channels.up)


async def test_room_goes_on_in_its_epoch_on_the_master_that_took_over(
    replicated: Topology, replicated_redis: RedisClient, ear: Ear
) -> None:
    bench = Bench(replicated_redis)
    master = master_of(replicated, bench.room)
    async with Channels(replicated_redis, ear, LIMITS) as channels:
        await channels.subscribe(bench.room)
        lease = await persist(bench.hold)
        await persist(lambda: bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None))
        await asyncio.to_thread(replicated.settle)
        await asyncio.to_thread(replicated.fail_over, master)

        offset = 1

        async def write_on() -> PublishAnswer:
            return await bench.broker.publish(lease, 2, batch(*"x" * offset), state={}, min_id=None)

        async with asyncio.timeout(30):
            # What is written at first may be forgotten by the master that was replaced, or not be heard on the way
            # from the one to the other: a writer puts it back, and a reader of the log finds it.
            while bench.room not in ear.resubscribed or ear.entries[-1].cursor.offset < offset:
                answer = await persist(write_on)
                assert isinstance(answer, Published)
                offset = answer.last.offset
                await asyncio.sleep(0.05)
    offsets = [entry.cursor.offset for entry in await bench.broker.page(bench.room, Cursor(0, 0), 1000)]
    assert offsets == list(range(offset + 1))


async def test_what_only_a_dead_master_had_is_missed_at_once_and_can_be_put_back(
    replicated: Topology, replicated_redis: RedisClient
) -> None:
    bench = Bench(replicated_redis)
    lease = await persist(bench.hold)
    await persist(lambda: bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None))
    await asyncio.to_thread(replicated.settle)
    master = master_of(replicated, bench.room)
    replicas = replicated.replicas_of(master)
    replicated.leave_behind(replicas, 0.5)
    answer = await bench.broker.publish(lease, 2, batch("b", "c"), state={}, min_id=None)
    assert answer == Published(Cursor(lease.epoch, 3), 2)
    master.stop()
    await asyncio.to_thread(replicated.wait_for_one_of, replicas)
    master.start()

    async def renewed() -> object:
        return await bench.leases.renew(lease)

    assert await persist(renewed) == Renewed(Cursor(lease.epoch, 1))
    answer = await persist(lambda: bench.broker.publish(lease, 4, batch("d"), state={}, min_id=None))
    assert answer == Hole(Cursor(lease.epoch, 1))
    await persist(lambda: bench.broker.publish(lease, 2, batch("b", "c", "d"), state={}, min_id=None))
    assert [entry.data for entry in await bench.log()] == [b"-", b"a", b"b", b"c", b"d"]


async def test_master_that_refuses_is_left_for_the_one_that_the_sentinels_name(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    port, config = free_port(), tmp_path / "sentinel.conf"
    config.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {own_redis.port} 1\n")
    sentinel = subprocess.Popen([redis_program(), str(config), "--sentinel"], stdout=subprocess.DEVNULL)
    (tmp_path / "next").mkdir()
    following = RedisServer(tmp_path / "next")
    redis = open_redis(f"redis+sentinel://127.0.0.1:{port}/main/0", name="test")
    try:
        bench = Bench(redis)
        first = await persist(bench.hold)
        ask(port, "SENTINEL", "REMOVE", "main")
        ask(port, "SENTINEL", "MONITOR", "main", "127.0.0.1", following.port, 1)
        ask(own_redis.port, "CONFIG", "SET", "min-replicas-to-write", 1)

        assert (await persist(lambda: bench.hold(replaces=first.owner))).prev is None
        assert ask(following.port, "EXISTS", bench.keys.log) == 1
    finally:
        await redis.aclose()
        following.stop()
        sentinel.kill()
        sentinel.wait()
