"""The messages of every platform as events: what each becomes, and that nothing a peer sends makes an invalid one."""

import base64
import json
import logging
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
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

from ingestor.connectors.base import Decoder, Message
from ingestor.connectors.decoder import DECODED_MAX_BYTES, METHOD_MAX_CHARS, MessageTable, room_of
from ingestor.connectors.douyin.messages import TABLE as DOUYIN_TABLE
from ingestor.connectors.douyin.messages import DouyinDecoder
from ingestor.connectors.sanitize import MAX_INT
from ingestor.connectors.tiktok.messages import TABLE as TIKTOK_TABLE
from ingestor.connectors.tiktok.messages import TikTokDecoder
from protos import douyin_pb2, tiktok_pb2, webcast_pb2
from shared import events
from shared.room import RoomKey

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECEIVED_MS = 1_765_432_111_123
SCHEMA = events.json_schema()
VALIDATORS = {
    name: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{cls.__name__}", "$defs": SCHEMA["$defs"]})
    for name, cls in events.EVENT_TYPES.items()
}


@dataclass(frozen=True)
class Platform:
    """What the laws below need to know of a platform.

    Attributes:
        room: one of its rooms.
        room_id: what the messages of that room call it.
        never: types of event that no message makes.
    """

    room: RoomKey
    room_id: str
    table: MessageTable
    decoder: Callable[[RoomKey], Decoder]
    pb: ModuleType
    never: Set[str]

    def __str__(self) -> str:
        return self.room.platform

    def samples(self) -> list[tuple[str, bytes]]:
        lines = (FIXTURES / self.room.platform / "messages.jsonl").read_text("utf8").splitlines()
        return [(line["method"], base64.b64decode(line["payload_b64"])) for line in map(json.loads, lines)]

    def decode(self, method: str, payload: bytes, *, message_id: str = "", history: bool = False) -> Any:
        message = Message(method, payload, message_id, history, room_id=self.room_id)
        (event,) = self.decoder(self.room).decode(message, RECEIVED_MS)
        return event

    def decoded(self, method: str, message: ProtobufMessage) -> Any:
        return self.decode(method, message.SerializeToString())


TIKTOK = Platform(
    room=RoomKey("tiktok", "7300000000000000001"),
    room_id="7300000000000000001",
    table=TIKTOK_TABLE,
    decoder=TikTokDecoder,
    pb=tiktok_pb2,
    never={"room_update"},
)
DOUYIN = Platform(
    room=RoomKey("douyin", "728804746624"),
    room_id="7600000000000000001",
    table=DOUYIN_TABLE,
    decoder=DouyinDecoder,
    pb=douyin_pb2,
    never={"caption", "goal", "intro", "pin", "poll", "question", "room_update", "subscribe"},
)
PLATFORMS = (TIKTOK, DOUYIN)
everywhere = pytest.mark.parametrize("platform", PLATFORMS, ids=str)


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


@everywhere
def test_the_samples_make_every_event_that_the_table_promises_and_no_other(platform: Platform) -> None:
    decoder = platform.decoder(platform.room)  # one for all: later messages leave out what earlier ones told
    made: dict[Callable[..., object], set[str]] = {}  # by what decodes them: some messages have several names
    for method, payload in platform.samples():
        (event,) = decoder.decode(Message(method, payload, "", history=False, room_id=platform.room_id), RECEIVED_MS)
        check_valid(event)
        if decode := platform.table.decoders.get(method):
            made.setdefault(decode.event, set()).add(events.type_of(event))
    promised = {decode.event: set(decode.types) for decode in platform.table.decoders.values()}
    assert {decode: types - {"raw"} for decode, types in made.items()} == promised
    assert set().union(*promised.values()) == set(events.EVENT_TYPES) - {"raw"} - platform.never


@everywhere
def test_methods_without_an_event_are_in_the_table_as_raw(platform: Platform) -> None:
    table = platform.table
    assert not table.decoders.keys() & table.raw_methods
    assert list(table.types()) == sorted(table.decoders.keys() | table.raw_methods)
    assert {method for method, types in table.types().items() if types == ("raw",)} == table.raw_methods


@everywhere
@pytest.mark.parametrize("history", [False, True])
def test_the_head_of_an_event_comes_from_envelope_and_header(platform: Platform, history: bool) -> None:
    common = platform.pb.Common(msg_id=7, create_time=1_765_432_100_000)
    payload = platform.pb.ChatMessage(common=common).SerializeToString()
    event = platform.decode("WebcastChatMessage", payload, message_id="8", history=history)
    assert (event.platform, event.room) == (platform.room.platform, platform.room.room)
    assert (event.id, event.time) == ("8", 1_765_432_100_000)
    assert event.history is (True if history else UNSET)
    assert platform.decode("WebcastChatMessage", payload).id == "7"


@everywhere
@pytest.mark.parametrize(
    ("created", "told"),
    [
        (0, RECEIVED_MS),
        (-5, RECEIVED_MS),
        (MAX_INT + 1, RECEIVED_MS),
        (1_765_432_100_500, 1_765_432_100_500),
        (1_765_432_100, 1_765_432_100_000),
    ],
)
def test_the_time_of_an_event_is_the_headers_or_that_of_receipt(platform: Platform, created: int, told: int) -> None:
    like = platform.pb.LikeMessage(common=platform.pb.Common(create_time=created))
    event = platform.decoded("WebcastLikeMessage", like)
    assert (event.id, event.time) == (UNSET, told)


@everywhere
def test_a_message_that_names_another_room_is_no_event_of_ours(platform: Platform) -> None:
    elsewhere = platform.pb.ChatMessage(common=platform.pb.Common(msg_id=7, room_id=7900000000000000002))
    event = platform.decoded("WebcastChatMessage", elsewhere)
    assert isinstance(event, events.Raw)
    assert (event.room, event.id, event.decode_error) == (platform.room.room, "7", UNSET)


@everywhere
def test_a_message_that_names_our_room_or_none_is_ours(platform: Platform) -> None:
    for room_id in (0, int(platform.room_id)):
        here = platform.pb.ChatMessage(common=platform.pb.Common(room_id=room_id))
        assert isinstance(platform.decoded("WebcastChatMessage", here), events.Chat)


@everywhere
def test_where_it_is_not_known_what_messages_call_their_room_all_are_ours(platform: Platform) -> None:
    payload = platform.pb.ChatMessage(common=platform.pb.Common(room_id=7)).SerializeToString()
    message = Message("WebcastChatMessage", payload, "", history=False)
    (event,) = platform.decoder(platform.room).decode(message, RECEIVED_MS)
    assert isinstance(event, events.Chat)


def test_the_room_of_a_message_is_the_one_its_header_names() -> None:
    def named(room_id: int) -> bytes:
        return webcast_pb2.AnyMessage(common=webcast_pb2.MessageHeader(room_id=room_id)).SerializeToString()

    assert room_of(Message("Any", named(7300000000000000002), "", history=False)) == "7300000000000000002"
    assert room_of(Message("Any", named(2**64 - 1), "", history=False)) == str(2**64 - 1)
    assert room_of(Message("Any", b"", "", history=False)) == ""
    assert room_of(Message("Any", b"\xff", "", history=False)) == ""


# --- whatever a peer sends --------------------------------------------------------------------------------------------


@everywhere
def test_text_is_cut_at_4_kib_between_characters(platform: Platform) -> None:
    def content(told: bytes) -> object:
        return platform.decoded("WebcastChatMessage", platform.pb.ChatMessage(content=told)).content

    assert content(b"a" + "世".encode() * 2000) == "a" + "世" * 1365
    assert content(b"\xff" * 4096) == "�" * 1365
    assert content(b"a" * 4096) == "a" * 4096


@everywhere
def test_a_pattern_cannot_multiply_its_pieces_without_end(platform: Platform) -> None:
    pieces = [platform.pb.TextPiece(string_value=b"a" * 4000)]
    display = platform.pb.Text(default_pattern=b"{0:user}" * 500, pieces=pieces)
    toast = platform.pb.ToastMessage(common=platform.pb.Common(display_text=display))
    assert platform.decoded("WebcastToastMessage", toast).notice.text == "a" * events.TEXT_MAX_BYTES


@everywhere
def test_an_unknown_method_is_counted_and_logged_once(platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before = REGISTRY.get_sample_value("roomcast_ingestor_messages_unknown_total") or 0
    method = f"WebcastNeverSeen{platform}\n" + "x" * 1000
    for _ in range(3):
        event = platform.decode(method, b"payload")
    assert isinstance(event, events.Raw)
    assert event.method == method[:METHOD_MAX_CHARS]
    assert REGISTRY.get_sample_value("roomcast_ingestor_messages_unknown_total") == before + 3
    assert len(caplog.records) == 1
    assert "\n" not in caplog.text.strip()


def like(pb: ModuleType, **header: object) -> bytes:
    payload: bytes = pb.LikeMessage(common=pb.Common(msg_id=7, **header)).SerializeToString()
    return payload


@everywhere
@pytest.mark.parametrize(
    ("broken", "known"),
    [
        (lambda pb: like(pb, create_time=9) + b"\x2a\x05", True),
        (lambda pb: like(pb, describe=b"x" * 300) + b"\xff", True),
        (lambda pb: b"\x10\x01" + like(pb) + b"\xff", False),
        (lambda pb: b"\x0a\x02\xff\xff", False),
        (lambda pb: b"\x0a\xff\xff\xff", False),
        (lambda pb: b"\x0a", False),
    ],
)
def test_a_broken_payload_is_raw_with_the_header_it_begins_with(
    platform: Platform, broken: Callable[[ModuleType], bytes], known: bool
) -> None:
    before = REGISTRY.get_sample_value("roomcast_ingestor_messages_undecodable_total") or 0
    payload = broken(platform.pb)
    event = platform.decode("WebcastLikeMessage", payload)
    assert isinstance(event, events.Raw)
    assert event.decode_error == "not of the method's schema"
    assert event.id == ("7" if known else UNSET)
    assert base64.b64decode(event.payload) == payload
    assert REGISTRY.get_sample_value("roomcast_ingestor_messages_undecodable_total") == before + 1


@everywhere
def test_a_large_raw_payload_is_cut_and_says_so(platform: Platform) -> None:
    method = min(platform.table.raw_methods)
    whole = platform.decode(method, b"\x00" * events.RAW_PAYLOAD_MAX_BYTES)
    cut = platform.decode(method + "\x00" * METHOD_MAX_CHARS, b"\x00" * (events.RAW_PAYLOAD_MAX_BYTES + 1))
    assert isinstance(whole, events.Raw)
    assert isinstance(cut, events.Raw)
    assert (whole.truncated, cut.truncated) == (UNSET, True)
    assert whole.payload == cut.payload
    check_valid(cut)


@everywhere
def test_a_payload_beyond_measure_is_not_looked_into(platform: Platform) -> None:
    chat = platform.pb.ChatMessage(common=platform.pb.Common(msg_id=7), content=b"x" * DECODED_MAX_BYTES)
    event = platform.decoded("WebcastChatMessage", chat)
    assert isinstance(event, events.Raw)
    assert (event.id, event.decode_error) == ("7", "too large to be decoded")


@everywhere
def test_an_event_that_would_not_fit_into_a_log_entry_is_raw(platform: Platform) -> None:
    crowd = [platform.pb.Contributor(user=platform.pb.User(nickname=b"\x00" * 4096)) for _ in range(20)]
    event = platform.decoded("WebcastRoomUserSeqMessage", platform.pb.RoomUserSeqMessage(ranks=crowd))
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
            scalars = {
                FieldDescriptor.TYPE_BOOL: True,
                FieldDescriptor.TYPE_BYTES: text,
                FieldDescriptor.TYPE_UINT64: number % 2**64,
            }
            scalar = scalars.get(field.type, number)
            if field.is_repeated:
                value.extend([scalar] * items)
            else:
                setattr(message, field.name, scalar)
    return message


@pytest.mark.parametrize(
    ("platform", "method"),
    [(platform, method) for platform in PLATFORMS for method in platform.table.decoders],
    ids=str,
)
@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), -1, 1, 2, 3, 202])
@pytest.mark.parametrize("text", [b"", b"\x00\xff9"], ids=["empty", "odd"])
def test_extreme_fields_make_a_valid_event(platform: Platform, method: str, number: int, text: bytes) -> None:
    message = extreme(platform.table.decoders[method].schema(), number, text, items=2)
    message.common.room_id = int(platform.room_id)
    if method == "WebcastRoomPinMessage":
        message.method = b"WebcastGiftMessage"
    check_valid(platform.decoded(method, message))


def mutated(sample: tuple[str, bytes], cuts: list[tuple[int, int, bytes]], times: int) -> tuple[str, bytes]:
    method, payload = sample
    for start, length, insert in cuts:
        start %= len(payload) + 1
        payload = payload[:start] + insert + payload[start + length :]
    return method, payload * times  # a message twice is one with its lists twice as long


def anything(platform: Platform) -> st.SearchStrategy[tuple[str, bytes]]:
    methods = [*platform.table.decoders, min(platform.table.raw_methods), "Webcast\x00"]
    return st.one_of(
        st.tuples(st.sampled_from(methods), st.binary(max_size=200)),
        st.builds(
            mutated,
            st.sampled_from(platform.samples()),
            st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 40), st.binary(max_size=40)), max_size=3),
            st.sampled_from([1, 1, 1, 2, 60]),
        ),
    )


@everywhere
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_bytes_make_a_valid_event_whatever_came_before(platform: Platform, data: st.DataObject) -> None:
    decoder = platform.decoder(platform.room)
    for method, payload in data.draw(st.lists(anything(platform), min_size=1, max_size=4)):
        message = Message(method, payload, "", history=False, room_id=platform.room_id)
        (event,) = decoder.decode(message, RECEIVED_MS)
        check_valid(event)
