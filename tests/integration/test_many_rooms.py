"""Many rooms on one socket: what the frames of each are, and that none disturbs another."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect

from shared.phases import Phase
from tests.events import chat, like
from tests.frames import Frame, read
from tests.gateways import DEADLINE_S, running_gateway
from tests.holder import Holder, HolderClient
from tests.houses import SERVERS, Client, gateway_behind

ROOMS = [f"73000000000000000{number:02}" for number in range(1, 20)]
ONE, TWO, THREE = ROOMS[:3]


@pytest.fixture(params=[*SERVERS, "none"])
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def cluster(redis_server: str) -> AsyncIterator[HolderClient]:
    async with HolderClient(redis_server) as cluster:
        yield cluster


async def live(cluster: HolderClient, *rooms: str) -> list[Holder]:
    """Holders of these rooms, which run."""
    holders = [cluster.holder(room if ":" in room else f"tiktok:{room}") for room in rooms]
    for holder in holders:
        await holder.go_live()
    return holders


async def until(client: Client, **fields: object) -> list[Frame]:
    """Frames up to the first with these fields."""
    frames: list[Frame] = []
    while not frames or not fields.items() <= frames[-1].items():
        frames.append(await client.next())
    return frames


async def subscribe(client: Client, room: str, **more: object) -> list[Frame]:
    """Subscribe to a room that runs; its frames up to `connected`."""
    await client.say({"action": "subscribe", "room": room} | more)
    return await until(client, status="connected")


def words(frames: list[Frame]) -> list[str]:
    """Frames made short."""
    return [str(frame.get("content") or frame.get("status") or frame.get("type") or frame["code"]) for frame in frames]


# --- behind every server ----------------------------------------------------------------------------------------------


async def test_twenty_rooms_of_two_platforms_come_each_in_order(
    server: str, redis_server: str, cluster: HolderClient
) -> None:
    keys = [f"tiktok:{room}" for room in ROOMS[:10]] + [f"douyin:7288047466{number}" for number in range(10, 20)]
    holders = await live(cluster, *keys)
    async with gateway_behind(server, redis_server) as house, house.door("?lang=en") as client:
        for number, key in enumerate(keys):
            platform, _, room = key.partition(":")
            await client.say({"action": "subscribe", "id": number, "platform": platform, "room": room})
        seen: dict[str, list[str]] = defaultdict(list)
        answers = []
        while sum(found[-1] == "connected" for found in seen.values()) < len(keys):
            frame = await client.next()
            seen[f"{frame['platform']}:{frame['room']}"] += words([frame])
            if frame.get("type") == "subscribed":
                answers.append(frame["id"])
        assert answers == list(range(20))
        for number in range(15):
            for holder in holders:
                await holder.chat(f"{holder.room} {number}")
        while sum(len(found) for found in seen.values()) < len(keys) * (3 + 15):
            frame = await client.next()
            seen[f"{frame['platform']}:{frame['room']}"] += words([frame])
    for key in keys:
        assert seen[key] == ["subscribed", "connecting", "connected", *(f"{key} {number}" for number in range(15))]


async def test_rooms_are_listed_left_and_resumed(server: str, redis_server: str, cluster: HolderClient) -> None:
    one, two = await live(cluster, ONE, TWO)
    async with gateway_behind(server, redis_server) as house, house.door("") as client:
        await subscribe(client, ONE)
        await subscribe(client, TWO, id="second")
        cursor, other = await one.chat("first"), await two.chat("other")
        assert sorted(words([await client.next() for _ in range(2)])) == ["first", "other"]
        await client.say({"action": "list", "id": 7})
        assert await client.next() == {
            "type": "subscriptions",
            "id": 7,
            "rooms": [
                {"platform": "tiktok", "room": ONE, "cursor": str(cursor), "status": "connected"},
                {"platform": "tiktok", "room": TWO, "cursor": str(other), "status": "connected"},
            ],
        }
        await client.say({"type": "ping"})
        pong = await client.next()
        assert pong["cursors"] == {f"tiktok:{ONE}": str(cursor), f"tiktok:{TWO}": str(other)}

        await client.say({"action": "unsubscribe", "id": 8, "room": ONE})
        left = await client.next()
        assert left == {"type": "unsubscribed", "id": 8, "platform": "tiktok", "room": ONE, "cursor": str(cursor)}
        await one.chat("missed", "too")
        await two.chat("still here")
        assert words([await client.next()]) == ["still here"]
        await client.say({"action": "subscribe", "id": 9, "room": ONE, "since": left["cursor"]})
        frames = await until(client, status="connected")
        assert words(frames) == ["subscribed", "connecting", "recovered", "missed", "too", "connected"]


async def test_room_that_is_none_or_ends_disturbs_no_other(
    server: str, redis_server: str, cluster: HolderClient
) -> None:
    one, two, three = await live(cluster, ONE, TWO, THREE)
    await two.rest(Phase.NOT_LIVE, "offline")
    async with gateway_behind(server, redis_server) as house, house.door("?lang=en") as client:
        await subscribe(client, ONE)
        await subscribe(client, THREE)
        for number, (room, platform) in enumerate([("no room", "tiktok"), (ONE, "nowhere"), ("", "douyin")]):
            await client.say({"action": "subscribe", "id": number, "room": room, "platform": platform})
            error = await client.next()
            assert (error["code"], error["id"], "room" in error) == ("bad_room", number, False)
        await client.say({"action": "subscribe", "id": 4, "room": TWO})
        *_, refusal = await until(client, code="offline")
        assert (refusal["platform"], refusal["room"], refusal["reconnect"]) == ("tiktok", TWO, False)

        cursor = await one.chat("the last")
        await one.rest(Phase.ENDED)
        *_, closing = await until(client, status="closing")
        assert closing == {
            "status": "closing",
            "message": "The broadcast is over",
            "code": "ended",
            "reconnect": False,
            "platform": "tiktok",
            "room": ONE,
            "cursor": str(cursor),
        }
        await three.chat("undisturbed")
        assert words([await client.next()]) == ["undisturbed"]
        await client.say({"action": "list"})
        assert [room["room"] for room in (await client.next())["rooms"]] == [THREE]


async def test_draining_gateway_tells_where_to_resume_in_each_room(
    server: str, redis_server: str, cluster: HolderClient
) -> None:
    one, two = await live(cluster, ONE, TWO)
    async with gateway_behind(server, redis_server) as house, house.door("") as client:
        await subscribe(client, ONE)
        await subscribe(client, TWO)
        cursors = {f"tiktok:{ONE}": str(await one.chat("a")), f"tiktok:{TWO}": str(await two.chat("b", "c"))}
        await until(client, content="c")
        draining = asyncio.ensure_future(house.drain())
        *_, closing = await until(client, status="closing")
        assert (closing["code"], closing["reconnect"], closing["cursors"]) == ("draining", True, cursors)
        assert await client.closed() == (1012, "draining")
    await draining


CLOSES: dict[str, tuple[object, str, tuple[int, str]]] = {
    "on request": ({"action": "close"}, "closing", (1000, "requested")),
    "after a large frame": ("x" * 5000, "too_large", (1009, "too_large")),
}


@pytest.mark.parametrize("case", CLOSES)
async def test_close_of_all_tells_where_to_resume(
    server: str, redis_server: str, cluster: HolderClient, case: str
) -> None:
    says, word, reason = CLOSES[case]
    (one,) = await live(cluster, ONE)
    async with gateway_behind(server, redis_server) as house, house.door("") as client:
        await subscribe(client, ONE)
        cursor = await one.chat("one")
        await until(client, content="one")
        await client.say(says)
        frame = await client.next()
        assert (words([frame]), frame["cursors"]) == ([word], {f"tiktok:{ONE}": str(cursor)})
        assert await client.closed() == reason


@pytest.mark.parametrize("server", SERVERS)
async def test_slow_client_of_many_rooms_is_closed_as_a_whole_and_disturbs_no_other(
    server: str, redis_server: str, cluster: HolderClient
) -> None:
    holders = await live(cluster, *ROOMS[:5])
    settings = {"send_soft_bytes": 16 * 1024, "send_hard_bytes": 64 * 1024}
    async with gateway_behind(server, redis_server, **settings) as house:
        gateway = house.gateway
        assert gateway is not None
        async with gateway.join_without_reading("", after="subscriptions", first={"action": "list"}) as slow:
            for room in ROOMS[:5]:
                await slow.say({"action": "subscribe", "room": room})
            async with gateway.join("") as quick:
                for room in ROOMS[:5]:
                    await quick.say({"action": "subscribe", "room": room})
                for _ in range(5):
                    await quick.until(status="connected")
                for number in range(120):
                    for holder in holders:
                        await holder.chat(f"{number} {'x' * 16_000}")
                    for _ in holders:
                        assert (await quick.next())["content"].startswith(f"{number} ")
                await gateway.shows(clients=1)


async def test_address_needs_no_slash_at_its_end(redis_server: str, cluster: HolderClient) -> None:
    await live(cluster, ONE)
    async with running_gateway(redis_server) as gateway:
        async with connect(f"ws://127.0.0.1:{gateway.port}/ws") as client:
            await client.send(json.dumps({"action": "unsubscribe", "room": ONE}))
            assert read(await client.recv())["code"] == "not_subscribed"
        async with gateway.join("/") as stranger:  # more of them is a room without a name
            assert (await stranger.next())["code"] == "bad_room"


async def test_options_of_the_address_are_defaults_of_each_room(redis_server: str, cluster: HolderClient) -> None:
    one, two = await live(cluster, ONE, TWO)
    async with running_gateway(redis_server) as gateway, gateway.join("?events=like,nonsense&lang=en") as client:
        error = await client.next()
        assert (error["code"], "id" in error) == ("bad_option", False)
        await subscribe(client, ONE)
        frames = await subscribe(client, TWO, id=2, events=["chat"], since="nonsense", last=0)
        assert [(frame["code"], frame["id"], frame["room"]) for frame in frames if "code" in frame] == [
            ("bad_cursor", 2, TWO),
            ("bad_option", 2, TWO),
        ]
        for holder in (one, two):
            await holder.publish(like(holder.room, 1), chat(holder.room, "hello"))
        got = [await client.next() for _ in range(2)]
        assert sorted((frame["room"], frame["type"]) for frame in got) == [(ONE, "like"), (TWO, "chat")]


# --- names ------------------------------------------------------------------------------------------------------------


async def test_name_tells_its_target_and_is_moved_with_it(redis_server: str, cluster: HolderClient) -> None:
    name = cluster.holder("tiktok:@ana")
    await name.acquire()
    await name.point_to(ONE)
    one, two = await live(cluster, ONE, TWO)
    async with running_gateway(redis_server) as gateway, gateway.join("") as client:
        frames = await subscribe(client, "@Ana")
        assert words(frames) == ["subscribed", "connecting", "target", "connected"]
        assert [frame["room"] for frame in frames] == ["@ana", "@ana", "@ana", ONE]
        assert frames[2]["target"] == ONE
        await name.point_to(TWO)
        assert await client.next() == {"type": "target", "platform": "tiktok", "room": "@ana", "target": TWO}
        assert await client.until(status="connected", room=TWO)
        await one.chat("old")
        cursor = await two.chat("new")
        assert (await client.next())["content"] == "new"
        await client.say({"action": "list"})
        assert (await client.next())["rooms"] == [
            {"platform": "tiktok", "room": "@ana", "target": TWO, "cursor": str(cursor), "status": "connected"}
        ]
        await client.say({"action": "unsubscribe", "room": TWO})  # as its events call it
        left = await client.next()
        assert (left["type"], left["room"], left["cursor"]) == ("unsubscribed", "@ana", str(cursor))


async def test_room_comes_once_however_it_is_called(redis_server: str, cluster: HolderClient) -> None:
    name = cluster.holder("tiktok:@ana")
    await name.acquire()
    await name.point_to(ONE)
    (one,) = await live(cluster, ONE)
    async with running_gateway(redis_server) as gateway, gateway.join("") as client:
        await subscribe(client, ONE)
        for number, same in enumerate([ONE, f" {ONE} "]):
            await client.say({"action": "subscribe", "id": number, "room": same})
            error = await client.next()
            assert (error["code"], error["id"], error["room"]) == ("already_subscribed", number, ONE)
        await client.say({"action": "subscribe", "id": "by name", "room": "@ana"})
        error = await client.until(code="already_subscribed")
        assert (error["id"], error["room"]) == ("by name", "@ana")
        await client.say({"action": "list"})
        assert [room["room"] for room in (await client.next())["rooms"]] == [ONE]
        await one.chat("once")
        await client.say({"type": "ping"})
        assert words([await client.next(), await client.next()]) in (["once", "pong"], ["pong", "once"])


async def test_name_that_moves_to_a_room_the_client_has_is_given_up(redis_server: str, cluster: HolderClient) -> None:
    name = cluster.holder("tiktok:@ana")
    await name.acquire()
    await name.point_to(ONE)
    one, two = await live(cluster, ONE, TWO)
    async with running_gateway(redis_server) as gateway, gateway.join("") as client:
        await subscribe(client, "@ana", id=1)
        await subscribe(client, TWO, id=2)
        await name.point_to(TWO)
        error = await client.until(code="already_subscribed")
        assert (error["id"], error["room"]) == (1, "@ana")
        await one.chat("of nobody")
        await two.chat("of the other")
        assert (await client.next())["content"] == "of the other"


# --- bounds -----------------------------------------------------------------------------------------------------------


async def test_rooms_of_a_client_are_bounded(redis_server: str, cluster: HolderClient) -> None:
    await live(cluster, *ROOMS[:3])
    async with running_gateway(redis_server, rooms_per_client=2) as gateway, gateway.join("") as client:
        await subscribe(client, ONE)
        await subscribe(client, TWO)
        await client.say({"action": "subscribe", "id": 3, "room": THREE})
        error = await client.next()
        assert (error["code"], error["id"], error["room"]) == ("too_many_rooms", 3, THREE)
        await client.say({"action": "unsubscribe", "room": ONE})
        assert (await client.next())["type"] == "unsubscribed"
        await subscribe(client, THREE)


async def test_room_that_has_to_wait_for_its_turn_holds_up_no_command(redis_server: str, cluster: HolderClient) -> None:
    (three,) = await live(cluster, THREE)
    async with running_gateway(redis_server, new_rooms_per_minute=1) as gateway, gateway.join("") as client:
        await client.say({"action": "subscribe", "room": ONE})
        await client.say({"action": "subscribe", "room": TWO})
        error = await client.until(code="rate_limited")
        assert (error["room"], error["retry_in_ms"] > 0) == (TWO, True)
        await subscribe(client, THREE)  # it runs: it costs nothing
        await three.chat("hello")
        assert (await client.next())["content"] == "hello"
        await client.say({"action": "unsubscribe", "id": 4, "room": TWO})
        assert (await client.next())["id"] == 4


async def test_room_that_has_to_wait_for_its_turn_is_nothing_to_the_gateway_nor_to_redis(
    redis_server: str, cluster: HolderClient
) -> None:
    two = cluster.holder(f"tiktok:{TWO}")
    async with running_gateway(redis_server, new_rooms_per_minute=1) as gateway, gateway.join("") as client:
        await client.say({"action": "subscribe", "room": ONE})
        await client.say({"action": "subscribe", "room": TWO, "wait": True})
        await client.until(code="rate_limited")
        assert (await gateway.get("/health")).json()["rooms"] == 1
        assert not (await two.demand.look(two.room)).wait


async def test_rooms_that_wait_for_their_turn_are_limited_by_address(redis_server: str) -> None:
    settings = {"new_rooms_per_minute": 1, "queued_rooms_per_address": 1}
    async with running_gateway(redis_server, **settings) as gateway, gateway.join("") as client:
        for number, room in enumerate((ONE, TWO, THREE), 1):
            await client.say({"action": "subscribe", "id": number, "room": room})
        waits = (await client.until(code="rate_limited"))["room"]
        refused = await client.until(code="too_many_rooms")
        assert refused["room"] == (ONE, TWO, THREE)[refused["id"] - 1] != waits
        await client.say({"action": "list"})
        assert len((await client.until(type="subscriptions"))["rooms"]) == 2
        async with gateway.join(ROOMS[3]) as alone:
            assert await alone.closed() == (1013, "overloaded")
        await client.say({"action": "unsubscribe", "room": waits})
        await client.until(type="unsubscribed")
        async with gateway.join(ROOMS[3]) as alone:
            await alone.until(code="rate_limited")


async def test_room_that_rests_costs_nothing(redis_server: str, cluster: HolderClient) -> None:
    two = cluster.holder(f"tiktok:{TWO}")
    await two.acquire()
    await two.rest(Phase.NOT_LIVE, "offline")
    async with running_gateway(redis_server, new_rooms_per_minute=1) as gateway, gateway.join("") as client:
        await client.say({"action": "subscribe", "room": ONE})
        await client.say({"action": "subscribe", "room": TWO})
        await client.until(room=TWO, code="offline")
        assert "rate_limited" not in words(client.frames)


async def test_two_names_of_a_room_that_come_at_once_are_one_subscription(
    redis_server: str, cluster: HolderClient
) -> None:
    await live(cluster, ONE)
    names = [cluster.holder(f"tiktok:{name}") for name in ("@ana", "@bea")]
    for name in names:
        await name.acquire()
        await name.point_to(ONE)
    async with running_gateway(redis_server) as gateway, gateway.join("") as client:
        await client.say({"action": "subscribe", "room": "@ana"})
        await client.say({"action": "subscribe", "room": "@bea"})
        await client.until(code="already_subscribed")
        await client.say({"action": "list"})
        assert len((await client.until(type="subscriptions"))["rooms"]) == 1


async def test_what_is_shed_is_told_of_each_room(redis_server: str, cluster: HolderClient) -> None:
    one, two = await live(cluster, ONE, TWO)
    settings = {"send_soft_bytes": 16 * 1024, "send_hard_bytes": 64 * 1024 * 1024}
    async with (
        running_gateway(redis_server, **settings) as gateway,
        gateway.join_without_reading("", after="subscriptions", first={"action": "list"}) as client,
        gateway.join("") as witness,
    ):
        for room in (ONE, TWO):
            await client.say({"action": "subscribe", "room": room})
            await witness.say({"action": "subscribe", "room": room})
        for _ in range(2):
            await witness.until(status="connected")
        for _ in range(400):
            await one.chat("x" * 16_000)  # until nothing goes out any more
        await one.publish(*(like(one.room, total) for total in range(3)))
        await two.publish(*(like(two.room, total) for total in range(5)))
        await two.chat("end")
        await witness.until(content="end")
        client.socket.transport.resume_reading()
        dropped: dict[str, Any] = {}
        while len(dropped) < 2:
            frame = await client.until(type="dropped")
            dropped[frame["room"]] = frame["by_type"]
        assert dropped == {ONE: {"like": 3}, TWO: {"like": 5}}


async def test_replays_of_many_rooms_at_once_go_no_faster_than_they_are_read(
    redis_server: str, cluster: HolderClient
) -> None:
    """Each of them alone is less than may be unsent; all together are much more than closes a client."""
    holders = await live(cluster, *ROOMS)
    settings = {"send_soft_bytes": 256 * 1024, "send_hard_bytes": 512 * 1024}
    for holder in holders:
        await holder.chat(*(f"{number} {'x' * 16_000}" for number in range(12)))
    async with (
        running_gateway(redis_server, **settings) as gateway,
        gateway.join_without_reading("", after="subscriptions", first={"action": "list"}) as client,
    ):
        for room in ROOMS:
            await client.say({"action": "subscribe", "room": room, "last": 12})
        async with asyncio.timeout(DEADLINE_S):
            while not gateway.app.state.relay.slow_sinks:
                await asyncio.sleep(0.01)
        client.socket.transport.resume_reading()
        seen: dict[str, int] = defaultdict(int)
        while sum(seen.values()) < 12 * len(ROOMS):
            frame = await client.next()
            if "content" in frame:
                assert frame["content"].startswith(f"{seen[frame['room']]} ")
                seen[frame["room"]] += 1


# --- whatever is said -------------------------------------------------------------------------------------------------


async def test_nonsense_is_answered_and_never_a_fault(
    redis_server: str, cluster: HolderClient, caplog: pytest.LogCaptureFixture
) -> None:
    await live(cluster, ONE, TWO)
    chance = random.Random(7)
    values: list[Any] = [
        ONE,
        TWO,
        "@ana",
        "tiktok",
        "douyin",
        "",
        None,
        5,
        [],
        {},
        "subscribe",
        "unsubscribe",
        "list",
        "1-1",
        True,
    ]
    async with running_gateway(redis_server, client_frames_per_s=1000) as gateway, gateway.join("") as client:
        for _ in range(500):
            said: Any = {
                field: chance.choice(values) for field in ("id", "platform", "room", "since", "last", "events")
            }
            said["action"] = chance.choice(["subscribe", "unsubscribe", "list", "fly", 5])
            for field in chance.sample(sorted(said), chance.randrange(4)):
                del said[field]
            await client.say(chance.choice([said, said, said, [said], json.dumps(said)]))
        async with asyncio.timeout(DEADLINE_S):
            await client.say({"action": "list", "id": "the last"})
            await client.until(id="the last")
        await client.say({"action": "close"})
        assert (await client.closed())[0] == 1000
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


async def test_fault_in_one_room_ends_that_room_alone(
    redis_server: str, cluster: HolderClient, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = await live(cluster, ONE, TWO)
    async with running_gateway(redis_server) as gateway, gateway.join("") as client:
        await subscribe(client, ONE)
        await subscribe(client, TWO)
        room = gateway.app.state.relay.rooms[one.room]
        (member,) = room.members.values()
        member.dismiss("internal")
        error = await client.until(code="internal")
        assert (error["room"], error["reconnect"]) == (ONE, True)
        await one.chat("of nobody")
        await two.chat("undisturbed")
        assert (await client.next())["content"] == "undisturbed"
        await subscribe(client, ONE)
