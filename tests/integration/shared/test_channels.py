"""The pub/sub link: what it delivers, and what it says when it was interrupted."""

import asyncio
import logging
import signal

import pytest

from shared.backoff import Backoff
from shared.broker import Entry
from shared.channels import Channels
from shared.errors import BrokerUnavailable
from shared.pubsub_link import LinkLimits
from shared.redis_client import open_redis
from shared.redis_link import CHUNK_BYTES, REPLY_MAX_BYTES
from shared.room import RoomKey
from tests.chaos.proxy import Proxy
from tests.conftest import RedisServer, free_port
from tests.integration.shared.conftest import Bench, Ear
from tests.measured import measured

LIMITS = LinkLimits(probe_after_s=0.1, answer_within_s=0.3, confirm_within_s=5, backoff=Backoff(0.01, 0.05))
HASTY = LinkLimits(probe_after_s=0.1, answer_within_s=0.3, confirm_within_s=0.1, backoff=Backoff(0.01, 0.05))


async def test_everything_said_after_the_confirmation_arrives(bench: Bench, ear: Ear) -> None:
    async with Channels(bench.redis, ear) as channels:
        for number in range(20):
            room = RoomKey("tiktok", str(number))
            await channels.subscribe(room)
            await bench.commands.execute_command("SPUBLISH", f"rc:{{{room}}}:events", f"2-{number + 1} chat 5 x")
        await ear.until(lambda: len(ear.entries) == 20)

    assert [entry.cursor.offset for entry in ear.entries] == list(range(1, 21))
    assert ear.resubscribed == []


async def test_room_is_quiet_after_unsubscribing_and_speaks_again_after_subscribing(bench: Bench, ear: Ear) -> None:
    other = RoomKey("tiktok", "other")
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        await channels.subscribe(other)
        await channels.unsubscribe(bench.room)
        await channels.unsubscribe(bench.room)
        await bench.commands.execute_command("SPUBLISH", bench.keys.events, "1-1 chat 5 x")
        await bench.commands.execute_command("SPUBLISH", "rc:{tiktok:other}:events", "1-2 chat 5 x")
        await ear.until(lambda: ear.entries)
        await channels.subscribe(bench.room)
        await bench.commands.execute_command("SPUBLISH", bench.keys.events, "1-3 chat 5 x")
        await ear.until(lambda: len(ear.entries) == 2)

    assert [entry.cursor.offset for entry in ear.entries] == [2, 3]


async def test_quick_changes_of_mind_end_in_the_last_one(bench: Bench, ear: Ear) -> None:
    async with Channels(bench.redis, ear) as channels:
        for _ in range(10):
            joining = asyncio.ensure_future(channels.subscribe(bench.room))
            await asyncio.sleep(0)
            await channels.unsubscribe(bench.room)
            joining.cancel()
        await channels.subscribe(bench.room)
        await bench.commands.execute_command("SPUBLISH", bench.keys.events, "1-1 chat 5 x")
        await ear.until(lambda: ear.entries)

    assert False not in ear.link
    assert len(ear.entries) == 1


async def test_several_may_wait_for_one_confirmation(bench: Bench, ear: Ear) -> None:
    async with Channels(bench.redis, ear) as channels:
        await asyncio.gather(*(channels.subscribe(bench.room) for _ in range(5)))
    assert ear.resubscribed == []


async def test_foreign_messages_are_skipped(bench: Bench, ear: Ear) -> None:
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        for message in (b"", b"hello", b"\xff\xff \xff 5 x", b"- phase 0 {", b"1-x alive 0 -", b"x" * 70_000):
            await bench.commands.execute_command("SPUBLISH", bench.keys.events, message)
        await bench.commands.execute_command("SPUBLISH", bench.keys.events, "1-1 chat 5 x")
        await ear.until(lambda: ear.entries)

    assert len(ear.entries) == 1
    assert ear.link == [True]


class Faulty(Ear):
    """Ears that fail at the first entry."""

    def on_entry(self, room: RoomKey, entry: Entry) -> None:
        super().on_entry(room, entry)
        if len(self.entries) == 1:
            raise ValueError("bug")


async def test_failing_delivery_is_logged_and_ends_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    ear = Faulty()
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        for offset in (1, 2):
            await bench.commands.execute_command("SPUBLISH", bench.keys.events, f"1-{offset} chat 5 x")
        await ear.until(lambda: len(ear.entries) == 2)

    assert ear.link == [True]
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


async def test_leaving_the_block_ends_every_task_and_passes_errors_on(bench: Bench, ear: Ear) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(KeyError):
        async with Channels(bench.redis, ear) as channels:
            await channels.subscribe(bench.room)
            raise KeyError
    assert asyncio.all_tasks() == before


async def test_silent_link_proves_itself(bench: Bench, ear: Ear) -> None:
    """Probes go through Redis; while they come back the link stays."""
    heard = 0
    async with Channels(bench.redis, ear, LIMITS) as channels:
        await channels.subscribe(bench.room)
        watcher = await bench.redis.connect_link("")
        await watcher.send([("PSUBSCRIBE", "rc:probe:*")])
        async with asyncio.timeout(10):
            while heard < 3:
                heard += sum(reply[0] == b"pmessage" for reply in await watcher.read())
        await watcher.disconnect()
    assert ear.link == [True]


# --- a Redis that fails -----------------------------------------------------------------------------------------------


async def test_killed_link_comes_back_and_says_that_messages_may_be_missing(own_bench: Bench, ear: Ear) -> None:
    bench = own_bench
    async with Channels(bench.redis, ear, LIMITS) as channels:
        await channels.subscribe(bench.room)
        await bench.commands.client_kill_filter(_type="pubsub")
        await ear.until(lambda: ear.resubscribed and ear.link[-1])
        await bench.commands.execute_command("SPUBLISH", bench.keys.events, "1-1 chat 5 x")
        await ear.until(lambda: ear.entries)

    assert ear.resubscribed == [bench.room]
    assert ear.link == [True, False, True]


async def test_holes_are_told_before_the_first_message_behind_them(own_bench: Bench, ear: Ear) -> None:
    bench = own_bench
    async with Channels(bench.redis, ear, LIMITS) as channels:
        await channels.subscribe(bench.room)
        await bench.commands.client_kill_filter(_type="pubsub")
        async with asyncio.timeout(10):
            while not ear.entries:
                await bench.commands.execute_command("SPUBLISH", bench.keys.events, "1-1 chat 5 x")

    assert ear.heard.index(bench.room) < ear.heard.index(ear.entries[0])


async def test_message_larger_than_any_of_ours_is_not_held_but_ends_the_link(own_bench: Bench, ear: Ear) -> None:
    bench = own_bench
    async with Channels(bench.redis, ear, LIMITS) as channels:
        await channels.subscribe(bench.room)
        await bench.commands.execute_command("SPUBLISH", bench.keys.events, b"x" * (REPLY_MAX_BYTES + 2 * CHUNK_BYTES))
        await ear.until(lambda: ear.resubscribed and ear.link[-1])
        await bench.commands.execute_command("SPUBLISH", bench.keys.events, "1-1 chat 5 x")
        await ear.until(lambda: ear.entries)

    assert ear.link == [True, False, True]


async def test_what_comes_in_one_read_arrives_in_order(own_bench: Bench, ear: Ear) -> None:
    """With an answer to something else in its middle, and a message that is cut by the end of a read."""
    bench = own_bench
    async with Channels(bench.redis, ear) as channels:
        await channels.subscribe(bench.room)
        pipeline = bench.commands.pipeline(transaction=False)
        for offset in range(1, 1001):
            pipeline.execute_command("SPUBLISH", bench.keys.events, f"1-{offset} chat 5 " + "x" * (offset % 700))
        sending = asyncio.create_task(pipeline.execute())
        await channels.subscribe(RoomKey("tiktok", "other"))
        await sending
        await ear.until(lambda: len(ear.entries) == 1000)

    assert [(entry.cursor.offset, len(entry.data)) for entry in ear.entries] == [(n, n % 700) for n in range(1, 1001)]
    assert ear.link == [True]


async def test_others_have_their_turn_while_much_comes_in(own_bench: Bench) -> None:
    link = await own_bench.redis.connect_link("")
    await link.send([("SSUBSCRIBE", "busy")])
    assert await link.read() == [[b"ssubscribe", b"busy", 1]]
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    stream = link._connection._reader
    assert stream is not None
    stream.feed_data(b"+x\r\n" * CHUNK_BYTES)
    others = asyncio.create_task(take_turns())
    read = [await link.read() for _ in range(4)]
    others.cancel()
    await link.disconnect()

    assert sum(map(len, read)) == CHUNK_BYTES
    assert turns >= len(read) - 1


async def test_frozen_server_is_noticed_and_the_link_comes_back(
    own_bench: Bench, own_redis: RedisServer, ear: Ear
) -> None:
    async with Channels(own_bench.redis, ear, LIMITS) as channels:
        await channels.subscribe(own_bench.room)
        own_redis.process.send_signal(signal.SIGSTOP)
        try:
            await ear.until(lambda: ear.link[-1] is False)
        finally:
            own_redis.process.send_signal(signal.SIGCONT)
        await ear.until(lambda: ear.link[-1] and ear.resubscribed)


async def test_restarted_server_gets_its_subscriptions_back(own_bench: Bench, own_redis: RedisServer, ear: Ear) -> None:
    bench = own_bench
    rooms = [RoomKey("tiktok", str(number)) for number in range(1200)]
    async with Channels(bench.redis, ear, LIMITS) as channels:
        await asyncio.gather(*map(channels.subscribe, rooms))
        own_redis.stop()
        await ear.until(lambda: ear.link[-1] is False)
        own_redis.start()
        await ear.until(lambda: ear.link[-1])
        assert set(ear.resubscribed) == set(rooms)
        await bench.commands.execute_command("SPUBLISH", "rc:{tiktok:1199}:events", "1-1 chat 5 x")
        await ear.until(lambda: ear.entries)


async def test_room_wanted_while_redis_is_away_is_there_when_it_comes(own_redis: RedisServer, ear: Ear) -> None:
    own_redis.stop()
    redis = open_redis(own_redis.url, name="test")
    async with Channels(redis, ear, HASTY) as channels:
        with pytest.raises(BrokerUnavailable):
            await channels.subscribe(RoomKey("tiktok", "1"))
        assert not channels.up
        own_redis.start()
        await ear.until(lambda: ear.link)
    assert ear.resubscribed == [RoomKey("tiktok", "1")]
    await redis.aclose()


async def test_a_link_is_lost_once_however_often_it_is_tried_again(
    own_bench: Bench, own_redis: RedisServer, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    before = measured("redis_link_faults_total")
    async with Channels(own_bench.redis, ear, LIMITS) as channels, asyncio.timeout(10):
        await channels.subscribe(own_bench.room)
        with caplog.at_level(logging.DEBUG, logger="shared.pubsub_link"):
            own_redis.stop()
            while caplog.text.count("pub/sub link lost") < 3:
                await asyncio.sleep(0.01)
    assert measured("redis_link_faults_total") == before + 1


async def test_link_that_waits_for_redis_can_be_left(ear: Ear) -> None:
    redis = open_redis(f"redis://127.0.0.1:{free_port()}", name="test")
    async with Channels(redis, ear, HASTY) as channels:
        with pytest.raises(BrokerUnavailable):
            await channels.subscribe(RoomKey("tiktok", "1"))
    assert ear.link == []
    await redis.aclose()


async def test_command_on_a_dead_connection_is_asked_anew_once_the_link_is_known_to_be_silent(
    own_redis: RedisServer, ear: Ear
) -> None:
    async with Proxy(own_redis.port).running() as proxy:
        redis = open_redis(f"redis://127.0.0.1:{proxy.port}/0", name="test")
        async with Channels(redis, ear, LIMITS) as channels:
            await channels.subscribe(RoomKey("tiktok", "1"))
            async with redis.turn() as commands:
                await commands.ping()  # opens the connection that the next command will use
                proxy.half_open()
                assert await commands.ping()
        await redis.aclose()
