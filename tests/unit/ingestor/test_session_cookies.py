"""Which session listens to which room."""

import pytest
from pydantic import SecretStr

from ingestor.connectors.douyin.settings import DouyinSettings
from ingestor.connectors.session_cookies import SessionCookies, is_logged_in
from shared.errors import ConfigError
from shared.room import RoomKey
from shared.settings import load


def sessions(platform: str, cookies: str = "", **by_room: str) -> SessionCookies:
    secrets = {room: SecretStr(text) for room, text in by_room.items()}
    return SessionCookies(platform, SecretStr(cookies), secrets, by_name=platform == "tiktok")


def test_a_room_has_its_own_session_or_that_of_the_platform() -> None:
    made = sessions("douyin", "sessionid=all; x=1", **{"https://live.douyin.com/728804746624": "sessionid=one"})
    assert made.of(RoomKey("douyin", "728804746624")) == {"sessionid": "one"}
    assert made.of(RoomKey("douyin", "728804746625")) == made.of() == {"sessionid": "all", "x": "1"}


def test_a_room_may_be_known_by_several_keys() -> None:
    made = sessions("tiktok", **{"@Ana": "sessionid=ana"})
    assert made.of(RoomKey("tiktok", "7300000000000000001"), RoomKey("tiktok", "@ana")) == {"sessionid": "ana"}
    assert made.of(RoomKey("tiktok", "7300000000000000001"), RoomKey("tiktok", "@bo")) == {}


@pytest.mark.parametrize(
    "room", ["a b", "https://v.douyin.com/iRNBho6u/", "7690183442860198697", "https://www.tiktok.com/@ana"]
)
def test_a_room_that_is_none_stops_the_start_without_showing_secrets(room: str) -> None:
    with pytest.raises(ConfigError, match="ROOMCAST_DOUYIN_ROOM_COOKIES") as raised:
        sessions("douyin", **{room: "sessionid=secret"})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("text", ["sessionid=secret", "[1]", '{"728804746624": 5}', '"x"'])
def test_the_setting_is_an_object_of_texts(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMCAST_DOUYIN_ROOM_COOKIES", text)
    with pytest.raises(ConfigError, match="ROOMCAST_DOUYIN_ROOM_COOKIES") as raised:
        load(DouyinSettings)
    assert "secret" not in str(raised.value)


def test_the_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMCAST_DOUYIN_ROOM_COOKIES", '{"728804746624": "sessionid=s"}')
    settings = load(DouyinSettings)
    assert settings.douyin_room_cookies["728804746624"].get_secret_value() == "sessionid=s"
    assert "sessionid" not in repr(settings)


@pytest.mark.parametrize(("cookies", "logged_in"), [({"sessionid": "s"}, True), ({"ttwid": "t"}, False), ({}, False)])
def test_a_session_id_is_what_logs_in(cookies: dict[str, str], logged_in: bool) -> None:
    assert is_logged_in(cookies) is logged_in
