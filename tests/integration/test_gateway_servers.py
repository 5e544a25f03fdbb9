"""The same gateway behind different servers, with the way for ready-made frames and without: clients see no difference.

One has it, two have not (one of them speaks the protocol by another library), and Starlette's TestClient is no server.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.phases import Phase
from tests.events import like, member
from tests.gateways import DEADLINE_S
from tests.holder import Holder, HolderClient
from tests.houses import SERVERS, Client, gateway_behind
from tests.measured import measured

ROOM = "7300000000000000001"


@pytest.fixture(params=[*SERVERS, "none"])
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def holder(redis_server: str) -> AsyncIterator[Holder]:
    async with HolderClient(redis_server) as cluster:
        holder = cluster.holder(f"tiktok:{ROOM}")
        await holder.go_live()
        yield holder


async def frames_until(client: Client, **fields: object) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while not frames or not fields.items() <= frames[-1].items():
        frames.append(await client.next())
    return frames


def word(frame: dict[str, Any]) -> str:
    """A frame made short."""
    kind = frame.get("status") or frame.get("type") or f"error {frame.get('code')}"
    return f"{kind} {frame['content']}" if kind == "chat" else str(kind)


async def test_first_frames_events_and_an_answer_come_in_order(server: str, redis_server: str, holder: Holder) -> None:
    async with (
        gateway_behind(server, redis_server) as house,
        house.door(f"{ROOM}?lang=en&events=chat,member") as client,
    ):
        first = [word(frame) for frame in await frames_until(client, status="connected")]
        await holder.chat(*(str(number) for number in range(100)))
        await holder.publish(like(holder.room, 1), member(holder.room))
        events = [word(await client.next()) for _ in range(101)]
        await client.say({"type": "ping"})
        pong = await client.next()
    assert first == ["connecting", "connected"]
    assert events == [*(f"chat {number}" for number in range(100)), "member"]
    assert pong.keys() == {"type", "timestamp", "cursor"}
    assert pong["cursor"] == f"{holder.lease.epoch}-102"


async def test_client_resumes_at_its_cursor(server: str, redis_server: str, holder: Holder) -> None:
    cursor = await holder.chat("old")
    await holder.chat("missed", "too")
    async with gateway_behind(server, redis_server) as house, house.door(f"{ROOM}?since={cursor}") as client:
        before = [word(frame) for frame in await frames_until(client, content="too")]
        await holder.chat("new")
        after = [word(frame) for frame in await frames_until(client, content="new")]
    assert [said for said in before + after if said.startswith("chat")] == ["chat missed", "chat too", "chat new"]
    assert "recovered" in before + after


CLOSES: dict[str, tuple[str, object, str, tuple[int, str]]] = {
    "on request": (ROOM, {"action": "close"}, "closing", (1000, "requested since={cursor}")),
    "of a room that is none": ("no%20room", None, "error bad_room", (1000, "bad_room")),
    "after a large frame": (ROOM, "x" * 5000, "error too_large", (1009, "too_large")),
}


@pytest.mark.parametrize("case", CLOSES)
async def test_client_is_closed_with_a_word_and_a_code(
    server: str, redis_server: str, holder: Holder, case: str
) -> None:
    path, says, last_word, (code, reason) = CLOSES[case]
    cursor = await holder.chat("one")
    async with gateway_behind(server, redis_server) as house, house.door(path) as client:
        if says is not None:
            await frames_until(client, status="connected")
            await client.say(says)
        frames = [await client.next()]
        while word(frames[-1]) != last_word:
            frames.append(await client.next())
        assert await client.closed() == (code, reason.format(cursor=cursor))


async def test_client_is_told_that_the_room_ended(server: str, redis_server: str, holder: Holder) -> None:
    async with gateway_behind(server, redis_server) as house, house.door(ROOM) as client:
        await frames_until(client, status="connected")
        cursor = await holder.chat("the last")
        await holder.rest(Phase.ENDED)
        assert await client.closed() == (1000, f"ended since={cursor}")


async def test_client_is_sent_elsewhere_when_the_gateway_stops(server: str, redis_server: str, holder: Holder) -> None:
    async with gateway_behind(server, redis_server) as house, house.door(ROOM) as client:
        await frames_until(client, status="connected")
        cursor = await holder.chat("one")
        await frames_until(client, content="one")
        draining = asyncio.ensure_future(house.drain())
        assert await client.closed() == (1012, f"draining since={cursor}")
    await draining


@pytest.mark.parametrize("server", SERVERS)
async def test_client_that_does_not_read_is_closed_and_others_are_not_disturbed(
    server: str, redis_server: str, holder: Holder
) -> None:
    settings = {"send_soft_bytes": 16 * 1024, "send_hard_bytes": 64 * 1024}
    async with gateway_behind(server, redis_server, **settings) as house:
        gateway = house.gateway
        assert gateway is not None
        async with gateway.join_without_reading(ROOM), gateway.join(ROOM) as quick:
            await quick.until(status="connected")
            for number in range(350):
                await holder.chat(f"{number} {'x' * 16_000}")
                assert (await quick.next())["content"].startswith(f"{number} ")
            await gateway.shows(clients=1)


@pytest.mark.parametrize("server", SERVERS)
async def test_slow_client_and_what_waits_for_it_are_told(server: str, redis_server: str, holder: Holder) -> None:
    async with gateway_behind(server, redis_server, send_hard_bytes=256 * 1024 * 1024) as house:
        gateway = house.gateway
        assert gateway is not None
        async with asyncio.timeout(2 * DEADLINE_S):
            async with gateway.join_without_reading(ROOM):
                while not measured("gateway_slow_clients"):
                    await holder.chat("x" * 16_000)
                assert measured("gateway_slow_clients") == 1
                assert measured("gateway_unsent_bytes") > 0
            while measured("gateway_slow_clients") or measured("gateway_unsent_bytes"):
                await asyncio.sleep(0.01)
