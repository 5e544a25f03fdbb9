"""Log lines for machines."""

import json
import logging
import sys

from shared.logs import JsonFormatter


def record(message: str, *args: object, error: bool = False) -> logging.LogRecord:
    exc_info = None
    if error:
        try:
            raise ValueError("no")
        except ValueError:
            exc_info = sys.exc_info()
    return logging.LogRecord("room", logging.INFO, __file__, 1, message, args, exc_info)


def test_pairs_of_the_message_become_fields() -> None:
    line = json.loads(JsonFormatter().format(record("lease acquired room=%s epoch=%d", "tiktok:1", 7)))
    assert line["message"] == "lease acquired room=tiktok:1 epoch=7"
    assert line["room"] == "tiktok:1"
    assert line["epoch"] == "7"
    assert line["level"] == "INFO"


def test_a_pair_cannot_replace_a_field_of_the_line() -> None:
    assert json.loads(JsonFormatter().format(record("level=%s", "FAKE")))["level"] == "INFO"


def test_an_exception_stays_on_the_line() -> None:
    text = JsonFormatter().format(record("failed", error=True))
    assert "\n" not in text
    assert "ValueError: no" in json.loads(text)["exception"]
