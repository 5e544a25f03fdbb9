"""How a webcast socket greets or refuses: the headers of its handshake. Pure.

Source: a handshake recorded in 2024-12; refusals by both platforms as peer projects met them up to 2026-09: HTTP 200,
no upgrade, and the verdict in two headers.
"""

import re
from collections.abc import Mapping
from typing import Final

from ingestor.connectors.headers import announced_wait_s
from shared.errors import Blocked, RateLimited, UpstreamError, UpstreamUnavailable

_PING_INTERVAL = re.compile(r"(?:^|;)\s*ping-interval=([0-9]{1,4}(?:\.[0-9]{1,3})?)\s*(?:;|$)")

_VERDICTS: Final = {
    # Handshake-Msg; Handshake-Status is 415 for the first, 417 for the others
    "DEVICE_BLOCKED": "blocks this device: signature, address, cookie or user agent has a bad name",
    "http: named cookie not present": "misses the visitor's cookie",
    "illegal secret key": "refuses the signature, or misses one",
    "illegal app_id": "refuses the query",
}


def ping_interval_s(headers: Mapping[str, str]) -> float | None:
    """The heartbeat interval a handshake asks for: `Handshake-Options: ping-interval=15;`."""
    found = _PING_INTERVAL.search(headers.get("handshake-options", ""))
    return (float(found[1]) or None) if found else None


def refusal(peer: str, status: int, headers: Mapping[str, str], now_s: float) -> UpstreamError:
    """The error for an answer that is not 101.

    Args:
        peer: whose socket it is, for error texts.
        status: of HTTP.
        headers: names in lower case.
        now_s: seconds since 1970.
    """
    wait_s = announced_wait_s(headers, now_s)
    if verdict := _VERDICTS.get(headers.get("handshake-msg", "")):
        return Blocked(f"{peer} {verdict}", retry_after_s=wait_s)
    detail = f"{peer} refused the socket with HTTP {status}"
    if status == 429:
        return RateLimited(detail, retry_after_s=wait_s)
    return (UpstreamUnavailable if status >= 500 else Blocked)(detail, retry_after_s=wait_s)
