"""The Python client in `example/`: what it asks for, what it keeps, when it comes back."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from example.python.roomcast import Client, Over, Room, State
from example.python.roomcast.conversation import CUT_OFF, Conversation, Item, pause_s

NAME = {"platform": "tiktok", "room": "@demo"}
ROOM = {"platform": "tiktok", "room": "73"}


def begun(**options: Any) -> tuple[Conversation, Room]:
    """A room that the gateway has taken on, and whose name it has looked up."""
    conversation = Conversation(jitter=lambda: 0.0)
    room = conversation.join("tiktok:@demo", since=None, **options)
    hear(conversation, type="subscribed", id=room.number, **NAME)
    hear(conversation, type="target", target="73", **NAME)
    return conversation, room


def hear(conversation: Conversation, **frame: Any) -> Item | None:
    heard = conversation.receive(json.dumps(frame))
    return None if heard is None else heard[1]


def event(cursor: str, **fields: Any) -> dict[str, Any]:
    return {"type": "chat", **ROOM, "id": "1", "cursor": cursor, "time": 1, **fields}


def said(conversation: Conversation, room: Room) -> dict[str, Any]:
    command: dict[str, Any] = json.loads(conversation.subscribe(room))
    return command


def test_a_room_is_asked_for_with_its_options_and_then_behind_its_last_event() -> None:
    conversation, room = begun(events=["chat"], last=20, wait=None)
    asked = {"action": "subscribe", "id": 1, "platform": "tiktok", "room": "@demo", "events": ["chat"]}
    assert said(conversation, room) == {**asked, "last": 20}
    hear(conversation, **event("5-1"))
    assert said(conversation, room) == {**asked, "since": "5-1"}


@pytest.mark.parametrize(
    ("asked", "platform", "name"),
    [
        ("douyin:728", "douyin", "728"),
        ("@demo", None, "@demo"),
        ("https://live.douyin.com/728", None, "https://live.douyin.com/728"),
        ("douyin:https://live.douyin.com/728", "douyin", "https://live.douyin.com/728"),
    ],
)
def test_a_platform_stands_before_a_room_or_is_left_out(asked: str, platform: str | None, name: str) -> None:
    conversation = Conversation()
    command = said(conversation, conversation.join(asked, since=None))
    assert (command.get("platform"), command["room"]) == (platform, name)


@pytest.mark.parametrize("asked", ["x" * 513, "douyin:" + "🦊" * 513, "\ud83e"], ids=["long", "wide", "surrogate"])
def test_what_cannot_be_sent_as_a_room_is_refused_before_it_is_one(asked: str) -> None:
    conversation = Conversation()
    with pytest.raises(ValueError):
        conversation.join(asked, since=None)
    assert conversation.rooms == []


def test_a_room_of_wide_characters_takes_no_more_bytes_than_it_has() -> None:
    conversation = Conversation()
    command = conversation.subscribe(conversation.join("tiktok:" + "🦊" * 512, since=None))
    assert json.loads(command)["room"] == "🦊" * 512
    assert len(command.encode()) < 512 * 4 + 100


@pytest.mark.parametrize(
    ("frame", "kept"),
    [
        ({"type": "pong", "timestamp": 1, "cursors": {"tiktok:73": "5-9", "tiktok:74": "6-1"}}, "5-9"),
        ({"type": "recovered", **ROOM, "recovered": True, "count": 3, "since": "5-1", "cursor": "5-4"}, "5-1"),
        ({"type": "recovered", **ROOM, "recovered": True, "count": 0, "since": "5-1", "cursor": "5-4"}, "5-4"),
        ({"type": "gap", **ROOM, "cursor": "6-2", "after": "5-1", "before": "6-2", "reason": "upstream"}, "6-2"),
        ({"type": "gap", **ROOM, "after": "5-1", "before": "6-2", "reason": "trimmed"}, "5-1"),
        ({"status": "connected", "message": "", **ROOM, "cursor": "5-7"}, "5-1"),
        ({"status": "closing", "message": "", "code": "draining", "reconnect": True, "cursors": {"tiktok:73": "5-8"}},
         "5-1"),
        ({"error": "", "code": "bad_cursor", "reconnect": False, "id": 1, **ROOM}, None),
        ({"type": "target", **NAME, "target": "73"}, "5-1"),
        ({"type": "target", **NAME, "target": "74"}, None),
    ],
)  # fmt: skip
def test_its_place_is_where_it_has_been_told_everything(frame: dict[str, Any], kept: str | None) -> None:
    conversation, room = begun()
    hear(conversation, **event("5-1"))
    hear(conversation, **frame)
    assert room.cursor == kept


def test_who_begins_with_what_comes_next_has_a_place_before_the_first_event() -> None:
    conversation, room = begun()
    hear(conversation, status="connected", message="", cursor="5-7", **ROOM)
    assert room.cursor == "5-7"


def test_a_place_from_an_earlier_run_outlives_the_look_up_of_the_name() -> None:
    conversation = Conversation()
    room = conversation.join("tiktok:@demo", since="5-1")
    hear(conversation, type="subscribed", id=1, **NAME)
    hear(conversation, type="target", target="73", **NAME)
    assert said(conversation, room)["since"] == "5-1"


def test_types_and_fields_of_the_future_are_handed_out_as_they_are() -> None:
    conversation, _ = begun()
    future = event("5-1", type="hologram", hologram={"depth": 3})
    assert hear(conversation, **future) == future
    assert hear(conversation, type="weather", sun=True) is None
    assert hear(conversation, type="weather", sun=True, **ROOM) == State(
        "weather", frame={"type": "weather", "sun": True, **ROOM}
    )


@pytest.mark.parametrize(
    ("frame", "over"),
    [
        ({"status": "closing", "message": "m", "code": "ended", "reconnect": False, **ROOM}, True),
        ({"error": "m", "code": "offline", "reconnect": False, **NAME}, True),
        ({"error": "m", "code": "too_many_rooms", "reconnect": False, "id": 1}, True),
        ({"error": "m", "code": "bad_option", "reconnect": False, "id": 1, **NAME}, False),
        ({"error": "m", "code": "unavailable", "reconnect": True, **ROOM}, False),
    ],
)
def test_only_what_asking_again_cannot_change_is_the_end_of_a_room(frame: dict[str, Any], over: bool) -> None:
    conversation, room = begun()
    other = conversation.join("tiktok:74", since=None)
    told = hear(conversation, **frame)
    assert told == (Over(frame["code"], "m") if over else State(frame["code"], "m", frame))
    assert conversation.rooms == ([other] if over else [room, other])


def test_a_room_that_the_gateway_failed_is_asked_for_again_more_slowly_each_time() -> None:
    conversation, room = begun()
    frame = {"error": "", "code": "internal", "reconnect": True, **ROOM}
    pauses = []
    for _ in range(3):
        state = hear(conversation, **frame)
        assert isinstance(state, State)
        pauses.append(state.again_s)
        assert hear(conversation, **event("5-1")) is None  # a straggler of the old subscription
        hear(conversation, type="subscribed", id=room.number, **NAME)
        hear(conversation, type="target", target="73", **NAME)
    assert pauses == [0.5, 1.0, 2.0]


def test_nothing_is_told_of_a_room_that_was_left() -> None:
    conversation, room = begun()
    assert json.loads(conversation.unsubscribe(room)) == {"action": "unsubscribe", "id": 1, **NAME}
    conversation.leave(room)
    assert hear(conversation, **event("5-1")) is None
    assert hear(conversation, type="unsubscribed", id=1, **NAME) is None


@pytest.mark.parametrize(
    ("code", "last", "pause"),
    [
        (1012, {"status": "closing", "code": "draining", "reconnect": True, "retry_in_ms": 250}, 0.25),
        (1013, {"error": "", "code": "overloaded", "reconnect": True}, 0.5),
        (1009, {"error": "", "code": "too_large", "reconnect": False}, None),
        (1000, {"type": "pong", "timestamp": 1}, None),
        (CUT_OFF, {"error": "", "code": "too_large", "reconnect": False}, 0.5),
        (1001, {"error": "", "code": "bad_option", "reconnect": False}, 0.5),
        (1001, {"error": "", "code": "offline", "reconnect": False, "platform": "tiktok", "room": "99"}, 0.5),
    ],
)
def test_whether_and_when_to_come_back_is_the_gateways_word(
    code: int, last: dict[str, Any], pause: float | None
) -> None:
    conversation, room = begun()
    hear(conversation, **last)
    told, again_s = conversation.lost(code)
    assert again_s == pause
    if pause is None:
        assert (told, conversation.rooms) == ([(room, Over(last.get("code", "closed")))], [])
    else:
        assert (told, conversation.rooms) == ([(room, State("lost", again_s=pause))], [room])


@pytest.mark.parametrize("sign_of_life", [event("5-1"), {"type": "pong", "timestamp": 1}])
def test_who_is_sent_away_again_and_again_goes_slow_until_a_link_lasts(sign_of_life: dict[str, Any]) -> None:
    conversation, room = begun()
    pauses = []
    for _ in range(8):
        hear(conversation, status="closing", message="", code="draining", reconnect=True, retry_in_ms=0)
        pauses.append(conversation.lost(1012)[1])
    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    hear(conversation, type="subscribed", id=room.number, **NAME)
    hear(conversation, type="target", target="73", **NAME)
    hear(conversation, **sign_of_life)
    assert conversation.lost(CUT_OFF)[1] == 0.5


def test_pauses_have_a_cap_and_jitter() -> None:
    assert [pause_s(20, None, jitter) for jitter in (0.0, 0.5, 1.0)] == [15.0, 22.5, 30.0]
    assert pause_s(3, 60_000, 0.0) == 60.0


# --- the socket around it ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def gateway(talk: Callable[[int, ServerConnection], Any]) -> AsyncIterator[str]:
    """A server that talks on its first, second ... connection as it is told."""
    count = 0

    async def handle(connection: ServerConnection) -> None:
        nonlocal count
        count += 1
        await talk(count, connection)

    async with serve(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"


async def answer(connection: ServerConnection, *frames: dict[str, Any]) -> dict[str, Any]:
    """Take a command, take its room on, and tell of it."""
    command: dict[str, Any] = json.loads(await connection.recv())
    await connection.send(json.dumps({"type": "subscribed", "id": command["id"], **ROOM}))
    for frame in frames:
        await connection.send(json.dumps({**frame, **ROOM}))
    return command


ENDED = {"status": "closing", "message": "", "code": "ended", "reconnect": False}


async def test_a_link_that_brings_nothing_after_a_ping_is_left_for_a_new_one() -> None:
    commands: list[dict[str, Any]] = []

    async def talk(count: int, connection: ServerConnection) -> None:
        if count == 1:
            commands.append(await answer(connection, event("5-1")))  # and not a word more
        else:
            commands.append(await answer(connection, ENDED))
        with suppress(ConnectionClosed):
            while True:
                commands.append(json.loads(await connection.recv()))

    async with gateway(talk) as url, Client(url, ping_s=0.2) as client:
        room = await client.join("tiktok:73")
        items = [item async for _, item in client]
    assert [item.name for item in items if isinstance(item, State)][:2] == ["subscribed", "lost"]
    assert items[-1] == Over("ended")
    assert room.cursor == "5-1"
    subscribe = {"action": "subscribe", "id": 1, "platform": "tiktok", "room": "73"}
    assert commands[:3] == [subscribe, {"type": "ping"}, {**subscribe, "since": "5-1"}]
    assert commands[-1] == {"action": "close"}


async def test_a_room_is_joined_and_left_while_others_go_on() -> None:
    async def talk(count: int, connection: ServerConnection) -> None:
        await answer(connection, event("5-1"))
        added = json.loads(await connection.recv())
        left = json.loads(await connection.recv())
        assert (added["action"], added["room"], left["action"], left["id"]) == ("subscribe", "74", "unsubscribe", 1)
        answered = {"type": "subscribed", "id": added["id"], "platform": "tiktok", "room": "74"}
        await connection.send(json.dumps(answered))
        await connection.send(json.dumps({**event("5-2")}))  # of the room that was left
        await connection.send(json.dumps({**ENDED, "platform": "tiktok", "room": "74"}))
        assert json.loads(await connection.recv()) == {"action": "close"}

    told = []
    async with gateway(talk) as url, Client(url) as client:
        first = await client.join("tiktok:73")
        async for room, item in client:
            told.append((room.asked, item.name if isinstance(item, State) else item))
            if not isinstance(item, State | Over) and room is first:
                await client.join("tiktok:74")
                await client.leave(first)
    assert told == [
        ("tiktok:73", "subscribed"),
        ("tiktok:73", event("5-1")),
        ("tiktok:74", "subscribed"),
        ("tiktok:74", Over("ended")),
    ]


async def test_a_gateway_that_is_not_there_is_tried_again() -> None:
    async def talk(count: int, connection: ServerConnection) -> None:
        await answer(connection, ENDED)

    async with gateway(talk) as url:
        pass
    async with Client(url) as client:
        room = await client.join("tiktok:73")
        _, item = await anext(client)
        assert isinstance(item, State)
        assert item.name == "lost"
        assert item.again_s == pytest.approx(0.75, abs=0.25)
        assert client.rooms == [room]
