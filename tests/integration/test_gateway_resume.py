"""Options of the address: filters, languages, and coming back with a cursor."""

from typing import Any

import pytest

from shared.cursor import Cursor
from shared.events import Gap, Raw, encode
from shared.keys import RoomKeys
from tests.events import chat, like, member
from tests.gateways import Client, Gateway, running_gateway
from tests.holder import Holder, HolderClient

ROOM = "7300000000000000001"
KEY = f"tiktok:{ROOM}"


@pytest.fixture
async def holder(cluster: HolderClient) -> Holder:
    holder = cluster.holder(KEY)
    await holder.go_live()
    return holder


async def contents(client: Client, count: int) -> list[Any]:
    return [(await client.next()).get("content") for _ in range(count)]


# --- filters and languages --------------------------------------------------------------------------------------------


async def test_filter_lets_only_its_types_through(gateway: Gateway, holder: Holder) -> None:
    raw = Raw(platform="tiktok", room=ROOM, time=1, method="WebcastNew", payload="")
    gap = Gap(platform="tiktok", room=ROOM, after="", before="", reason="upstream")
    async with (
        gateway.join(ROOM) as default,
        gateway.join(f"{ROOM}?events=chat") as chats,
        gateway.join(f"{ROOM}?events=like,member") as two,
        gateway.join(f"{ROOM}?events=all") as everything,
    ):
        for client in (default, chats, two, everything):
            await client.until(status="connected")
        await holder.publish(chat(holder.room, "a"), like(holder.room, 1), raw, member(holder.room), gap)
        wanted = {
            default: ["chat", "like", "member", "gap"],
            chats: ["chat", "gap"],
            two: ["like", "member", "gap"],
            everything: ["chat", "like", "raw", "member", "gap"],
        }
        for client, types in wanted.items():
            assert [(await client.next())["type"] for _ in types] == types


async def test_raw_is_asked_for_while_somebody_wants_it(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        assert not (await holder.demand.look(holder.room)).raw
    async with gateway.join(f"{ROOM}?events=raw") as client:
        await client.until(status="connected")
        await holder.wanted(raw=True)


async def test_bad_options_are_named_and_the_rest_works(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(f"{ROOM}?lang=en&events=chat,nonsense&last=many&since=yesterday&new=1") as client:
        await client.until(status="connected")
        errors = {(frame["code"], frame["detail"]) for frame in client.frames if "error" in frame}
        assert len(errors) == 3
        assert any(code == "bad_option" and "nonsense" in detail for code, detail in errors)
        assert any(code == "bad_option" and "last" in detail for code, detail in errors)
        assert any(code == "bad_cursor" and "since" in detail for code, detail in errors)
        await holder.publish(like(holder.room, 1), chat(holder.room, "a"))
        assert (await client.next())["content"] == "a"


async def test_unknown_language_is_told_in_the_default_one(gateway: Gateway, holder: Holder) -> None:
    async with gateway.join(f"{ROOM}?lang=fr") as client:
        assert (await client.next())["message"] == "正在加入直播间"
        assert (await client.next())["code"] == "bad_option"


# --- since ------------------------------------------------------------------------------------------------------------


async def test_cursor_is_resumed_without_hole_or_double(gateway: Gateway, holder: Holder) -> None:
    cursor = await holder.chat("one")
    last = await holder.chat("two", "three")
    async with gateway.join(f"{ROOM}?since={cursor}") as client:
        assert (await client.next())["status"] == "connecting"
        assert await client.next() == {
            "type": "recovered", "platform": "tiktok", "room": ROOM, "recovered": True, "count": 2,
            "since": str(cursor), "cursor": str(last),
        }  # fmt: skip
        assert await contents(client, 2) == ["two", "three"]
        assert (await client.next())["status"] == "connected"
        await holder.chat("four")
        assert await contents(client, 1) == ["four"]


async def test_cursor_further_back_than_the_ring_is_resumed_from_the_log(gateway: Gateway, holder: Holder) -> None:
    cursor = await holder.chat("0")
    for first in range(1, 1001, 100):
        await holder.chat(*map(str, range(first, first + 100)))
    async with gateway.join(f"{ROOM}?since={cursor}") as client:
        recovered = await client.until(type="recovered")
        assert (recovered["recovered"], recovered["count"]) == (True, 1000)
        assert await contents(client, 1000) == [str(number) for number in range(1, 1001)]


async def test_cursor_of_an_earlier_holder_is_resumed_over_the_take_over(
    gateway: Gateway, holder: Holder, cluster: HolderClient
) -> None:
    cursor = await holder.chat("one")
    await holder.chat("two")
    await holder.release()
    second = cluster.holder(KEY)
    await second.go_live()
    await second.chat("three")
    async with gateway.join(f"{ROOM}?since={cursor}") as client:
        assert (await client.until(type="recovered"))["recovered"] is True
        assert await contents(client, 2) == ["two", "three"]


async def test_cursor_at_the_end_of_the_log_is_complete(gateway: Gateway, holder: Holder) -> None:
    cursor = await holder.chat("one")
    async with gateway.join(f"{ROOM}?since={cursor}") as client:
        recovered = await client.until(type="recovered")
        assert (recovered["recovered"], recovered["count"], recovered["cursor"]) == (True, 0, str(cursor))
        await client.until(status="connected")


async def test_count_is_of_the_events_that_pass_the_filter(gateway: Gateway, holder: Holder) -> None:
    cursor = await holder.chat("one")
    await holder.publish(chat(holder.room, "two"), like(holder.room, 1))
    async with gateway.join(f"{ROOM}?events=chat&since={cursor}") as client:
        recovered = await client.until(type="recovered")
        assert (recovered["count"], recovered["cursor"]) == (1, f"{holder.lease.epoch}-2")
        assert await contents(client, 1) == ["two"]


async def test_cursor_older_than_the_log_is_a_gap_and_then_all_that_is_left(
    redis_url: str, cluster: HolderClient
) -> None:
    holder = cluster.holder(KEY, history_len=10)
    await holder.go_live()
    cursor = await holder.chat("lost")
    for _ in range(4):
        await holder.chat(*map(str, range(100)))
    async with running_gateway(redis_url) as gateway, gateway.join(f"{ROOM}?since={cursor}") as client:
        recovered = await client.until(type="recovered")
        assert (recovered["recovered"], recovered["since"]) == (False, str(cursor))
        gap = await client.next()
        first = await client.next()
        assert gap == {
            "type": "gap", "platform": "tiktok", "room": ROOM, "after": str(cursor), "before": first["cursor"],
            "reason": "trimmed",
        }  # fmt: skip
        rest = [await client.next() for _ in range(recovered["count"] - 1)]
        assert rest[-1]["cursor"] == recovered["cursor"]
        assert (await client.next())["status"] == "connected"


async def test_cursor_of_a_log_that_is_gone_is_a_gap(gateway: Gateway, holder: Holder, cluster: HolderClient) -> None:
    cursor = await holder.chat("one")
    await cluster.forget(holder.room)
    async with gateway.join(f"{ROOM}?since={cursor}") as client:
        assert (await client.until(type="recovered"))["recovered"] is False
        gap = await client.next()
        assert (gap["type"], gap["after"], gap["reason"]) == ("gap", str(cursor), "expired")
        second = cluster.holder(KEY)
        await second.go_live()
        await second.chat("new")
        await client.until(content="new")


@pytest.mark.parametrize("foreign", [Cursor(1, 1), None], ids=["older", "future"])
async def test_foreign_cursor(gateway: Gateway, holder: Holder, foreign: Cursor | None) -> None:
    await holder.chat("one")
    cursor = foreign or Cursor(holder.lease.epoch + 5_000_000, 3)
    async with gateway.join(f"{ROOM}?since={cursor}") as client:
        answer = await client.next()
        answer = await client.next()
        if foreign is None:
            assert answer["code"] == "bad_cursor"
        else:  # nothing tells it from an old cursor of this room
            assert (answer["type"], answer["recovered"]) == ("recovered", False)
        await client.until(status="connected")
        await holder.chat("two")
        await client.until(content="two")


async def test_client_ahead_of_its_gateway_gets_nothing_twice(redis_url: str, holder: Holder) -> None:
    async with running_gateway(redis_url) as one, running_gateway(redis_url) as other:
        async with one.join(ROOM) as stays, other.join(ROOM) as hops:
            await stays.until(status="connected")
            await hops.until(status="connected")
            await holder.chat("a", "b")
            await contents(hops, 2)
            cursor = hops.frames[-1]["cursor"]
        async with one.join(f"{ROOM}?since={cursor}") as hops:
            recovered = await hops.until(type="recovered")
            assert (recovered["recovered"], recovered["count"]) == (True, 0)
            await hops.until(status="connected")
            await holder.chat("c")
            assert await contents(hops, 1) == ["c"]


async def test_client_ahead_of_its_gateway_gets_nothing_twice_when_the_log_is_lost(
    gateway: Gateway, holder: Holder, cluster: HolderClient
) -> None:
    async with gateway.join(ROOM) as stays:
        await stays.until(status="connected")
        await holder.chat("a")
        await contents(stays, 1)
        await cluster.forget(holder.room)
        had = Cursor(holder.lease.epoch, 2)  # from another gateway
        async with gateway.join(f"{ROOM}?since={had}") as hops:
            recovered = await hops.until(type="recovered")
            assert (recovered["recovered"], recovered["cursor"]) == (False, str(had))
            assert (await hops.next())["reason"] == "expired"
            assert "cursor" not in await hops.until(status="connected")
            for offset, content in ((2, "b"), (3, "c")):  # the channel is late
                cursor = Cursor(holder.lease.epoch, offset)
                message = f"{cursor} chat 1 ".encode() + encode(chat(holder.room, content), cursor)
                channel = RoomKeys.of(holder.room).events
                await cluster.redis.commands.execute_command("SPUBLISH", channel, message)
            await hops.until(content="c")
            await stays.until(content="c")
        assert [frame.get("content") for frame in hops.frames if frame.get("type") == "chat"] == ["c"]
        assert [frame.get("content") for frame in stays.frames if frame.get("type") == "chat"] == ["a", "b", "c"]


# --- last -------------------------------------------------------------------------------------------------------------


async def test_last_gives_the_newest_events_that_pass_the_filter(gateway: Gateway, holder: Holder) -> None:
    for number in range(5):
        await holder.publish(chat(holder.room, str(number)), like(holder.room, number))
    async with gateway.join(f"{ROOM}?last=3&events=chat") as client:
        recovered = await client.until(type="recovered")
        assert (recovered["recovered"], recovered["count"]) == (True, 3)
        assert "since" not in recovered
        assert await contents(client, 3) == ["2", "3", "4"]
        assert (await client.next())["status"] == "connected"
        await holder.chat("5")
        assert await contents(client, 1) == ["5"]


async def test_last_reaches_behind_the_ring(gateway: Gateway, holder: Holder) -> None:
    await holder.chat("rare")
    for _ in range(4):
        await holder.publish(*(like(holder.room, number) for number in range(100)))
    async with gateway.join(f"{ROOM}?last=1&events=chat") as client:
        assert (await client.until(type="recovered"))["count"] == 1
        assert await contents(client, 1) == ["rare"]


async def test_last_of_a_room_without_a_log_is_nothing(gateway: Gateway, cluster: HolderClient) -> None:
    async with gateway.join(f"{ROOM}?last=10") as client:
        assert await client.until(type="recovered") == {
            "type": "recovered", "platform": "tiktok", "room": ROOM, "recovered": True, "count": 0,
        }  # fmt: skip
        holder = cluster.holder(KEY)
        await holder.go_live()
        await holder.chat("first")
        await client.until(content="first")


async def test_since_wins_over_last(gateway: Gateway, holder: Holder) -> None:
    cursor = await holder.chat("one")
    await holder.chat("two")
    async with gateway.join(f"{ROOM}?last=100&since={cursor}") as client:
        assert (await client.until(type="recovered"))["count"] == 1
