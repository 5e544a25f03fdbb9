"""What clients send, how fast they read, and how they leave."""

import json
import random
import time
from collections.abc import AsyncIterator, Callable

import pytest

from tests.events import like
from tests.gateways import Gateway, running_gateway
from tests.holder import Holder, HolderClient

ROOM = "7300000000000000001"
KEY = f"tiktok:{ROOM}"


@pytest.fixture
def url(redis_server: str) -> str:
    return redis_server


@pytest.fixture
async def gateway(url: str) -> AsyncIterator[Gateway]:
    async with running_gateway(url, client_frames_per_s=1000) as gateway:
        yield gateway


@pytest.fixture
async def holder(url: str) -> AsyncIterator[Holder]:
    async with HolderClient(url) as cluster:
        holder = cluster.holder(KEY)
        await holder.go_live()
        yield holder


@pytest.mark.parametrize(
    "ping", [{"type": "ping", "timestamp": 1}, {"type": "ping"}, {"type": "ping", "timestamp": "then", "action": 5}]
)
async def test_ping_gets_our_clock_and_the_newest_place(gateway: Gateway, holder: Holder, ping: object) -> None:
    async with gateway.join(f"{ROOM}?events=gift") as client:
        await client.until(status="connected")
        cursor = await holder.chat("hidden by the filter")
        deadline = time.monotonic() + 10
        while True:
            await client.say(ping)
            pong = await client.next()
            assert pong.keys() == {"type", "timestamp", "cursor"}
            assert abs(pong["timestamp"] - time.time() * 1000) < 60_000
            if pong["cursor"] == str(cursor):
                break
            assert time.monotonic() < deadline


@pytest.mark.parametrize("frame", [{"action": "close"}, {"type": "close"}])
async def test_asking_to_close_is_answered_and_done(gateway: Gateway, holder: Holder, frame: object) -> None:
    cursor = await holder.chat("one")
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        await client.say(frame)
        assert await client.closed() == (1000, f"requested since={cursor}")
        assert client.frames[-1] == {
            "status": "closing",
            "message": "已按您的要求关闭连接",
            "code": "requested",
            "reconnect": False,
            "cursor": str(cursor),
        }


async def test_asking_to_close_and_closing_at_once_disturbs_nobody(
    gateway: Gateway, holder: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway.join(ROOM) as witness:
        await witness.until(status="connected")
        for _ in range(20):
            async with gateway.join(ROOM) as client:
                await client.next()
                await client.say({"action": "close"})
                await client.socket.close(1000)
        for _ in range(20):
            async with gateway.join(ROOM) as client:
                await client.say({"action": "close"})
                client.socket.transport.abort()
        await holder.chat("still here")
        await witness.until(content="still here")
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


def bad_frames(seed: int) -> list[str | bytes]:
    """100 frames that are no command."""
    dice = random.Random(seed)
    kinds: list[Callable[[], str | bytes]] = [
        lambda: dice.randbytes(dice.randrange(200)),
        lambda: "".join(chr(dice.randrange(32, 0x2FFF)) for _ in range(dice.randrange(80))),
        lambda: json.dumps(dice.choice([None, 1, 1.5, "ping", [], ["ping"], {}, True, [{"type": "ping"}]])),
        lambda: json.dumps({dice.choice(["type", "action", "x"]): dice.choice(["", "Ping", "CLOSE", 1, None, [], {}])}),
        lambda: json.dumps({"type": {"type": "ping"}, "action": ["close"]}),
        lambda: '{"type": "ping"'[: dice.randrange(15)],
        lambda: "[" * dice.randrange(1, 4000),
        lambda: "\x00" * dice.randrange(50),
        lambda: '{"type": "pin", "timestamp": 1e999999}',
        lambda: '{"type": "\\ud800"}',
    ]
    return [dice.choice(kinds)() for _ in range(100)]


@pytest.mark.parametrize("seed", range(3))
async def test_hundred_bad_frames_leave_the_connection_in_place(gateway: Gateway, holder: Holder, seed: int) -> None:
    async with gateway.join(f"{ROOM}?lang=en") as client:
        await client.until(status="connected")
        for frame in bad_frames(seed):
            await client.socket.send(frame)
        await client.say({"type": "ping"})
        assert (await client.next())["type"] == "pong"
        await holder.chat("still here")
        assert (await client.next())["content"] == "still here"


@pytest.mark.parametrize("frame", ["x" * 4097, "é" * 2049, b"x" * 5000])
async def test_large_frame_is_refused_with_a_reason(gateway: Gateway, holder: Holder, frame: str | bytes) -> None:
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        await client.socket.send(frame)
        assert await client.closed() == (1009, "too_large")
        assert client.frames[-1]["code"] == "too_large"


async def test_huge_frame_never_reaches_the_application(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        await client.socket.send("x" * 100_000)
        assert (await client.closed())[0] == 1009


async def test_largest_frame_is_read(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        await client.socket.send('{"type":"ping"}'.ljust(4096))
        assert (await client.next())["type"] == "pong"


async def test_flood_of_frames_is_read_slowly_and_all_is_answered(url: str, holder: Holder) -> None:
    async with running_gateway(url, client_frames_per_s=200) as gateway, gateway.join(ROOM) as client:
        await client.until(status="connected")
        begun = time.monotonic()
        for _ in range(200):
            await client.say({"type": "ping"})
        assert [(await client.next())["type"] for _ in range(200)] == ["pong"] * 200
        assert time.monotonic() - begun > 0.4  # 100 at once, the rest at 200 a second


async def test_client_that_does_not_read_is_closed_and_others_are_not_disturbed(url: str, holder: Holder) -> None:
    async with (
        running_gateway(url, flush_max_ms=0, send_soft_bytes=16 * 1024, send_hard_bytes=64 * 1024) as gateway,
        gateway.join_without_reading(ROOM) as slow,
        gateway.join(ROOM) as quick,
    ):
        await quick.until(status="connected")
        text = "x" * 8000
        for number in range(1500):
            await holder.chat(f"{number} {text}")
            assert (await quick.next())["content"].startswith(f"{number} ")
        await gateway.shows(clients=1)
        slow.socket.transport.resume_reading()
        assert 0 < len(await slow.rest()) < 1500


async def test_least_valuable_events_are_shed_first_and_counted(url: str, holder: Holder) -> None:
    async with (
        running_gateway(url, flush_max_ms=0, send_soft_bytes=4 * 1024, send_hard_bytes=64 * 1024 * 1024) as gateway,
        gateway.join_without_reading(ROOM) as slow,
        gateway.join(f"{ROOM}?events=like") as witness,
    ):
        await witness.until(status="connected")
        text = "x" * 8000
        for number in range(1000):
            await holder.chat(f"{number} {text}")
            await holder.publish(like(holder.room, number))
        for _ in range(1000):
            await witness.next()
        slow.socket.transport.resume_reading()
        chats, likes, dropped = 0, 0, 0
        while chats < 1000 or likes + dropped < 1000:
            frame = await slow.next()
            chats += frame["type"] == "chat"
            likes += frame["type"] == "like"
            if frame["type"] == "dropped":
                assert frame["by_type"] == {"like": frame["count"]}
                assert frame["cursor"].startswith(f"{holder.lease.epoch}-")
                dropped += frame["count"]
        assert (chats, likes + dropped) == (1000, 1000)
        assert dropped > 0


async def test_long_replay_is_sent_no_faster_than_it_is_read(url: str, holder: Holder) -> None:
    cursor = await holder.chat("0")
    for first in range(1, 1001, 50):
        await holder.chat(*(f"{number} {'x' * 4000}" for number in range(first, first + 50)))
    async with (
        running_gateway(url, flush_max_ms=0, send_soft_bytes=4 * 1024, send_hard_bytes=64 * 1024) as gateway,
        gateway.join(f"{ROOM}?since={cursor}", max_queue=1) as client,
    ):
        assert (await client.until(type="recovered"))["count"] == 1000
        for number in range(1, 1001):
            if number == 500:
                await holder.chat("1001")  # while it catches up
            assert (await client.next())["content"].startswith(f"{number} ")
        assert [frame.get("content") for frame in (await client.next(), await client.next())].count("1001") == 1


async def test_client_that_does_not_read_its_replay_is_closed(url: str, holder: Holder) -> None:
    cursor = await holder.chat("0")
    for _ in range(40):
        await holder.chat(*("x" * 16_000 for _ in range(25)))
    async with (
        running_gateway(url, send_soft_bytes=4 * 1024, send_age_s=1) as gateway,
        gateway.join_without_reading(f"{ROOM}?since={cursor}", after="recovered"),
    ):
        await gateway.shows(rooms=0)
