"""Handlers of others: what they may change, and that what they get wrong stays with them."""

import asyncio
import itertools
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from example.plugins import house_rules
from ingestor import plugins
from ingestor.connectors.base import Message
from ingestor.connectors.tiktok.messages import TikTokDecoder
from ingestor.plugins import RETURNED_MAX, Heard, Plugin
from protos import tiktok_pb2 as tiktok
from shared.errors import ConfigError
from shared.events import ENTRY_MAX_BYTES, Chat, Event, Notice
from shared.room import RoomKey
from tests.events import ANA
from tests.events import chat as chat_event

ROOM = RoomKey("tiktok", "7300000000000000001")
T0 = 1_765_432_100_000


def message(content: str = "hello") -> Message:
    payload = tiktok.ChatMessage(common=tiktok.Common(msg_id=7), content=content.encode())
    return Message("WebcastChatMessage", payload.SerializeToString(), "7", history=False)


def applied(plugin: Plugin, heard: Message | None = None) -> list[Event]:
    decoder, heard = TikTokDecoder(ROOM), heard or message()
    return plugin.apply(ROOM, heard, decoder.decode(heard, T0), decoder.content)


def contents(events: Sequence[Event]) -> list[str]:
    return [event.content if isinstance(event, Chat) else type(event).__name__ for event in events]


def faults(plugin: str, handler: str) -> float:
    labels = {"plugin": plugin, "handler": handler}
    return REGISTRY.get_sample_value("roomcast_ingestor_plugin_faults_total", labels) or 0.0


def on_messages(**handlers: Any) -> Plugin:
    return Plugin("test", handlers, {})


def on_events(name: str = "test", **handlers: Any) -> Plugin:
    return Plugin(name, {}, handlers)


# --- what they may do -------------------------------------------------------------------------------------------------


def test_a_handler_of_a_message_sees_it_decoded_and_may_change_drop_or_add_events() -> None:
    seen: list[Heard] = []

    def on_chat(heard: Heard) -> Iterable[Event] | None:
        seen.append(heard)
        (event,) = heard.events
        return {
            "keep": None, "drop": [], "add": [event, chat_event(ROOM, "more")], "change": (chat_event(ROOM, "other"),)
        }[heard.content.content.decode()]  # fmt: skip

    plugin = on_messages(WebcastChatMessage=on_chat)
    assert contents(applied(plugin, message("keep"))) == ["keep"]
    assert contents(applied(plugin, message("drop"))) == []
    assert contents(applied(plugin, message("add"))) == ["add", "more"]
    assert contents(applied(plugin, message("change"))) == ["other"]
    assert (seen[0].room, seen[0].message, contents(seen[0].events)) == (ROOM, message("keep"), ["keep"])
    assert isinstance(seen[0].content, tiktok.ChatMessage)


def test_a_message_of_no_schema_is_seen_as_it_came() -> None:
    seen: list[Heard] = []
    plugin = on_messages(WebcastBrandNewMessage=seen.append, WebcastChatMessage=seen.append)
    new = Message("WebcastBrandNewMessage", b"\x08\x01", "", history=False)
    broken = Message("WebcastChatMessage", b"\xff", "", history=False)
    assert contents(applied(plugin, new)) == contents(applied(plugin, broken)) == ["Raw"]
    assert [(heard.message, heard.content, contents(heard.events)) for heard in seen] == [
        (new, None, ["Raw"]), (broken, None, ["Raw"])
    ]  # fmt: skip


def test_a_handler_of_a_type_sees_each_event_of_it() -> None:
    def louder(room: RoomKey, event: Event) -> Iterable[Event]:
        assert room == ROOM
        assert isinstance(event, Chat)
        yield replace(event, content=event.content.upper())

    twice = Plugin("test", {"WebcastChatMessage": lambda heard: [*heard.events, *heard.events]}, {"chat": louder})
    assert contents(applied(twice)) == ["HELLO", "HELLO"]
    assert contents(applied(on_events(gift=louder))) == ["hello"]


def test_plug_ins_come_one_after_the_other() -> None:
    found: list[Event] = [chat_event(ROOM, "x")]
    for mark in "ab":

        def add(room: RoomKey, event: Event, mark: str = mark) -> Iterable[Event]:
            assert isinstance(event, Chat)
            return [replace(event, content=event.content + mark)]

        found = on_events(chat=add).apply(ROOM, message(), found, TikTokDecoder(ROOM).content)
    assert contents(found) == ["xab"]


# --- what they get wrong ----------------------------------------------------------------------------------------------


def raising() -> Iterable[Event]:
    yield chat_event(ROOM, "never seen")
    raise RuntimeError


def ending(what: BaseException) -> Iterable[Event]:
    raise what


WRONG: Mapping[str, Any] = {
    "it raises": lambda: 1 // 0,
    "it cancels": lambda: ending(asyncio.CancelledError()),
    "it exits": sys.exit,
    "it raises later": raising,
    "it never ends": lambda: itertools.repeat(chat_event(ROOM, "x")),
    "too many": lambda: [chat_event(ROOM, "x")] * (RETURNED_MAX + 1),
    "no list": lambda: 5,
    "an event by itself": lambda: chat_event(ROOM, "x"),
    "a text": lambda: "no events",
    "None among events": lambda: [None],
    "another room": lambda: [chat_event(RoomKey("tiktok", "7300000000000000002"), "x")],
    "of a wrong type": lambda: [replace(chat_event(ROOM, "x"), content=5)],
    "what cannot be encoded": lambda: [replace(chat_event(ROOM, "x"), user=object())],
    "too large": lambda: [chat_event(ROOM, "x" * ENTRY_MAX_BYTES)],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_a_handler_gets_wrong_is_counted_and_named_once_and_changes_nothing(
    wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    name = "wrong"
    by_method = Plugin(name, {"WebcastChatMessage": lambda heard: wrong()}, {})
    by_type = on_events(name, chat=lambda room, event: wrong())
    before = faults(name, "WebcastChatMessage"), faults(name, "chat")
    with caplog.at_level(logging.ERROR):
        for plugin in (by_method, by_type):
            assert contents(applied(plugin)) == contents(applied(plugin)) == ["hello"]
    assert (faults(name, "WebcastChatMessage"), faults(name, "chat")) == (before[0] + 2, before[1] + 2)
    assert [record.getMessage() for record in caplog.records] == [
        f"plug-in failed plugin=wrong handler={handler} room={ROOM}" for handler in ("WebcastChatMessage", "chat")
    ]


def test_what_a_handler_does_to_the_protobuf_message_does_not_reach_the_event() -> None:
    def clear(heard: Heard) -> None:
        heard.content.Clear()

    assert contents(applied(on_messages(WebcastChatMessage=clear))) == ["hello"]


def test_what_a_handler_does_to_the_lists_of_an_event_does_not_reach_it() -> None:
    def spoil(event: Event) -> None:
        assert isinstance(event, Chat)
        event.emotes.append(object())  # type: ignore[arg-type]
        event.user.roles.append("owner")

    by_method = Plugin("test", {"WebcastChatMessage": lambda heard: spoil(heard.events[0])}, {})
    by_type = on_events(chat=lambda room, event: spoil(event))
    clean = TikTokDecoder(ROOM).decode(message(), T0)
    assert applied(by_method) == applied(by_type) == clean


def test_an_event_that_a_handler_spoils_and_returns_is_refused() -> None:
    def spoil(heard: Heard) -> Sequence[Event]:
        (event,) = heard.events
        assert isinstance(event, Chat)
        event.emotes.append(object())  # type: ignore[arg-type]
        return heard.events

    before = faults("test", "WebcastChatMessage")
    assert applied(on_messages(WebcastChatMessage=spoil)) == TikTokDecoder(ROOM).decode(message(), T0)
    assert faults("test", "WebcastChatMessage") == before + 1


def test_whoever_stops_the_process_by_hand_is_not_held_up_by_a_handler() -> None:
    with pytest.raises(KeyboardInterrupt):
        applied(on_events(chat=lambda room, event: ending(KeyboardInterrupt())))


def test_the_time_in_handlers_is_measured() -> None:
    def calls() -> float:
        return REGISTRY.get_sample_value("roomcast_ingestor_plugin_seconds_count", {"plugin": "timed"}) or 0.0

    plugin, before = on_events("timed", chat=lambda room, event: None), calls()
    applied(plugin)
    assert calls() - before == 1


# --- where they come from ---------------------------------------------------------------------------------------------


def test_a_plug_in_is_a_module_or_an_entry_point_and_both_come_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packaged_rules.py").write_text("EVENTS = {'chat': print}\n")
    made = tmp_path / "rules-1.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: rules\nVersion: 1\n")
    (made / "entry_points.txt").write_text("[roomcast.plugins]\nrules = packaged_rules\n")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = plugins.load(["rules", "example.plugins.house_rules"])
    assert [plugin.name for plugin in loaded] == ["rules", "example.plugins.house_rules"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, "cannot be loaded: ModuleNotFoundError"),
        ("1 / 0", "cannot be loaded: ZeroDivisionError"),
        ("", "has neither MESSAGES nor EVENTS"),
        ("EVENTS = [1]", "are dicts of a name and a function"),
        ("MESSAGES = {'x': 1}", "are dicts of a name and a function"),
        ("EVENTS = {1: print}", "are dicts of a name and a function"),
        ("EVENTS = {'chats': print}", "there is no event of type chats"),
        ("async def handle(room, event): ...\nEVENTS = {'chat': handle}", "no `async def`"),
    ],
)
def test_what_is_no_plug_in_stops_the_start_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None, words: str
) -> None:
    name = f"plugin_{abs(hash(source))}"
    if source is not None:
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=f"plug-in {name}") as error:
        plugins.load([name])
    assert words in str(error.value)


# --- the example ------------------------------------------------------------------------------------------------------


def house(heard: Message) -> list[Event]:
    (plugin,) = plugins.load(["example.plugins.house_rules"])
    return applied(plugin, heard)


@pytest.mark.parametrize(
    ("said", "shown"),
    [("hello", ["hello"]), ("oh Heck, darn it", ["oh ****, **** it"]), ("see https://spam.example", [])],
)
def test_the_example_masks_words_and_drops_links(said: str, shown: list[str]) -> None:
    assert contents(house(message(said))) == shown


@pytest.mark.parametrize(("viewers", "told"), [(1800, "1800 viewers"), (1801, None), (0, None)])
def test_the_example_tells_every_hundredth_viewer(viewers: int, told: str | None) -> None:
    payload = tiktok.MemberMessage(
        common=tiktok.Common(msg_id=7, create_time=T0), member_count=viewers, user=tiktok.User(id=int(ANA.id))
    )
    came = house(Message("WebcastMemberMessage", payload.SerializeToString(), "7", history=False))
    assert [event.notice.text for event in came if isinstance(event, Notice)] == ([told] if told else [])
    assert (came[0].time, type(came[0]).__name__) == (T0, "Member")


def test_the_example_is_said_to_be_where_it_is() -> None:
    assert house_rules.__name__ in (house_rules.__doc__ or "")
