"""One held room, from its lease to its end: its upstream, what is lost and what is told of it."""

import asyncio
import json

import pytest
from prometheus_client import REGISTRY

from ingestor.connectors.base import LiveRoom
from shared import keys
from shared.demand import Demand
from shared.errors import Blocked, KeyRefused, RateLimited, RoomBanned, RoomNotFound, RoomOffline, UpstreamUnavailable
from shared.phases import Phase
from tests.ingestor_stage import OTHER, ROOM, Stage


async def test_a_wanted_room_is_taken_and_its_events_reach_the_log(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        await stage.phase(Phase.CONNECTED)
        upstream.push(("1", "hello"), ("2", "there"), position="p1")
        await stage.logged("live_status", "hello", "there")
        state = await stage.broker.state(ROOM)
    assert state.title == "Morning"
    assert state.position == "p1"
    assert json.loads(state.owner or b"")["nickname"] == "Ana"


async def test_a_room_whose_wake_up_was_lost_is_found_by_the_scan(stage: Stage) -> None:
    await stage.demand.announce(ROOM)
    async with stage.ingestor():
        await stage.phase(Phase.CONNECTED)


async def test_a_duplicate_message_is_published_once(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        upstream.push(("1", "a"), ("1", "a"))
        upstream.push(("1", "a"), ("2", "b"))
        await stage.logged("live_status", "a", "b")


async def test_raw_messages_are_logged_only_while_somebody_asks(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        upstream.push(("1", "x"), method="Unknown")
        upstream.push(("2", "a"))
        await stage.logged("live_status", "a")
        await stage.demand.want_raw(ROOM)
        await stage.demand.wake(ROOM)
        async with asyncio.timeout(10):
            for n in range(3, 1000):
                upstream.push((str(n), "x"), method="Unknown")
                await asyncio.sleep(0.01)
                if (await stage.log())[-1] == "raw":
                    break


async def test_a_lost_upstream_is_opened_again_and_an_overlap_shows_that_nothing_is_missing(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        first = await stage.connector.upstream(1)
        first.push(("1", "a"), position="p1")
        await stage.logged("live_status", "a")
        first.drop()
        second = await stage.connector.upstream(2)
        second.push(("1", "a"), ("2", "b"))
        await stage.logged("live_status", "a", "b")
    assert second.started_with == "p1"
    assert first.closed


async def test_why_an_upstream_was_lost_can_be_read_when_another_is_open(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(1)).drop()
        (await stage.connector.upstream(2)).push(("1", "a"))
        await stage.logged("live_status", "gap", "a")
        state = await stage.broker.state(ROOM)
    assert state.phase is not None
    assert state.phase.phase is Phase.CONNECTED
    assert state.last_error is not None
    assert (state.last_error.code, state.last_error.detail) == ("upstream_lost", "cut by the test")


async def test_without_an_overlap_a_gap_is_told_before_what_comes_next(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        first = await stage.connector.upstream(1)
        first.push(("1", "a"))
        await stage.logged("live_status", "a")
        first.drop()
        (await stage.connector.upstream(2)).push(("9", "b"))
        await stage.logged("live_status", "a", "gap", "b")


async def test_how_things_stand_proves_nothing_about_what_was_missed(stage: Stage) -> None:
    """Told first on every connection; the gap, or that there is none, shows with the first news."""
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        first = await stage.connector.upstream(1)
        first.push(("1", "a"))
        await stage.logged("live_status", "a")
        first.drop()
        second = await stage.connector.upstream(2)
        second.push(("5", "viewers"), method="state")
        second.push(("1", "a"), ("2", "b"))
        await stage.logged("live_status", "a", "viewers", "b")


async def test_another_broadcast_in_the_same_room_is_told_and_counted_anew(stage: Stage) -> None:
    stage.connector.live = LiveRoom(started_at=1_000)
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        first = await stage.connector.upstream(1)
        first.push(("1", "50"), method="like")
        await stage.logged("live_status", "like")
        first.drop()
        second = await stage.connector.upstream(2)
        second.push(("1", "50"), ("2", "40"), method="like")  # the same broadcast: likes do not go down
        await stage.logged("live_status", "like", "like")
        stage.connector.live = LiveRoom(started_at=2_000)
        second.drop()
        (await stage.connector.upstream(3)).push(("2", "40"), ("3", "5"), method="like")
        await stage.logged("live_status", "like", "like", "live_status", "like")
    assert await stage.likes() == [50, 50, 5]


async def test_the_next_holder_counts_from_the_start_of_the_broadcast(stage: Stage) -> None:
    stage.connector.live = LiveRoom(started_at=1_000)
    async with stage.ingestor(offline_ttl_s=0.1):
        await stage.demand.announce(ROOM)
        first = await stage.connector.upstream(1)
        first.push(("1", "50"), method="like")
        first.push(("2", ""), method="end")
        await stage.phase(Phase.ENDED)
        stage.connector.live = LiveRoom(started_at=2_000)
        await stage.released()
        await asyncio.sleep(0.1)
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(2)).push(("3", "5"), method="like")
        async with asyncio.timeout(10):
            while len(await stage.likes()) < 2:
                await asyncio.sleep(0.005)
    assert await stage.likes() == [50, 5]


async def test_a_silent_upstream_is_a_dead_one(stage: Stage) -> None:
    async with stage.ingestor(upstream_silence_s=1):
        await stage.demand.announce(ROOM)
        await stage.connector.upstream(2)
        assert stage.connector.upstreams[0].closed


async def test_an_upstream_that_says_nothing_is_checked_and_stays_open_while_its_room_is_live(stage: Stage) -> None:
    async with stage.ingestor(upstream_mute_s=0.1):
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        async with asyncio.timeout(10):
            while stage.connector.checks < 3:
                upstream.push()  # the answer to a heartbeat
                await asyncio.sleep(0.02)
        assert not upstream.closed
        stage.connector.live = RoomOffline()
        async with asyncio.timeout(10):
            while not upstream.closed:
                upstream.push()
                await asyncio.sleep(0.02)
        await stage.phase(Phase.ENDED)


async def test_an_upstream_of_an_earlier_broadcast_is_left(stage: Stage) -> None:
    stage.connector.live = LiveRoom(broadcast="1")
    async with stage.ingestor(upstream_mute_s=0.1):
        await stage.demand.announce(ROOM)
        first = await stage.connector.upstream(1)
        stage.connector.live = LiveRoom(broadcast="2")
        async with asyncio.timeout(10):
            while not first.closed:
                first.push()
                await asyncio.sleep(0.02)
        await stage.connector.upstream(2)


async def test_after_its_retries_a_room_rests_although_it_is_wanted(stage: Stage) -> None:
    stage.connector.refusals = [UpstreamUnavailable("down") for _ in range(50)]
    async with stage.ingestor(upstream_retries=2):
        await stage.demand.announce(ROOM)
        failed = await stage.phase(Phase.FAILED)
        await stage.released()
        checks = stage.connector.checks
        await stage.demand.announce(ROOM)
        await asyncio.sleep(0.3)  # three scans
        assert stage.connector.checks == checks == 3
        assert await stage.wanted()
    assert failed.code == "upstream_lost"
    assert failed.detail == "down"
    assert failed.retry_at - failed.at == 30_000


async def test_a_room_that_failed_is_taken_again_after_its_rest(stage: Stage) -> None:
    stage.connector.refusals = [UpstreamUnavailable("down")]
    async with stage.ingestor(upstream_retries=0, failed_ttl_s=0.2):
        await stage.demand.announce(ROOM)
        await stage.phase(Phase.FAILED)
        await stage.phase(Phase.CONNECTED)


async def test_the_first_message_starts_the_count_of_retries_anew(stage: Stage) -> None:
    async with stage.ingestor(upstream_retries=1):
        await stage.demand.announce(ROOM)
        for n in range(1, 5):
            upstream = await stage.connector.upstream(n)
            upstream.push((str(n), "a"))
            upstream.drop()
        await stage.connector.upstream(5)
        stage.connector.upstreams[-1].drop()
        await stage.phase(Phase.FAILED)


def _losses() -> float:
    labels = {"platform": "tiktok", "code": "upstream_lost"}
    return REGISTRY.get_sample_value("roomcast_ingestor_upstream_losses_total", labels) or 0.0


async def test_a_connection_that_ends_as_planned_is_no_loss_although_nothing_was_said(stage: Stage) -> None:
    before = _losses()
    async with stage.ingestor(upstream_retries=1):
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(1)).drop()  # one attempt is used up
        for n in range(2, 6):
            (await stage.connector.upstream(n)).leave()
        (await stage.connector.upstream(6)).drop()  # what worked until it was left begins at the first attempt
        (await stage.connector.upstream(7)).drop()
        await stage.phase(Phase.FAILED)
    assert len(stage.connector.upstreams) == 7
    assert _losses() - before == 3


@pytest.mark.parametrize(
    ("error", "rest_ms"),
    [(RateLimited(retry_after_s=120), 120_000), (KeyRefused("no credit"), 30_000), (Blocked("captcha"), 30_000)],
    ids=lambda value: type(value).__name__,
)
async def test_a_refusal_is_told_by_its_code_and_its_wait_is_kept(stage: Stage, error: Exception, rest_ms: int) -> None:
    stage.connector.refusals = [error] * 9
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        failed = await stage.phase(Phase.FAILED)
    assert failed.code == getattr(error, "code", None)
    assert failed.retry_at - failed.at == rest_ms


@pytest.mark.parametrize("error", [RoomOffline(), RoomNotFound()], ids=lambda error: error.code)
async def test_a_room_that_is_not_live_is_asked_about_once(stage: Stage, error: Exception) -> None:
    stage.connector.live = error
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        told = await stage.phase(Phase.NOT_LIVE)
        await stage.released()
        assert not await stage.wanted()
        await stage.demand.announce(ROOM)
        await asyncio.sleep(0.3)
    assert stage.connector.checks == 1
    assert told.code == getattr(error, "code", None)
    assert await stage.log() == []


async def test_the_end_of_a_broadcast_is_its_last_event_and_frees_everything(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        upstream.push(("1", "a"))
        upstream.push(("2", ""), method="end")
        upstream.push(("3", "never"))
        await stage.phase(Phase.ENDED)
        await stage.released()
        async with asyncio.timeout(10):
            while await stage.wanted():
                await asyncio.sleep(0.005)
        assert upstream.closed
    assert await stage.log() == ["live_status", "a", "ended"]


@pytest.mark.parametrize(("error", "reason"), [(RoomOffline(), "unknown"), (RoomBanned(), "banned")])
async def test_a_broadcast_that_was_live_and_is_found_offline_has_ended(
    stage: Stage, error: Exception, reason: str
) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        upstream.push(("1", "a"))
        await stage.logged("live_status", "a")
        stage.connector.live = error
        upstream.drop()
        await stage.phase(Phase.ENDED)
    assert await stage.log() == ["live_status", "a", "ended"]
    (*_, ended) = await stage.broker.tail(ROOM, 10)
    assert json.loads(ended.data)["ended"] == {"reason": reason}


async def test_a_room_that_nobody_wants_any_more_is_left(stage: Stage) -> None:
    short = Demand(stage.redis, idle_timeout_s=0.2)
    async with stage.ingestor():
        await short.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        upstream.push(("1", "a"))
        await stage.released()
        assert upstream.closed
        await stage.demand.announce(ROOM)
        (await stage.connector.upstream(2)).push(("1", "a"), ("2", "b"))
        await stage.logged("live_status", "a", "b")


async def test_a_bug_in_one_room_fails_that_room_alone(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(OTHER)
        other = await stage.connector.upstream(1)
        await stage.phase(Phase.CONNECTED, OTHER)
        stage.connector.live = ZeroDivisionError()
        await stage.demand.announce(ROOM)
        failed = await stage.phase(Phase.FAILED)
        other.push(("1", "still here"))
        await stage.logged("live_status", "still here", room=OTHER)
    assert failed.code == "internal"


async def test_a_bug_in_a_decoder_costs_one_message(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        for number in range(3):
            upstream.push((f"b{number}", ""), method="broken")
        upstream.push(("1", "still here"))
        await stage.logged("live_status", "still here")
    assert [record.levelname for record in caplog.records if "decoder failed" in record.message].count("ERROR") == 1


async def test_an_index_that_cannot_be_read_ends_no_room(stage: Stage) -> None:
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        upstream = await stage.connector.upstream(1)
        async with stage.redis.turn() as commands:
            await commands.set(keys.ROOMS, "foreign")
            await commands.delete(keys.INGESTORS)
            async with asyncio.timeout(10):
                while not await commands.exists(keys.INGESTORS):  # told before each look at the index
                    await asyncio.sleep(0.005)
        upstream.push(("1", "still here"))
        await stage.logged("live_status", "still here")
        async with stage.redis.turn() as commands:
            await commands.delete(keys.ROOMS)
        await stage.demand.announce(OTHER)
        await stage.phase(Phase.CONNECTED, OTHER)


async def test_unknown_parts_of_a_live_room_are_left_out(stage: Stage) -> None:
    stage.connector.live = LiveRoom()
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        await stage.logged("live_status")
        entry = (await stage.broker.tail(ROOM, 1))[0]
    assert json.loads(entry.data)["live_status"] == {"state": "live", "gifts": True}
