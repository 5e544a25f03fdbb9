"""Logging for all parts: one line for people, or one JSON object per line for machines.

Messages are past tense with `key=value` pairs; the JSON form lifts those whose value is an argument into fields. What
stands in an argument was often written by a stranger: it can neither begin a line nor make up a field.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

MESSAGE_MAX = 4_000  # characters; a line that nobody can read helps nobody
EXCEPTION_MAX = 16_000  # the end of it, where the error stands

_SPEC = re.compile(r"(?:\b([a-z_]+)=)?%[-#0 +]*[0-9]*(?:\.[0-9]+)?([diouxXeEfFgGcrsa%])")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]+)?")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Ends a line for some reader, moves a terminal's cursor, or turns text around."""


def one_line(text: str) -> str:
    """The text with everything escaped that could make more, or something else, than one line of it."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC, ISO 8601), level, logger, message, and each `key=%s` of the message."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:MESSAGE_MAX],
        }
        for key, value in _fields(record):
            line.setdefault(key, value)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)[-EXCEPTION_MAX:]
        return one_line(json.dumps(line, ensure_ascii=False))  # escapes are the same in JSON


class HumanFormatter(logging.Formatter):
    """One line for people. Of an exception, lines behind it that are indented: none of them looks like the next."""

    def format(self, record: logging.LogRecord) -> str:
        time_text = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        lines = [f"{time_text} {record.levelname:<7} {record.name}: {one_line(record.getMessage()[:MESSAGE_MAX])}"]
        if record.exc_info:
            exception = self.formatException(record.exc_info)[-EXCEPTION_MAX:]
            lines += (f"  | {one_line(line)}" for line in exception.split("\n"))
        return "\n".join(lines)


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """The pairs of a message whose value is an argument. Numbers stay numbers, and `None` null."""
    if not isinstance(record.args, tuple) or not isinstance(record.msg, str):
        return
    for (key, spec), value in zip(_specs(record.msg), record.args, strict=False):
        if key:
            text = (spec % (value,))[:MESSAGE_MAX]
            is_number = spec[-1] in "df" and _NUMBER.fullmatch(text)  # `inf` is none in JSON
            is_constant = value is None or isinstance(value, bool)
            yield key, value if is_constant else json.loads(text) if is_number else text


@lru_cache(maxsize=1024)
def _specs(template: str) -> tuple[tuple[str, str], ...]:
    """Of each argument of a template: the key it stands behind, or "", and how it is written."""
    return tuple(
        (match[1] or "", match[0].removeprefix(f"{match[1]}=")) for match in _SPEC.finditer(template) if match[2] != "%"
    )


def configure(level: str, log_format: Literal["human", "json"]) -> None:
    """Set the root logger up; called once, in a `__main__`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else HumanFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These log a line per request, with URLs that may be signed.
    for noisy in ("httpx", "httpcore", "websockets", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
