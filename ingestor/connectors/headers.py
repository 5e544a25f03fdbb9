"""HTTP headers as text: cookies, which pass through as they are, and the waits that servers announce. Pure."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_PAIR = re.compile(r"\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([!-:<-~]*)\s*")  # no spaces, semicolons, controls
# A comma within a cookie, as in `Expires=Wed, 21 Oct`, has no name behind it.
_BETWEEN_COOKIES = re.compile(r",\s*(?=[^;,=\s]+=)")

MAX_ANNOUNCED_WAIT_S = 3600.0

# Header names differ between providers and their gateways; in order of trust.
_WAIT_HEADERS = ("retry-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
_QUOTA_HEADERS = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_COUNT = re.compile(r"[0-9]{1,15}")


def parse_cookies(text: str) -> dict[str, str]:
    """Read `name=value; name2=value2`; what is no cookie is left out."""
    pairs = (_PAIR.fullmatch(part) for part in text.split(";"))
    return {pair[1]: pair[2] for pair in pairs if pair}


def parse_set_cookies(line: str) -> dict[str, str]:
    """Read `Set-Cookie` lines, joined by commas: the first pair of each. Empty values are deletions and left out."""
    firsts = (_PAIR.fullmatch(cookie.partition(";")[0]) for cookie in _BETWEEN_COOKIES.split(line))
    return {pair[1]: pair[2] for pair in firsts if pair and pair[2]}


def format_cookies(cookies: Mapping[str, str]) -> str:
    """The value of a `Cookie` header."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def announced_wait_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """How long a server asked us to wait, in whichever header and form; None when it did not say."""
    for name in _WAIT_HEADERS:
        text = headers.get(name, "").strip()
        if _NUMBER.fullmatch(text):
            number = float(text)
            if number > 1e11:  # ms since 1970
                number = number / 1000 - now_s
            elif number > 1e9:  # s since 1970
                number -= now_s
            return min(max(number, 0.0), MAX_ANNOUNCED_WAIT_S)
        if text:
            try:
                moment = parsedate_to_datetime(text).timestamp()
            except (ValueError, OverflowError):
                continue
            return min(max(moment - now_s, 0.0), MAX_ANNOUNCED_WAIT_S)
    return None


def quota_left(headers: Mapping[str, str]) -> int | None:
    """How many calls a server says are left; None when it does not, or not as a number."""
    for name in _QUOTA_HEADERS:
        text = headers.get(name, "").strip()
        if _COUNT.fullmatch(text):
            return int(text)
    return None


def is_header_text(text: str) -> bool:
    """Whether a text may be the value of a header: not empty, and no way to smuggle in a second one."""
    return bool(text) and text.isascii() and text.isprintable()
