"""What Douyin's HTTP answers mean."""

import json
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingestor.connectors.base import LiveRoom
from ingestor.connectors.douyin.answers import (
    fetch_refusal,
    live_room_of_enter,
    live_room_of_page,
    visitor_of_page,
    web_rid_of_reflow,
)
from ingestor.connectors.douyin.page import MAX_PIECES, MAX_ROOM_INFOS, MAX_ROWS, MAX_VALUE_BYTES
from protos import webcast_pb2 as pb
from shared.errors import (
    Blocked,
    LoginRequired,
    RoomBanned,
    RoomNotFound,
    RoomNotLive,
    RoomOffline,
    RoomRestricted,
    UpstreamError,
    is_retryable,
)
from shared.events import TEXT_MAX_BYTES, User

FIXTURES = Path(__file__).parents[2] / "fixtures" / "douyin"
ROOM = "7690000000000000001"
STARTED_AT = (int(ROOM) >> 32) * 1000
OWNER = {
    "id_str": "3700000000000001",
    "sec_uid": "MS4wLjABAAAAinvented",
    "nickname": "夜雨听风",
    "avatar_thumb": {"url_list": ["https://p3.example/avatar.jpeg", "https://p11.example/avatar.jpeg"]},
}
HOST = User(
    id="3700000000000001",
    unique_id="",
    nickname="夜雨听风",
    avatar="https://p3.example/avatar.jpeg",
    roles=["anchor"],
    badges=[],
    sec_uid="MS4wLjABAAAAinvented",
)
CLOSED = {"nickname": "账号已注销", "avatar_thumb": {"url_list": ["https://p3.example/aweme_default_avatar.png.jpeg"]}}
SHELL = b"<html><script>window.__log={}; window.endpoint='/webcast/room/web/enter/';</script><body></body></html>"
PUSH = 'self.__pace_f.push([1,"'

Fields = dict[str, object]


def room(**fields: object) -> Fields:
    return {"id_str": ROOM, "status": 2, "title": "今晚八点", "owner": OWNER, **fields}


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pushed(*pieces: str) -> bytes:
    scripts = (f"<script>self.__pace_f.push([1,{as_json(piece)}])</script>\n" for piece in pieces)
    return "".join(["<!DOCTYPE html><html><body>", *scripts, "</body></html>"]).encode("utf8", "replace")


def state(info: object) -> Fields:
    return {"state": {"roomStore": {"roomInfo": info, "liveStatus": "normal"}}}


def page(*infos: object) -> bytes:
    """A page whose rows hold a `roomInfo` each."""
    return pushed("".join(f"{number:x}:{as_json(['$', '$L1', state(info)])}\n" for number, info in enumerate(infos)))


def entered(*rooms: object, status_code: object = 0, **data: object) -> bytes:
    return as_json({"data": {"data": list(rooms), **data}, "status_code": status_code}).encode("utf8", "replace")


def refused(status_code: object, prompts: str = "", message: str = "") -> bytes:
    return as_json({"data": {"prompts": prompts, "message": message}, "status_code": status_code}).encode()


def live_room(body: bytes) -> LiveRoom:
    return live_room_of_enter(body, {})


# --- both doors -------------------------------------------------------------------------------------------------------


def at_both_doors(found: Mapping[str, object]) -> list[LiveRoom]:
    return [live_room(entered(found, room_status=0)), live_room_of_page(page({"room": found}), 200)]


@pytest.mark.parametrize(("status", "paused"), [(2, False), ("2", False), (3, True), ("3", True)])
def test_both_doors_tell_the_same_of_a_room(status: object, paused: bool) -> None:
    told = LiveRoom(title="今晚八点", owner=HOST, started_at=STARTED_AT, paused=paused, broadcast=ROOM)
    assert at_both_doors(room(status=status)) == [told, told]
    assert at_both_doors(room(status=0, status_str=str(status))) == [told, told]


@pytest.mark.parametrize("status", [1, 4, "1", "4"])
def test_a_room_that_has_not_begun_or_is_over_is_offline(status: object) -> None:
    with pytest.raises(RoomOffline):
        live_room(entered(room(status=status), room_status=0))
    with pytest.raises(RoomOffline):
        live_room_of_page(page({"room": room(status=status)}), 200)


@pytest.mark.parametrize("status", [0, 5, None, "", "live", True, [2]])
def test_a_room_of_unknown_status_is_not_called_offline(status: object) -> None:
    with pytest.raises(Blocked):
        live_room(entered(room(status=status)))
    with pytest.raises(Blocked):
        live_room_of_page(page({"room": room(status=status)}), 200)


@pytest.mark.parametrize(
    ("fields", "viewers"),
    [
        ({"stats": {"user_count_str": "2665"}, "user_count_str": "2000+"}, 2665),
        ({"stats": {"user_count_str": "0"}}, 0),
        ({"stats": {"user_count_str": "1.2万"}}, None),
        ({"stats": {"user_count_str": "٣"}}, None),
        ({"stats": {"total_user_str": "1310"}}, None),
        ({"user_count_str": "2000+"}, None),
        ({"room_view_stats": {"display_type": 1, "display_short": "91", "display_value": 91}}, 91),
        ({"room_view_stats": {"display_type": 1, "display_short": "1.2万", "display_value": 12000}}, None),
        ({"room_view_stats": {"display_type": 3, "display_short": "1310", "display_value": 1310}}, None),
        ({"stats": "2665", "room_view_stats": []}, None),
    ],
)
def test_viewers_are_told_where_they_are_told_exactly(fields: Fields, viewers: int | None) -> None:
    assert [live.viewer_count for live in at_both_doors(room(**fields))] == [viewers, viewers]


@pytest.mark.parametrize(
    "room_id",
    [*(str(2**63 - 1), str(2**63), str(2**64 - 1)), "7690000000000000001"],
)
def test_a_broadcasts_id_is_unsigned_and_begins_with_its_time(room_id: str) -> None:
    for live in at_both_doors(room(id_str=room_id)):
        assert live.broadcast == room_id
        assert live.started_at == (int(room_id) >> 32) * 1000


@pytest.mark.parametrize(
    "room_id",
    ["", "0", "123", str(2**64), f"0{ROOM}", f"{ROOM}/../x", f"{ROOM}\n", "٣" * 19, int(ROOM), None, [ROOM]],
)
def test_what_is_no_broadcasts_id_opens_nothing(room_id: object) -> None:
    with pytest.raises(Blocked):
        live_room(entered(room(id_str=room_id)))
    with pytest.raises(Blocked):
        live_room_of_page(page({"room": room(id_str=room_id)}), 200)


def test_texts_are_bounded_and_can_be_written() -> None:
    lone = (
        '{"status_code":0,"data":{"data":[{"id_str":"' + ROOM + '","status":2,"title":"\\ud83d' + "x" * 5000 + '"}]}}'
    )
    assert live_room(lone.encode()).title == "?" + "x" * (TEXT_MAX_BYTES - 1)
    for live in at_both_doors(room(title="", owner={"nickname": 7, "avatar_thumb": {"url_list": []}})):
        assert live.title is None
        assert live.owner == User(id="", unique_id="", nickname="", avatar="", roles=["anchor"], badges=[])


# --- the room page ----------------------------------------------------------------------------------------------------


def test_a_streamed_page_tells_its_room_and_its_visitor() -> None:
    html = (FIXTURES / "page_live.html").read_bytes()
    live = live_room_of_page(html, 200)
    assert live == LiveRoom(
        title="今晚八点开播，" * 40, owner=HOST, started_at=STARTED_AT, viewer_count=2665, broadcast=ROOM
    )
    assert visitor_of_page(html) == "7660000000000000002"


def test_an_empty_room_info_before_the_one_that_counts_is_passed_over() -> None:
    assert live_room_of_page(page({}, {"room": None}, {"room": {}}, {"room": room()}), 200).broadcast == ROOM


def test_the_first_room_with_an_id_counts() -> None:
    assert live_room_of_page(page({"room": room(title="A")}, {"room": room(title="B", status=4)}), 200).title == "A"


def test_pieces_may_end_anywhere() -> None:
    whole = f"5:{as_json(state({'room': room()}))}\n"
    assert live_room_of_page(pushed(*whole), 200).owner == HOST


def test_the_anchor_stands_in_for_an_owner() -> None:
    info = {"room": room(owner=None), "anchor": {**OWNER, "display_id": "yeyu"}}
    owner = live_room_of_page(page(info), 200).owner
    assert owner is not None
    assert (owner.id, owner.unique_id) == ("3700000000000001", "yeyu")


@pytest.mark.parametrize("none", [None, {}, "$undefined", "absent"])
def test_an_account_without_a_room_is_offline_whatever_number_stands_beside_it(none: object) -> None:
    info = {"roomId": ROOM, "web_rid": "728804746624", "anchor": OWNER, **({} if none == "absent" else {"room": none})}
    with pytest.raises(RoomOffline):
        live_room_of_page(page({}, info), 200)


def test_a_closed_account_is_not_found() -> None:
    with pytest.raises(RoomNotFound):
        live_room_of_page(page({"anchor": CLOSED}), 200)
    with pytest.raises(RoomNotFound):
        live_room(entered(user=CLOSED))
    with pytest.raises(RoomOffline):  # anybody may call themselves so
        live_room(entered(user={**OWNER, "nickname": CLOSED["nickname"]}))


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        ('1:T7,A"room\n2:{"roomInfo":{"room":"$3"}}\n3:{"id_str":"ROOM","status":2,"title":"$1"}\n', 'A"room\n'),
        ('2:{"roomInfo":"$3"}\n3:{"room":"$4"}\n4:"$5"\n5:{"id_str":"ROOM","status":2,"title":"$$9"}\n', "$9"),
        ('2:{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"$undefined"}}}\n', None),
        ('2:{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"$99"}}}\n', "$99"),
        ('2:{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"$Lx"}}}\n', "$Lx"),
        ('2:{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"$2"}}}\n', None),
        ('2:{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"$3"}}}\n3:I["x.js"]\n', None),
        ('1:T3,你2:{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"$1"}}}\n', "你"),
        ('2:{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"$1"}}}\n1:Tffffffff,cut', "cut"),
        ('{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"no rows"}}}', "no rows"),
        (r'2:{"roomInfo":{"room":{"id_str":"ROOM","status":2,"title":"a \"b\" \\ \u0026"}}}', 'a "b" \\ &'),
    ],
)
def test_references_of_rows_are_followed(rows: str, title: str | None) -> None:
    assert live_room_of_page(pushed(rows.replace("ROOM", ROOM)), 200).title == title


@pytest.mark.parametrize(
    "rows",
    [
        '2:{"roomInfo":"$3"}\n3:"$4"\n4:"$3"\n',
        '2:{"roomInfo":"$2"}\n',
        '2:{"roomInfo":{"room":"$9","anchor":{"nickname":"A"}}}\n',  # what it says of the room cannot be read
        '2:{"roomInfo":{"room":{"id_str":"$2"}}}\n',
        '2:{"roomInfo":[\n',
        '2:{"roomInfo":}\n',
    ],
)
def test_references_that_lead_nowhere_are_no_room(rows: str) -> None:
    with pytest.raises(Blocked):
        live_room_of_page(pushed(rows), 200)


def test_what_somebody_wrote_is_no_state() -> None:
    written = f'"roomInfo":{as_json({"room": room()})}'
    assert live_room_of_page(page({"room": room(title=written, id_str=str(int(ROOM) + 1))}), 200).title == written
    rows = (
        f"1:T{len(written.encode()):x},{written}2:{as_json({'title': '$1', 'roomInfo': {'room': room(title='it')}})}\n"
    )
    assert live_room_of_page(pushed(rows), 200).title == "it"


@pytest.mark.parametrize("layers", [1, 2])
def test_state_within_state_is_found(layers: int) -> None:
    text = as_json(state({"room": room()}))
    for _ in range(layers):
        text = as_json({"props": text})
    for html in (pushed(text), f"<script>self.__flight.push([1,{as_json(text)}])</script>".encode()):
        assert live_room_of_page(html, 200).owner == HOST


@pytest.mark.parametrize(
    ("html", "status", "error"),
    [
        (SHELL, 200, Blocked),
        (b"", 200, Blocked),
        (page({}), 200, Blocked),
        (SHELL, 404, RoomNotFound),
        (b"", 410, RoomNotFound),
        (page({"anchor": OWNER}), 404, RoomOffline),
        (f'<div id="gift_effect_bg_{ROOM}"></div><span>直播已结束</span>'.encode(), 200, RoomOffline),
        ("<span>直播已结束</span>".encode(), 200, Blocked),
        (f'<div id="gift_effect_bg_{ROOM}"></div>'.encode(), 200, Blocked),
        ("<p>主播暂未开播</p>".encode(), 200, RoomOffline),
        ("<p>未开播</p>".encode(), 200, RoomOffline),
    ],
)
def test_other_pages_have_their_types(html: bytes, status: int, error: type[UpstreamError]) -> None:
    with pytest.raises(error) as raised:
        live_room_of_page(html, status)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("html", "number"),
    [
        (b'{"user_unique_id":"7660000000000000002"}', "7660000000000000002"),
        (rb"{\"user_unique_id\":\"7660000000000000002\"}", "7660000000000000002"),
        (rb"{\\\"user_unique_id\\\":\\\"7660000000000000002\\\"}", "7660000000000000002"),
        (b'{"user_unique_id":""},{"user_unique_id":"7660000000000000002"}', "7660000000000000002"),
        (b'{"user_unique_id":"123456789012"}', ""),
        (b'{"user_unique_id":"76600000000000000021"}', ""),
        (b'{"user_unique_id":7660000000000000002}', ""),
        (b'{"not_user_unique_id":"7660000000000000002"}', ""),
        (b"", ""),
    ],
)
def test_a_visitors_number_has_19_digits(html: bytes, number: str) -> None:
    assert visitor_of_page(html) == number


# --- web/enter --------------------------------------------------------------------------------------------------------


def test_web_enter_tells_what_it_knows() -> None:
    live = live_room((FIXTURES / "enter_live.json").read_bytes())
    assert live == LiveRoom(title="今晚八点开播", owner=HOST, started_at=STARTED_AT, viewer_count=2665, broadcast=ROOM)


def test_without_an_owner_the_user_is_the_host() -> None:
    live = live_room(entered(room(owner=None), user=OWNER))
    assert live.owner == HOST
    assert live_room(entered(room(owner="夜雨听风"))).owner is None


@pytest.mark.parametrize(("room_status", "status"), [(0, None), (0, 0)])
def test_the_other_scale_counts_where_the_status_is_missing(room_status: int, status: object) -> None:
    assert live_room(entered(room(status=status), room_status=room_status)).broadcast == ROOM
    with pytest.raises(RoomOffline):
        live_room(entered(room(status=status), room_status=2))
    assert live_room(entered(room(status=2), room_status=2)).broadcast == ROOM  # and only there


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (entered(user=OWNER), RoomOffline),
        (entered(None, user=OWNER), RoomOffline),
        (entered(user=None), Blocked),
        (entered(user=None, prompts="直播已结束"), RoomOffline),
        (b'{"status_code":0}', Blocked),
        (b'{"data":{"data":[]}}', Blocked),
        (refused(4001038, "该内容暂时无法无法查看"), RoomNotFound),
        (refused(30003, "直播已结束", "room has finished"), RoomOffline),
        (refused(20003, message="User doesn't login"), LoginRequired),
        (refused(4003099, "本场仅开通有会员直播权益的会员用户可观看"), RoomRestricted),
        (refused(10011, "Request params error"), Blocked),
        (refused(1234567, "?"), Blocked),
        (refused(1234567, "主播暂未开播"), RoomOffline),
        (refused(1234567, "该直播间因违反规定已被封禁"), RoomBanned),
        (refused(4001038, "主播涉嫌违规，直播已中断"), RoomBanned),
        (refused(0, message="账号已被封禁"), RoomBanned),
        (refused(1234567, "请勿违规操作"), Blocked),  # about us
        (refused([30003]), Blocked),
        (refused("30003"), Blocked),
        (b"", Blocked),
        (b"<html></html>", Blocked),
        (b"[]", Blocked),
        (b"[" * 100_000, Blocked),
        (b'{"status_code":' + b"9" * 5000 + b"}", Blocked),
    ],
)
def test_other_answers_have_their_types(body: bytes, error: type[UpstreamError]) -> None:
    with pytest.raises(error) as raised:
        live_room(body)
    assert type(raised.value) is error


@pytest.mark.parametrize("header", ["bdturing-verify", "x-vc-bdturing-parameters"])
def test_a_captcha_is_told_by_a_header(header: str) -> None:
    for body in (b"", entered(room())):
        with pytest.raises(Blocked):
            live_room_of_enter(body, {"content-type": "application/json", header: "{}"})


def test_a_ban_is_offline_to_clients_and_not_tried_again_at_once() -> None:
    assert RoomBanned().code == RoomOffline().code
    assert not is_retryable(RoomBanned())


# --- reflow/info and im/fetch -----------------------------------------------------------------------------------------


def reflow(web_rid: object) -> bytes:
    return as_json({"data": {"room": {"status": 2, "owner": {"web_rid": web_rid}}}, "status_code": 0}).encode()


@pytest.mark.parametrize("web_rid", ["728804746624", "yeyu_tingfeng", 728804746624])
def test_a_broadcast_leads_to_its_room(web_rid: object) -> None:
    assert web_rid_of_reflow(reflow(web_rid)) == str(web_rid)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        *(
            (reflow(web_rid), RoomNotFound)
            for web_rid in ("", None, 0, "a/b", "link.x", f"room.{ROOM}", ROOM, "x" * 999)
        ),
        (refused(0), RoomNotFound),
        (refused(30003), RoomOffline),
        (refused(10011), Blocked),
        (b"", Blocked),
    ],
)
def test_other_answers_about_a_broadcast_have_their_types(body: bytes, error: type[UpstreamError]) -> None:
    with pytest.raises(error) as raised:
        web_rid_of_reflow(body)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", Blocked),
        (b"<html></html>", Blocked),
        (b"{", Blocked),
        (refused(0), Blocked),
        (refused(30003), RoomOffline),
        (refused(20003), LoginRequired),
    ],
)
def test_a_poll_may_be_refused(body: bytes, error: type[UpstreamError]) -> None:
    assert type(fetch_refusal(body)) is error


def test_messages_are_no_refusal() -> None:
    response = pb.Response(messages=[pb.Message(method=b"WebcastChatMessage")], cursor=b"t-1_r-1", now=1)
    assert fetch_refusal(response.SerializeToString()) is None


# --- whatever comes ---------------------------------------------------------------------------------------------------

BIG = 4 * 1024 * 1024  # to go through it once for every part of it would take hours


# What a bomb begins with, and what it is filled up with.
BOMBS: Mapping[str, tuple[str, str]] = {
    "markers": ("", PUSH),
    "escaped quotes": (PUSH, r"\""),
    "backslashes": ("", "\\"),
    "rows": (PUSH, r"0:\n"),
    "texts": (PUSH, "1:T1,x"),
    "room infos within each other": (PUSH, r"\"roomInfo\":{"),
    "room infos beside each other": ("", '"roomInfo":{"room":{"id_str":"1"}},'),
    "deep": (PUSH + r"\"roomInfo\":", "["),
    "wide": (PUSH, r"\"roomInfo\":[" + "[]," * (MAX_VALUE_BYTES // 3)),
    "one wide row, told again and again": (
        PUSH + r"{\"roomInfo\":{\"room\":\"$1\"}}\n" * MAX_ROOM_INFOS + "1:[",
        "[],",
    ),
    "a number": (PUSH + r"\"roomInfo\":", "9"),
    "pieces": ("", f'{PUSH}"])'),
    "visitors": ("", 'user_unique_id":"'),
    "visitors with backslashes": ("", "user_unique_id" + "\\" * 7),
    "traces": ("", "gift_effect_bg_"),
    "characters beyond the first plane": (PUSH, "\U0001f600"),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("end", ["", '"])'])
def test_a_bomb_of_a_page_is_read_to_its_end_within_some_times_its_size(name: str, end: str) -> None:
    start, part = BOMBS[name]
    html = (start + part * ((BIG - len(start)) // len(part.encode())) + end).encode()
    tracemalloc.start()
    try:
        with pytest.raises(Blocked):
            live_room_of_page(html, 200)
        assert visitor_of_page(html) == ""
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * BIG


def test_pieces_rows_and_room_infos_beyond_the_bounds_are_not_read() -> None:
    pointing, pointed = '2:{"roomInfo":{"room":"$1"}}\n', f"1:{as_json(room())}\n"
    for between, found in ((MAX_PIECES - 2, True), (MAX_PIECES - 1, False)):
        assert is_found(pushed(pointing, *[""] * between, pointed)) is found
    for between, found in ((MAX_ROWS - 2, True), (MAX_ROWS - 1, False)):
        assert is_found(pushed(pointing + "\n" * between + pointed)) is found
    for before, found in ((MAX_ROOM_INFOS - 1, True), (MAX_ROOM_INFOS, False)):
        assert is_found(page(*[{}] * before, {"room": room()})) is found
    for filling, found in ((MAX_VALUE_BYTES - 2000, True), (MAX_VALUE_BYTES, False)):
        assert is_found(page({"room": room(filling="x" * filling)})) is found


def is_found(html: bytes) -> bool:
    try:
        return live_room_of_page(html, 200).broadcast == ROOM
    except Blocked:
        return False


NAMES = (
    *("data", "user", "room", "roomInfo", "anchor", "owner", "id_str", "status", "status_str", "stats"),
    *("avatar_thumb", "url_list", "room_view_stats", "status_code", "prompts", "web_rid", "room_status"),
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from([ROOM, "$0", "$1", "$$", "$undefined", "账号已注销"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES, st.sampled_from([200, 404]), st.booleans())
def test_no_answer_raises_anything_untyped(value: Any, http_status: int, as_one: bool) -> None:
    whole = as_json(value).encode("utf8", "replace")
    ok = as_json({"status_code": 0, "data": {"data": [value], "user": value, "room": value}}).encode("utf8", "replace")
    html = page(value, value) if as_one else pushed(f"0:{as_json(value)}\n1:{as_json(state(value))}\n")
    reads: list[Callable[[], object]] = [
        *(partial(live_room_of_page, text, http_status) for text in (html, whole)),
        *(partial(read, body) for read in (live_room, web_rid_of_reflow, fetch_refusal) for body in (whole, ok)),
    ]
    for read in reads:
        try:
            read()
        except (Blocked, RoomNotLive):
            pass


@given(
    st.lists(
        st.sampled_from([PUSH.encode(), b'"', b"\\", b"\n", b"1:", b"T3,", b'"roomInfo":', b"{", b"}", b"$1", b"\xff"])
    )
)
@example([PUSH.encode(), b"\\"])
def test_no_page_raises_anything_untyped(parts: list[bytes]) -> None:
    html = b"".join(parts)
    with pytest.raises(Blocked):
        live_room_of_page(html, 200)
    assert visitor_of_page(html) == ""
