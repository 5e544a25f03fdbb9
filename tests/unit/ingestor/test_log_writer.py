"""The writer of a room's log: what it does with every answer Redis can give, and with none."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from ingestor import log_writer
from ingestor.log_writer import LogWriter
from shared import metrics
from shared.backoff import Backoff
from shared.broker import Broker, Entry
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.demand import Demand
from shared.errors import BrokerUnavailable, LeaseLost, NotDone
from shared.events import ENTRY_MAX_BYTES
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, new_owner
from shared.phases import Phase, RoomPhase
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from tests.events import chat

ROOM = RoomKey("tiktok", "7300000000000000001")
KEYS = RoomKeys.of(ROOM)


class FaultyBroker(Broker):
    """A broker whose link to Redis can be cut: before a call is sent, or arrives, or before its answer comes back."""

    cut: str = ""
    calls = 0

    async def called(self) -> None:
        async with asyncio.timeout(10):
            while not self.calls:
                await asyncio.sleep(0.005)

    async def publish(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.cut == "sending":
            raise NotDone("cut by the test")
        if self.cut == "request":
            raise BrokerUnavailable("cut by the test")
        answer = await super().publish(*args, **kwargs)
        if self.cut == "answer":
            raise BrokerUnavailable("cut by the test")
        return answer


class FaultyLeases(Leases):
    """Leases whose first acquire is executed, and its answer lost."""

    lost = False

    async def acquire(self, *args: Any, **kwargs: Any) -> Any:
        answer = await super().acquire(*args, **kwargs)
        if not self.lost:
            self.lost = True
            raise BrokerUnavailable("cut by the test")
        return answer


class Bench:
    """A writer that runs, and what the test needs to look at it."""

    def __init__(self, redis: RedisClient) -> None:
        self.redis = redis
        self.broker = FaultyBroker(redis, history_ttl_s=60, history_len=2000)
        self.leases = Leases(redis, ttl_s=10, history_ttl_s=60, history_len=2000)
        self.demand = Demand(redis, idle_timeout_s=60)
        self.now = 0.0

    async def acquire(self, owner: str = "one", **options: Any) -> Lease:
        await self.demand.announce(ROOM)
        lease = await self.leases.acquire(ROOM, new_owner(owner), **options)
        assert isinstance(lease, Lease)
        return lease

    def writer(self, lease: Lease, **options: Any) -> LogWriter:
        limits = {"tail": [], "history_len": 2000, "history_bytes": 4 * 1024 * 1024, "buffer_bytes": 1024 * 1024}
        return LogWriter(self.broker, self.leases, lease, clock=lambda: self.now, **{**limits, **options})

    async def log(self) -> list[Entry]:
        return await self.broker.tail(ROOM, 5000)

    async def texts(self) -> list[str]:
        """The log as a client would tell it: chat texts, `gap`, and `|` where an epoch begins."""
        return [
            "|" if entry.is_marker else "gap" if entry.type == "gap" else json.loads(entry.data)["content"]
            for entry in await self.log()
        ]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    redis = open_redis(f"memory://{uuid4().hex}", name="test")
    yield Bench(redis)
    await redis.aclose()


class Running:
    """`async with` a writer's `run`."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer

    async def __aenter__(self) -> "asyncio.Task[None]":
        self.task = asyncio.create_task(self._writer.run())
        return self.task

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


async def drained(writer: LogWriter) -> None:
    async with asyncio.timeout(10):
        await writer.drain()


async def test_events_are_stored_in_order_with_ids_without_holes(bench: Bench) -> None:
    lease = await bench.acquire()
    writer = bench.writer(lease)
    async with Running(writer):
        for n in range(600):
            writer.add(chat(ROOM, str(n)), n)
        await drained(writer)
    entries = (await bench.log())[1:]
    assert [entry.cursor for entry in entries] == [Cursor(lease.epoch, n) for n in range(1, 601)]
    assert [entry.received_ms for entry in entries] == list(range(600))
    assert all(json.loads(entry.data)["cursor"] == str(entry.cursor) for entry in entries)
    assert bench.broker.calls == 3  # 256 entries each at most


async def test_a_batch_ends_at_its_bytes(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire(), buffer_bytes=64 * 1024 * 1024)
    async with Running(writer):
        for _ in range(40):
            writer.add(chat(ROOM, "x" * 60_000), 1)
        await drained(writer)
    assert bench.broker.calls == 3
    assert len(await bench.log()) == 41


async def test_an_event_too_large_for_the_log_is_left_out_and_leaves_no_hole(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        writer.add(chat(ROOM, "a"), 1)
        writer.add(chat(ROOM, "x" * ENTRY_MAX_BYTES), 1)
        writer.add(chat(ROOM, "b"), 1)
        await drained(writer)
    assert await bench.texts() == ["|", "a", "b"]
    assert [entry.cursor.offset for entry in await bench.log()] == [0, 1, 2]


@pytest.mark.parametrize("cut", ["sending", "request", "answer"])
async def test_a_batch_whose_answer_is_not_known_is_sent_again_and_stored_once(bench: Bench, cut: str) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        bench.broker.cut = cut
        writer.add(chat(ROOM, "a"), 1)
        async with asyncio.timeout(10):
            while bench.broker.calls < 2:
                await asyncio.sleep(0.005)
        writer.add(chat(ROOM, "b"), 1)
        bench.broker.cut = ""
        await drained(writer)
    assert await bench.texts() == ["|", "a", "b"]


async def test_a_room_that_cannot_be_stored_is_reported_when_that_begins_and_when_it_ends(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def said(words: str) -> int:
        return sum(record.getMessage().startswith(words) for record in caplog.records)

    caplog.set_level("INFO")
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        bench.broker.cut = "request"
        writer.add(chat(ROOM, "a"), 1)
        async with asyncio.timeout(10):
            while bench.broker.calls < 3:
                await asyncio.sleep(0.01)
        assert (metrics.ROOMS_STALLED._value.get(), said("storing failed"), said("storing again")) == (1, 1, 0)
        bench.broker.cut = ""
        await drained(writer)
        assert (metrics.ROOMS_STALLED._value.get(), said("storing failed"), said("storing again")) == (0, 1, 1)


async def test_a_room_given_up_while_it_cannot_be_stored_is_not_reported_any_more(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    bench.broker.cut = "request"
    async with Running(writer):
        writer.add(chat(ROOM, "a"), 1)
        async with asyncio.timeout(10):
            while not metrics.ROOMS_STALLED._value.get():
                await asyncio.sleep(0.01)
    assert metrics.ROOMS_STALLED._value.get() == 0


async def test_bytes_that_wait_for_redis_are_counted_while_they_wait(bench: Bench) -> None:
    def waiting() -> float:
        return float(metrics.BUFFERED_BYTES._value.get())  # of all rooms

    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        bench.broker.cut = "request"
        writer.add(chat(ROOM, "a" * 1000), 1)
        await bench.broker.called()
        assert 1000 < waiting() < 2000
        writer.add(chat(ROOM, "b" * 1000), 1)
        async with asyncio.timeout(10):
            while waiting() < 2000:  # seen with the next try
                await asyncio.sleep(0.005)
        bench.broker.cut = ""
        await drained(writer)
        assert waiting() == 0
        bench.broker.cut = "request"
        writer.add(chat(ROOM, "c"), 1)
        async with asyncio.timeout(10):
            while not waiting():
                await asyncio.sleep(0.005)
    assert waiting() == 0  # the room is somebody else's


async def test_the_time_to_the_log_is_that_of_the_oldest_event_and_includes_what_it_waited(bench: Bench) -> None:
    def told() -> tuple[float, float]:
        name = "roomcast_ingestor_publish_seconds"
        return (
            REGISTRY.get_sample_value(f"{name}_count") or 0.0,
            REGISTRY.get_sample_value(f"{name}_sum") or 0.0,
        )

    count, total = told()
    writer = bench.writer(await bench.acquire())
    writer.add(chat(ROOM, "a"), now_ms() - 20_000)
    writer.add(chat(ROOM, "b"), now_ms())
    async with Running(writer):
        await drained(writer)
    assert told()[0] == count + 1
    assert told()[1] >= total + 19.99


async def test_what_waits_to_be_tried_again_is_tried_at_once_when_told_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "_RETRY", Backoff(base_s=1000, cap_s=1000))
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        bench.broker.cut = "request"
        writer.add(chat(ROOM, "a"), 1)
        await bench.broker.called()
        bench.broker.cut = ""
        await asyncio.sleep(0)
        writer.hurry()
        await drained(writer)
    assert await bench.texts() == ["|", "a"]


async def test_a_phase_is_told_in_its_place_among_the_events(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    writer.add(chat(ROOM, "a"), 1, {"viewer_count": "7"})
    writer.tell(RoomPhase(phase=Phase.CONNECTED, at=5), {"title": "Morning"})
    writer.add(chat(ROOM, "b"), 1)
    async with Running(writer):
        await drained(writer)
    state = await bench.broker.state(ROOM)
    assert state.phase == RoomPhase(phase=Phase.CONNECTED, at=5)
    assert (state.title, state.viewer_count) == ("Morning", 7)
    assert bench.broker.calls == 2
    assert await bench.texts() == ["|", "a", "b"]


async def test_an_expired_lease_that_nobody_took_is_revived(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        writer.add(chat(ROOM, "a"), 1)
        await drained(writer)
        async with bench.redis.turn() as commands:
            await commands.delete(KEYS.lease)
        writer.add(chat(ROOM, "b"), 1)
        writer.tell(RoomPhase(phase=Phase.CONNECTED, at=5))
        await drained(writer)
    assert await bench.texts() == ["|", "a", "b"]


async def test_a_room_that_somebody_else_took_is_left_alone(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer) as running:
        async with bench.redis.turn() as commands:
            await commands.delete(KEYS.lease)
        other = await bench.acquire("two")
        writer.add(chat(ROOM, "stale"), 1)
        async with asyncio.timeout(10):
            await asyncio.wait({running})
        assert isinstance(running.exception(), LeaseLost)
    assert await bench.texts() == ["|", "|"]
    assert (await bench.broker.last_id(ROOM)) == Cursor(other.epoch, 0)


async def test_a_holder_goes_on_in_a_redis_that_forgot_everything_and_tells_the_rooms_state_again(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        writer.tell(RoomPhase(phase=Phase.CONNECTED, at=9), {"title": "told"})
        writer.add(chat(ROOM, "before"), 1, {"cursor": "7"})
        await drained(writer)
        await bench.redis.commands.flushall()
        writer.add(chat(ROOM, "after"), 1)
        await drained(writer)
    assert await bench.texts() == ["|", "gap", "after"]
    state = await bench.broker.state(ROOM)
    assert (state.phase, state.title, state.position) == (RoomPhase(phase=Phase.CONNECTED, at=9), "told", "")


async def test_a_phase_told_to_a_redis_that_forgot_everything_is_the_latest(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        writer.tell(RoomPhase(phase=Phase.RECONNECTING, at=8), {"title": "old"})
        await drained(writer)
        await bench.redis.commands.flushall()
        writer.tell(RoomPhase(phase=Phase.CONNECTED, at=9), {"title": "new"})
        await drained(writer)
    state = await bench.broker.state(ROOM)
    assert (state.phase, state.title) == (RoomPhase(phase=Phase.CONNECTED, at=9), "new")


async def test_a_room_that_was_released_is_not_taken_back(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    assert await writer.release(only_if_idle=False)
    with pytest.raises(LeaseLost):
        await writer.renew()
    assert isinstance(await bench.acquire("two"), Lease)


async def test_a_holder_whose_time_is_over_gives_up_a_redis_that_forgot_everything(bench: Bench) -> None:
    """Somebody else may have had the room before that, and have told what waits here."""
    writer = bench.writer(await bench.acquire())
    async with Running(writer) as running:
        await bench.redis.commands.flushall()
        bench.now = 11
        writer.add(chat(ROOM, "stale"), 1)
        async with asyncio.timeout(10):
            await asyncio.wait({running})
        assert isinstance(running.exception(), LeaseLost)
    assert await bench.texts() == []


async def test_a_holder_gives_up_a_room_that_somebody_had_since_redis_forgot_it(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer) as running:
        await bench.redis.commands.flushall()
        other = await bench.acquire("two")
        await bench.leases.release(other, only_if_idle=False, acknowledged=None)
        writer.add(chat(ROOM, "stale"), 1)
        async with asyncio.timeout(10):
            await asyncio.wait({running})
        assert isinstance(running.exception(), LeaseLost)
    assert await bench.texts() == ["|", "|"]
    assert not await bench.redis.commands.exists(KEYS.lease)


async def test_the_lease_is_proven_again_once_its_time_is_over(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with bench.redis.turn() as commands:
        await commands.delete(KEYS.lease)
    bench.now = 11
    async with Running(writer):
        writer.add(chat(ROOM, "a"), 1)
        await drained(writer)
    assert bench.broker.calls == 1  # renewed first: the publish found the lease in place


async def test_a_log_that_went_back_is_filled_again_with_the_same_bytes(bench: Bench) -> None:
    lease = await bench.acquire()
    writer = bench.writer(lease)
    async with Running(writer):
        for n in range(5):
            writer.add(chat(ROOM, str(n)), 1)
        await drained(writer)
        before = await bench.log()
        async with bench.redis.turn() as commands:
            await commands.delete(KEYS.log)
            for entry in before[:3]:
                fields: Any = {"t": entry.type, "r": entry.received_ms, "d": entry.data}
                await commands.xadd(KEYS.log, fields, id=str(entry.cursor))
        writer.add(chat(ROOM, "5"), 1)
        await drained(writer)
    after = await bench.log()
    assert after[:6] == before
    assert await bench.texts() == ["|", "0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("loss", ["log deleted", "log went back too far"])
async def test_a_log_that_cannot_be_filled_again_goes_on_in_a_new_epoch_behind_a_gap(
    bench: Bench, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "KEPT_MAX_ENTRIES", 1)
    lease = await bench.acquire()
    writer = bench.writer(lease)
    async with Running(writer):
        for n in range(5):
            writer.add(chat(ROOM, str(n)), 1)
        await drained(writer)
        marker = (await bench.log())[0]
        async with bench.redis.turn() as commands:
            await commands.delete(KEYS.log)
            if loss == "log went back too far":
                fields: Any = {"t": marker.type, "r": 0, "d": marker.data}
                await commands.xadd(KEYS.log, fields, id=str(marker.cursor))
        writer.add(chat(ROOM, "5"), 1)
        await drained(writer)
    assert (await bench.texts())[-3:] == ["|", "gap", "5"]
    assert writer.epoch > lease.epoch
    gap = json.loads((await bench.log())[-2].data)
    assert gap["reason"] == "upstream"
    assert gap["before"] == f"{writer.epoch}-2"


async def test_a_batch_without_an_answer_is_not_stored_twice_when_the_log_was_lost_meanwhile(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        bench.broker.cut = "answer"
        writer.add(chat(ROOM, "perhaps seen"), 1)
        await bench.broker.called()
        writer.add(chat(ROOM, "next"), 1)
        async with bench.redis.turn() as commands:
            await commands.delete(KEYS.log)
        bench.broker.cut = ""
        await drained(writer)
    assert await bench.texts() == ["|", "gap", "next"]


async def test_a_batch_that_was_never_stored_goes_into_the_next_epoch(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        bench.broker.cut = "sending"
        writer.add(chat(ROOM, "seen by nobody"), 1)
        await bench.broker.called()
        await bench.redis.commands.flushall()
        bench.broker.cut = ""
        await drained(writer)
    assert await bench.texts() == ["|", "gap", "seen by nobody"]


async def test_a_full_buffer_is_dropped_and_announced_and_no_offset_is_used_again(bench: Bench) -> None:
    lease = await bench.acquire()
    writer = bench.writer(lease, buffer_bytes=64 * 1024)
    async with Running(writer):
        writer.add(chat(ROOM, "before"), 1)
        await drained(writer)
        bench.broker.cut = "request"
        for n in range(40):
            writer.add(chat(ROOM, "x" * 4000), n)
            await asyncio.sleep(0)
        writer.tell(RoomPhase(phase=Phase.CONNECTED, at=9))
        bench.broker.cut = ""
        writer.add(chat(ROOM, "after"), 1)
        await drained(writer)
    texts = await bench.texts()
    assert texts[:4] == ["|", "before", "|", "gap"]
    assert texts[-1] == "after"
    assert len(texts) < 25
    assert (await bench.broker.state(ROOM)).phase == RoomPhase(phase=Phase.CONNECTED, at=9)


async def test_the_log_is_trimmed_to_its_bytes_whatever_the_number_of_entries(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire(), history_bytes=100_000, buffer_bytes=16 * 1024 * 1024)
    async with Running(writer):
        for _ in range(60):
            writer.add(chat(ROOM, "x" * 10_000), 1)
            await drained(writer)
    assert sum(len(entry.data) for entry in await bench.log()) <= 120_000


async def test_the_entries_of_an_earlier_holder_count_towards_the_bytes(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire(), buffer_bytes=16 * 1024 * 1024)
    async with Running(writer):
        for _ in range(20):
            writer.add(chat(ROOM, "x" * 10_000), 1)
        await drained(writer)
        await writer.release(only_if_idle=False)
    tail = await bench.log()
    second = bench.writer(await bench.acquire("two"), tail=tail, history_bytes=100_000)
    async with Running(second):
        second.add(chat(ROOM, "y"), 1)
        await drained(second)
    assert sum(len(entry.data) for entry in await bench.log()) <= 120_000


async def test_release_says_what_was_stored_last_so_that_the_next_holder_knows_the_end_was_clean(bench: Bench) -> None:
    writer = bench.writer(await bench.acquire())
    async with Running(writer):
        writer.add(chat(ROOM, "a"), 1)
        await drained(writer)
        assert not await writer.release(only_if_idle=True)  # still wanted
        assert await writer.release(only_if_idle=False)
    assert (await bench.acquire("two")).clean


async def test_a_holder_that_stored_nothing_leaves_a_clean_end_as_it_found_it(bench: Bench) -> None:
    for owner in ("one", "two"):
        writer = bench.writer(await bench.acquire(owner))
        assert await writer.release(only_if_idle=False)
    assert (await bench.acquire("three")).clean


async def test_a_new_epoch_whose_answer_was_lost_is_found_by_the_next_try(bench: Bench) -> None:
    lease = await bench.acquire()
    bench.leases = FaultyLeases(bench.redis, ttl_s=10, history_ttl_s=60, history_len=2000)
    writer = bench.writer(lease)
    async with bench.redis.turn() as commands:
        await commands.delete(KEYS.log)
    async with Running(writer):
        writer.add(chat(ROOM, "a"), 1)
        await drained(writer)
    assert await bench.texts() == ["|", "gap", "a"]


async def test_renewing_a_room_without_a_log_begins_one(bench: Bench) -> None:
    lease = await bench.acquire()
    writer = bench.writer(lease)
    async with bench.redis.turn() as commands:
        await commands.delete(KEYS.log)
    async with Running(writer):
        await writer.renew()
        await drained(writer)
    assert await bench.texts() == ["|", "gap"]
    assert writer.epoch > lease.epoch
