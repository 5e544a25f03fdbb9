"""An ingestor as a whole, on an in-process Redis and a platform whose every answer the test chooses."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from ingestor import service, supervisor
from ingestor.connectors.base import LiveRoom
from ingestor.settings import IngestorSettings
from shared import keys, metrics
from shared.broker import Broker
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.demand import Demand
from shared.errors import Blocked, KeyRefused, RateLimited, RoomBanned, RoomNotFound, RoomOffline, UpstreamUnavailable
from shared.events import encode
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, new_owner
from shared.phases import Phase, RoomPhase
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from shared.version import VERSION
from tests.events import chat
from tests.fakes import FakeConnector

ROOM = RoomKey("tiktok", "7300000000000000001")
OTHER = RoomKey("tiktok", "7300000000000000002")
FOUR = [RoomKey("tiktok", f"730000000000000001{n}") for n in range(4)]
NAME = RoomKey("tiktok", "@ana")


class Stage:
    """A Redis, a platform, and what a gateway would do and see."""

    def __init__(self, redis: RedisClient) -> None:
        self.redis = redis
        self.connector = FakeConnector()
        self.broker = Broker(redis, history_ttl_s=60, history_len=2000)
        self.demand = Demand(redis, idle_timeout_s=60)

    def ingestor(self, name: str = "one", **settings: Any) -> contextlib.AbstractAsyncContextManager[Any]:
        values = {
            "ingestor_name": name, "lease_ttl_s": 1, "scan_interval_s": 0.1, "upstream_backoff_s": 0.01,
            "offline_ttl_s": 30, "failed_ttl_s": 30, "drain_s": 2,
        }  # fmt: skip
        return service.running(
            IngestorSettings(**{**values, **settings}), self.redis, dict.fromkeys(("tiktok", "douyin"), self.connector)
        )

    async def four_rooms(self) -> None:
        """Wait until four rooms run, in each of which something was said."""
        for n, room in enumerate(FOUR, start=1):
            await self.demand.announce(room)
            (await self.connector.upstream(n)).push((str(n), "a"), position="p1")
            await self.logged("live_status", "a", room=room)

    async def idler(self, **load: int | str) -> None:
        """Be an ingestor that says how busy it is, and takes nothing. Until cancelled."""
        while True:
            await self.demand.heartbeat("ingestor", "idler", load)
            await asyncio.sleep(0.05)

    async def phase(self, phase: Phase, room: RoomKey = ROOM) -> RoomPhase:
        """Wait for a phase."""
        found: RoomPhase | None = None
        async with asyncio.timeout(10):
            while found is None or found.phase is not phase:
                found = (await self.broker.state(room)).phase
                await asyncio.sleep(0.005)
        return found

    async def log(self, room: RoomKey = ROOM) -> list[str]:
        """The log as a client would tell it: chat texts, other types by name, and `|` where an epoch begins."""
        entries = [
            (entry, json.loads(entry.data)) for entry in await self.broker.tail(room, 500) if not entry.is_marker
        ]
        return [event.get("content", entry.type) for entry, event in entries]

    async def likes(self) -> list[int]:
        """The totals that the log tells, in order."""
        entries = await self.broker.tail(ROOM, 500)
        return [json.loads(entry.data)["total_like_count"] for entry in entries if entry.type == "like"]

    async def logged(self, *texts: str, room: RoomKey = ROOM) -> None:
        """Wait until the log tells this and nothing else."""
        async with asyncio.timeout(10):
            while await self.log(room) != list(texts):
                await asyncio.sleep(0.005)

    async def key(self, key: str) -> bytes | None:
        async with self.redis.turn() as commands:
            value: bytes | None = await commands.get(key)
            return value

    async def held(self, *rooms: RoomKey) -> list[RoomKey]:
        """Those of the rooms that somebody holds."""
        return [room for room in rooms if await self.key(RoomKeys.of(room).lease) is not None]

    async def wanted(self, room: RoomKey = ROOM) -> bool:
        return (await self.demand.look(room)).remaining_ms > 0

    async def released(self, room: RoomKey = ROOM) -> None:
        async with asyncio.timeout(10):
            while await self.key(RoomKeys.of(room).lease) is not None:
                await asyncio.sleep(0.005)


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that can be seen from here."""
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.005)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    redis = open_redis(f"memory://{uuid4().hex}", name="test")
    yield Stage(redis)
    await redis.aclose()


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


# --- rooms that are waited for ----------------------------------------------------------------------------------------


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


async def test_unknown_parts_of_a_live_room_are_left_out(stage: Stage) -> None:
    stage.connector.live = LiveRoom()
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        await stage.logged("live_status")
        entry = (await stage.broker.tail(ROOM, 1))[0]
    assert json.loads(entry.data)["live_status"] == {"state": "live", "gifts": True}


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def in_phase(phase: str) -> float:
    return sample("roomcast_ingestor_rooms_by_phase", platform="tiktok", phase=phase)


async def test_a_held_room_is_counted_in_the_phase_it_is_in_and_in_no_other(stage: Stage) -> None:
    phases = ("acquired", "resolving", "checking_live", "connected", "reconnecting", "failed")
    async with stage.ingestor(upstream_backoff_s=30, failed_ttl_s=0.1, upstream_retries=1):
        await stage.demand.announce(ROOM)
        await stage.phase(Phase.CONNECTED)
        assert [phase for phase in phases if in_phase(phase)] == ["connected"]
        stage.connector.upstreams[0].drop()
        await stage.phase(Phase.RECONNECTING)
        assert [phase for phase in phases if in_phase(phase)] == ["reconnecting"]
        assert sample("roomcast_ingestor_rooms") == in_phase("reconnecting") == 1
    assert [phase for phase in phases if in_phase(phase)] == []
    assert sample("roomcast_ingestor_rooms") == 0


async def test_a_lease_that_somebody_else_took_is_counted_as_lost_and_not_as_left(stage: Stage) -> None:
    def counted(what: str) -> float:
        return sample("roomcast_ingestor_leases_total", what=what)

    lost, left = counted("lost"), counted("left")
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        await stage.phase(Phase.CONNECTED)
        owner = (await stage.broker.state(ROOM)).holder.partition(" ")[2]
        others = Leases(stage.redis, ttl_s=60, history_ttl_s=60, history_len=2000)
        assert isinstance(await others.acquire(ROOM, new_owner("other"), replaces=owner), Lease)
        await until(lambda: counted("lost") == lost + 1)
    assert counted("left") == left


def unowned() -> float:
    return sample("roomcast_cluster_rooms_unowned")


@pytest.fixture
def _nothing_counted_yet() -> None:
    metrics.ROOMS_UNOWNED.set(-1)


@pytest.mark.usefixtures("_nothing_counted_yet")
async def test_rooms_for_which_no_ingestor_has_a_place_are_counted_until_one_has(stage: Stage) -> None:
    for room in FOUR:
        await stage.demand.announce(room)
    await stage.demand.announce(NAME)
    async with stage.ingestor("one", max_rooms=1, relief_rooms=0):
        await until(lambda: unowned() == 3)
        assert sample("roomcast_cluster_rooms_wanted") == 4
        async with stage.ingestor("two", max_rooms=2, relief_rooms=0):
            await until(lambda: unowned() == 1)
            async with stage.ingestor("three"):
                await until(lambda: unowned() == 0)


@pytest.mark.usefixtures("_nothing_counted_yet")
async def test_where_many_rooms_may_be_without_an_ingestor_some_are_asked_about_and_stand_for_all(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ASKED_ABOUT_MAX", 1)
    for room in FOUR:
        await stage.demand.announce(room)
    async with stage.ingestor("one", max_rooms=1):
        await until(lambda: unowned() == 3)


@pytest.mark.usefixtures("_nothing_counted_yet")
async def test_a_room_that_rests_waits_for_no_place(stage: Stage) -> None:
    lease = await Leases(stage.redis, ttl_s=60, history_ttl_s=60, history_len=2000).acquire(
        OTHER, new_owner("other"), need_demand=False
    )
    assert isinstance(lease, Lease)
    await stage.broker.set_phase(lease, RoomPhase(phase=Phase.FAILED, at=1, retry_at=now_ms() + 60_000))
    async with stage.redis.turn() as commands:
        await commands.delete(RoomKeys.of(OTHER).lease)
    for room in (*FOUR, OTHER):
        await stage.demand.announce(room)
    async with stage.ingestor("one", max_rooms=1):
        await until(lambda: unowned() == 3)
