"""Real pages, answers and signatures of Douyin, with the values that others found in them.

Captures hold real persons and are not part of the repository: they lie beside it, or these tests are skipped.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ingestor.connectors.base import LiveRoom
from ingestor.connectors.douyin.a_bogus import a_bogus
from ingestor.connectors.douyin.ac_signature import ac_signature
from ingestor.connectors.douyin.answers import live_room_of_enter, live_room_of_page, visitor_of_page
from ingestor.connectors.douyin.browser import Browser
from ingestor.connectors.douyin.signature import sign, stub
from shared.errors import Blocked, RoomNotFound, RoomOffline, UpstreamError

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "douyin"

if not CAPTURES.exists() and os.environ.get("REQUIRE_CAPTURES") != "1":
    pytest.skip("no captures beside the repository", allow_module_level=True)


def read(name: str) -> Any:
    return json.loads((CAPTURES / name).read_text("utf8"))


MANIFEST = read("MANIFEST.json")
PAGES = MANIFEST["pages"]
ENTERED = [item for item in MANIFEST["other"] if item["file"].startswith("web_enter_")]
VECTORS = read("signature_vectors.json")
HTTP_VECTORS = read("http_signature_vectors.json")
DRAWS = (0.1234, 0.9876, 0.5555)  # the constants of the client that made the vectors
BROWSER = Browser("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "https://live.douyin.com")


def nickname(live: LiveRoom) -> object:
    return live.owner.nickname if live.owner else None


def host(live: LiveRoom) -> object:
    return live.owner.id if live.owner else None


# The manifest's names of what a live room is -> where we have it. All its names are here.
FIELDS: Mapping[str, Callable[[LiveRoom], object]] = {
    "room_id": lambda live: live.broadcast,
    "status": lambda live: 3 if live.paused else 2,
    "live": lambda live: True,
    "title": lambda live: live.title,
    "anchor_id": host,
    "anchor_nickname": nickname,
    "viewers": lambda live: live.viewer_count,
    "room_status": lambda live: 0,
    "total_viewers": lambda live: NotImplemented,  # no part of a live check: messages tell it
}


def check(live: LiveRoom, expected: Mapping[str, object]) -> None:
    for name, value in expected.items():
        found = FIELDS[name](live)
        assert found == value or found is NotImplemented, name


def refusal(of: Callable[[], LiveRoom]) -> type[UpstreamError]:
    with pytest.raises(UpstreamError) as raised:
        of()
    return type(raised.value)


def test_no_page_or_answer_is_left_out() -> None:
    names = {path.name for pattern in ("page_*", "web_enter_*") for path in CAPTURES.glob(pattern)}
    assert {item["file"] for item in (*PAGES, *ENTERED)} == names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["file"])
def test_pages_say_what_the_manifest_says(page: dict[str, Any]) -> None:
    html = (CAPTURES / page["file"]).read_bytes()
    expected = page["expected"]
    assert visitor_of_page(html) == expected.get("user_unique_id", "")
    if expected.get("live"):
        check(live_room_of_page(html, 200), expected)
        return
    says_offline = expected.get("live") is False
    assert refusal(lambda: live_room_of_page(html, 200)) is (RoomOffline if says_offline else Blocked)


@pytest.mark.parametrize("answer", ENTERED, ids=lambda answer: answer["file"])
def test_answers_say_what_the_manifest_says(answer: dict[str, Any]) -> None:
    body = (CAPTURES / answer["file"]).read_bytes()
    expected = answer["expected"]
    if "error" in expected:
        assert expected == {"error": "not found"}
        assert refusal(lambda: live_room_of_enter(body, {})) is RoomNotFound
    else:
        check(live_room_of_enter(body, {}), expected)


def draws_of(made: Mapping[str, Any]) -> tuple[float, float, float]:
    """Draws that give the bytes of a vector which tells these alone."""
    coin = made["flag_bit"] if "flag_bit" in made else made["flags"] == 0x50
    return 0.01 * coin, (made["payload_random"] + 0.5) / 255, (made["key_random"] + 0.5) / 255


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["n"])
def test_signatures_of_the_pages_own_script_are_reproduced(vector: dict[str, Any]) -> None:
    query = dict(pair.split("=") for pair in vector["joined"].split(","))
    assert hashlib.sha1(vector["joined"].encode()).hexdigest() == vector["joined_sha1"]
    assert stub(query) == vector["x_ms_stub"]
    draws = tuple(vector["pinned_random"][name] for name in ("r1", "r2", "r3"))
    assert sign(vector["x_ms_stub"], counter=vector["counter"], draws=draws) == vector["signature"]
    for name, other in vector["other_environments"].items():
        environment, behaviour = (int(number) for number in re.findall("(?:env|behaviour)([0-9]+)", name))
        made = other if isinstance(other, dict) else {"signature": other}
        signature = sign(
            vector["x_ms_stub"],
            counter=made.get("counter", vector["counter"]),
            draws=draws_of(made) if isinstance(other, dict) else draws,
            environment=environment,
            behaviour=behaviour,
        )
        assert signature == made["signature"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["n"])
def test_our_own_query_of_the_socket_has_the_recorded_stub(vector: dict[str, Any]) -> None:
    query = BROWSER.socket_query(vector["room_id"], vector["user_unique_id"], "", "")
    assert stub({**query, "webcast_sdk_version": vector["webcast_sdk_version"]}) == vector["x_ms_stub"]
    url = BROWSER.socket_url("wss://host/", query, vector["signature"])
    assert parse_qs(urlsplit(url).query)["signature"] == [vector["signature"]]


@pytest.mark.parametrize("vector", VECTORS["peer_published_vectors"], ids=lambda vector: vector["signature"])
def test_signatures_that_a_peer_published_are_reproduced(vector: dict[str, Any]) -> None:
    signature = sign(
        vector["x_ms_stub"],
        counter=vector["counter"],
        draws=draws_of(vector),
        environment=vector["env"],
        behaviour=vector["behaviour"],
    )
    assert signature == vector["signature"]


def test_repeated_calls_are_reproduced() -> None:
    calls = VECTORS["repeated_calls"]
    draws = tuple(calls["pinned_random"][name] for name in ("r1", "r2", "r3"))
    made = [sign(calls["x_ms_stub"], counter=counter, draws=draws) for counter in calls["call_numbers"]]
    assert made == [item["signature"] for item in calls["signatures"]]


@pytest.mark.parametrize("vector", HTTP_VECTORS["a_bogus"], ids=lambda vector: vector["time_ms"])
def test_recorded_a_bogus_are_reproduced(vector: dict[str, Any]) -> None:
    signature = a_bogus(vector["query"], vector["user_agent"], time_ms=vector["time_ms"], draws=DRAWS)
    assert signature == vector["a_bogus"]


@pytest.mark.parametrize("vector", HTTP_VECTORS["ac_signature"], ids=lambda vector: vector["site"])
def test_recorded_ac_signatures_are_reproduced(vector: dict[str, Any]) -> None:
    found = ac_signature(vector["site"], vector["nonce"], vector["user_agent"], vector["timestamp_s"])
    assert found == vector["ac_signature"]
