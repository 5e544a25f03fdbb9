"""What TikTok's HTTP answers mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.connectors.base import LiveRoom
from ingestor.connectors.tiktok.answers import is_alive, live_room, room_of_page, room_of_user
from shared.errors import Blocked, RoomNotFound, RoomNotLive, RoomOffline, RoomRestricted, UpstreamError
from shared.events import TEXT_MAX_BYTES, User

ROOM = "7300000000000000001"
CAPTCHA = b"<html><div id=tiktok-verify-page></div></html>"


def user_room(*, user: object = 2, live: object = 2, room_id: object = ROOM) -> dict[str, object]:
    return {"user": {"roomId": room_id, "status": user, "uniqueId": "ana"}, "liveRoom": {"status": live}}


def as_json(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def page(state: object) -> bytes:
    script = b'<script id="SIGI_STATE" type="application/json">' + json.dumps(state).encode() + b"</script>"
    return b"<!DOCTYPE html><script>var a=1</script>" + script + b"<script>var b=2</script>"


def live_page(found: object) -> bytes:
    return page({"LiveRoom": {"liveRoomUserInfo": found}})


@pytest.mark.parametrize(("user", "live"), [(2, 2), (4, 2), (2, 4), (2, None), (3, 3)])
def test_a_live_or_paused_user_has_a_room(user: object, live: object) -> None:
    found = user_room(user=user, live=live)
    assert room_of_user(as_json(statusCode=0, message="", data=found)) == ROOM
    assert room_of_page(live_page(found)) == ROOM


@pytest.mark.parametrize(
    "found",
    [
        user_room(user=4, live=4),
        user_room(user=None, live=None),
        user_room(room_id=""),
        user_room(room_id="0"),
        user_room(room_id=7300000000000000001),
        user_room(room_id="7300000000000000001/../x"),
        user_room(room_id="9223372036854775808"),
        user_room(room_id="07300000000000000001"),
        {},
        [],
        "text",
    ],
)
def test_a_user_without_a_running_room_is_offline(found: object) -> None:
    with pytest.raises(RoomOffline):
        room_of_user(as_json(statusCode=0, data=found))
    with pytest.raises(RoomOffline):
        room_of_page(live_page(found))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (as_json(statusCode=19881007, message="user_not_found", data=None), RoomNotFound),
        (as_json(statusCode=19881007, message="", data={}), RoomNotFound),
        (as_json(statusCode=0, message="user_not_found", data={}), RoomNotFound),
        (as_json(statusCode=0, message="", data=None), RoomNotFound),
        (as_json(statusCode=4003110, message="", data=None), RoomRestricted),
        (as_json(statusCode=10201, message="params_error", data=None), Blocked),
        (CAPTCHA, Blocked),
        (b"", Blocked),
        (b"[1]", Blocked),
        (b"[" * 100_000, Blocked),
        (b'{"statusCode":' + b"9" * 5000 + b"}", Blocked),
    ],
)
def test_other_answers_about_a_user_have_their_types(body: bytes, error: type[UpstreamError]) -> None:
    with pytest.raises(error) as raised:
        room_of_user(body)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("html", "error"),
    [
        (CAPTCHA, Blocked),
        (b"", Blocked),
        (b'<script id="SIGI_STATE" type="application/json">{"LiveRoom":</script>', Blocked),
        (b'<script id="SIGI_STATE" type="application/json">{"LiveRoom":{}', Blocked),
        (page({"AppContext": {}}), RoomNotFound),
        (page({"LiveRoom": None}), RoomNotFound),
        (page({"LiveRoom": {}}), RoomOffline),
    ],
)
def test_other_pages_have_their_types(html: bytes, error: type[UpstreamError]) -> None:
    with pytest.raises(error) as raised:
        room_of_page(html)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("data", "alive"),
    [
        ([{"alive": True, "room_id_str": ROOM}], True),
        ([{"alive": False, "room_id_str": ROOM}], False),
        ([{"room_id_str": ROOM}], False),
        ([], None),
        (None, None),
        ({}, None),
        (["yes"], None),
    ],
)
def test_check_alive_may_know_a_room_or_not(data: object, alive: bool | None) -> None:
    assert is_alive(as_json(data=data, status_code=0)) is alive


def test_check_alive_may_be_blocked() -> None:
    with pytest.raises(Blocked):
        is_alive(b"")


def room_info(**fields: object) -> bytes:
    return as_json(status_code=0, data={"id_str": ROOM, "status": 2, **fields})


def test_room_info_tells_what_it_knows() -> None:
    owner = {
        "id": 6919,
        "id_str": "6919",
        "display_id": "ana",
        "nickname": "Ana",
        "avatar_large": {"url_list": ["https://p/1", "https://p/2"]},
    }
    assert live_room(room_info(title="Night", owner=owner, create_time=1763700000, user_count=311)) == LiveRoom(
        title="Night",
        owner=User(id="6919", unique_id="ana", nickname="Ana", avatar="https://p/1", roles=["anchor"], badges=[]),
        started_at=1763700000000,
        viewer_count=311,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"title": "", "owner": None, "create_time": 0, "user_count": -1},
        {"title": 7, "owner": "ana", "create_time": "soon", "user_count": True},
    ],
)
def test_what_room_info_does_not_tell_is_unknown(fields: dict[str, object]) -> None:
    assert live_room(room_info(**fields)) == LiveRoom()


def test_texts_are_bounded_and_can_be_written() -> None:
    told = live_room(b'{"status_code":0,"data":{"id":1,"status":2,"title":"\\ud83d' + b"x" * 5000 + b'"}}')
    assert told.title == "?" + "x" * (TEXT_MAX_BYTES - 1)


def test_an_owner_may_be_half_known() -> None:
    owner = live_room(room_info(owner={"id": 7, "avatar_large": {"url_list": []}})).owner
    assert owner == User(id="7", unique_id="", nickname="", avatar="", roles=["anchor"], badges=[])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (as_json(status_code=4003110, data={"prompts": "x"}), RoomRestricted),
        (as_json(status_code=4003110), RoomRestricted),
        (as_json(status_code=0, data={"prompts": "x", "id": 1, "status": 2}), RoomRestricted),
        (as_json(status_code=0, data={"id": 1}), RoomRestricted),
        (as_json(status_code=0, data={}), RoomRestricted),
        (as_json(status_code=30003, data={"message": "room has finished", "room_id": "0"}), RoomNotFound),
        (as_json(status_code=0, data=None), RoomNotFound),
        (as_json(status_code=0, data={"id": 1, "status": 4}), RoomOffline),
        (CAPTCHA, Blocked),
    ],
)
def test_other_answers_about_a_room_have_their_types(body: bytes, error: type[UpstreamError]) -> None:
    with pytest.raises(error) as raised:
        live_room(body)
    assert type(raised.value) is error


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "user", "liveRoom", "status", "roomId", "owner", "alive", "LiveRoom", "status_code"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_no_answer_raises_anything_untyped(value: object) -> None:
    body = json.dumps(value).encode()
    for read in (room_of_user, is_alive, live_room, room_of_page, lambda body: room_of_page(live_page(value))):
        try:
            read(body)
        except (Blocked, RoomNotLive):
            pass
