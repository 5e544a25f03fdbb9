"""Rooms that are waited for: looked at again and again, by nobody in particular."""

import asyncio

import pytest

from ingestor.connectors.base import LiveRoom
from shared.errors import RoomNotFound, RoomOffline
from shared.keys import RoomKeys
from shared.phases import Phase
from shared.room import RoomKey
from tests.ingestor_stage import FOUR, NAME, OTHER, ROOM, Stage, until


@pytest.mark.parametrize("room", [ROOM, NAME])
async def test_what_is_waited_for_is_left_alone_until_its_next_look(stage: Stage, room: RoomKey) -> None:
    stage.connector.live = stage.connector.target = RoomOffline()
    await stage.demand.want_wait(room)
    async with stage.ingestor(wait_poll_s=500), stage.ingestor("two", wait_poll_s=500):
        await stage.demand.announce(room)
        told = await stage.phase(Phase.NOT_LIVE, room)
        await stage.released(room)
        assert not await stage.wanted(room)  # who still waits asks anew
        for _ in range(20):  # as many gateways may, too early
            await stage.demand.announce(room)
        await asyncio.sleep(0.2)
    assert told.retry_at - told.at >= 500_000
    assert stage.connector.checks + stage.connector.resolves == 1


async def test_the_end_of_a_broadcast_is_waited_out(stage: Stage) -> None:
    async with stage.ingestor(wait_poll_s=500):
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        await stage.demand.want_wait(ROOM)  # by somebody who came later
        upstream.push(("1", ""), method="end")
        told = await stage.phase(Phase.ENDED)
    assert told.retry_at - told.at >= 500_000


@pytest.mark.parametrize("looks", [0, 2])
async def test_between_two_broadcasts_nothing_is_missed(stage: Stage, looks: int) -> None:
    stage.connector.live = RoomOffline()
    for _ in range(looks):
        async with stage.ingestor(offline_ttl_s=0.1):
            await stage.demand.announce(ROOM)
            await stage.phase(Phase.NOT_LIVE)
            await stage.released()
            await asyncio.sleep(0.1)
    stage.connector.live = LiveRoom()
    async with stage.ingestor(offline_ttl_s=0.1):
        await stage.demand.announce(ROOM)
        first = await stage.connector.upstream(1)
        first.push(("1", "a"))
        first.push(("2", ""), method="end")
        await stage.released()
        await asyncio.sleep(0.1)
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(2)).push(("3", "b"))
        await stage.logged("live_status", "a", "ended", "live_status", "b")


async def test_a_log_that_was_trimmed_to_nothing_is_not_that_of_a_room_without_broadcasts(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(1)).push(("1", "a"))
        await stage.logged("live_status", "a")
    async with stage.redis.turn() as commands:
        await commands.xtrim(RoomKeys.of(ROOM).log, maxlen=0, approximate=False)
    async with stage.ingestor():
        (await stage.connector.upstream(2)).push(("2", "b"))
        await stage.logged("live_status", "gap", "b")


async def test_rooms_of_one_platform_share_the_looks(stage: Stage) -> None:
    stage.connector.live = RoomOffline()
    async with stage.ingestor(wait_poll_s=100, wait_gap_s=60):
        ends = []
        for room in FOUR:
            await stage.demand.want_wait(room)
            await stage.demand.announce(room)
            ends.append((await stage.phase(Phase.NOT_LIVE, room)).retry_at)
    assert ends[3] - ends[0] >= 2 * 60_000


async def test_what_nobody_waits_for_or_does_not_exist_rests_as_ever(stage: Stage) -> None:
    stage.connector.live = RoomOffline()
    async with stage.ingestor(wait_poll_s=500):
        await stage.demand.announce(ROOM)
        offline = await stage.phase(Phase.NOT_LIVE)
        stage.connector.live = RoomNotFound()
        await stage.demand.want_wait(OTHER)
        await stage.demand.announce(OTHER)
        missing = await stage.phase(Phase.NOT_LIVE, OTHER)
    for told in (offline, missing):
        assert told.retry_at - told.at <= 30_000


async def test_the_place_of_a_room_is_free_between_two_looks(stage: Stage) -> None:
    stage.connector.live = RoomOffline()
    async with stage.ingestor(max_rooms=1, wait_poll_s=500) as one:
        await stage.demand.want_wait(ROOM)
        await stage.demand.announce(ROOM)
        await stage.phase(Phase.NOT_LIVE)
        await until(lambda: one.rooms == 0)
        stage.connector.live = LiveRoom()
        await stage.demand.announce(OTHER)
        await stage.phase(Phase.CONNECTED, OTHER)
