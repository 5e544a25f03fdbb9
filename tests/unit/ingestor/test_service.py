"""Ingestors as a whole: who takes a room, who goes on with it, and how they share the load."""

import asyncio
import json

import pytest

from shared import keys
from shared.cursor import Cursor
from shared.events import encode
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, new_owner
from shared.phases import Phase
from shared.room import RoomKey
from shared.version import VERSION
from tests.events import chat
from tests.ingestor_stage import FOUR, OTHER, ROOM, Stage, until


async def test_of_two_ingestors_one_opens_the_upstream(stage: Stage) -> None:
    async with stage.ingestor("one"), stage.ingestor("two"):
        for n in range(20):
            await stage.demand.announce(RoomKey("tiktok", f"73000000000000000{n:02}"))
        await stage.connector.upstream(20)
        await asyncio.sleep(0.3)
        assert len(stage.connector.upstreams) == 20


async def test_an_ingestor_that_ends_hands_its_rooms_over_and_the_next_goes_on_where_it_stopped(stage: Stage) -> None:
    async with stage.ingestor("one"):
        await stage.demand.announce(ROOM)
        first = await stage.connector.upstream(1)
        first.push(("1", "a"), position="p1")
        await stage.logged("live_status", "a")
        async with stage.ingestor("two", scan_interval_s=10):
            pass  # it must not take what is held
        assert len(stage.connector.upstreams) == 1
    assert first.closed
    assert await stage.key(RoomKeys.of(ROOM).lease) is None
    async with stage.ingestor("two"):
        second = await stage.connector.upstream(2)
        second.push(("1", "a"), ("2", "b"))
        await stage.logged("live_status", "a", "b")
    assert second.started_with == "p1"


@pytest.mark.parametrize("overlaps", [True, False])
async def test_a_room_whose_holder_died_is_gone_on_with_where_its_last_batch_stands(
    stage: Stage, overlaps: bool
) -> None:
    leases = Leases(stage.redis, ttl_s=0.2, history_ttl_s=60, history_len=2000)
    await stage.demand.announce(ROOM)
    dead = await leases.acquire(ROOM, new_owner("dead"))
    assert isinstance(dead, Lease)
    said = encode(chat(ROOM, "a", message_id="1"), Cursor(dead.epoch, 1))
    await stage.broker.publish(dead, 1, [("chat", 1, said)], state={"cursor": "p1"}, min_id=None)
    async with stage.ingestor("two"):
        upstream = await stage.connector.upstream(1)
        assert upstream.started_with == "p1"
        if overlaps:
            upstream.push(("1", "a"), ("2", "b"))
            await stage.logged("a", "live_status", "b")
        else:
            upstream.push(("2", "b"))
            await stage.logged("a", "live_status", "gap", "b")


async def test_who_takes_a_room_whose_log_is_lost_begins_now_and_repeats_nothing(stage: Stage) -> None:
    async with stage.ingestor("one"):
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(1)).push(("1", "a"), position="p1")
        await stage.logged("live_status", "a")
    async with stage.redis.turn() as commands:
        await commands.delete(RoomKeys.of(ROOM).log)
    async with stage.ingestor("two"):
        assert (await stage.connector.upstream(2)).started_with == ""


async def test_to_the_next_holder_what_happened_before_the_log_is_history(stage: Stage) -> None:
    """It may have been told in a log that is lost."""
    async with stage.ingestor("one"):
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(1)).push(("1", "a"), position="p1")
        await stage.logged("live_status", "a")
    async with stage.ingestor("two"):
        upstream = await stage.connector.upstream(2)
        upstream.push(("1", "a"))
        upstream.push(("0", "before"), method="old")
        upstream.push(("2", "b"))
        await stage.logged("live_status", "a", "before", "b")
    told = [json.loads(entry.data) for entry in await stage.broker.tail(ROOM, 500) if not entry.is_marker]
    assert [event["content"] for event in told if event.get("history")] == ["before"]


async def test_an_ingestor_takes_no_more_rooms_than_it_may(stage: Stage) -> None:
    async with stage.ingestor(max_rooms=1):
        await stage.demand.announce(ROOM)
        await stage.connector.upstream(1)
        await stage.demand.announce(OTHER)
        await asyncio.sleep(0.3)
        assert len(stage.connector.upstreams) == 1
        async with stage.ingestor("two", max_rooms=1):
            await stage.phase(Phase.CONNECTED, OTHER)


async def test_a_newcomer_is_handed_rooms_and_goes_on_where_the_first_stopped(stage: Stage) -> None:
    async with stage.ingestor("one", relief_held_s=0.1) as one:
        await stage.four_rooms()
        async with stage.ingestor("two", relief_held_s=0.1) as two:
            await until(lambda: two.rooms > 0 and one.rooms + two.rooms == 4)
            assert two.rooms <= 2
            assert {upstream.started_with for upstream in stage.connector.upstreams[4:]} == {"p1"}


async def test_a_room_handed_over_that_nobody_takes_is_ours_again_and_nothing_moves_for_a_while(stage: Stage) -> None:
    async with stage.ingestor(relief_held_s=2) as one, asyncio.TaskGroup() as tasks:
        await stage.four_rooms()
        idling = tasks.create_task(stage.idler(rooms=0, max_rooms=200))
        await until(lambda: len(stage.connector.upstreams) > 4 and one.rooms == 4)
        await asyncio.sleep(0.3)  # three scans
        assert one.rooms == 4
        idling.cancel()
    assert {upstream.started_with for upstream in stage.connector.upstreams[4:]} == {"p1"}


async def test_a_room_handed_over_is_left_to_others_whoever_wakes_us_for_it(stage: Stage) -> None:
    async with stage.ingestor(relief_held_s=0.1), asyncio.TaskGroup() as tasks:
        await stage.four_rooms()
        idling = tasks.create_task(stage.idler(rooms=0, max_rooms=200))
        await until(lambda: len(stage.connector.open) == 2)
        idling.cancel()
        async with asyncio.timeout(10):
            while len(await stage.held(*FOUR)) > 2:
                await asyncio.sleep(0.005)
        for room in FOUR:
            await stage.demand.announce(room)
        await stage.demand.announce(OTHER)
        await stage.phase(Phase.CONNECTED, OTHER)
        assert len(stage.connector.upstreams) == 5


async def test_an_ingestor_that_ends_takes_nothing_back_that_it_handed_over(stage: Stage) -> None:
    async with stage.ingestor(relief_held_s=0.1), asyncio.TaskGroup() as tasks:
        await stage.four_rooms()
        idling = tasks.create_task(stage.idler(rooms=0, max_rooms=200))
        await until(lambda: len(stage.connector.open) == 2)
        idling.cancel()
    assert await stage.held(*FOUR) == []
    for room in FOUR:
        assert [entry.is_marker for entry in await stage.broker.tail(room, 10)].count(True) == 1


@pytest.mark.parametrize(
    "load",
    [
        {"rooms": 3, "max_rooms": 3},
        {"rooms": "many", "max_rooms": 200},
        {"rooms": -200, "max_rooms": 200},
        {"rooms": 0},
    ],
    ids=["full", "no number", "nonsense", "half told"],
)
async def test_nothing_is_handed_over_to_who_cannot_take_it(stage: Stage, load: dict[str, int | str]) -> None:
    async with stage.ingestor(relief_held_s=0.1) as one, asyncio.TaskGroup() as tasks:
        await stage.four_rooms()
        idling = tasks.create_task(stage.idler(**load))
        await asyncio.sleep(0.5)  # five scans
        assert one.rooms == 4
        idling.cancel()
    assert len(stage.connector.upstreams) == 4


async def test_an_ingestor_tells_how_busy_it_is_and_which_version(stage: Stage) -> None:
    async with stage.ingestor(max_rooms=7, scan_interval_s=0.1):
        await stage.demand.announce(ROOM)
        await stage.phase(Phase.CONNECTED)
        async with asyncio.timeout(10):
            while not (members := await stage.demand.members("ingestor")) or members[0].load["rooms"] != "1":
                await asyncio.sleep(0.005)
    load = members[0].load
    assert (load["max_rooms"], load["version"]) == ("7", VERSION)
    assert int(load["started"]) > 1_700_000_000_000


async def test_an_ingestor_that_ends_says_goodbye_before_its_rooms_are_gone(stage: Stage) -> None:
    may_close = asyncio.Event()
    async with stage.ingestor() as one:
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        await stage.phase(Phase.CONNECTED)
        upstream.aclose = may_close.wait  # type: ignore[assignment, method-assign]
        one.stop()
        async with asyncio.timeout(10):
            while await stage.demand.members("ingestor"):
                await asyncio.sleep(0.005)
        assert one.rooms == 1
        may_close.set()


async def test_a_foreign_index_of_ingestors_keeps_no_room_from_being_released(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        await stage.connector.upstream(1)
        async with stage.redis.turn() as commands:
            await commands.set(keys.INGESTORS, "foreign")
    assert await stage.held(ROOM) == []
