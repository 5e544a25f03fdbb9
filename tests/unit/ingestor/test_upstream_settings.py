"""Settings of upstreams: what is taken, what is refused, and that secrets are not shown."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from ingestor.connectors.tiktok.settings import TikTokSettings
from shared.settings import load

ENVIRONMENT = {
    "ROOMCAST_TIKTOK_PROVIDERS": " direct, euler ,",
    "ROOMCAST_TIKTOK_WEB_URL": "http://127.0.0.1:8080/",
    "ROOMCAST_TIKTOK_SOCKET_URL": "ws://127.0.0.1:8080/socket/",
    "ROOMCAST_UPSTREAM_PROXY_URL": "socks5h://user:pass@proxy:1080",
    "TIKHUB_API_KEY": "Bearer key\n",
    "TIKHUB_BASE_URL": "https://tikhub.example.org/",
    "WSS_COOKIES": "sessionid=old",
}


@pytest.fixture(autouse=True)
def no_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_are_read_under_their_names(environment: pytest.MonkeyPatch) -> None:
    settings = load(TikTokSettings)
    assert settings.tiktok_providers == ("direct", "euler")
    assert settings.tiktok_web_url == "http://127.0.0.1:8080"
    assert settings.tiktok_socket_url == "ws://127.0.0.1:8080/socket/"
    assert settings.proxy == "socks5h://user:pass@proxy:1080"
    assert settings.tikhub_api_key.get_secret_value() == "Bearer key"
    assert settings.tikhub_base_url == "https://tikhub.example.org"
    assert settings.tiktok_cookies.get_secret_value() == "sessionid=old"


def test_the_new_name_of_the_cookies_goes_before_the_old_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ROOMCAST_TIKTOK_COOKIES", "sessionid=new")
    assert load(TikTokSettings).tiktok_cookies.get_secret_value() == "sessionid=new"


def test_no_proxy_is_the_default() -> None:
    assert load(TikTokSettings).proxy is None


def test_secrets_are_not_shown(environment: pytest.MonkeyPatch) -> None:
    shown = repr(load(TikTokSettings))
    assert not any(secret in shown for secret in ("Bearer", "user:pass", "sessionid"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tiktok_providers", "tikhub,somebody"),
        ("tiktok_providers", ""),
        ("tiktok_web_url", "www.tiktok.com"),
        ("tiktok_web_url", "https://www.tiktok.com?x=1"),
        ("tiktok_socket_url", "https://webcast.tiktok.com/"),
        ("tiktok_sign_url", "wss://signer/"),
        ("upstream_proxy_url", "ftp://proxy"),
        ("upstream_user_agent", "curl/8"),
        ("upstream_user_agent", "Mozilla/5.0 (X11)\r\nCookie: a=b"),
        ("tikhub_api_key", "ключ"),
        ("euler_api_key", "two\nlines"),
        ("tikhub_timeout_s", "0"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        TikTokSettings.model_validate({field: value})


def test_keys_may_be_secrets_already() -> None:
    assert TikTokSettings.model_validate({"tikhub_api_key": SecretStr(" k ")}).tikhub_api_key.get_secret_value() == "k"
