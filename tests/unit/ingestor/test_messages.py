"""TikTok's messages as events: what each becomes, and that nothing a peer sends makes an invalid one."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message as ProtobufMessage
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace
from prometheus_client import REGISTRY

from ingestor.connectors.base import Message
from ingestor.connectors.sanitize import MAX_INT
from ingestor.connectors.tiktok.messages import (
    DECODED_MAX_BYTES,
    DECODERS,
    METHOD_MAX_CHARS,
    RAW_METHODS,
    TikTokDecoder,
    message_table,
    room_of,
)
from protos import tiktok_pb2 as pb
from shared import events
from shared.room import RoomKey

FIXTURES = Path(__file__).parents[2] / "fixtures" / "tiktok"
ROOM = RoomKey("tiktok", "7300000000000000001")
RECEIVED_MS = 1_765_432_111_123
SCHEMA = events.json_schema()
VALIDATORS = {
    name: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{cls.__name__}", "$defs": SCHEMA["$defs"]})
    for name, cls in events.EVENT_TYPES.items()
}
SAMPLES = [
    (line["method"], base64.b64decode(line["payload_b64"]))
    for line in map(json.loads, (FIXTURES / "messages.jsonl").read_text("utf8").splitlines())
]


def decode(method: str, payload: bytes, *, message_id: str = "", history: bool = False) -> events.Event:
    (event,) = TikTokDecoder(ROOM).decode(Message(method, payload, message_id, history), RECEIVED_MS)
    return event


def decoded(method: str, message: ProtobufMessage) -> Any:
    return decode(method, message.SerializeToString())


def integers_of(value: object) -> Iterator[int]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from integers_of(item)
    elif isinstance(value, int):
        yield value


def check_valid(event: events.Event) -> None:
    encoded = events.encode(event, "1765432100000000-480")
    assert len(encoded) <= events.ENTRY_MAX_BYTES
    frame = json.loads(encoded)
    VALIDATORS[events.type_of(event)].validate(frame)
    assert not events.RESERVED_KEYS & frame.keys()
    assert all(abs(number) <= MAX_INT for number in integers_of(frame))
    assert events.decode(encoded) == replace(event, cursor="1765432100000000-480")


# --- each message -----------------------------------------------------------------------------------------------------


def test_the_samples_make_every_event_that_the_table_promises_and_no_other() -> None:
    made: dict[str, set[str]] = {}
    for method, payload in SAMPLES:
        event = decode(method, payload)
        check_valid(event)
        made.setdefault(method, set()).add(events.type_of(event))
    promised = {method: set(types) for method, types in message_table().items() if method in DECODERS}
    promised["RoomMessage"] = {"notice"}  # the same decoder as WebcastRoomMessage, which the samples use for the rest
    assert {method: types - {"raw"} for method, types in made.items() if method in DECODERS} == promised
    # Source: no message of a room tells that its front changed.
    assert set().union(*made.values()) == set(events.EVENT_TYPES) - {"room_update"}


def test_methods_without_an_event_are_in_the_table_as_raw() -> None:
    table = message_table()
    assert not DECODERS.keys() & RAW_METHODS
    assert list(table) == sorted(DECODERS.keys() | RAW_METHODS)
    assert {method for method, types in table.items() if types == ("raw",)} == RAW_METHODS


@pytest.mark.parametrize("history", [False, True])
def test_the_head_of_an_event_comes_from_envelope_and_header(history: bool) -> None:
    payload = pb.ChatMessage(common=pb.Common(msg_id=7, create_time=1_765_432_100_000)).SerializeToString()
    event = decode("WebcastChatMessage", payload, message_id="8", history=history)
    assert (event.platform, event.room, event.id, event.time) == ("tiktok", ROOM.room, "8", 1_765_432_100_000)
    assert event.history is (True if history else UNSET)
    assert decode("WebcastChatMessage", payload).id == "7"


def test_without_id_and_time_the_event_has_none_and_the_time_of_receipt() -> None:
    for payload in (b"", pb.ChatMessage(common=pb.Common(create_time=-5)).SerializeToString()):
        event = decode("WebcastChatMessage", payload)
        assert (event.id, event.time) == (UNSET, RECEIVED_MS)


def test_a_message_that_names_another_room_is_no_event_of_ours() -> None:
    elsewhere = pb.ChatMessage(common=pb.Common(msg_id=7, room_id=7300000000000000002))
    event = decoded("WebcastChatMessage", elsewhere)
    assert isinstance(event, events.Raw)
    assert (event.room, event.id, event.decode_error) == (ROOM.room, "7", UNSET)


def test_the_room_of_a_message_is_the_one_its_header_names() -> None:
    named = pb.AnyMessage(common=pb.Header(room_id=7300000000000000002)).SerializeToString()
    assert room_of(Message("Any", named, "", history=False)) == "7300000000000000002"
    assert room_of(Message("Any", b"", "", history=False)) == ""
    assert room_of(Message("Any", b"\xff", "", history=False)) == ""


@pytest.mark.parametrize(
    ("user", "identity", "roles"),
    [
        (pb.User(), pb.UserIdentity(), []),
        (pb.User(follow_info=pb.FollowInfo(follow_status=1)), pb.UserIdentity(), ["follower"]),
        (pb.User(follow_info=pb.FollowInfo(follow_status=3)), pb.UserIdentity(), ["follower"]),
        (pb.User(), pb.UserIdentity(is_mutual_following_with_anchor=True), ["follower", "mutual"]),
        (pb.User(), pb.UserIdentity(is_moderator_of_anchor=True), ["moderator"]),
        (pb.User(subscribe_info=pb.SubscribeInfo(is_subscribed_to_anchor=True)), pb.UserIdentity(), ["subscriber"]),
        (pb.User(badge_list=[pb.BadgeStruct(scene_type=7)]), pb.UserIdentity(), ["subscriber"]),
    ],
)
def test_roles_come_from_user_badges_and_identity(user: pb.User, identity: pb.UserIdentity, roles: list[str]) -> None:
    assert decoded("WebcastChatMessage", pb.ChatMessage(user=user, user_identity=identity)).user.roles == roles


def test_levels_are_the_users_own_before_those_of_badges() -> None:
    user = pb.User(
        pay_grade=pb.UserHonor(level=30),
        fans_club=pb.FansClubMember(data=pb.FansClubData(club_name=b"old", level=4)),
        badge_list=[
            pb.BadgeStruct(scene_type=scene, privilege_log_extra=pb.PrivilegeLogExtra(level=level))
            for scene, level in ((8, b"21"), (10, b"9"), (6, b"0"), (6, b"-1"), (6, b"1" * 20), (6, b"x"))
        ],
    )
    told = decoded("WebcastLikeMessage", pb.LikeMessage(user=user)).user
    assert (told.level, told.fans_level, told.fans_club) == (30, 4, "old")
    assert [badge.level for badge in told.badges] == [21, 9, *[UNSET] * 4]


# --- whatever a peer sends --------------------------------------------------------------------------------------------


def test_text_is_cut_at_4_kib_between_characters() -> None:
    content = decoded("WebcastChatMessage", pb.ChatMessage(content=b"a" + "世".encode() * 2000)).content
    assert content == "a" + "世" * 1365
    assert decoded("WebcastChatMessage", pb.ChatMessage(content=b"\xff" * 4096)).content == "�" * 1365
    assert decoded("WebcastChatMessage", pb.ChatMessage(content=b"a" * 4096)).content == "a" * 4096


def test_a_pattern_cannot_multiply_its_pieces_without_end() -> None:
    display = pb.Text(default_pattern=b"{0:user}" * 500, pieces=[pb.TextPiece(string_value=b"a" * 4000)])
    notice = decoded("WebcastToastMessage", pb.ToastMessage(common=pb.Common(display_text=display)))
    assert notice.notice.text == "a" * events.TEXT_MAX_BYTES


def test_an_unknown_method_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before = REGISTRY.get_sample_value("roomcast_ingestor_messages_unknown_total") or 0
    method = "WebcastNeverSeen\n" + "x" * 1000
    for _ in range(3):
        event = decode(method, b"payload")
    assert isinstance(event, events.Raw)
    assert event.method == method[:METHOD_MAX_CHARS]
    assert REGISTRY.get_sample_value("roomcast_ingestor_messages_unknown_total") == before + 3
    assert len(caplog.records) == 1
    assert "\n" not in caplog.text.strip()


@pytest.mark.parametrize(
    ("payload", "known"),
    [
        (pb.LikeMessage(common=pb.Common(msg_id=7, create_time=9)).SerializeToString() + b"\x2a\x05", True),
        (pb.LikeMessage(common=pb.Common(msg_id=7, describe=b"x" * 300)).SerializeToString() + b"\xff", True),
        (b"\x10\x01" + pb.LikeMessage(common=pb.Common(msg_id=7)).SerializeToString() + b"\xff", False),
        (b"\x0a\x02\xff\xff", False),
        (b"\x0a\xff\xff\xff", False),
        (b"\x0a", False),
    ],
)
def test_a_broken_payload_is_raw_with_the_header_it_begins_with(payload: bytes, known: bool) -> None:
    before = REGISTRY.get_sample_value("roomcast_ingestor_messages_undecodable_total") or 0
    event = decode("WebcastLikeMessage", payload)
    assert isinstance(event, events.Raw)
    assert event.decode_error == "not of the method's schema"
    assert event.id == ("7" if known else UNSET)
    assert base64.b64decode(event.payload) == payload
    assert REGISTRY.get_sample_value("roomcast_ingestor_messages_undecodable_total") == before + 1


def test_a_large_raw_payload_is_cut_and_says_so() -> None:
    whole = decode("LinkMicMethod", b"\x00" * events.RAW_PAYLOAD_MAX_BYTES)
    cut = decode("LinkMicMethod" + "\x00" * METHOD_MAX_CHARS, b"\x00" * (events.RAW_PAYLOAD_MAX_BYTES + 1))
    assert isinstance(whole, events.Raw)
    assert isinstance(cut, events.Raw)
    assert (whole.truncated, cut.truncated) == (UNSET, True)
    assert whole.payload == cut.payload
    check_valid(cut)


def test_a_payload_beyond_measure_is_not_looked_into() -> None:
    chat = pb.ChatMessage(common=pb.Common(msg_id=7), content=b"x" * DECODED_MAX_BYTES)
    event = decoded("WebcastChatMessage", chat)
    assert isinstance(event, events.Raw)
    assert (event.id, event.decode_error) == ("7", "too large to be decoded")


def test_an_event_that_would_not_fit_into_a_log_entry_is_raw() -> None:
    crowd = [pb.Contributor(user=pb.User(nickname=b"\x00" * 4096)) for _ in range(20)]
    event = decoded("WebcastRoomUserSeqMessage", pb.RoomUserSeqMessage(ranks=crowd))
    assert isinstance(event, events.Raw)
    assert event.decode_error == "its event would be too large"


def extreme(message: ProtobufMessage, number: int, text: bytes, items: int) -> Any:
    """The message with every field set: numbers and texts to these, lists to so many items."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in [value.add() for _ in range(items)] if field.is_repeated else [value]:
                extreme(inner, number, text, items)
        else:
            scalar = {FieldDescriptor.TYPE_BOOL: True, FieldDescriptor.TYPE_BYTES: text}.get(field.type, number)
            if field.is_repeated:
                value.extend([scalar] * items)
            else:
                setattr(message, field.name, scalar)
    return message


@pytest.mark.parametrize("method", DECODERS)
@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), -1, 1, 2, 3])
@pytest.mark.parametrize("text", [b"", b"\x00\xff9"], ids=["empty", "odd"])
def test_extreme_fields_make_a_valid_event(method: str, number: int, text: bytes) -> None:
    message = extreme(DECODERS[method].schema(), number, text, items=2)
    message.common.room_id = int(ROOM.room)
    if method == "WebcastRoomPinMessage":
        message.method = b"WebcastGiftMessage"
    check_valid(decoded(method, message))


def mutated(sample: tuple[str, bytes], cuts: list[tuple[int, int, bytes]], times: int) -> tuple[str, bytes]:
    method, payload = sample
    for start, length, insert in cuts:
        start %= len(payload) + 1
        payload = payload[:start] + insert + payload[start + length :]
    return method, payload * times  # a message twice is one with its lists twice as long


anything = st.one_of(
    st.tuples(st.sampled_from([*DECODERS, "LinkMicMethod", "Webcast\x00"]), st.binary(max_size=200)),
    st.builds(
        mutated,
        st.sampled_from(SAMPLES),
        st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 40), st.binary(max_size=40)), max_size=3),
        st.sampled_from([1, 1, 1, 2, 60]),
    ),
)


@settings(max_examples=500, deadline=None)
@given(anything)
def test_any_bytes_make_a_valid_event(message: tuple[str, bytes]) -> None:
    check_valid(decode(*message))
