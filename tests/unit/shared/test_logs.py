"""Log lines, for people and for machines."""

import json
import logging
import sys

import pytest

from shared.logs import EXCEPTION_MAX, MESSAGE_MAX, HumanFormatter, JsonFormatter

FORMATTERS = [HumanFormatter(), JsonFormatter()]
HOSTILE = ["\n", "\r", "\x0b", "\x1b[2J", "\x85", "\u2028", "\u2029", "\u202e"]


def record(message: str, *args: object, error: Exception | None = None) -> logging.LogRecord:
    exc_info = None
    if error is not None:
        try:
            raise error
        except Exception:
            exc_info = sys.exc_info()
    return logging.LogRecord("room", logging.INFO, __file__, 1, message, args, exc_info)


def as_json(message: str, *args: object, error: Exception | None = None) -> dict[str, object]:
    line: dict[str, object] = json.loads(JsonFormatter().format(record(message, *args, error=error)))
    return line


def test_pairs_of_the_message_become_fields() -> None:
    line = as_json("lease acquired room=%s epoch=%d after_s=%.1f", "tiktok:1", 7, 0.25)
    assert line["message"] == "lease acquired room=tiktok:1 epoch=7 after_s=0.2"
    assert line["room"] == "tiktok:1"
    assert line["epoch"] == 7
    assert line["after_s"] == 0.2
    assert line["level"] == "INFO"


@pytest.mark.parametrize("value", ["two words", 'a "quoted" one', "", "100%", "a=b c=d"])
def test_a_value_is_taken_whole(value: str) -> None:
    line = as_json("title changed part=%d%% title=%s by=%s", 3, value, "host")
    assert (line["part"], line["title"], line["by"]) == (3, value, "host")


def test_what_has_a_word_of_its_own_in_json_is_said_with_it() -> None:
    line = as_json("lease released after=%s idle=%s", None, True)
    assert (line["after"], line["idle"]) == (None, True)


def test_what_is_no_number_in_json_is_text() -> None:
    assert as_json("waited wait_s=%.1f", float("inf"))["wait_s"] == "inf"


def test_a_pair_cannot_replace_a_field_of_the_line() -> None:
    assert as_json("said level=%s", "FAKE")["level"] == "INFO"


def test_what_a_peer_says_makes_no_field() -> None:
    line = as_json("upstream lost room=%s: %s", "tiktok:1", "room=tiktok:2 client=7")
    assert line["room"] == "tiktok:1"
    assert "client" not in line
    assert "client" not in as_json("closed client=7")  # the text of a library: perhaps not all its own


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["human", "json"])
@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_a_record_is_one_line_whatever_it_says(formatter: logging.Formatter, hostile: str) -> None:
    text = formatter.format(record("upstream lost room=%s: %s", f"a{hostile}b", f"c{hostile}2026-01-01 INFO forged"))
    assert len(text.splitlines()) == 1
    assert hostile not in text


def test_json_says_what_was_said() -> None:
    for hostile in HOSTILE:
        assert as_json("said text=%s", hostile)["text"] == hostile


def test_an_exception_stays_on_the_line_of_a_machine() -> None:
    text = JsonFormatter().format(record("failed", error=ValueError("no\u2028\nnever")))
    assert len(text.splitlines()) == 1
    assert "ValueError: no\u2028\nnever" in json.loads(text)["exception"]


def test_an_exception_cannot_look_like_a_line_of_its_own() -> None:
    text = HumanFormatter().format(record("failed", error=ValueError("no\n2026-01-01 12:00:00 INFO forged\x1b[2J")))
    first, *others = text.splitlines()
    assert first.endswith("room: failed")
    assert any("forged\\u001b[2J" in line for line in others)
    assert all(line.startswith("  | ") for line in others)


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["human", "json"])
def test_a_line_has_an_end(formatter: logging.Formatter) -> None:
    text = formatter.format(record("said %s", "x" * 1_000_000, error=ValueError("y" * 1_000_000)))
    assert len(text) < MESSAGE_MAX + EXCEPTION_MAX + 1_000
