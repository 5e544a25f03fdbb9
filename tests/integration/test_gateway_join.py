"""A client joins a room: every status, error and close it can be told, in the order it is told."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from shared.events import Ended, EndedDetail
from shared.phases import Phase
from tests.conftest import RedisServer
from tests.events import ANA
from tests.frames import Frame
from tests.gateways import Gateway, running_gateway
from tests.holder import HolderClient, phase_of

ROOM = "7300000000000000001"
NEXT_ROOM = "7300000000000000002"
KEY = f"tiktok:{ROOM}"


@pytest.fixture
async def gateway(redis_url: str) -> AsyncIterator[Gateway]:
    async with running_gateway(redis_url, untaken_after_s=0.2) as gateway:
        yield gateway


def words(frames: list[Frame]) -> list[str]:
    """Each frame by the word that says what it is."""
    return [str(frame.get("status") or frame.get("code") or frame.get("type")) for frame in frames]


# --- the good way -----------------------------------------------------------------------------------------------------


async def test_first_client_sees_each_step_once_and_then_events(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    async with gateway.join(ROOM) as client:
        assert await client.next() == {
            "status": "connecting",
            "message": "正在加入直播间",
            "step": 1,
            "total_steps": 4,
            "platform": "tiktok",
            "room": ROOM,
        }
        await holder.wanted()
        await holder.go_live()
        cursor = await holder.chat("hello")
        told = [await client.next() for _ in range(4)]
        assert [(frame["status"], frame["step"]) for frame in told] == [
            ("creating_crawler", 2),
            ("getting_token", 3),
            ("checking_live", 4),
            ("connected", 4),
        ]
        assert told[3]["cursor"] == f"{holder.lease.epoch}-0"
        event = await client.next()
        assert (event["type"], event["content"], event["cursor"]) == ("chat", "hello", str(cursor))


async def test_client_of_a_running_room_sees_two_steps_and_the_current_cursor(
    gateway: Gateway, cluster: HolderClient
) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    cursor = await holder.chat("before")
    async with gateway.join(f"tiktok/{ROOM}?lang=en") as client:
        assert words([await client.next(), await client.next()]) == ["connecting", "connected"]
        assert client.frames[1] == {
            "status": "connected",
            "message": "Connected; events follow",
            "step": 4,
            "total_steps": 4,
            "platform": "tiktok",
            "room": ROOM,
            "cursor": str(cursor),
        }
        await holder.chat("after")
        assert (await client.next())["content"] == "after"


async def test_upstream_loss_and_return_are_told(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        await holder.tell(Phase.RECONNECTING, attempt=1, retry_in_ms=500)
        lost = await client.next()
        assert (lost["status"], lost["step"], lost["attempt"], lost["retry_in_ms"]) == ("reconnecting", 4, 1, 500)
        await holder.tell(Phase.CONNECTED)
        assert (await client.next())["status"] == "connected"


async def test_take_over_by_another_holder_is_not_told_as_new_steps(gateway: Gateway, cluster: HolderClient) -> None:
    first, second = cluster.holder(KEY), cluster.holder(KEY)
    await first.go_live()
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        await first.chat("one")
        await first.release()
        await second.go_live()
        await second.chat("two")
        assert [(await client.next()).get("content") for _ in range(2)] == ["one", "two"]


async def test_clients_on_two_gateways_get_the_same_events(redis_url: str, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    async with (
        running_gateway(redis_url) as one,
        running_gateway(redis_url) as other,
        one.join(ROOM) as here,
        other.join(ROOM) as there,
    ):
        await holder.wanted()
        await holder.go_live()
        await asyncio.gather(here.until(status="connected"), there.until(status="connected"))
        await holder.chat("a", "b", "c")
        for client in (here, there):
            assert [(await client.next())["content"] for _ in range(3)] == ["a", "b", "c"]


async def test_room_left_idle_is_not_taken_for_a_running_one(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    await holder.release()
    async with gateway.join(ROOM) as client:
        await holder.wanted()
        await holder.go_live()
        assert words([await client.next() for _ in range(5)]) == [
            "connecting", "creating_crawler", "getting_token", "checking_live", "connected",
        ]  # fmt: skip


async def test_room_whose_holder_died_is_not_taken_for_a_running_one(gateway: Gateway, cluster: HolderClient) -> None:
    dead, holder = cluster.holder(KEY), cluster.holder(KEY)
    await dead.go_live()
    await dead.die()
    async with gateway.join(ROOM) as client:
        await holder.wanted()
        await holder.acquire()
        await holder.tell(Phase.ACQUIRED)
        assert words([await client.next(), await client.next()]) == ["connecting", "creating_crawler"]


# --- rooms that cannot be watched -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["offline", "not_found", "restricted", "login_required"])
async def test_room_that_is_not_live_is_told_and_closed(gateway: Gateway, cluster: HolderClient, code: str) -> None:
    holder = cluster.holder(KEY)
    async with gateway.join(f"{ROOM}?lang=en") as client:
        await holder.wanted()
        await holder.acquire()
        await holder.tell(Phase.CHECKING_LIVE)
        await holder.rest(Phase.NOT_LIVE, code)
        assert await client.closed() == (1000, code)
        assert words(client.frames) == ["connecting", "checking_live", code]
        error = client.frames[-1]
        assert error["reconnect"] is False
        assert {"error", "detail", "suggestion", "platform", "room"} <= error.keys()

    async with gateway.join(ROOM) as late:
        assert await late.closed() == (1000, code)
        assert words(late.frames) == ["connecting", code]
    assert (await holder.demand.look(holder.room)).remaining_ms == 0  # answered without asking anybody


async def test_rest_that_is_over_is_asked_for_anew(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    await holder.acquire()
    await holder.rest(Phase.NOT_LIVE, "offline", rest_s=0)
    async with gateway.join(ROOM) as client:
        await holder.wanted()
        await holder.go_live()
        assert words([await client.next() for _ in range(2)]) == ["connecting", "creating_crawler"]
        await client.until(status="connected")


async def test_end_of_the_broadcast_is_the_last_event_and_a_close(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        cursor = await holder.publish(
            Ended(platform="tiktok", room=ROOM, time=1_765_432_111_123, ended=EndedDetail(reason="host"))
        )
        await holder.rest(Phase.ENDED)
        assert await client.closed() == (1000, f"ended since={cursor}")
        assert words(client.frames[2:]) == ["ended", "closing"]
        closing = client.frames[-1]
        assert (closing["code"], closing["reconnect"], closing["cursor"]) == ("ended", False, str(cursor))
    async with gateway.join(ROOM) as late:
        assert await late.closed() == (1000, "ended")
        assert words(late.frames) == ["connecting", "ended"]


@pytest.mark.parametrize("code", ["upstream_lost", "blocked", "rate_limited", "key_refused"])
async def test_failed_room_is_told_and_keeps_its_clients(gateway: Gateway, cluster: HolderClient, code: str) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        await holder.rest(Phase.FAILED, code, rest_s=0.3)
        error = await client.next()
        assert (error["code"], error["reconnect"]) == (code, True)
        assert 0 < error["retry_in_ms"] <= 300
        await holder.wanted()  # asked for again by itself
        await holder.go_live()
        assert (await client.next())["status"] == "connected"


@pytest.mark.parametrize(
    "path", ["abc%20def", "nowhere/123", "%0A", "a/b/c", "x" * 600, "%FF%FE", "7300000000000000001/x/"]
)
async def test_what_is_no_room_is_told_after_accepting(gateway: Gateway, path: str) -> None:
    async with gateway.join(path) as client:
        assert await client.closed() == (1000, "bad_room")
        assert words(client.frames) == ["bad_room"]


async def test_pasted_link_is_a_room(gateway: Gateway) -> None:
    async with gateway.join("https%3A%2F%2Fwww.tiktok.com%2F%40Ana%2Flive") as client:
        assert (await client.next())["room"] == "@ana"


# --- nobody takes the room --------------------------------------------------------------------------------------------


async def test_nobody_there_to_take_the_room(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    async with gateway.join(ROOM) as client:
        error = await client.until(code="no_ingestor")
        assert error["reconnect"] is True
        await holder.go_live()
        await client.until(status="connected")


async def test_all_ingestors_are_full(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    await holder.demand.heartbeat("ingestor", "i-1", {"rooms": 3, "max_rooms": 3})
    async with gateway.join(ROOM) as client:
        await client.until(code="no_capacity")


# --- names ------------------------------------------------------------------------------------------------------------


async def test_name_and_its_room_id_are_one_room(gateway: Gateway, cluster: HolderClient) -> None:
    name, holder = cluster.holder("tiktok:@ana"), cluster.holder(KEY)
    async with gateway.join("@Ana") as by_name:
        await name.wanted()
        await name.acquire()
        await name.tell(Phase.ACQUIRED)
        await name.tell(Phase.RESOLVING)
        await name.point_to(ROOM)
        await holder.wanted()
        await holder.go_live()
        assert words([await by_name.next() for _ in range(5)]) == [
            "connecting", "creating_crawler", "getting_token", "checking_live", "connected",
        ]  # fmt: skip
        assert by_name.frames[0]["room"] == "@ana"
        assert by_name.frames[-1]["room"] == ROOM
        async with gateway.join(ROOM) as by_id, gateway.join("ana") as late:
            await by_id.until(status="connected")
            assert words([await late.next(), await late.next()]) == ["connecting", "connected"]
            await holder.chat("hello")
            for client in (by_name, by_id, late):
                assert (await client.next())["content"] == "hello"
            await gateway.shows(rooms=2)


async def test_next_broadcast_of_a_name_moves_its_clients(gateway: Gateway, cluster: HolderClient) -> None:
    name, first, second = cluster.holder("tiktok:@ana"), cluster.holder(KEY), cluster.holder(f"tiktok:{NEXT_ROOM}")
    await name.acquire()
    await name.point_to(ROOM)
    await first.go_live()
    await second.go_live()
    async with gateway.join("@ana") as client:
        await client.until(status="connected", room=ROOM)
        await name.point_to(NEXT_ROOM)
        connected = await client.next()
        assert (connected["status"], connected["room"]) == ("connected", NEXT_ROOM)
        await first.chat("old")
        await second.chat("new")
        assert (await client.next())["content"] == "new"
        assert [front["room"] for front in client.fronts] == [ROOM, NEXT_ROOM]


async def test_newcomer_is_told_what_runs_as_those_were_who_saw_it_begin(
    gateway: Gateway, cluster: HolderClient
) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    state = {"title": "Morning", "owner": msgspec.json.encode(ANA).decode(), "gifts": "0", "paused": "1"}
    await holder.broker.set_phase(holder.lease, phase_of(Phase.CONNECTED), state)
    async with gateway.join(ROOM) as client, gateway.join(f"{ROOM}?last=5") as another:
        for joined in (client, another):
            await joined.until(status="connected")
            async with asyncio.timeout(10):
                while not joined.fronts:  # it takes a read of Redis; a pong may overtake it
                    await joined.say({"type": "ping"})
                    await joined.until(type="pong")
            [front] = joined.fronts
            assert front["live_status"] == {
                "state": "paused",
                "title": "Morning",
                "owner": msgspec.to_builtins(ANA),
                "gifts": False,
            }
            assert "cursor" not in front


async def test_who_starts_a_room_anew_whose_broadcast_goes_on_is_told_what_runs(
    gateway: Gateway, cluster: HolderClient
) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    await holder.chat("before")
    await holder.broker.set_phase(holder.lease, phase_of(Phase.CONNECTED), {"title": "Morning"})
    await holder.release()
    async with gateway.join(ROOM) as client:
        await holder.wanted()
        await holder.go_live()
        await client.until(status="connected")
        async with asyncio.timeout(10):
            while not client.fronts:
                await client.say({"type": "ping"})
                await client.until(type="pong")
        assert client.fronts[0]["live_status"]["title"] == "Morning"


async def test_who_comes_back_with_a_cursor_is_not_told_again_what_runs(
    gateway: Gateway, cluster: HolderClient
) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    cursor = await holder.chat("seen")
    async with gateway.join(f"{ROOM}?since={cursor}") as client:
        await client.until(status="connected")
        await client.say({"type": "ping"})
        await client.until(type="pong")
        assert client.fronts == []


async def test_name_that_is_not_live_is_told_and_closed(gateway: Gateway, cluster: HolderClient) -> None:
    name = cluster.holder("tiktok:@ana")
    async with gateway.join("@ana") as client:
        await name.wanted()
        await name.acquire()
        await name.rest(Phase.NOT_LIVE, "not_found")
        assert await client.closed() == (1000, "not_found")


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["clients_max", "clients_per_address"])
async def test_full_gateway_sends_clients_away(redis_url: str, limit: str) -> None:
    async with running_gateway(redis_url, **{limit: 1}) as gateway:
        async with gateway.join(ROOM) as first:
            await first.next()
            async with gateway.join(ROOM) as second:
                assert await second.closed() == (1013, "overloaded")
                assert second.frames[0]["reconnect"] is True
        async with gateway.join(ROOM) as third:  # the place is free again
            assert (await third.next())["status"] == "connecting"


async def test_addresses_behind_a_trusted_proxy_are_told_apart(redis_url: str) -> None:
    async with (
        running_gateway(redis_url, clients_per_address=1) as gateway,
        gateway.join(ROOM, additional_headers={"X-Forwarded-For": "198.51.100.1"}) as one,
        gateway.join(ROOM, additional_headers={"X-Forwarded-For": "198.51.100.2"}) as other,
    ):
        assert [(await client.next())["status"] for client in (one, other)] == ["connecting", "connecting"]


async def test_untrusted_proxy_is_one_address(redis_url: str) -> None:
    async with (
        running_gateway(redis_url, clients_per_address=1, trusted_proxies="192.0.2.1") as gateway,
        gateway.join(ROOM, additional_headers={"X-Forwarded-For": "198.51.100.1"}) as one,
        gateway.join(ROOM, additional_headers={"X-Forwarded-For": "198.51.100.2"}) as other,
    ):
        await one.next()
        assert await other.closed() == (1013, "overloaded")


async def test_starting_rooms_is_limited_by_address_and_joining_running_ones_is_not(
    redis_url: str, cluster: HolderClient
) -> None:
    running = cluster.holder(KEY)
    await running.go_live()
    async with (
        running_gateway(redis_url, new_rooms_per_minute=1) as gateway,
        gateway.join(NEXT_ROOM) as paid,
        gateway.join(ROOM) as free,
        gateway.join(NEXT_ROOM) as shared,
    ):
        await cluster.holder(f"tiktok:{NEXT_ROOM}").wanted()
        await free.until(status="connected")
        async with gateway.join("7300000000000000003") as refused:
            error = await refused.until(code="rate_limited")
            assert error["reconnect"] is True
            assert 0 < error["retry_in_ms"] <= 60_000
        await cluster.holder(f"tiktok:{NEXT_ROOM}").go_live()
        for client in (paid, shared):
            await client.until(status="connected")
            assert "rate_limited" not in words(client.frames)


# --- coming and going -------------------------------------------------------------------------------------------------


async def test_leaving_gateway_says_where_to_resume(redis_url: str, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    cursor = await holder.chat("one")
    async with running_gateway(redis_url) as gateway:
        joined = gateway.join(ROOM)
        client = await joined.__aenter__()
        await client.until(status="connected")
    assert await client.closed() == (1012, f"draining since={cursor}")
    closing = client.frames[-1]
    assert (closing["status"], closing["code"], closing["reconnect"]) == ("closing", "draining", True)
    assert closing["cursor"] == str(cursor)
    await joined.__aexit__(None, None, None)


async def test_channel_of_a_room_is_left_after_its_last_client(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    await holder.go_live()
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
    await gateway.shows(rooms=0)
    assert 290_000 < (await holder.demand.look(holder.room)).remaining_ms <= 300_000  # the idle time has begun


async def test_who_comes_while_redis_is_away_is_let_in_when_it_is_back(own_redis: RedisServer) -> None:
    async with HolderClient(own_redis.url) as cluster, running_gateway(own_redis.url) as gateway:
        own_redis.stop()
        async with gateway.join(ROOM) as client:
            await client.until(code="unavailable")
            assert (await gateway.get("/health")).json()["rooms"] == 0
            own_redis.start()
            await cluster.holder(KEY).wanted()
            assert words(client.frames) == ["connecting", "unavailable"]


async def test_redis_away_is_told_once_and_events_follow_when_it_is_back(own_redis: RedisServer) -> None:
    async with HolderClient(own_redis.url) as cluster, running_gateway(own_redis.url) as gateway:
        holder = cluster.holder(KEY)
        await holder.go_live()
        async with gateway.join(f"{ROOM}?lang=en") as client:
            await client.until(status="connected")
            own_redis.stop()
            assert (await client.next())["code"] == "unavailable"
            assert (await gateway.get("/readyz")).status_code == 503
            async with gateway.join(NEXT_ROOM) as late:
                assert words([await late.next(), await late.next()]) == ["connecting", "unavailable"]
            own_redis.start()
            await holder.go_live()
            await client.until(status="connected")
            await holder.chat("back")
            await client.until(content="back")
            assert words(client.frames).count("unavailable") == 1
            assert (await gateway.get("/readyz")).status_code == 200
