"""Real frames of Douyin rooms, with the values that another decoder found in them.

Captures hold real persons and are not part of the repository: they lie beside it, or these tests are skipped.
"""

import json
import os
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ingestor.connectors.base import Message, SeenIds
from ingestor.connectors.douyin.frames import dialect
from ingestor.connectors.douyin.messages import TABLE, DouyinDecoder
from ingestor.connectors.webcast import WebcastProtocol
from shared import events
from shared.room import RoomKey

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "douyin"
ROOM = RoomKey("douyin", "728804746624")
RECEIVED_MS = 1_765_432_111_123

if not CAPTURES.exists() and os.environ.get("REQUIRE_CAPTURES") != "1":
    pytest.skip("no captures beside the repository", allow_module_level=True)

MANIFEST = json.loads((CAPTURES / "MANIFEST.json").read_text("utf8"))
CAPTURED = {entry["name"]: json.loads((CAPTURES / entry["file"]).read_text("utf8")) for entry in MANIFEST["frames"]}
WITH_MESSAGES = {name: frame for name, frame in CAPTURED.items() if frame["expected"]["frame"]["payload_type"] == "msg"}
PK = json.loads((CAPTURES / "pk_payloads.json").read_text("utf8"))
Field = Callable[[dict[str, Any]], object]


def at(path: str) -> Field:
    """The value at a dotted path of an event's JSON; numbers are places in lists."""

    def value(frame: Any) -> object:
        for step in path.split("."):
            frame = frame[int(step)] if isinstance(frame, list) else frame[step]
        return frame

    return value


def text_of(path: str) -> Field:
    return lambda frame: str(at(path)(frame))


def first_of(path: str) -> Field:
    return lambda frame: [at(path)(frame)]


USER: Mapping[str, Field] = {
    "user.id": at("user.id"),
    "user.nickname": at("user.nickname"),
    "user.display_id": at("user.unique_id"),
    "user.sec_uid": at("user.sec_uid"),
    "user.avatar_thumb.url_list": first_of("user.avatar"),
    "user.pay_grade.level": text_of("user.level"),
    "user.mystery_man": lambda frame: 2 if frame["user"].get("masked") else 1,
    "user.badge_image_list.0.image_type": lambda frame: {"payer": 1}[frame["user"]["badges"][0]["kind"]],
    "user.badge_image_list.0.url_list": first_of("user.badges.0.image"),
    "user.badge_image_list.0.content.level": text_of("user.badges.0.level"),
    "user.badge_image_list.0.content.alternative_text": at("user.badges.0.text"),
}

# Method -> the captures' name of a field -> where the event has it.
FIELDS: Mapping[str, Mapping[str, Field]] = {
    "WebcastChatMessage": {
        "content": at("content"),
        "event_time": lambda frame: str(frame["time"] // 1000),
        **USER,
    },
    "WebcastMemberMessage": {
        "action": text_of("action_id"),
        "member_count": text_of("member_count"),
        **USER,
    },
    "WebcastRoomUserSeqMessage": {
        "common.create_time": text_of("time"),
        "total": text_of("viewer_count"),
        "total_str": text_of("viewer_count"),  # exact in these rooms
        "online_user_for_anchor": text_of("total"),
        "total_user": text_of("total_user"),
        "total_user_str": text_of("total_user"),
        "total_pv_for_anchor": text_of("total_user"),
    },
}

# Fields that events do not carry, on purpose, each with all below it.
UNTOLD = frozenset(
    """
    anchor_display_text buried_point common individual_chat_priority public_area_common user.authorization_info
    user.badge_image_list.0.height user.badge_image_list.0.width user.badge_image_list_v2 user.desensitized_nickname
    user.follow_info user.gender user.pay_grade.new_im_icon_with_level user.pay_grade.new_live_icon
    user.public_area_badge_info user.short_id user.webcast_uid
    """.split()
)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """The captures' fields by dotted names; lists of plain values are leaves."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{place}")
    else:
        yield path, value


def parents(path: str) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def room_id_of(captured: Mapping[str, Any]) -> str:
    """What the messages of a frame call their room."""
    rooms = {message["decoded"]["common"]["room_id"] for message in captured["messages"] if "decoded" in message}
    return str(rooms.pop()) if rooms else ""


def as_json(event: events.Event) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(events.encode(event, "0-1"))
    return frame


def decoded(message: Message) -> dict[str, Any]:
    (event,) = DouyinDecoder(ROOM).decode(message, RECEIVED_MS)
    return as_json(event)


def check(frame: Mapping[str, Any], message: Message, expected: Mapping[str, Any]) -> None:
    """Compare an event with what the capture says of its message."""
    assert (frame["platform"], frame["room"], frame["id"]) == ("douyin", ROOM.room, expected["msg_id"])
    if "decoded" not in expected:  # the recorder took the payload out
        assert message.payload == b""
        assert frame["type"] in ("raw", *TABLE.types()[message.method])
        assert "decode_error" not in frame
        return
    assert [frame["type"]] == list(TABLE.types()[message.method])
    for name, value in leaves(expected["decoded"]):
        field = FIELDS[message.method].get(name)
        if field is None:
            assert UNTOLD & set(parents(name)), f"{message.method}: {name} is neither told nor left out on purpose"
        else:
            assert field(dict(frame)) == value, name


@pytest.mark.parametrize("name", WITH_MESSAGES)
def test_every_captured_frame_gives_its_messages_their_events_and_its_ack(name: str) -> None:
    captured, expected = CAPTURED[name], CAPTURED[name]["expected"]
    room_id = room_id_of(expected)
    protocol = WebcastProtocol(dialect(room_id), seen=SeenIds())
    protocol.frames_to_send()
    messages = protocol.receive_frame(b64decode(captured["frame_b64"]))
    assert [message.id for message in messages] == [message["msg_id"] for message in expected["messages"]]
    assert [message.method for message in messages] == [message["method"] for message in expected["messages"]]
    assert {message.room_id for message in messages} == {room_id}
    assert [ack.hex() for ack in protocol.frames_to_send()] == [expected["expected_ack_hex"]]
    for message, told in zip(messages, expected["messages"], strict=True):
        check(decoded(message), message, told)


def sent_as(payload_type: str) -> list[dict[str, Any]]:
    return [frame for frame in CAPTURED.values() if frame["expected"]["frame"]["payload_type"] == payload_type]


def test_recorded_acks_are_reproduced_byte_for_byte() -> None:
    acks = {ack["expected"]["frame"]["log_id"]: b64decode(ack["frame_b64"]) for ack in sent_as("ack")}
    asked = [frame for frame in sent_as("msg") if frame["expected"]["frame"]["log_id"] in acks]
    assert len(asked) == len(acks) == 3
    protocol = WebcastProtocol(dialect(""), seen=SeenIds())
    protocol.frames_to_send()
    for frame in asked:
        protocol.receive_frame(b64decode(frame["frame_b64"]))
        assert protocol.frames_to_send() == [acks[frame["expected"]["frame"]["log_id"]]]


def test_the_recorded_heartbeat_opens_a_connection() -> None:
    (beat,) = (frame for frame in sent_as("hb") if frame["direction"] == "out")
    assert WebcastProtocol(dialect(""), seen=SeenIds()).frames_to_send() == [b64decode(beat["frame_b64"])]


def test_an_answer_to_a_heartbeat_says_nothing() -> None:
    answers = [frame for frame in sent_as("hb") if frame["direction"] == "in"]
    assert answers
    for answer in answers:
        protocol = WebcastProtocol(dialect(""), seen=SeenIds())
        protocol.frames_to_send()
        assert protocol.receive_frame(b64decode(answer["frame_b64"])) == []
        assert protocol.frames_to_send() == []


def battle_of(label: str, method: str) -> dict[str, Any]:
    payload = bytes.fromhex(PK["payload_hex"][label])
    room_id = PK["expected"]["WebcastLinkMicBattleMethod_start"]["common.room_id"]
    return decoded(Message(method, payload, "", history=False, room_id=room_id))


@pytest.mark.parametrize("method", ["WebcastLinkMicBattleMethod", "LinkMicBattle"])
def test_the_captured_start_of_a_battle_gives_the_expected_values(method: str) -> None:
    frame, expected = battle_of("WebcastLinkMicBattleMethod_start", method), PK["expected"]
    told = expected["WebcastLinkMicBattleMethod_start"]
    assert (frame["type"], frame["id"]) == ("battle", told["common.msg_id"])
    assert (frame["battle"]["id"], frame["battle"]["state"]) == (told["battle_id"], "started")
    assert frame["battle"]["duration_ms"] == told["duration_s"] * 1000
    assert frame["battle"]["started_at"] <= frame["time"] < frame["battle"]["started_at"] + 10_000


@pytest.mark.parametrize("method", ["LinkMicMethod", "WebcastLinkMicMethod"])
def test_the_captured_scores_of_a_battle_give_the_expected_values(method: str) -> None:
    frame, told = battle_of("LinkMicMethod_scores", method), PK["expected"]["LinkMicMethod_scores"]
    assert (frame["battle"]["id"], frame["battle"]["state"]) == (told["battle_id"], "scores")
    assert [(side["anchor"]["id"], side["score"]) for side in frame["battle"]["sides"]] == [
        (entry["anchor_id"], entry["score"]) for entry in told["scores"]
    ]


def test_every_captured_method_is_known() -> None:
    methods = {message["method"] for frame in WITH_MESSAGES.values() for message in frame["expected"]["messages"]}
    assert methods <= TABLE.types().keys()
