"""Cookies and announced waits, as they stand in headers."""

import pytest

from ingestor.connectors.headers import (
    MAX_ANNOUNCED_WAIT_S,
    announced_wait_s,
    format_cookies,
    is_header_text,
    parse_cookies,
    parse_set_cookies,
    quota_left,
)

NOW_S = 1_763_700_000.0  # Fri, 21 Nov 2025 04:40:00 GMT


def test_a_cookie_setting_is_read_pair_by_pair() -> None:
    assert parse_cookies(" sessionid=ab%7Cc= ;ttwid=1; broken; =x; spaced=a b; line=a\nb; empty=") == {
        "sessionid": "ab%7Cc=",
        "ttwid": "1",
        "empty": "",
    }


@pytest.mark.parametrize(
    ("line", "cookies"),
    [
        ("ttwid=1%7Cab; Path=/; Domain=.tiktok.com; HttpOnly", {"ttwid": "1%7Cab"}),
        (
            "ttwid=1%7Cab; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/, msToken=x==; Secure, odin=9",
            {"ttwid": "1%7Cab", "msToken": "x==", "odin": "9"},
        ),
        ("ttwid=; Max-Age=0", {}),
        ("", {}),
        ("nonsense", {}),
    ],
)
def test_of_each_cookie_that_is_set_the_first_pair_counts(line: str, cookies: dict[str, str]) -> None:
    assert parse_set_cookies(line) == cookies


def test_values_go_out_as_they_came_in() -> None:
    assert format_cookies(parse_cookies("a=1%7C2; b=x")) == "a=1%7C2; b=x"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Fri, 21 Nov 2025 04:41:30 GMT"}, 90.0),
        ({"retry-after": "Fri, 21 Nov 2025 04:00:00 GMT"}, 0.0),
        ({"ratelimit-reset": "12.5"}, 12.5),
        ({"x-ratelimit-reset": "1763700042"}, 42.0),
        ({"x-rate-limit-reset": "1763700042000"}, 42.0),
        ({"retry-after": "3", "ratelimit-reset": "50"}, 3.0),
        ({"retry-after": "soon", "ratelimit-reset": "50"}, 50.0),
        ({"retry-after": "999999"}, MAX_ANNOUNCED_WAIT_S),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "Fri, 99 Nov 2025"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_the_announced_wait_is_read_from_every_form(headers: dict[str, str], wait_s: float | None) -> None:
    assert announced_wait_s(headers, NOW_S) == wait_s


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({"ratelimit-remaining": "41"}, 41),
        ({"x-ratelimit-remaining": " 0 "}, 0),
        ({"x-rate-limit-remaining": "7"}, 7),
        ({"ratelimit-remaining": "3", "x-ratelimit-remaining": "50"}, 3),
        ({"ratelimit-remaining": "many", "x-ratelimit-remaining": "50"}, 50),
        ({"ratelimit-remaining": "-1"}, None),
        ({"ratelimit-remaining": "1.5"}, None),
        ({"ratelimit-remaining": "3, 4"}, None),
        ({"ratelimit-remaining": "9" * 16}, None),
        ({"ratelimit-remaining": "\u0664"}, None),
        ({"ratelimit-remaining": ""}, None),
        ({}, None),
    ],
)
def test_what_is_left_of_a_quota_is_a_number_or_not_known(headers: dict[str, str], left: int | None) -> None:
    assert quota_left(headers) == left


@pytest.mark.parametrize(
    ("text", "fit"), [("Mozilla/5.0 (X11)", True), ("", False), ("a\r\nb: c", False), ("ключ", False)]
)
def test_a_header_value_cannot_hold_a_second_header(text: str, fit: bool) -> None:
    assert is_header_text(text) is fit
