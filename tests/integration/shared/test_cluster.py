"""A Cluster of two masters, and a master behind a Sentinel: other URLs, everything else as ever."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis as sync_redis

from shared.backoff import Backoff
from shared.broker import Published
from shared.channels import Channels, WakeChannel
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable
from shared.keys import RoomKeys
from shared.lease import Lease, Released, Renewed, new_owner
from shared.pubsub_link import LinkLimits
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from tests.conftest import RedisServer, free_port, redis_program
from tests.integration.shared.conftest import Bench, Ear, batch

LIMITS = LinkLimits(probe_after_s=0.1, answer_within_s=0.5, confirm_within_s=5, backoff=Backoff(0.01, 0.05))
SLOTS = 16384
ROOMS = [RoomKey("tiktok", str(number)) for number in range(8)]

Answer = TypeVar("Answer")


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def persist(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until Redis can answer, as every caller in the system does."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await ask()
            except BrokerUnavailable:
                await asyncio.sleep(0.05)


class Masters:
    """Two masters with half of the slots each."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.servers, self._nodes, buses = [], [], []
        for name in ("a", "b"):
            (folder / name).mkdir()
            buses.append(free_port())
            server = RedisServer(
                folder / name, "--cluster-enabled", "yes", "--cluster-port", str(buses[-1]),
                "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no",
            )  # fmt: skip
            stack.callback(server.stop)
            self.servers.append(server)
            self._nodes.append(stack.enter_context(sync_redis.Redis(port=server.port)))
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        for number, half in enumerate((0, SLOTS // 2)):
            self.ask(number, "CLUSTER ADDSLOTSRANGE", half, half + SLOTS // 2 - 1)
            self.ask(number, "CLUSTER SET-CONFIG-EPOCH", number + 1)
        self.ask(0, "CLUSTER MEET", "127.0.0.1", self.servers[1].port, buses[1])
        wait_until(lambda: all(len(self.ask(number, "CLUSTER SLOTS")) == 2 for number in (0, 1)))
        wait_until(lambda: all(self.ask(number, "CLUSTER INFO")["cluster_state"] == "ok" for number in (0, 1)))

    def ask(self, number: int, *command: Any) -> Any:
        return self._nodes[number].execute_command(*command)

    def slot_of(self, room: RoomKey) -> int:
        return int(self.ask(0, "CLUSTER KEYSLOT", RoomKeys.of(room).log))

    def master_of(self, room: RoomKey) -> int:
        return self.slot_of(room) // (SLOTS // 2)

    def move(self, room: RoomKey, source: int, target: int) -> None:
        """Give the room's slot, with all that is in it, to the other master."""
        slot, ids = self.slot_of(room), [self.ask(number, "CLUSTER MYID") for number in (0, 1)]
        self.ask(target, "CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
        self.ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", ids[target])
        keys = self.ask(source, "CLUSTER GETKEYSINSLOT", slot, 100)
        if keys:
            self.ask(source, "MIGRATE", "127.0.0.1", self.servers[target].port, "", 0, 5000, "KEYS", *keys)
        for number in (target, source):
            self.ask(number, "CLUSTER SETSLOT", slot, "NODE", ids[target])


@pytest.fixture
def masters(tmp_path: Path) -> Iterator[Masters]:
    with ExitStack() as stack:
        yield Masters(tmp_path, stack)


@pytest.fixture
async def cluster(masters: Masters) -> AsyncIterator[RedisClient]:
    redis = open_redis(masters.url, name="test")
    yield redis
    await redis.aclose()


async def hold(bench: Bench, room: RoomKey) -> Lease:
    lease = await bench.leases.acquire(room, new_owner("one"))
    assert isinstance(lease, Lease)
    return lease


async def test_rooms_live_on_every_master(masters: Masters, cluster: RedisClient, ear: Ear) -> None:
    bench = Bench(cluster)
    woken: asyncio.Queue[RoomKey] = asyncio.Queue()
    assert {masters.master_of(room) for room in ROOMS} == {0, 1}
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
            assert await bench.leases.release(lease, only_if_idle=False, acknowledged=None) is Released.OK
        await ear.until(lambda: len(ear.alive) == len(ROOMS))
    assert len(ear.entries) == 2 * len(ROOMS)
    assert ear.resubscribed == []


async def test_room_whose_slot_moved_is_heard_again(masters: Masters, cluster: RedisClient, ear: Ear) -> None:
    bench = Bench(cluster)
    room = ROOMS[0]
    source = masters.master_of(room)
    async with Channels(cluster, ear, LIMITS) as channels:
        await asyncio.gather(*map(channels.subscribe, ROOMS))
        await bench.demand.announce(room)
        lease = await hold(bench, room)
        await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)

        masters.move(room, source, 1 - source)
        answer = await persist(lambda: bench.broker.publish(lease, 2, batch("b"), state={}, min_id=None))
        assert answer == Published(Cursor(lease.epoch, 2), 1)
        await ear.until(lambda: room in ear.resubscribed and channels.up)
        await persist(lambda: bench.broker.publish(lease, 3, batch("c"), state={}, min_id=None))
        await ear.until(lambda: Cursor(lease.epoch, 3) in [entry.cursor for entry in ear.entries])


async def test_rooms_of_one_master_go_on_while_another_is_away(
    masters: Masters, cluster: RedisClient, ear: Ear
) -> None:
    bench = Bench(cluster)
    here = next(room for room in ROOMS if masters.master_of(room) == 0)
    there = next(room for room in ROOMS if masters.master_of(room) == 1)
    async with Channels(cluster, ear, LIMITS) as channels:
        await asyncio.gather(channels.subscribe(here), channels.subscribe(there))
        lease = await bench.leases.acquire(here, new_owner("one"), need_demand=False)
        assert isinstance(lease, Lease)
        masters.servers[1].stop()
        await ear.until(lambda: not channels.up)
        await persist(lambda: bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None))
        await ear.until(lambda: len(ear.entries) == 2)

        masters.servers[1].start()
        await ear.until(lambda: there in ear.resubscribed and channels.up)


async def test_master_is_found_through_a_sentinel(own_redis: RedisServer, tmp_path: Path, ear: Ear) -> None:
    port = free_port()
    config = tmp_path / "sentinel.conf"
    config.write_text(f"sentinel monitor main 127.0.0.1 {own_redis.port} 1\n")
    sentinel = subprocess.Popen(
        [redis_program(), str(config), "--sentinel", "--port", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )
    redis = open_redis(f"redis+sentinel://127.0.0.1:{port}/main/0", name="test")
    try:
        bench = Bench(redis)
        async with Channels(redis, ear, LIMITS) as channels:
            await channels.subscribe(bench.room)
            lease = await persist(bench.hold)
            await ear.until(lambda: ear.entries)
        assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 0))
    finally:
        await redis.aclose()
        sentinel.kill()
        sentinel.wait()
