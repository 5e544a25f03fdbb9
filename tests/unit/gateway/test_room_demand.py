"""What a room tells the cluster that its clients want, and what they are told where nobody takes it."""

import time

import pytest

from gateway.close_codes import Code
from gateway.options import EventFilter
from shared.broker import RoomState
from shared.cursor import Cursor
from shared.demand import Member as ClusterMember
from shared.phases import Phase
from tests.gateway_room import Listener, resting, scene
from tests.holder import phase_of
from tests.log_entries import event, marker


async def test_demand_is_told_kept_up_and_told_once_more_at_the_end() -> None:
    async with scene(untaken_after_s=600) as at:
        await at.join()
        at.room.want()
        at.room.want()
        await at.settle()
        now = time.monotonic()
        at.room.tick(now + 24)
        await at.settle()
        assert at.demand.told == ["announce"]
        at.room.tick(now + 26)
        await at.settle()
        assert at.demand.told == ["announce", "refresh"]
        at.room.detach(at.listener)
        at.room.detach(at.listener)
        await at.settle()
        assert at.demand.told == ["announce", "refresh", "refresh"]
        at.room.tick(now + 1000)
        await at.settle()
        assert at.demand.told == ["announce", "refresh", "refresh"]


async def test_raw_is_wanted_while_somebody_asks_for_it() -> None:
    async with scene() as at:
        at.listener = Listener(EventFilter(frozenset({"raw"})))
        await at.join()
        at.room.want()
        await at.settle()
        at.room.demand.ask_raw()
        await at.settle()
        assert at.demand.told == ["raw", "announce", "raw"]


async def test_resting_room_is_left_alone_until_its_time() -> None:
    async with scene() as at:
        at.log.room_state = RoomState(phase=resting(Phase.FAILED))
        await at.join()
        at.room.want()
        await at.settle()
        assert (at.room.rests, at.demand.told) == (True, [])
        at.room.feed.on_phase(resting(Phase.FAILED, rest_ms=-1))
        at.room.tick(time.monotonic())
        await at.settle()
        assert at.demand.told == ["announce"]


async def test_demand_that_could_not_be_told_is_told_soon() -> None:
    async with scene() as at:
        await at.join()
        at.demand.away = True
        at.room.want()
        await at.settle()
        at.demand.away = False
        at.room.tick(time.monotonic() + 2)
        await at.settle()
        assert at.demand.told == ["announce"]


async def test_room_whose_demand_redis_refuses_is_unavailable_and_not_untaken() -> None:
    async with scene() as at:
        await at.join()
        at.demand.away = True
        at.room.want()
        await at.settle()
        now = time.monotonic()
        for later in (11.0, 11.5):
            at.room.tick(now + later)
            await at.settle()
        assert at.listener.notes == [Code.UNAVAILABLE]


@pytest.mark.parametrize(
    ("ingestors", "code"),
    [
        ([], Code.NO_INGESTOR),
        ([{"rooms": "3", "max_rooms": "3"}], Code.NO_CAPACITY),
        ([{"rooms": "3", "max_rooms": "3"}, {"rooms": "1", "max_rooms": "3"}], Code.NO_INGESTOR),
        ([{"rooms": "many"}], Code.NO_INGESTOR),
    ],
)
async def test_room_that_nobody_takes_is_told(ingestors: list[dict[str, str]], code: Code) -> None:
    async with scene() as at:
        at.demand.ingestors = [ClusterMember(str(number), 1, load) for number, load in enumerate(ingestors)]
        await at.join()
        at.room.want()
        await at.settle()
        now = time.monotonic()
        at.room.tick(now + 9)
        await at.settle()
        assert at.listener.notes == []
        at.room.tick(now + 11)
        await at.settle()
        at.room.tick(now + 11.5)
        await at.settle()
        assert at.listener.notes == [code]
        at.room.feed.on_alive(Cursor(1, 1))  # somebody is there after all
        assert at.listener.notes == [code, "nobody"]


async def test_room_whose_holder_cannot_make_himself_heard_is_not_said_to_be_untaken() -> None:
    async with scene() as at:
        at.demand.held = True
        await at.join()
        at.room.want()
        await at.settle()
        now = time.monotonic()
        for later in (11.0, 11.5, 22.0, 22.5):
            at.room.tick(now + later)
            await at.settle()
        assert at.listener.notes == []
        at.demand.held = False
        for later in (33.0, 33.5):
            at.room.tick(now + later)
            await at.settle()
        assert at.listener.notes == [Code.NO_INGESTOR]


async def test_holder_that_fell_silent_leads_to_a_read() -> None:
    async with scene(event(1, 1)) as at:
        at.log.room_state = RoomState(phase=phase_of(Phase.CONNECTED), holder="1 i/a")
        await at.join()
        at.room.want()
        await at.settle()
        at.log.add(event(1, 2))
        now = time.monotonic()
        at.room.tick(now + 1)
        await at.settle()
        assert at.told == []
        at.room.tick(now + 3)
        await at.settle()
        assert at.told == ["1-2"]


async def test_holder_that_fell_silent_is_told_the_demand_again() -> None:
    async with scene(event(1, 1)) as at:
        at.log.room_state = RoomState(phase=phase_of(Phase.CONNECTED), holder="1 i/a")
        await at.join()
        at.room.want()
        await at.settle()
        assert at.demand.told == ["announce"]
        now = time.monotonic()
        at.room.tick(now + 3)
        at.room.tick(now + 3.25)
        await at.settle()
        at.room.tick(now + 4)
        await at.settle()
        assert at.demand.told == ["announce", "refresh"]


async def test_redis_that_is_back_is_told_the_demand_at_once() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.room.want()
        await at.settle()
        at.channels.up = False
        at.room.feed.on_link(up=False)
        at.channels.up = True
        at.room.feed.on_link(up=True)
        await at.settle()
        assert at.demand.told == ["announce", "refresh"]


async def test_redis_that_lost_the_log_is_told_the_demand_that_it_may_have_lost_too() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.room.want()
        await at.settle()
        at.log.entries = [marker(2, None)]
        at.publish(marker(2, None))
        await at.settle()
        at.room.tick(time.monotonic())
        await at.settle()
        assert at.demand.told == ["announce", "refresh"]


async def test_link_that_is_down_is_no_silence_of_the_holder() -> None:
    async with scene() as at:
        await at.join()
        at.room.want()
        await at.settle()
        at.channels.up = False
        now = time.monotonic()
        at.room.tick(now + 100)
        await at.settle()
        assert "members" not in at.demand.told
