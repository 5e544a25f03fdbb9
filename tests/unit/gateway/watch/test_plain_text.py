"""Text of strangers for a terminal."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.watch.plain_text import MARKS_MAX, SHOWN_MAX_CHARS, escaped, shown


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("hello", "hello"),
        ("早上好 κόσμε", "早上好 κόσμε"),
        ("👩‍🍳 🇫🇷 ❤️", "👩‍🍳 🇫🇷 ❤️"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x9b2J\x85\x07\x00\x7f", "2J"),
        ("one\r\ntwo\tthree\u2028four", "one  two three four"),
        ("\u202egnp.exe\u2066\u200f\u061c\ufeff", "gnp.exe"),
        ("\ud800x\ue000", "x"),
        ("e" + "\u0301" * 90, "e" + "\u0301" * MARKS_MAX),
        ("x" * 400, "x" * SHOWN_MAX_CHARS + "…"),
    ],
)
def test_what_is_left_of_a_text(text: str, reads: str) -> None:
    assert shown(text) == reads


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    kept = shown(text)
    kept.encode()
    assert {unicodedata.category(character) for character in kept if character != "\u200d"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )


@given(st.text())
def test_escaped_json_says_the_same_in_harmless_characters(text: str) -> None:
    line = escaped(json.dumps({"content": text}, ensure_ascii=False))
    assert json.loads(line) == {"content": text}
    assert not any(
        unicodedata.category(character) in ("Cc", "Zl", "Zp") or 0x202A <= ord(character) <= 0x202E
        for character in line
    )
