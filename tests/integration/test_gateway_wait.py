"""Clients that wait: a room that is not live is a state, and its end is none."""

from contextlib import AsyncExitStack

import pytest

from shared.events import Ended, EndedDetail
from shared.phases import Phase
from shared.room import RoomKey
from tests.frames import Frame
from tests.gateways import Client, Gateway, running_gateway
from tests.holder import Holder, HolderClient
from tests.streams import listening

ROOM = "7300000000000000001"
NEXT_ROOM = "7300000000000000002"
REST_S = 0.5  # until the next look


@pytest.fixture
def holder(cluster: HolderClient) -> Holder:
    return cluster.holder(f"tiktok:{ROOM}")


@pytest.fixture
def name(cluster: HolderClient) -> Holder:
    return cluster.holder("tiktok:@ana")


@pytest.fixture
def next_holder(cluster: HolderClient) -> Holder:
    return cluster.holder(f"tiktok:{NEXT_ROOM}")


def words(frames: list[Frame]) -> list[str]:
    """Each frame by the word that says what it is; chat by its text."""
    return [str(frame.get("content") or frame.get("status") or frame.get("code") or frame["type"]) for frame in frames]


async def lead(name: Holder, holder: Holder) -> None:
    """Let a name point to a broadcast that runs."""
    await name.acquire()
    await name.point_to(holder.room.room)
    await holder.go_live()


async def look_in_vain(holder: Holder, *, rest_s: float = REST_S) -> None:
    """What an ingestor does when it looks at a room that is not live."""
    await holder.wanted(wait=True)
    await holder.acquire()
    await holder.tell(Phase.RESOLVING)
    await holder.rest(Phase.NOT_LIVE, "offline", rest_s=rest_s)


async def end(holder: Holder, *, rest_s: float = REST_S) -> None:
    """What it does when the broadcast is over."""
    room: RoomKey = holder.room
    await holder.publish(
        Ended(platform=room.platform, room=room.room, time=1_765_432_111_123, ended=EndedDetail(reason="host"))
    )
    await holder.rest(Phase.ENDED, "ended", rest_s=rest_s)


async def answers(client: Client) -> None:
    """Return when the client was told everything that was to be told so far."""
    await client.say({"type": "ping"})
    await client.until(type="pong")
    client.frames.pop()


async def test_room_is_asked_for_again_until_it_begins_and_its_first_event_is_told(
    gateway: Gateway, holder: Holder
) -> None:
    async with gateway.join(f"{ROOM}?wait=1&lang=en") as client:
        for _ in range(2):
            await look_in_vain(holder)
        await holder.wanted(wait=True)
        await holder.go_live()
        await holder.chat("first")
        await client.until(content="first")
        assert words(client.frames) == ["connecting", "getting_token", "waiting", "connected", "first"]
        waiting = client.frames[2]
        assert (waiting["code"], waiting["room"], waiting["step"]) == ("offline", ROOM, 4)
        assert 0 < waiting["retry_in_ms"] <= REST_S * 1000


async def test_who_does_not_wait_is_closed_while_others_wait(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(f"{ROOM}?wait=true") as waiting, gateway.join(ROOM) as other:
        await holder.wanted(wait=True)
        await holder.acquire()
        await holder.rest(Phase.NOT_LIVE, "offline")
        await waiting.until(status="waiting")
        assert await other.closed() == (1000, "offline")
        async with gateway.join(f"{ROOM}?wait=0") as late:
            assert await late.closed() == (1000, "offline")
        async with gateway.join(f"{ROOM}?wait=1") as late:
            await late.until(status="waiting")


async def test_who_comes_to_wait_where_others_do_not_is_heard_of(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(ROOM):
        await holder.wanted()
        async with gateway.join(f"{ROOM}?wait=1"):
            await holder.wanted(wait=True)


async def test_who_was_let_in_to_wait_is_let_in_when_it_begins(
    redis_url: str, name: Holder, next_holder: Holder
) -> None:
    async with running_gateway(redis_url, new_rooms_per_minute=1) as gateway, AsyncExitStack() as stack:
        async with gateway.join("@ana?wait=1") as first:  # which counts as the one new room
            await look_in_vain(name, rest_s=60)
            await first.until(status="waiting")
            client = await stack.enter_async_context(gateway.join("@ana?wait=1"))
            await client.until(status="waiting")
        await name.acquire()
        await name.point_to(NEXT_ROOM)
        await next_holder.wanted(wait=True)
        await next_holder.go_live()
        await client.until(status="connected")
        assert words(client.frames) == ["connecting", "waiting", "connected"]


async def test_a_room_that_does_not_exist_is_not_waited_for(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(f"{ROOM}?wait=1") as client:
        await holder.wanted(wait=True)
        await holder.acquire()
        await holder.rest(Phase.NOT_LIVE, "not_found")
        assert await client.closed() == (1000, "not_found")


async def test_nobody_is_asked_any_more_when_the_last_one_who_waits_has_left(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(f"{ROOM}?wait=1") as client:
        await look_in_vain(holder)
        await client.until(status="waiting")
    await gateway.shows(rooms=0)
    assert (await holder.demand.look(holder.room)).remaining_ms == 0


async def test_a_room_that_ends_and_begins_again_is_one_stream_of_events(
    gateway: Gateway, cluster: HolderClient
) -> None:
    holder = cluster.holder("douyin:728804746624")
    async with gateway.join("douyin/728804746624?wait=1") as client:
        for content in ("one", "two"):
            await holder.wanted(wait=True)
            await holder.go_live()
            await holder.chat(content)
            await end(holder)
            await look_in_vain(holder)
        await holder.wanted(wait=True)
        await holder.go_live()
        await holder.chat("three")
        await client.until(content="three")
        assert words(client.frames[4:]) == [
            "connected", "one", "ended", "waiting",
            "connected", "two", "ended", "waiting",
            "connected", "three",
        ]  # fmt: skip
        assert [frame["code"] for frame in client.frames if frame.get("status") == "waiting"] == ["ended", "ended"]


async def test_the_next_broadcast_of_a_name_is_told_from_its_first_event_on(
    gateway: Gateway, name: Holder, holder: Holder, next_holder: Holder
) -> None:
    await lead(name, holder)
    async with gateway.join("@ana?wait=1&last=1") as client:
        await client.until(status="connected")
        await holder.chat("last")
        await end(holder)
        await client.until(status="waiting")
        await gateway.shows(rooms=1)  # the broadcast is left: nobody asks for it any more
        await name.rest(Phase.NOT_LIVE, "offline", rest_s=REST_S)
        await look_in_vain(name)
        await next_holder.go_live()
        await next_holder.chat("first", "second")  # before this gateway hears of it
        await name.wanted(wait=True)
        await name.acquire()
        await name.point_to(NEXT_ROOM)
        await client.until(status="connected", room=NEXT_ROOM)
        await next_holder.chat("third")
        await client.until(content="third")
        assert words(client.frames[3:]) == [
            "last", "ended", "waiting", "recovered", "first", "second", "connected", "third",
        ]  # fmt: skip
        assert client.frames[6]["recovered"] is True
        await answers(client)
        assert NEXT_ROOM not in [front["room"] for front in client.fronts]  # its own first event tells what runs


async def test_who_waits_at_a_name_from_the_start_is_told_the_broadcast_from_its_first_event_on(
    gateway: Gateway, name: Holder, next_holder: Holder
) -> None:
    async with gateway.join("@ana?wait=1") as client:
        await look_in_vain(name)
        await client.until(status="waiting", code="offline", room="@ana")
        await name.wanted(wait=True)
        await name.acquire()
        await name.point_to(NEXT_ROOM)
        await next_holder.wanted(wait=True)
        await next_holder.go_live()
        await next_holder.chat("first")
        await client.until(content="first")
        assert words(client.frames) == ["connecting", "getting_token", "waiting", "connected", "first"]


async def test_a_name_that_leads_back_to_the_broadcast_that_was_over_doubles_nothing(
    gateway: Gateway, name: Holder, holder: Holder
) -> None:
    await lead(name, holder)
    async with gateway.join("@ana?wait=1") as client:
        await client.until(status="connected")
        await holder.chat("one")
        await end(holder, rest_s=60)
        await client.until(status="waiting")
        await name.point_to(ROOM)  # the platform is slow to notice
        await answers(client)
        assert words(client.frames[2:]) == ["one", "ended", "waiting"]
        await holder.go_live()
        await holder.chat("two")
        await name.point_to(ROOM)
        await client.until(status="connected")
        await holder.chat("three")
        await client.until(content="three")
        assert words(client.frames[5:]) == ["recovered", "two", "connected", "three"]


async def test_what_was_said_in_a_broadcast_that_was_over_at_once_is_told(
    gateway: Gateway, name: Holder, holder: Holder, next_holder: Holder
) -> None:
    await lead(name, holder)
    async with gateway.join("@ana?wait=1") as client:
        await client.until(status="connected")
        await end(holder)
        await client.until(status="waiting")
        await next_holder.acquire()
        await next_holder.tell(Phase.CHECKING_LIVE)
        await name.point_to(NEXT_ROOM)
        await next_holder.wanted(wait=True)
        await answers(client)
        await next_holder.chat("only")
        await end(next_holder)
        await client.until(type="ended", room=NEXT_ROOM)
        assert words(client.frames[2:]) == ["ended", "waiting", "only", "ended"]


async def test_a_name_without_a_broadcast_leads_nobody_to_the_last_one(
    gateway: Gateway, name: Holder, holder: Holder
) -> None:
    await lead(name, holder)
    async with gateway.join("@ana?wait=1") as client:
        await client.until(status="connected")
        await end(holder)
        await client.until(status="waiting")
        await name.rest(Phase.NOT_LIVE, "offline")
        async with gateway.join("@ana") as late:
            assert await late.closed() == (1000, "offline")
            assert late.frames[-1]["room"] == "@ana"
        await gateway.shows(rooms=1)


async def test_clients_on_two_gateways_wait_for_the_same_look(redis_url: str, holder: Holder) -> None:
    async with (
        running_gateway(redis_url) as one,
        running_gateway(redis_url) as other,
        one.join(f"{ROOM}?wait=1") as here,
        other.join(f"{ROOM}?wait=1") as there,
    ):
        await look_in_vain(holder)
        for client in (here, there):
            await client.until(status="waiting")
        await holder.wanted(wait=True)
        await holder.go_live()
        await holder.chat("first")
        for client in (here, there):
            await client.until(content="first")
            assert words(client.frames)[-3:] == ["waiting", "connected", "first"]


# --- many rooms on one socket -----------------------------------------------------------------------------------------


def of(client: Client, *rooms: str) -> list[str]:
    """What a client of many rooms was told of these."""
    return words([frame for frame in client.frames if frame.get("room") in rooms])


async def listed(client: Client) -> dict[str, tuple[str, str | None]]:
    """The rooms of a client, each with its status, and with what it points to."""
    await client.say({"action": "list"})
    answer = await client.until(type="subscriptions")
    return {room["room"]: (room["status"], room.get("target")) for room in answer["rooms"]}


async def test_one_of_many_rooms_is_waited_for_while_another_goes_on(
    gateway: Gateway, holder: Holder, next_holder: Holder
) -> None:
    await next_holder.go_live()
    async with gateway.join("") as client:
        await client.say({"action": "subscribe", "room": NEXT_ROOM})
        await client.until(status="connected")
        await client.say({"action": "subscribe", "room": ROOM, "wait": True})
        await look_in_vain(holder)
        assert (await client.until(status="waiting"))["code"] == "offline"
        await next_holder.chat("beside")
        await client.until(content="beside")
        assert await listed(client) == {NEXT_ROOM: ("connected", None), ROOM: ("waiting", None)}
        await holder.wanted(wait=True)
        await holder.go_live()
        await holder.chat("first")
        await client.until(content="first")
        assert await listed(client) == {NEXT_ROOM: ("connected", None), ROOM: ("connected", None)}
        await end(holder)
        assert (await client.until(status="waiting"))["code"] == "ended"
        await next_holder.chat("still beside")
        await client.until(content="still beside")
        assert of(client, ROOM) == [
            "subscribed", "connecting", "getting_token", "waiting", "connected", "first", "ended", "waiting",
        ]  # fmt: skip
        assert of(client, NEXT_ROOM) == ["subscribed", "connecting", "connected", "beside", "still beside"]


async def test_each_of_many_rooms_is_waited_for_or_not(gateway: Gateway, holder: Holder, next_holder: Holder) -> None:
    async with gateway.join("?wait=1") as client:
        await client.say({"action": "subscribe", "room": ROOM})
        await client.say({"action": "subscribe", "room": NEXT_ROOM, "wait": False})
        await look_in_vain(holder)
        await client.until(status="waiting", room=ROOM)
        await next_holder.wanted()
        assert not (await next_holder.demand.look(next_holder.room)).wait
        await next_holder.acquire()
        await next_holder.rest(Phase.NOT_LIVE, "offline")
        refusal = await client.until(room=NEXT_ROOM, code="offline")
        assert "status" not in refusal
        assert await listed(client) == {ROOM: ("waiting", None)}
        await client.say({"action": "unsubscribe", "room": ROOM})
        await client.until(type="unsubscribed")
        await gateway.shows(clients=1, rooms=0)


async def test_a_name_among_many_rooms_is_told_from_broadcast_to_broadcast(
    gateway: Gateway, cluster: HolderClient, name: Holder, holder: Holder, next_holder: Holder
) -> None:
    beside = cluster.holder("douyin:728804746624")
    await beside.go_live()
    await lead(name, holder)
    async with gateway.join("?wait=1") as client:
        await client.say({"action": "subscribe", "platform": "douyin", "room": beside.room.room})
        await client.until(status="connected")
        await client.say({"action": "subscribe", "room": "@ana"})
        await client.until(status="connected", room=ROOM)
        await holder.chat("last")
        await end(holder)
        await client.until(status="waiting")
        assert (await listed(client))["@ana"] == ("waiting", None)
        await gateway.shows(rooms=2)  # the broadcast is left
        await name.rest(Phase.NOT_LIVE, "offline", rest_s=REST_S)
        await name.wanted(wait=True)
        await next_holder.go_live()
        await next_holder.chat("first", "second")  # before this gateway hears of it
        await name.acquire()
        await name.point_to(NEXT_ROOM)
        await client.until(status="connected", room=NEXT_ROOM)
        await next_holder.chat("third")
        await client.until(content="third")
        assert (await listed(client))["@ana"] == ("connected", NEXT_ROOM)
        await beside.chat("undisturbed")
        await client.until(content="undisturbed")
        assert of(client, "@ana", ROOM, NEXT_ROOM) == [
            "subscribed", "connecting", "target", "connected", "last", "ended", "waiting",
            "target", "recovered", "first", "second", "connected", "third",
        ]  # fmt: skip
        assert of(client, beside.room.room) == ["subscribed", "connecting", "connected", "undisturbed"]


# --- event streams ----------------------------------------------------------------------------------------------------


async def test_an_event_stream_waits(gateway: Gateway, holder: Holder) -> None:
    async with listening(gateway, f"{ROOM}?wait=1") as client:
        await look_in_vain(holder)
        await client.until(status="waiting")
        await holder.wanted(wait=True)
        await holder.go_live()
        await holder.chat("first")
        await client.until(content="first")
        await end(holder, rest_s=60)
        await client.until(status="waiting")
        assert client.words == [
            "connecting", "getting_token", "waiting", "connected", "first", "ended", "waiting",
        ]  # fmt: skip
    returns = {"Last-Event-ID": client.last_event_id}
    assert (await gateway.http.get(f"/sse/{ROOM}", headers=returns)).status_code == 204  # it has read all
    async with listening(gateway, f"{ROOM}?wait=1", returns) as returned:
        assert returned.response.status_code == 200
        await returned.until(status="waiting")
        await holder.go_live()
        await holder.chat("second")
        await returned.until(content="second")
        assert returned.words == ["connecting", "recovered", "waiting", "connected", "second"]


async def test_an_event_stream_follows_a_name_to_its_next_broadcast(
    gateway: Gateway, name: Holder, holder: Holder, next_holder: Holder
) -> None:
    await lead(name, holder)
    async with listening(gateway, "@ana?wait=1") as client:
        await client.until(status="connected")
        await end(holder)
        await client.until(status="waiting")
        await next_holder.go_live()
        cursor = await next_holder.chat("first")
        await name.point_to(NEXT_ROOM)
        await client.until(status="connected", room=NEXT_ROOM)
        assert client.words == ["connecting", "connected", "ended", "waiting", "recovered", "first", "connected"]
        assert client.last_event_id == str(cursor)
