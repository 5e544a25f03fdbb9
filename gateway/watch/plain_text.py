"""Text of strangers made harmless for a terminal, which obeys some characters instead of showing them. Pure."""

import re
import unicodedata

SHOWN_MAX_CHARS = 300
MARKS_MAX = 4  # accents on one letter; more are there to cover the lines above

_JOINER = "\u200d"  # holds the parts of an emoji together
_SPACES = frozenset({"Zl", "Zp", "Zs"})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})  # controls, changes of direction, halves of characters, private ones
_MARKS = frozenset({"Mn", "Me"})

_TO_ESCAPE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def shown(text: str, max_chars: int = SHOWN_MAX_CHARS) -> str:
    """The text in one line, without anything that a terminal would obey."""
    kept: list[str] = []
    marks = 0
    for character in text[:max_chars]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if character in "\t\n\r" or category in _SPACES:
            kept.append(" ")
        elif (category not in _HIDDEN or character == _JOINER) and marks <= MARKS_MAX:
            kept.append(character)
    return "".join(kept) + ("…" if len(text) > max_chars else "")


def escaped(json_text: str) -> str:
    """JSON that says the same, without what a terminal would obey: JSON itself allows more than the old controls."""
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text)
