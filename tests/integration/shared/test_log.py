"""What is stored and published, whatever becomes of requests and of the server's memory."""

import asyncio

import pytest
from redis.exceptions import ResponseError

from shared.broker import Broker, Extent, Hole, Published
from shared.channels import Channels
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable, LocalProtocolError
from shared.keys import RoomKeys
from shared.lease import Lease, Lost, NoLog, new_owner
from shared.phases import Phase, RoomPhase
from shared.redis_client import RedisClient
from shared.room import RoomKey
from tests.integration.shared.conftest import Bench, Ear, batch

CONNECTED = RoomPhase(phase=Phase.CONNECTED, at=1)


async def test_what_is_stored_is_published_in_order_with_the_same_bytes(bench: Bench, ear: Ear) -> None:
    payloads = [b'{"text":"a b  c"}', "\u4f60\u597d \U0001f389".encode(), b"\x00\xff\r\n", b""]
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        lease = await bench.hold()
        answer = await bench.broker.publish(
            lease, 1, [("gift", 1_765_432_100_000 + i, data) for i, data in enumerate(payloads)], state={}, min_id=None
        )
        await ear.until(lambda: len(ear.entries) == 5)

    assert answer == Published(Cursor(lease.epoch, 4), 4)
    assert ear.entries == await bench.log()
    assert [entry.data for entry in ear.entries] == [b"-", *payloads]
    assert [entry.received_ms for entry in ear.entries][1:] == [1_765_432_100_000 + i for i in range(4)]


async def test_batch_sent_twice_is_stored_and_published_once(bench: Bench, ear: Ear) -> None:
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        lease = await bench.hold()
        first, second = await asyncio.gather(
            bench.broker.publish(lease, 1, batch("a", "b"), state={"cursor": "p"}, min_id=None),
            bench.broker.publish(lease, 1, batch("a", "b"), state={"cursor": "p"}, min_id=None),
        )
        await bench.leases.renew(lease)
        await ear.until(lambda: ear.alive)

    assert {first, second} == {Published(Cursor(lease.epoch, 2), 2), Published(Cursor(lease.epoch, 2), 0)}
    assert [entry.cursor.offset for entry in ear.entries] == [0, 1, 2]
    assert ear.entries == await bench.log()


async def test_batch_that_overlaps_adds_only_what_is_new(bench: Bench, ear: Ear) -> None:
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        lease = await bench.hold()
        await bench.broker.publish(lease, 1, batch("a", "b"), state={}, min_id=None)
        answer = await bench.broker.publish(lease, 2, batch("b", "c", "d"), state={}, min_id=None)
        await ear.until(lambda: len(ear.entries) == 5)

    assert answer == Published(Cursor(lease.epoch, 4), 2)
    assert [entry.data for entry in ear.entries] == [b"-", b"a", b"b", b"c", b"d"]
    assert ear.entries == await bench.log()


async def test_late_copy_of_an_old_batch_changes_neither_log_nor_state(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a"), state={"cursor": "one"}, min_id=None)
    await bench.broker.publish(lease, 2, batch("b"), state={"cursor": "two"}, min_id=None)

    assert await bench.broker.publish(lease, 1, batch("a"), state={"cursor": "one"}, min_id=None) == Published(
        Cursor(lease.epoch, 2), 0
    )
    assert (await bench.broker.state(bench.room)).position == "two"


async def test_offsets_are_compared_as_numbers(bench: Bench) -> None:
    lease = await bench.hold()
    for offset in range(1, 13):
        answer = await bench.broker.publish(lease, offset, batch(str(offset)), state={}, min_id=None)
        assert answer == Published(Cursor(lease.epoch, offset), 1)

    assert await bench.broker.publish(lease, 9, batch("9"), state={}, min_id=None) == Published(
        Cursor(lease.epoch, 12), 0
    )


async def test_batch_that_skips_ahead_is_refused_whole(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)

    assert await bench.broker.publish(lease, 3, batch("c"), state={"cursor": "c"}, min_id=None) == Hole(
        Cursor(lease.epoch, 1)
    )
    assert len(await bench.log()) == 2
    assert (await bench.broker.state(bench.room)).position == ""


async def test_log_that_went_back_is_refilled_with_the_same_ids_and_bytes(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a", "b", "c"), state={}, min_id=None)
    before = await bench.log()
    await bench.go_back(2)

    assert await bench.broker.publish(lease, 4, batch("d"), state={}, min_id=None) == Hole(Cursor(lease.epoch, 1))
    assert await bench.broker.publish(lease, 2, batch("b", "c", "d"), state={}, min_id=None) == Published(
        Cursor(lease.epoch, 4), 3
    )
    assert (await bench.log())[:4] == before


async def test_log_that_went_back_to_another_epoch_is_a_hole(bench: Bench) -> None:
    first = await bench.hold()
    second = await bench.hold(replaces=first.owner)
    await bench.go_back(1)

    assert await bench.broker.publish(second, 1, batch("a"), state={}, min_id=None) == Hole(Cursor(first.epoch, 0))
    assert (await bench.hold(replaces=second.owner, floor=second.epoch)).epoch > second.epoch


async def test_no_late_writer_brings_a_deleted_log_back(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.commands.delete(bench.keys.log)

    assert await bench.broker.publish(lease, 1, batch("a"), state={"cursor": "x"}, min_id=None) == NoLog()
    assert await bench.broker.last_id(bench.room) is None


@pytest.mark.parametrize("fate", ["taken over", "taken over and released", "all expired", "released"])
async def test_stale_holder_writes_nothing(bench: Bench, fate: str) -> None:
    old = await bench.hold()
    await bench.broker.publish(old, 1, batch("a"), state={}, min_id=None)
    if fate.startswith("taken over"):
        new = await bench.hold(replaces=old.owner)
        if fate.endswith("released"):
            await bench.leases.release(new, only_if_idle=False, acknowledged=None)
    elif fate == "released":
        await bench.leases.release(old, only_if_idle=False, acknowledged=None)
    else:
        await bench.commands.flushall()
    log, state = await bench.log(), await bench.broker.state(bench.room)

    assert await bench.broker.publish(old, 2, batch("late"), state={"title": "late"}, min_id=None) == Lost()
    assert not await bench.broker.set_phase(old, RoomPhase(phase=Phase.ENDED, at=1), {"title": "late"})

    assert (await bench.log(), await bench.broker.state(bench.room)) == (log, state)
    if fate == "all expired":
        assert await bench.commands.keys("*") == []


async def test_scripts_survive_a_server_that_forgot_them(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.commands.script_flush()
    assert isinstance(await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None), Published)
    await bench.commands.script_flush()
    assert await bench.broker.set_phase(lease, CONNECTED)


async def test_log_goes_on_after_it_was_trimmed_to_nothing(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)
    await bench.commands.xtrim(bench.keys.log, maxlen=0, approximate=False)

    assert await bench.broker.last_id(bench.room) == Cursor(lease.epoch, 1)
    assert await bench.broker.page(bench.room, Cursor(lease.epoch, 1)) == []
    assert await bench.broker.publish(lease, 1, batch("a", "b"), state={}, min_id=None) == Published(
        Cursor(lease.epoch, 2), 1
    )


async def test_entries_before_min_id_go_and_those_behind_stay(bench: Bench) -> None:
    lease = await bench.hold()
    large = "x" * 50_000
    await bench.broker.publish(lease, 1, batch(*[large] * 20), state={}, min_id=None)
    await bench.broker.publish(lease, 21, batch(large), state={}, min_id=Cursor(lease.epoch, 12))

    assert [entry.cursor.offset for entry in await bench.log()] == list(range(12, 22))


async def test_log_keeps_about_history_len_entries(bench: Bench) -> None:
    lease = await bench.hold()
    for start in range(1, 3001, 250):
        await bench.broker.publish(lease, start, batch(*"x" * 250), state={}, min_id=None)

    assert 2000 <= len(await bench.log()) < 2150


async def test_page_begins_with_the_entry_asked_for(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a", "b", "c"), state={}, min_id=None)

    page = await bench.broker.page(bench.room, Cursor(lease.epoch, 1), 2)

    assert [entry.data for entry in page] == [b"a", b"b"]
    assert await bench.broker.page(bench.room, Cursor(lease.epoch, 4)) == []


async def test_tail_is_the_newest_entries_within_both_bounds(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch(*["x" * 1000] * 250), state={}, min_id=None)
    await bench.broker.publish(lease, 251, batch(*["x" * 1000] * 250), state={}, min_id=None)

    assert [entry.cursor.offset for entry in await bench.broker.tail(bench.room, 3)] == [498, 499, 500]
    assert [entry.cursor.offset for entry in await bench.broker.tail(bench.room, 450)] == list(range(51, 501))
    assert len(await bench.broker.tail(bench.room, 450, max_bytes=300_000)) == 300
    assert len(await bench.broker.tail(bench.room, 10_000)) == 501
    assert await bench.broker.tail(bench.room, 0) == []


async def test_foreign_rows_in_the_log_are_left_out(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.commands.xadd(bench.keys.log, {"what": "this"}, id=f"{lease.epoch}-1")
    await bench.broker.publish(lease, 2, batch("a"), state={}, min_id=None)

    assert [entry.cursor.offset for entry in await bench.log()] == [0, 2]
    assert [entry.cursor.offset for entry in await bench.broker.tail(bench.room, 10)] == [0, 2]


async def test_room_without_a_log_is_empty(bench: Bench) -> None:
    assert await bench.broker.last_id(bench.room) is None
    assert await bench.log() == []
    assert await bench.broker.tail(bench.room, 10) == []
    assert (await bench.broker.state(bench.room)).phase is None


async def test_extent_of_a_log_is_what_is_left_of_it(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a", "b", "c"), state={}, min_id=None)
    first, last = Cursor(lease.epoch, 0), Cursor(lease.epoch, 3)
    assert await bench.broker.extent(bench.room) == Extent(4, first, last)
    await bench.commands.xtrim(bench.keys.log, minid=f"{lease.epoch}-2", approximate=False)
    assert await bench.broker.extent(bench.room) == Extent(2, Cursor(lease.epoch, 2), last)
    await bench.commands.xtrim(bench.keys.log, maxlen=0, approximate=False)
    assert await bench.broker.extent(bench.room) == Extent(0, None, last)
    await bench.commands.delete(bench.keys.log)
    assert await bench.broker.extent(bench.room) is None


async def test_phase_is_written_and_told_and_is_not_in_the_log(bench: Bench, ear: Ear) -> None:
    phase = RoomPhase(phase=Phase.RECONNECTING, at=5, attempt=2, retry_in_ms=900, code="upstream_lost")
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        lease = await bench.hold()
        assert await bench.broker.set_phase(
            lease, phase, {"title": "T \u4f60", "owner": b'{"id":"1"}', "viewer_count": "12", "gifts": "0"}
        )
        await ear.until(lambda: ear.phases)

    assert ear.phases == [phase]
    assert len(await bench.log()) == 1
    state = await bench.broker.state(bench.room)
    assert (state.phase, state.title, state.owner, state.viewer_count, state.gifts) == (
        phase, "T \u4f60", b'{"id":"1"}', 12, False,
    )  # fmt: skip
    assert state.holder == lease.token


async def test_an_error_is_remembered_when_all_goes_well_again(bench: Bench) -> None:
    lease = await bench.hold()
    error = RoomPhase(phase=Phase.RECONNECTING, at=5, attempt=1, code="upstream_lost", detail="reset")
    offline = RoomPhase(phase=Phase.NOT_LIVE, at=6, code="offline")
    for phase in (error, RoomPhase(phase=Phase.CONNECTED, at=7), offline):
        assert await bench.broker.set_phase(lease, phase)
    await bench.hold(replaces=lease.owner)

    state = await bench.broker.state(bench.room)
    assert (state.phase, state.last_error) == (offline, error)


async def test_state_that_cannot_be_read_counts_as_unknown(bench: Bench) -> None:
    await bench.commands.hset(
        bench.keys.state,
        mapping={"phase": '{"phase":"dancing","at":1}', "viewer_count": "many", "title": b"\xff", "last_error": "1"},
    )
    state = await bench.broker.state(bench.room)
    assert (state.phase, state.viewer_count, state.gifts, state.title) == (None, None, None, "\ufffd")
    assert state.last_error is None


async def test_heartbeat_names_the_last_id(bench: Bench, ear: Ear) -> None:
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        lease = await bench.hold()
        await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)
        await bench.leases.renew(lease)
        await ear.until(lambda: ear.alive)

    assert ear.alive == [Cursor(lease.epoch, 1)]


async def test_a_batch_that_no_writer_may_send_is_our_fault(bench: Bench) -> None:
    lease = await bench.hold()
    with pytest.raises(LocalProtocolError):
        await bench.broker.publish(lease, 0, batch("a"), state={}, min_id=None)
    with pytest.raises(LocalProtocolError):
        await bench.broker.publish(lease, 1, [], state={}, min_id=None)


async def test_key_of_another_type_is_in_the_way_until_it_is_gone(bench: Bench) -> None:
    await bench.commands.set(bench.keys.log, "not a stream")
    with pytest.raises(BrokerUnavailable):
        await bench.leases.acquire(bench.room, new_owner("one"), need_demand=False)
    assert not await bench.commands.exists(bench.keys.lease, bench.keys.state)
    await bench.commands.delete(bench.keys.log)
    assert isinstance(await bench.leases.acquire(bench.room, new_owner("one"), need_demand=False), Lease)


class Overtaken:
    """Commands of a Redis in which a log begins just after it was found missing."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def xinfo_stream(self, log: str) -> None:
        await self._bench.leases.acquire(self._bench.room, new_owner("one"), need_demand=False)
        raise ResponseError("no such key", status_code="ERR")

    async def exists(self, log: str) -> bool:
        return bool(await self._bench.commands.exists(log))


async def test_log_that_begins_while_it_is_asked_about_is_to_be_asked_about_again(bench: Bench) -> None:
    broker = Broker(RedisClient(Overtaken(bench), None), history_ttl_s=60, history_len=100)
    with pytest.raises(BrokerUnavailable):
        await broker.last_id(bench.room)
    assert await bench.broker.last_id(bench.room) is not None


async def test_rooms_are_left_alone_while_they_are_held_or_rest(bench: Bench) -> None:
    held, rests, rested, broken, new = (RoomKey("tiktok", str(7100 + number)) for number in range(5))
    for room in (held, rests, rested, broken):
        lease = await bench.leases.acquire(room, new_owner("one"), need_demand=False)
        assert isinstance(lease, Lease)
        retry_at = {rests: 61_000, rested: 999}.get(room, 0)
        phase = Phase.FAILED if retry_at else Phase.CONNECTED
        await bench.broker.set_phase(lease, RoomPhase(phase=phase, at=1, retry_at=retry_at))
        if room is not held:
            await bench.leases.release(lease, only_if_idle=False, acknowledged=None)
    await bench.commands.hset(RoomKeys.of(broken).state, "phase", "{")

    held_ms, *others = await bench.broker.left_alone_ms([held, rests, rested, broken, new], now_ms=1000)

    assert 0 < held_ms <= bench.leases.ttl_s * 1000
    assert others == [60_000, 0, 0, 0]
