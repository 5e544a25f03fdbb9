"""Who holds a room, in every order in which requests can arrive."""

import asyncio

from shared.cursor import Cursor
from shared.keys import RoomKeys
from shared.lease import Held, Idle, Lease, Lost, NoLog, Released, Renewed, new_owner
from shared.room import RoomKey
from tests.integration.shared.conftest import Bench, batch


async def test_first_holder_opens_the_log_with_a_marker_that_follows_nothing(bench: Bench) -> None:
    lease = await bench.hold()

    assert lease.prev is None
    assert not lease.clean
    [marker] = await bench.log()
    assert (marker.cursor, marker.type, marker.data) == (Cursor(lease.epoch, 0), "epoch", b"-")
    assert marker.is_marker
    assert marker.marker_prev is None


def test_an_owner_is_new_each_time_and_names_its_ingestor() -> None:
    first, second = new_owner("rack-1"), new_owner("rack-1")
    assert first != second
    assert first.startswith("rack-1/")


async def test_nobody_takes_a_room_that_nobody_wants(bench: Bench) -> None:
    assert await bench.leases.acquire(bench.room, new_owner("one")) is Idle.IDLE
    assert not await bench.commands.exists(bench.keys.lease, bench.keys.log, bench.keys.state)

    await bench.demand.announce(bench.room)
    assert isinstance(await bench.leases.acquire(bench.room, new_owner("one")), Lease)


async def test_second_comer_is_told_who_holds_the_room_and_for_how_long(bench: Bench) -> None:
    lease = await bench.hold()

    answer = await bench.leases.acquire(bench.room, new_owner("two"), need_demand=False)

    assert isinstance(answer, Held)
    assert answer.token == lease.token
    assert 0 < answer.remaining_ms <= 10_000


async def test_acquire_sent_twice_gives_one_epoch_and_one_marker(bench: Bench) -> None:
    owner = new_owner("one")

    first, second = await asyncio.gather(bench.hold(owner=owner), bench.hold(owner=owner))

    assert first == second
    assert len(await bench.log()) == 1


async def test_acquire_sent_again_after_publishing_gives_the_first_answer(bench: Bench) -> None:
    before = await bench.hold()
    await bench.broker.publish(before, 1, batch("a"), state={}, min_id=None)
    await bench.leases.release(before, only_if_idle=False, acknowledged=Cursor(before.epoch, 1))
    lease = await bench.hold(owner="two/1")
    await bench.broker.publish(lease, 1, batch("b"), state={}, min_id=None)

    assert await bench.hold(owner="two/1") == lease
    assert lease.clean
    assert lease.prev == Cursor(before.epoch, 1)


async def test_a_later_holder_gets_a_larger_epoch_and_names_the_last_id(bench: Bench) -> None:
    first = await bench.hold()
    await bench.broker.publish(first, 1, batch("a", "b"), state={}, min_id=None)

    second = await bench.hold(replaces=first.owner)

    assert second.epoch > first.epoch
    assert second.prev == Cursor(first.epoch, 2)
    marker = (await bench.log())[-1]
    assert marker.marker_prev == Cursor(first.epoch, 2)


async def test_markers_in_a_row_are_a_chain(bench: Bench) -> None:
    leases = [await bench.hold()]
    for _ in range(3):
        leases.append(await bench.hold(replaces=leases[-1].owner))

    assert [entry.marker_prev for entry in await bench.log()] == [
        None,
        *(Cursor(lease.epoch, 0) for lease in leases[:-1]),
    ]


async def test_replacing_somebody_who_is_not_the_holder_changes_nothing(bench: Bench) -> None:
    await bench.hold(owner="two/1")

    answer = await bench.leases.acquire(bench.room, "one/2", need_demand=False, replaces="one/1")

    assert isinstance(answer, Held)


async def test_epoch_is_larger_than_the_log_has_seen_when_the_clock_is_behind(bench: Bench) -> None:
    future = 8_000_000_000_000_000
    await bench.commands.xadd(bench.keys.log, {"t": "epoch", "r": "0", "d": "-"}, id=f"{future}-0")

    lease = await bench.hold()

    assert future < lease.epoch <= future + 1_000_000
    assert lease.prev == Cursor(future, 0)
    assert (await bench.log())[-1].cursor == Cursor(lease.epoch, 0)


async def test_epoch_is_larger_than_its_ingestor_knows_when_clock_and_log_went_back(bench: Bench) -> None:
    future = 8_000_000_000_000_000
    assert (await bench.hold(floor=future)).epoch > future


async def test_epochs_of_a_clock_that_is_behind_do_not_repeat(bench: Bench) -> None:
    """A log that went back twice to the same place must not lead to the same epoch twice."""
    future = 8_000_000_000_000_000
    epochs = set()
    for _ in range(20):
        await bench.commands.delete(bench.keys.log, bench.keys.lease)
        await bench.commands.xadd(bench.keys.log, {"t": "epoch", "r": "0", "d": "-"}, id=f"{future}-0")
        epochs.add((await bench.hold()).epoch)

    assert len(epochs) > 15


async def test_rooms_acquired_in_a_row_share_no_epoch(bench: Bench) -> None:
    epochs = set()
    for number in range(50):
        lease = await bench.leases.acquire(RoomKey("tiktok", str(number)), new_owner("one"), need_demand=False)
        assert isinstance(lease, Lease)
        epochs.add(lease.epoch)

    assert len(epochs) == 50


async def test_place_of_the_upstream_is_forgotten_with_the_log_it_stands_behind(bench: Bench) -> None:
    first = await bench.hold()
    await bench.broker.publish(first, 1, batch("a"), state={"cursor": "p1", "title": "T"}, min_id=None)
    second = await bench.hold(replaces=first.owner)
    assert (await bench.broker.state(bench.room)).position == "p1"

    await bench.commands.delete(bench.keys.log)
    await bench.hold(replaces=second.owner)

    state = await bench.broker.state(bench.room)
    assert (state.position, state.title) == ("", "T")


async def test_log_trimmed_to_nothing_still_tells_the_id_before(bench: Bench) -> None:
    first = await bench.hold()
    await bench.broker.publish(first, 1, batch("a"), state={}, min_id=None)
    await bench.commands.xtrim(bench.keys.log, maxlen=0, approximate=False)

    assert (await bench.hold(replaces=first.owner)).prev == Cursor(first.epoch, 1)


async def test_renewal_tells_the_last_id_and_keeps_everything_alive(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None)
    for key in (bench.keys.lease, bench.keys.log, bench.keys.state):
        await bench.commands.pexpire(key, 1000)

    assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 1))

    assert 1000 < await bench.commands.pttl(bench.keys.lease) <= 10_000
    assert 10_000 < await bench.commands.pttl(bench.keys.log) <= 60_000
    assert 10_000 < await bench.commands.pttl(bench.keys.state) <= 60_000


async def test_expired_lease_is_revived_when_nobody_came(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.commands.delete(bench.keys.lease)
    assert await bench.broker.publish(lease, 1, batch("a"), state={}, min_id=None) == Lost()

    assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 0))

    assert (await bench.commands.get(bench.keys.lease)).decode() == lease.token
    assert await bench.commands.pttl(bench.keys.lease) > 0


async def test_expired_lease_is_lost_when_somebody_came(bench: Bench) -> None:
    old = await bench.hold()
    await bench.commands.delete(bench.keys.lease)
    new = await bench.hold()

    assert await bench.leases.renew(old) == Lost()
    assert await bench.leases.release(old, only_if_idle=False, acknowledged=None) is Released.LOST
    assert await bench.leases.renew(new) == Renewed(Cursor(new.epoch, 0))


async def test_expired_lease_is_lost_when_somebody_came_and_left(bench: Bench) -> None:
    old = await bench.hold()
    await bench.commands.delete(bench.keys.lease)
    new = await bench.hold()
    await bench.leases.release(new, only_if_idle=False, acknowledged=None)

    assert await bench.leases.renew(old) == Lost()
    assert not await bench.commands.exists(bench.keys.lease)


async def test_renewal_without_a_log_says_so_and_brings_nothing_back(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.commands.delete(bench.keys.log)

    assert await bench.leases.renew(lease) == NoLog()
    assert not await bench.commands.exists(bench.keys.log)


async def test_renewal_after_everything_is_gone_brings_nothing_back(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.commands.flushall()

    assert await bench.leases.renew(lease) == Lost()
    assert await bench.commands.keys("*") == []


async def test_renewal_that_arrives_after_the_release_brings_nothing_back(bench: Bench) -> None:
    lease = await bench.hold()
    assert await bench.leases.release(lease, only_if_idle=False, acknowledged=None) is Released.OK

    assert await bench.leases.renew(lease) == Lost()
    assert await bench.leases.release(lease, only_if_idle=False, acknowledged=None) is Released.LOST
    assert not await bench.commands.exists(bench.keys.lease)
    assert (await bench.broker.state(bench.room)).holder == ""


async def test_room_that_somebody_wants_again_is_not_released_as_idle(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.demand.announce(bench.room)

    assert await bench.leases.release(lease, only_if_idle=True, acknowledged=None) is Released.WANTED
    assert await bench.leases.renew(lease) == Renewed(Cursor(lease.epoch, 0))

    await bench.demand.drop(bench.room)
    assert await bench.leases.release(lease, only_if_idle=True, acknowledged=None) is Released.OK


async def test_room_that_is_wanted_can_be_handed_over(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.demand.announce(bench.room)
    assert await bench.leases.release(lease, only_if_idle=False, acknowledged=None) is Released.OK


async def test_take_over_is_clean_only_when_the_log_ends_where_its_holder_said(bench: Bench) -> None:
    lease = await bench.hold()
    await bench.broker.publish(lease, 1, batch("a", "b"), state={}, min_id=None)
    await bench.leases.release(lease, only_if_idle=False, acknowledged=Cursor(lease.epoch, 1))
    unclean = await bench.hold()
    assert not unclean.clean

    await bench.leases.release(unclean, only_if_idle=False, acknowledged=Cursor(unclean.epoch, 0))
    clean = await bench.hold()
    assert clean.clean

    # Not released at all: the mark of the release before does not count any more.
    assert not (await bench.hold(replaces=clean.owner)).clean


async def test_two_owners_of_one_ingestor_do_not_pass_for_each_other(bench: Bench) -> None:
    old = await bench.hold(owner=new_owner("one"))
    new = await bench.hold(owner=new_owner("one"), replaces=old.owner)

    assert await bench.leases.renew(old) == Lost()
    assert await bench.leases.release(old, only_if_idle=False, acknowledged=None) is Released.LOST
    assert await bench.broker.publish(old, 1, batch("late"), state={}, min_id=None) == Lost()
    assert await bench.leases.renew(new) == Renewed(Cursor(new.epoch, 0))


async def test_rooms_do_not_disturb_each_other(bench: Bench) -> None:
    await bench.hold()
    other = RoomKey("tiktok", "7002")
    assert isinstance(await bench.leases.acquire(other, new_owner("two"), need_demand=False), Lease)
    assert RoomKeys.of(other).lease != bench.keys.lease
