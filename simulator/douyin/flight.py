"""The room page's state as the site streams it: rows of JSON and of text, in pieces for its scripts. Pure.

Source: pages of 2023 to 2026, and the public format that the site's framework streams: a row of JSON ends with its
line, a row of text with the last of its bytes.
"""

import itertools
import json
from random import Random
from typing import Any

_FIRST_ID = 4  # rows before it hold the site's own modules


class Flight:
    """Rows that refer to each other. Values may hold `reference()` and `text()`; None stands for what is undefined."""

    def __init__(self) -> None:
        self._next_id = _FIRST_ID
        self._rows: list[str] = []

    def row(self, value: object) -> "Reference":
        """Add a row of JSON."""
        row_id = self._take_id()
        self._rows.append(f"{row_id}:{json.dumps(_escaped(value), ensure_ascii=False, separators=(',', ':'))}\n")
        return Reference(row_id)

    def text(self, text: str) -> "Reference":
        """Add a row of text, as the framework does for long ones."""
        row_id = self._take_id()
        self._rows.append(f"{row_id}:T{len(text.encode()):x},{text}")
        return Reference(row_id)

    def scripts(self, random: Random, keep: str) -> str:
        """The script tags, cut anywhere but within `keep`."""
        stream = "".join(self._rows)
        cuts = {random.randrange(len(stream)) for _ in range(len(self._rows))}
        kept = stream.find(keep) if keep else -1
        cuts -= set(range(kept, kept + len(keep))) if kept >= 0 else set()
        places = [0, *sorted(cuts - {0}), len(stream)]
        pieces = [stream[start:end] for start, end in itertools.pairwise(places)]
        return "".join([_script("[0]"), *(_script(f"[1,{_literal(piece)}]") for piece in pieces)])

    def _take_id(self) -> str:
        row_id = f"{self._next_id:x}"
        self._next_id += 1
        return row_id


class Reference:
    """Stands for another row."""

    def __init__(self, row_id: str) -> None:
        self.row_id = row_id


def _escaped(value: object) -> Any:
    match value:
        case Reference():
            return f"${value.row_id}"
        case None:
            return "$undefined"
        case str():
            return f"${value}" if value.startswith("$") else value
        case dict():
            return {name: _escaped(one) for name, one in value.items()}
        case list():
            return [_escaped(one) for one in value]
    return value


def _literal(text: str) -> str:
    """A JSON string that can stand in a script."""
    literal = json.dumps(text, ensure_ascii=False)
    for character in "&<>\u2028\u2029":
        literal = literal.replace(character, f"\\u{ord(character):04x}")
    return literal


def _script(pushed: str) -> str:
    begin = "(self.__pace_f=self.__pace_f||[])" if pushed == "[0]" else "self.__pace_f"
    return f'<script nonce="x">{begin}.push({pushed})</script>'
