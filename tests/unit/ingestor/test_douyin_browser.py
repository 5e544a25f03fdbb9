"""What we look like to Douyin."""

import random
import re
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from ingestor.connectors.douyin.a_bogus import a_bogus
from ingestor.connectors.douyin.browser import Browser, MadeUp, synthetic_cursor, synthetic_internal_ext
from ingestor.connectors.douyin.signature import SIGNED_NAMES, stub

AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/155.0.0.0 Safari/537.36"
)
SITE = "https://live.douyin.com"
BROWSER = Browser(AGENT, SITE)
SOCKET = "wss://webcast100-ws-web-lq.douyin.com/webcast/im/push/v2/"
WEB_RID = "728804746624"
ROOM = "7690000000000000001"
VISITOR = "7660000000000000002"
NOW_MS = 1_790_502_768_691
CURSOR = synthetic_cursor(NOW_MS)
INTERNAL_EXT = synthetic_internal_ext(ROOM, VISITOR, NOW_MS)
MADE_UP = MadeUp.draw(random.Random(1), NOW_MS)


def read(query: str) -> dict[str, str]:
    """A query as a server reads it: as a form."""
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def enter(browser: Browser = BROWSER) -> str:
    return browser.enter_query(WEB_RID, MADE_UP)


def fetch(cursor: str = "", internal_ext: str = "") -> str:
    return BROWSER.fetch_query(ROOM, VISITOR, cursor, internal_ext, MADE_UP)


@pytest.mark.parametrize("query", [enter(), fetch(), fetch(CURSOR, INTERNAL_EXT)])
def test_a_request_is_signed_over_all_that_precedes_the_signature(query: str) -> None:
    signed, _, signature = query.partition("&a_bogus=")
    assert "&" not in signature
    assert unquote(signature) == a_bogus(signed, AGENT, time_ms=NOW_MS, draws=MADE_UP.draws)
    assert read(query)["a_bogus"] == unquote(signature)
    assert read(query)["msToken"] == MADE_UP.ms_token


def test_a_live_check_names_room_and_browser() -> None:
    query = read(enter())
    assert (query["aid"], query["app_name"], query["live_id"]) == ("6383", "douyin_web", "1")
    assert (query["web_rid"], query["room_id_str"]) == (WEB_RID, "")
    assert (query["browser_name"], query["browser_version"]) == ("Chrome", "155.0.0.0")
    assert (query["browser_platform"], query["os_name"], query["os_version"]) == ("Win32", "Windows", "10")


@pytest.mark.parametrize(
    ("agent", "platform", "system", "name", "version"),
    [
        (f"{AGENT} Edg/155.1.0.0", "Win32", "Windows", "Edge", "155.1.0.0"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Firefox/150.0", "Linux x86_64", "Linux", "Firefox", "150.0"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15",
            "MacIntel",
            "Mac OS",
            "Mozilla",
            "5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15",
        ),
    ],
)
def test_queries_agree_with_the_user_agent(agent: str, platform: str, system: str, name: str, version: str) -> None:
    browser = Browser(agent, SITE)
    query = read(enter(browser))
    assert (query["browser_platform"], query["os_name"]) == (platform, system)
    assert (query["browser_name"], query["browser_version"]) == (name, version)
    socket = browser.socket_query(ROOM, VISITOR, CURSOR, INTERNAL_EXT)
    assert (socket["browser_platform"], socket["browser_name"]) == (platform, "Mozilla")
    assert f"Mozilla/{socket['browser_version']}" == agent


def test_a_poll_asks_for_protobuf_and_carries_on_where_the_last_one_ended() -> None:
    first, next_one = read(fetch()), read(fetch(CURSOR, INTERNAL_EXT))
    assert (first["resp_content_type"], first["fetch_rule"], first["identity"]) == ("protobuf", "1", "audience")
    assert (first["room_id"], first["user_unique_id"]) == (ROOM, VISITOR)
    assert (first["cursor"], first["internal_ext"]) == ("", "")
    assert (next_one["cursor"], next_one["internal_ext"]) == (CURSOR, INTERNAL_EXT)


def test_the_socket_is_asked_as_it_was_recorded() -> None:
    query = BROWSER.socket_query(ROOM, VISITOR, CURSOR, INTERNAL_EXT)
    assert [query.get(name, "") for name in SIGNED_NAMES] == [
        *("1", "6383", "180800", "1.0.15", ROOM, "", "", "3", VISITOR, "web", "", "", "audience"),
    ]
    assert query["update_version_code"] == query["webcast_sdk_version"]
    assert (query["host"], query["compress"], query["im_path"]) == (SITE, "gzip", "/webcast/im/fetch/")
    assert (query["need_persist_msg_count"], query["heartbeatDuration"]) == ("15", "0")
    assert (query["insert_task_id"], query["live_reason"]) == ("", "")
    assert query["tz_name"] == "Asia/Shanghai"


@pytest.mark.parametrize("signature", ["fKVtZR/AORAB+bLy", "6ZEhPNWIE7SUpAlq", "++//++//++//++//"])
def test_what_is_sent_is_what_was_signed(signature: str) -> None:
    query = BROWSER.socket_query(ROOM, VISITOR, CURSOR, INTERNAL_EXT)
    url = BROWSER.socket_url(SOCKET, query, signature)
    assert url.startswith(f"{SOCKET}?app_name=douyin_web&")
    assert url.endswith(f"&signature={signature.replace('+', '%2B').replace('/', '%2F')}")
    assert re.fullmatch(r"[A-Za-z0-9._~%&=-]+", urlsplit(url).query)
    received = read(urlsplit(url).query)
    assert received == {**query, "signature": signature}
    assert stub(received) == stub(query)


def test_a_broadcasts_room_is_looked_up_unsigned() -> None:
    assert BROWSER.reflow_query(ROOM)["room_id"] == ROOM
    assert BROWSER.reflow_query(ROOM)["app_id"] == "6383"


def test_headers_are_those_of_somebody_on_the_rooms_page() -> None:
    cookies = {"ttwid": "1%7Ca%7C2%7Cb", "__ac_nonce": "0" * 21}
    headers = BROWSER.headers(WEB_RID, cookies)
    assert headers["User-Agent"] == AGENT
    assert headers["Referer"] == f"{SITE}/{WEB_RID}"
    assert headers["Cookie"] == f"ttwid=1%7Ca%7C2%7Cb; __ac_nonce={'0' * 21}"  # as it came, not decoded
    assert BROWSER.headers("", cookies)["Referer"] == f"{SITE}/"
    socket = BROWSER.socket_headers(WEB_RID, cookies)
    assert (socket["Origin"], socket["Referer"]) == (SITE, f"{SITE}/{WEB_RID}")
    assert socket["Cookie"] == headers["Cookie"]
    assert "User-Agent" not in socket


def test_what_belongs_to_no_cursor_yet_is_made_of_the_time() -> None:
    assert CURSOR == "h-1_t-1790502768691_r-1_d-1_u-1"
    pairs = dict(part.split(":", 1) for part in INTERNAL_EXT.split("|"))
    assert (pairs["wss_push_room_id"], pairs["wss_push_did"]) == (ROOM, VISITOR)
    assert (pairs["first_req_ms"], pairs["fetch_time"]) == (str(NOW_MS), str(NOW_MS))
    assert pairs["wss_info"] == f"0-{NOW_MS}-0-0"
    assert int(pairs["wrds_v"]) >> 32 == NOW_MS // 1000


def test_no_two_requests_make_up_the_same() -> None:
    rng = random.Random(2)
    one, other = MadeUp.draw(rng, NOW_MS), MadeUp.draw(rng, NOW_MS)
    assert one.ms_token != other.ms_token
    assert one.draws != other.draws
    assert re.fullmatch(r"[A-Za-z0-9_-]{184}", one.ms_token)
    assert all(0 <= draw < 1 for draw in one.draws)
