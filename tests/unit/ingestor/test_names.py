"""Names: looked up by whoever holds them, and pointing to rooms."""

import asyncio

from shared.errors import RoomOffline, UpstreamUnavailable
from shared.keys import RoomKeys
from shared.phases import Phase
from shared.room import RoomKey
from tests.ingestor_stage import NAME, OTHER, ROOM, Stage


async def test_a_name_is_looked_up_once_and_points_to_its_room(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(NAME)
        told = await stage.phase(Phase.TARGET, NAME)
        assert await stage.demand.target(NAME) == ROOM
        await stage.demand.announce(NAME)
        await asyncio.sleep(0.1)
    assert told.target == ROOM.room
    assert stage.connector.resolves == 1
    assert stage.connector.upstreams == []


async def test_a_name_without_a_broadcast_is_answered_from_memory(stage: Stage) -> None:
    stage.connector.target = RoomOffline()
    async with stage.ingestor():
        await stage.demand.announce(NAME)
        told = await stage.phase(Phase.NOT_LIVE, NAME)
        await stage.released(NAME)
        await stage.demand.announce(NAME)
        await asyncio.sleep(0.2)
    assert told.code == "offline"
    assert stage.connector.resolves == 1
    assert await stage.demand.target(NAME) is None


async def test_a_name_is_asked_about_again_before_it_is_given_up(stage: Stage) -> None:
    stage.connector.target = UpstreamUnavailable("down")
    async with stage.ingestor(upstream_retries=2):
        await stage.demand.announce(NAME)
        told = await stage.phase(Phase.FAILED, NAME)
        assert await stage.wanted(NAME)
    assert told.code == "upstream_lost"
    assert stage.connector.resolves == 3


async def test_after_a_broadcast_ended_its_name_leads_to_the_next_one(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(NAME)
        await stage.phase(Phase.TARGET, NAME)
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        stage.connector.target = OTHER
        upstream.push(("1", ""), method="end")
        async with asyncio.timeout(10):
            while await stage.demand.target(NAME) != OTHER:
                await asyncio.sleep(0.005)
        assert (await stage.phase(Phase.TARGET, NAME)).target == OTHER.room


async def test_a_name_that_leads_to_a_broadcast_that_is_over_leads_nowhere(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(NAME)
        await stage.phase(Phase.TARGET, NAME)
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(1)).push(("1", ""), method="end")
        told = await stage.phase(Phase.NOT_LIVE, NAME)
    assert told.code == "offline"
    assert stage.connector.resolves == 2


async def test_a_name_of_a_room_that_outlives_its_broadcasts_goes_on_pointing_there(stage: Stage) -> None:
    name, room = RoomKey("douyin", "link.abc"), RoomKey("douyin", "728804746624")
    stage.connector.target = room
    async with stage.ingestor(lease_ttl_s=1):
        await stage.demand.announce(name)
        await stage.phase(Phase.TARGET, name)
        await stage.demand.announce(room)
        (await stage.connector.upstream(1)).push(("1", ""), method="end")
        await stage.phase(Phase.ENDED, room)
        async with stage.redis.turn() as commands:
            await commands.delete(RoomKeys.of(name).target)
        async with asyncio.timeout(10):
            while await stage.demand.target(name) is None:  # kept fresh
                await asyncio.sleep(0.005)
    assert stage.connector.resolves == 1
