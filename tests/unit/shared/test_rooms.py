"""Room keys, and what users call a room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRoom
from shared.keys import RoomKeys
from shared.platforms import PLATFORMS, is_name, is_one_broadcast, parse_room, room_called
from shared.room import RoomKey


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("7300000000000000001", "7300000000000000001"),
        ("123456789012345", "123456789012345"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "@9223372036854775808"),
        ("07300000000000000001", "@07300000000000000001"),
        ("@Ana", "@ana"),
        ("ana.b_c", "@ana.b_c"),
        (" @ana ", "@ana"),
        ("ana/live", "@ana"),
        ("123", "@123"),
        ("@7300000000000000001", "@7300000000000000001"),
        ("https://www.tiktok.com/@Ana", "@ana"),
        ("https://www.tiktok.com/@Ana/live", "@ana"),
        ("https://www.tiktok.com/@ana/live?lang=en&x=1#top", "@ana"),
        ("http://m.tiktok.com/@ana/", "@ana"),
        ("tiktok.com/@ana", "@ana"),
    ],
)
def test_tiktok_rooms_are_read_in_every_form_users_have(text: str, room: str) -> None:
    assert parse_room(text) == RoomKey("tiktok", room)


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("728804746624", "728804746624"),
        ("1", "1"),
        ("1234567890123456", "1234567890123456"),
        (" 728804746624 ", "728804746624"),
        ("my-room_1", "my-room_1"),
        ("MyRoom", "MyRoom"),
        ("https://live.douyin.com/728804746624", "728804746624"),
        ("http://live.douyin.com/728804746624/", "728804746624"),
        ("live.douyin.com/728804746624?enter_from=x&a=b#top", "728804746624"),
        ("HTTPS://LIVE.DOUYIN.COM/728804746624", "728804746624"),
        ("7690183442860198697", "room.7690183442860198697"),
        ("18446744073709551615", "room.18446744073709551615"),
        ("https://live.douyin.com/7690183442860198697", "room.7690183442860198697"),
        ("https://webcast.amemv.com/douyin/webcast/reflow/7690183442860198697?u=1", "room.7690183442860198697"),
        ("https://v.douyin.com/iRNBho6u/", "link.iRNBho6u"),
        ("v.douyin.com/i_R-6u", "link.i_R-6u"),
        ("6@2.com 长按复制此条消息，打开抖音看直播 https://v.douyin.com/iRNBho6u/ 复制", "link.iRNBho6u"),
    ],
)
def test_douyin_rooms_are_read_in_every_form_users_have(text: str, room: str) -> None:
    key = parse_room(text, "douyin")
    assert key == RoomKey("douyin", room)
    assert parse_room(key.room, "douyin") == key


@pytest.mark.parametrize(
    "text",
    [
        "0728804746624",
        "12345678901234567",
        "18446744073709551616",
        "184467440737095516160",
        "room.7690183442860198697x",
        "room.123",
        "link.",
        "@ana",
        "a.b",
        "-_-",
        "live.douyin.com/",
        "https://live.douyin.com/a/b",
        "https://v.douyin.com/",
        f"https://v.douyin.com/{'a' * 41}",
        "https://evil.example/https://live.douyin.com.evil/1",
        "https://webcast.amemv.com/douyin/webcast/reflow/",
        "主播",
    ],
)
def test_what_is_no_douyin_room_is_refused(text: str) -> None:
    with pytest.raises(BadRoom):
        parse_room(text, "douyin")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_link_says_itself_where_it_leads(platform: str) -> None:
    assert parse_room("https://www.tiktok.com/@ana/live", platform) == RoomKey("tiktok", "@ana")
    assert parse_room("https://live.douyin.com/728804746624", platform) == RoomKey("douyin", "728804746624")
    assert parse_room("看直播 https://v.douyin.com/iRNBho6u/", platform) == RoomKey("douyin", "link.iRNBho6u")


@pytest.mark.parametrize("text", ["7690183442860198697", "https://v.douyin.com/iRNBho6u/"])
def test_a_douyin_name_is_a_pointer_and_a_page_is_none(text: str) -> None:
    assert is_name(parse_room(text, "douyin"))
    assert not is_name(parse_room("728804746624", "douyin"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "@",
        "a b",
        "@ana/video/1",
        "https://example.com/@ana",
        "ana!",
        "a" * 25,
        "x" * 600,
        "名字",
        "{a}",
        "a:b",
        "..",
        "@.",
    ],
)
def test_what_is_no_room_is_refused(text: str) -> None:
    with pytest.raises(BadRoom):
        parse_room(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("@ana", "tiktok:@ana"),
        ("tiktok:@ana", "tiktok:@ana"),
        ("douyin:728804746624", "douyin:728804746624"),
        ("replay:a.rec", "replay:a.rec"),
        ("https://live.douyin.com/728804746624", "douyin:728804746624"),
    ],
)
def test_a_room_is_called_with_its_platform_or_by_a_link(text: str, key: str) -> None:
    assert str(room_called(text)) == key


def test_what_has_no_platform_of_ours_before_its_colon_is_refused() -> None:
    with pytest.raises(BadRoom):
        room_called("elsewhere:@ana")


def test_an_unknown_platform_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(BadRoom, match="tiktok"):
        parse_room("ana", "nowhere")
    with pytest.raises(BadRoom):
        is_name(RoomKey("nowhere", "1"))


def test_a_handle_is_a_name_and_a_room_id_is_not() -> None:
    assert is_name(parse_room("@ana"))
    assert not is_name(parse_room("7300000000000000001"))


def test_a_room_is_one_broadcast_or_outlives_them_all() -> None:
    assert is_one_broadcast(RoomKey("tiktok", "7300000000000000001"))
    assert not is_one_broadcast(RoomKey("douyin", "728804746624"))
    with pytest.raises(BadRoom):
        is_one_broadcast(RoomKey("nowhere", "1"))


@given(st.text(max_size=40))
def test_any_text_gives_a_room_or_is_refused(text: str) -> None:
    try:
        room = parse_room(text)
    except BadRoom:
        return
    assert RoomKey.parse(str(room)) == room
    assert parse_room(room.room) == room


@pytest.mark.parametrize("text", ["", "tiktok", "tiktok:", ":1", "TikTok:1", "tiktok:a b", "tiktok:{1}", "tiktok:1:2"])
def test_a_malformed_key_is_refused(text: str) -> None:
    with pytest.raises(BadRoom):
        RoomKey.parse(text)


def test_all_keys_of_a_room_share_one_hash_tag() -> None:
    keys = RoomKeys.of(RoomKey("tiktok", "@ana"))
    assert keys.lease == "rc:{tiktok:@ana}:lease"
    assert {getattr(keys, field).partition("}")[0] for field in keys.__slots__} == {"rc:{tiktok:@ana"}
