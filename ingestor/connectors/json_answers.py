"""Reading JSON that a platform sent: whatever comes, a value of the right type or nothing. Pure."""

import json
from typing import Any, Final

from ingestor.connectors.sanitize import cut

Json = dict[str, Any]


JSON_MAX_BYTES: Final = 2 * 1024 * 1024
"""Real answers have up to some 300 KB. Two bytes of JSON can cost 100 in memory."""


def json_object(text: bytes) -> Json | None:
    """A JSON object, None when it is none, or too large to be one of those we ask for."""
    if len(text) > JSON_MAX_BYTES:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def at(value: object, *path: str) -> object:
    """The value at a path of keys, None where it ends early."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text_of(value: object) -> str:
    """A text, cut as events want it; "" for what is none."""
    return cut(value) if isinstance(value, str) else ""


def count_of(value: object) -> int | None:
    """A number of things, exact in JSON; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def first_of(values: object) -> object:
    """The first of a list, None where there is none."""
    return values[0] if isinstance(values, list) and values else None
