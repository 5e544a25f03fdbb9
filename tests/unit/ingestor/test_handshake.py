"""How a webcast socket greets and refuses."""

import pytest

from ingestor.connectors.handshake import ping_interval_s, refusal
from shared.errors import Blocked, RateLimited, UpstreamError, UpstreamUnavailable


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ("ping-interval=15;", 15.0),
        ("ping-interval=3", 3.0),
        ("a=b; ping-interval=2.5; c=d", 2.5),
        ("ping-interval=0;", None),
        ("ping-interval=-1;", None),
        ("ping-interval=soon;", None),
        ("no-ping-interval=4;", None),
        ("", None),
    ],
)
def test_the_handshake_may_ask_for_a_heartbeat_interval(options: str, seconds: float | None) -> None:
    assert ping_interval_s({"handshake-options": options}) == seconds


def test_a_handshake_without_options_asks_for_nothing() -> None:
    assert ping_interval_s({}) is None


@pytest.mark.parametrize(
    ("status", "headers", "error", "says"),
    [
        (200, {"handshake-status": "415", "handshake-msg": "DEVICE_BLOCKED"}, Blocked, "device"),
        (415, {"handshake-status": "415", "handshake-msg": "DEVICE_BLOCKED"}, Blocked, "device"),
        (200, {"handshake-status": "417", "handshake-msg": "http: named cookie not present"}, Blocked, "cookie"),
        (200, {"handshake-status": "417", "handshake-msg": "illegal secret key"}, Blocked, "signature"),
        (200, {"handshake-status": "417", "handshake-msg": "illegal app_id"}, Blocked, "query"),
        (200, {"handshake-status": "499", "handshake-msg": "something new"}, Blocked, "HTTP 200"),
        (400, {}, Blocked, "HTTP 400"),
        (403, {}, Blocked, "HTTP 403"),
        (429, {"retry-after": "9"}, RateLimited, "HTTP 429"),
        (502, {}, UpstreamUnavailable, "HTTP 502"),
    ],
)
def test_each_refusal_has_its_type(status: int, headers: dict[str, str], error: type[UpstreamError], says: str) -> None:
    refused = refusal("Somebody", status, headers, 0)
    assert type(refused) is error
    assert says in refused.detail


def test_the_announced_wait_of_a_refusal_is_kept() -> None:
    assert refusal("Somebody", 429, {"retry-after": "9"}, 0).retry_after_s == 9
