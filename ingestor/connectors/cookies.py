"""Cookies as text: what users set, what servers send, what goes out again. Values pass through as they are. Pure."""

import re
from collections.abc import Mapping

_PAIR = re.compile(r"\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([!-:<-~]*)\s*")  # no spaces, semicolons, controls
# A comma within a cookie, as in `Expires=Wed, 21 Oct`, has no name behind it.
_BETWEEN_COOKIES = re.compile(r",\s*(?=[^;,=\s]+=)")


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
