"""Two platforms on one cluster: the same way for both, and what only Douyin's rooms need."""

import asyncio
import contextlib
import json
from typing import Any

import pytest

from tests.e2e.cluster import Client, Processes, every_redis, until
from tests.e2e.test_main_path import between, control, inject, sent_ids

LIVELY = "728804746624"
LOGGED_IN = {"ROOMCAST_DOUYIN_COOKIES": "sessionid=s"}  # told everything, gifts too
TIKTOK_ROOMS = [str(7300000000000010000 + n) for n in range(25)]
DOUYIN_ROOMS = [f"douyin/{728804800000 + n}" for n in range(25)]


def room_of(address: str) -> str:
    """What the simulator calls the room of `ROOM` or `PLATFORM/ROOM`."""
    return address.rpartition("/")[2]


def told_ids(client: Client) -> list[str]:
    """The message ids a client got, history too: a mark set at the moment of connecting may pass for that."""
    return [event["id"] for event in client.events if "id" in event]


def old_client(frame: dict[str, Any]) -> str | None:
    """A chat as a client reads it that was written for TikTok and knows no platforms."""
    if "status" in frame or "error" in frame or frame.get("type") == "pong":
        return None
    if "user" in frame and "content" in frame:
        return f"{frame['user']['nickname']}: {frame['content']}"
    return None


async def test_one_cluster_relays_fifty_rooms_of_two_platforms(processes: Processes) -> None:
    processes.simulator("--rooms", "25", "--rate", "2")
    processes.ingestor(ROOMCAST_INGESTOR_NAME="one", **LOGGED_IN)
    processes.ingestor(ROOMCAST_INGESTOR_NAME="two", **LOGGED_IN)
    gateways = [processes.gateway(), processes.gateway()]
    rooms = [*TIKTOK_ROOMS, *DOUYIN_ROOMS]
    async with contextlib.AsyncExitStack() as stack:
        clients: dict[str, list[Client]] = {room: [] for room in rooms}
        for gateway in gateways:
            for room in rooms:
                clients[room].append(await stack.enter_async_context(Client(gateway, room, "lang=en&events=all")))
        everybody = [client for group in clients.values() for client in group]
        await until(
            lambda: all("connected" in client.statuses for client in everybody), timeout_s=60, what="all connected"
        )
        marks = {room: inject(processes, room_of(room), ("WebcastMark", b""))[0] for room in rooms}
        await until(
            lambda: all(marks[room] in told_ids(client) for room in rooms for client in clients[room]),
            timeout_s=60,
            what="the first mark at all clients",
        )
        await until(
            lambda: all(any(map(old_client, client.frames)) for client in everybody), timeout_s=60, what="chat in all"
        )
        ends = {room: inject(processes, room_of(room), ("WebcastMark", b""))[0] for room in rooms}
        await until(
            lambda: all(ends[room] in told_ids(client) for room in rooms for client in clients[room]),
            timeout_s=60,
            what="the last mark at all clients",
        )
        for room in rooms:
            expected = between(sent_ids(processes, room_of(room)), marks[room], ends[room])
            for client in clients[room]:
                assert between(told_ids(client), marks[room], ends[room]) == expected, room
        overview = control(processes)
    assert (overview["connections_open"], overview["connections_opened"], overview["refused"]) == (50, 50, {})

    chats = {platform: [] for platform in ("tiktok", "douyin")}  # type: dict[str, list[dict[str, Any]]]
    for client in everybody:
        for event in client.events:
            if event["type"] == "chat":
                chats[event["platform"]].append(event)
    always = [set.intersection(*(set(chat) for chat in told)) for told in chats.values()]
    assert always[0] - {"lang"} == always[1] - {"lang"}  # which platform tells the language is the only difference
    people = [set.intersection(*(set(chat["user"]) for chat in told)) for told in chats.values()]
    assert {"id", "unique_id", "nickname", "avatar", "roles", "badges"} <= people[0] & people[1]


@every_redis
async def test_a_number_an_id_and_a_short_link_share_one_upstream(processes: Processes) -> None:
    processes.simulator()
    processes.ingestor()
    gateway = processes.gateway()
    room_id = control(processes, f"/rooms/{LIVELY}")["room"]
    addresses = [LIVELY, room_id, "v.douyin.com%2Fdemo", f"live.douyin.com%2F{LIVELY}%3Ffrom=x"]
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(gateway, f"douyin/{text}")) for text in addresses]
        for client in clients:
            await client.has_status("connected")
        mark = inject(processes, LIVELY, ("WebcastMark", b""), ("WebcastChatMessage", b""))[1]
        for client in clients:
            await until(lambda client=client: mark in told_ids(client), what="the mark")  # type: ignore[misc]
        assert {event["room"] for client in clients for event in client.events} == {LIVELY}
        assert control(processes)["connections_opened"] == 1


@pytest.mark.parametrize(
    ("room", "code"), [("728804746640", "offline"), ("728804746641", "not_found"), ("728804746644", "login_required")]
)
async def test_a_room_that_cannot_be_watched_says_why(processes: Processes, room: str, code: str) -> None:
    processes.simulator()
    processes.ingestor()
    async with Client(processes.gateway(), f"douyin/{room}") as client:
        await until(lambda: client.close_code is not None, what=f"the close; {client.frames}")
    assert (client.frames[-1]["code"], client.frames[-1]["reconnect"], client.close_code) == (code, False, 1000)


async def test_gifts_are_told_where_a_login_cookie_is_set_and_the_room_says_so(processes: Processes) -> None:
    processes.simulator("--rate", "40")
    quiet = "728804746625"
    processes.ingestor(ROOMCAST_DOUYIN_ROOM_COOKIES=json.dumps({LIVELY: "sessionid=s"}))
    gateway = processes.gateway()
    async with Client(gateway, f"douyin/{LIVELY}") as member, Client(gateway, f"douyin/{quiet}") as visitor:
        await until(lambda: len(member.of_type("gift")) > 3, what="gifts")
        await visitor.has_status("connected")
        await until(lambda: bool(visitor.of_type("live_status")), what="what the room is")
    assert member.of_type("live_status")[0]["live_status"]["gifts"] is True
    assert visitor.of_type("live_status")[0]["live_status"]["gifts"] is False
    assert visitor.of_type("gift") == []


async def test_after_a_cut_the_room_goes_on_where_it_was_and_nothing_comes_twice(processes: Processes) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor(**LOGGED_IN)
    async with Client(processes.gateway(), f"douyin/{LIVELY}", "lang=en&events=all") as client:
        await client.has_status("connected")
        marks = inject(processes, LIVELY, ("WebcastMark", b""))
        for _ in range(3):
            await until(lambda mark=marks[-1]: mark in told_ids(client), what="the mark")  # type: ignore[misc]
            control(processes, f"/rooms/{LIVELY}/drop", {})
            marks += inject(processes, LIVELY, ("WebcastMark", b""))
        await until(lambda: marks[-1] in told_ids(client), what="the last mark")
        got = told_ids(client)
        sent = sent_ids(processes, LIVELY)
    assert client.of_type("gap") == []
    assert client.statuses.count("reconnecting") == 3
    assert between(got, marks[0], marks[-1]) == between(sent, marks[0], marks[-1])
    shown = control(processes, f"/rooms/{LIVELY}")
    assert shown["counters"]["connections_opened"] == 4
    assert shown["counters"].get("acks_bad", 0) == 0


async def test_a_refused_socket_is_polled_instead_and_nothing_is_missing(processes: Processes) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor(ROOMCAST_DOUYIN_POLL_INTERVAL_S="0.1", **LOGGED_IN)
    control(processes, "/faults", {"kind": "refuse_handshake", "room": LIVELY})
    async with Client(processes.gateway(), f"douyin/{LIVELY}", "lang=en&events=all") as client:
        await client.has_status("connected")
        first = inject(processes, LIVELY, ("WebcastMark", b""))[0]
        await until(lambda: first in told_ids(client), what="the first mark")
        await asyncio.sleep(3)  # several polls
        last = inject(processes, LIVELY, ("WebcastMark", b""))[0]
        await until(lambda: last in told_ids(client), what="the last mark")
        assert between(told_ids(client), first, last) == between(sent_ids(processes, LIVELY), first, last)
    assert control(processes)["connections_opened"] == 0


async def test_when_a_broadcast_ended_the_next_one_of_the_host_is_another(processes: Processes) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor(ROOMCAST_OFFLINE_TTL_S="1")
    gateway = processes.gateway()
    async with Client(gateway, f"douyin/{LIVELY}") as client:
        await client.has_status("connected")
        control(processes, f"/rooms/{LIVELY}/end", {})
        await until(lambda: client.close_code is not None, what=f"the close; {client.frames[-2:]}")
    assert client.of_type("ended")[0]["ended"] == {"reason": "host"}
    before = client.of_type("live_status")[0]["live_status"]["started_at"]
    control(processes, f"/rooms/{LIVELY}/live", {})
    late = client
    while "connected" not in late.statuses or late is client:  # "offline" is answered from memory for a second
        async with Client(gateway, f"douyin/{LIVELY}") as late:
            await until(lambda: late.close_code is not None or bool(late.of_type("chat")), what="an answer")
    assert late.of_type("live_status")[0]["room"] == LIVELY
    assert late.of_type("live_status")[0]["live_status"]["started_at"] >= before
