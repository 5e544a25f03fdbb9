"""What a client may say on a connection for many rooms, and what becomes of everything else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gateway.close_codes import Code
from gateway.commands import (
    BadCommand,
    Close,
    ListRooms,
    Ping,
    Subscribe,
    TooLarge,
    Unsubscribe,
    parse_command,
)
from gateway.options import DEFAULT_OPTIONS, read_options
from gateway.protocol import CLIENT_FRAME_MAX_BYTES, error_frame
from gateway.texts import Lang
from shared.errors import BadRoom
from shared.platforms import DEFAULT_PLATFORM, parse_room


@pytest.mark.parametrize(
    ("frame", "command"),
    [
        ({"action": "subscribe", "room": "@ana"}, Subscribe(room="@ana")),
        (
            {"action": "subscribe", "id": 1, "platform": "douyin", "room": "7288", "last": 5, "more": [1]},
            Subscribe(id=1, platform="douyin", room="7288", last=5),
        ),
        ({"action": "unsubscribe", "id": "x" * 64, "room": "@ana"}, Unsubscribe(id="x" * 64, room="@ana")),
        ({"action": "list"}, ListRooms()),
        ({"action": "list", "type": "ping"}, ListRooms()),
        ({"type": "ping", "timestamp": 1}, Ping()),
        ({"action": "close"}, Close()),
        ({"type": "close"}, Close()),
    ],
)
def test_command(frame: object, command: object) -> None:
    assert parse_command(json.dumps(frame)) == command


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "subscribe",
        "[" * 4000,
        '{"a":' * 800,
        "[]",
        "{}",
        '"ping"',
        b'{"type":"ping"}',
        '{"action":"fly"}',
        '{"action":["list"]}',
        '{"type":"pong"}',
        '{"action":"subscribe"}',
        '{"action":"subscribe","room":7300000000000000001}',
        '{"action":"subscribe","room":"@ana","platform":null}',
        '{"action":"unsubscribe"}',
    ],
)
def test_anything_else_is_none(frame: str | bytes) -> None:
    command = parse_command(frame)
    assert isinstance(command, BadCommand)
    assert command.detail
    assert command.id is UNSET


@pytest.mark.parametrize("command_id", [1, -5, 2**53 - 1, "a", "", "\u2028"])
def test_command_that_cannot_be_read_is_answered_with_its_id(command_id: str | int) -> None:
    command = parse_command(json.dumps({"action": "fly", "id": command_id}))
    assert isinstance(command, BadCommand)
    assert command.id == command_id


@pytest.mark.parametrize("command_id", [2**53, 1.5, True, None, [], {"a": 1}, "x" * 65])
def test_id_that_cannot_be_repeated_is_a_fault_of_the_command(command_id: Any) -> None:
    command = parse_command(json.dumps({"action": "list", "id": command_id}))
    assert isinstance(command, BadCommand)
    assert command.id is UNSET


def test_more_than_a_client_may_say_at_once() -> None:
    frame = json.dumps({"action": "subscribe", "room": "@ana", "events": ["chat"] * 1000})
    assert parse_command(frame) == TooLarge()
    assert parse_command('{"type":"ping"}'.ljust(CLIENT_FRAME_MAX_BYTES)) == Ping()


def test_options_read_as_those_of_an_address() -> None:
    command = Subscribe(room="@ana", since="1-2", last=3, events=["chat", "gift"], wait=True)
    assert command.options == {"since": "1-2", "last": "3", "events": "chat,gift", "wait": "true"}
    assert Subscribe(room="@ana", events="chat,gift").options == {"events": "chat,gift"}


@pytest.mark.parametrize("value", [None, 1.5, {}, ["chat", 1], {"since": "1-1"}])
def test_value_that_is_none_of_an_option_is_named_and_the_rest_works(value: object) -> None:
    command = Subscribe(room="@ana", events=value, last=7)
    options = read_options(command.options)
    assert [code for code, _ in options.problems] == ["bad_option"]
    assert (options.wanted, options.last) == (DEFAULT_OPTIONS.wanted, 7)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ("action", "type", "id", "platform", "room", "since", "last", "events", "wait")
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        field: st.sampled_from(["subscribe", "unsubscribe", "list", "ping", "close", "tiktok", "douyin", "@a"]) | JSON
        for field in FIELDS
    },
)


@given(st.text() | st.binary() | (JSON | NEARLY).map(json.dumps))
def test_whatever_a_client_says_can_be_read_and_answered(frame: str | bytes) -> None:
    command = parse_command(frame)
    if isinstance(command, BadCommand):
        error_frame(Code.BAD_COMMAND, Lang.EN, detail=command.detail, command_id=command.id)
    if isinstance(command, Subscribe | Unsubscribe):
        try:
            parse_room(command.room, command.platform)
        except BadRoom:
            pass
    if isinstance(command, Subscribe):
        read_options(command.options)


def test_platform_may_be_left_out() -> None:
    command = parse_command('{"action":"subscribe","room":"@ana"}')
    assert isinstance(command, Subscribe)
    assert command.platform == DEFAULT_PLATFORM
