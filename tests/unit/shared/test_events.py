"""The JSON of events: what every client, old and new, relies on."""

import json

import jsonschema
import pytest
from msgspec.structs import replace

from shared import events
from shared.cursor import Cursor
from shared.events import EVENT_TYPES, SHED_ORDER, Chat, Gap, User, decode, encode, json_schema, type_of

ANA = User(id="6919", unique_id="ana", nickname="Ana", avatar="", roles=["follower"], badges=[])
HELLO = Chat(
    platform="tiktok", room="7300000000000000001", id="7301", time=1765432111123, user=ANA, content="hello",
    emotes=[], mentions=[],
)  # fmt: skip


def test_an_event_begins_with_its_type_and_carries_its_cursor() -> None:
    data = encode(HELLO, Cursor(1765432100000000, 480))
    assert data.startswith(b'{"type":"chat","platform":"tiktok","room":"7300000000000000001",')
    assert json.loads(data)["cursor"] == "1765432100000000-480"


def test_unknown_fields_are_absent_and_empty_ones_are_written() -> None:
    sent = json.loads(encode(HELLO, "1-1"))
    assert "lang" not in sent
    assert "history" not in sent
    assert sent["emotes"] == []
    assert sent["user"]["avatar"] == ""


def test_an_event_survives_its_json() -> None:
    assert decode(encode(HELLO, "1-1")) == replace(HELLO, cursor="1-1")
    gap = Gap(platform="tiktok", room="1", after="1-1", before="2-1", reason="upstream")
    assert decode(encode(gap, "1-2")) == replace(gap, cursor="1-2")


def test_the_schema_accepts_events_and_refuses_others() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.validate(json.loads(encode(HELLO, "1-1")))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"type": "chat", "content": 1})


@pytest.mark.parametrize("cls", EVENT_TYPES.values(), ids=lambda cls: cls.__name__)
def test_no_event_uses_a_reserved_key(cls: type[events.Event]) -> None:
    names = set(cls.__struct_encode_fields__)
    assert not names & events.RESERVED_KEYS
    owners = {
        "content": {"chat"}, "gift": {"gift"}, "action_id": {"member"}, "like_count": {"like"},
        "total_like_count": {"like"}, "viewer_count": {"room_stats"}, "total_user": {"room_stats"},
        "total": {"gift", "room_stats"}, "action": {"member", "follow", "share"},
    }  # fmt: skip
    for name in names & owners.keys():
        assert cls.__struct_config__.tag in owners[name]


def test_what_matters_most_is_never_shed() -> None:
    assert SHED_ORDER["gift"] == SHED_ORDER["chat"] == SHED_ORDER["ended"] == 0
    assert SHED_ORDER["like"] == SHED_ORDER["member"] == SHED_ORDER["room_stats"] == 1


def test_the_type_of_an_event_is_its_name_on_the_wire() -> None:
    assert type_of(HELLO) == "chat"
    assert all(name == cls.__struct_config__.tag for name, cls in EVENT_TYPES.items())
