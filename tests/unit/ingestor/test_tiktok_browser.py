"""What we look like to TikTok."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from ingestor.connectors.tiktok.browser import Browser, same_site

AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) Safari/605.1.15"
BROWSER = Browser(AGENT, "https://www.tiktok.com", device_id="7" * 19)
ROOM = "7300000000000000001"
SOCKET = "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/"


def pairs(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)


def test_the_query_agrees_with_the_user_agent() -> None:
    query = BROWSER.query(ROOM)
    assert query["browser_version"] == AGENT.removeprefix("Mozilla/")
    assert (query["browser_platform"], query["os"]) == ("MacIntel", "mac")
    assert (query["aid"], query["device_id"], query["room_id"]) == ("1988", "7" * 19, ROOM)
    assert "room_id" not in BROWSER.query()


@pytest.mark.parametrize(
    ("agent", "platform"),
    [("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Win32"), ("Mozilla/5.0 (X11; Linux x86_64)", "Linux x86_64")],
)
def test_the_platform_is_that_of_the_user_agent(agent: str, platform: str) -> None:
    assert Browser(agent, "https://www.tiktok.com", "7").query()["browser_platform"] == platform


def test_headers_are_a_browsers() -> None:
    headers = BROWSER.headers({"sessionid": "s", "tt-target-idc": "eu"})
    assert headers["User-Agent"] == AGENT
    assert headers["Origin"] == "https://www.tiktok.com"  # a slash at its end is refused
    assert headers["Cookie"] == "tt-target-idc=eu; sessionid=s"
    assert BROWSER.socket_headers({})["Cookie"] == "tt-target-idc=useast1a"


def test_a_provided_socket_begins_with_its_route_params() -> None:
    url = BROWSER.socket_url(
        SOCKET,
        ROOM,
        route_params=[("wrss", "a_b-c"), ("imprp", ""), ("ua", "x y&z")],
        cursor="c|1",
        internal_ext="t:1|s",
    )
    assert url.startswith(SOCKET + "?wrss=a_b-c&ua=x%20y%26z&version_code=180800&")
    found = pairs(url)
    assert ("imprp", "") not in found
    assert [value for name, value in found if name == "version_code"] == ["180800", "270000"]
    assert found[-1] == ("version_code", "270000")
    once = dict(found)
    assert (once["cursor"], once["internal_ext"], once["ws_direct"]) == ("c|1", "t:1|s", "0")
    assert once["browser_version"] == AGENT.removeprefix("Mozilla/")  # encoded once
    assert (once["room_id"], once["compress"], once["client_enter"], once["identity"]) == (
        ROOM,
        "gzip",
        "1",
        "audience",
    )


def test_a_direct_socket_names_no_cursor_until_there_is_one() -> None:
    once = dict(pairs(BROWSER.socket_url(SOCKET, ROOM, direct=True)))
    assert once["ws_direct"] == "1"
    assert once.keys().isdisjoint({"cursor", "internal_ext", "wrss", "imprp"})
    assert dict(pairs(BROWSER.socket_url(SOCKET, ROOM, direct=True, cursor="c1")))["cursor"] == "c1"


def test_a_push_server_with_a_query_keeps_it() -> None:
    assert BROWSER.socket_url("wss://h/p?a=b", ROOM).startswith("wss://h/p?a=b&version_code=180800")


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        (SOCKET, "wss://webcast16-ws-alisg.tiktok.com/x", True),
        (SOCKET, "wss://webcast16-ws-useast5.us.tiktok.com/x", True),
        (SOCKET, "wss://ws-fallback.eulerstream.com/x", False),
        (SOCKET, "wss://tiktok.com.example.org/x", False),
        (SOCKET, "wss://xtiktok.com/x", False),
        ("ws://127.0.0.1:80/", "ws://127.0.0.1:81/", True),
        ("ws://127.0.0.1/", "ws://10.9.0.1/", False),
        ("ws://localhost/", "ws://localhost:9/", True),
        ("ws:///x", "ws:///x", False),
    ],
)
def test_a_site_is_known_by_the_end_of_its_name(url: str, other: str, same: bool) -> None:
    assert same_site(url, other) is same
