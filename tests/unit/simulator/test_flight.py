import json
import re
from random import Random
from typing import Any

import pytest

from simulator.douyin.flight import Flight, Reference


def stream_of(scripts: str) -> str:
    pieces = re.findall(r'push\(\[1,("(?:[^"\\]|\\.)*")\]\)</script>', scripts)
    return "".join(json.loads(piece) for piece in pieces)


def page(keep: str = "", seed: int = 1) -> tuple[str, Reference]:
    flight = Flight()
    flight.row({"empty": {}})
    text = flight.text('长 "text"\n5:with a line that looks like a row\n')
    other = flight.row(["</script>", "a & b"])
    value: dict[str, Any] = {"price": "$5", "text": text, "other": other, "nothing": None, "id": "7690183442860198697"}
    last = flight.row(value)
    return flight.scripts(Random(seed), keep), last


def test_pieces_put_together_are_rows_of_json_and_of_text() -> None:
    scripts, _ = page()
    rest = stream_of(scripts).encode()
    rows: dict[str, Any] = {}
    while rest:
        row_id, _, rest = rest.partition(b":")
        if rest.startswith(b"T"):
            size, _, rest = rest[1:].partition(b",")
            rows[row_id.decode()], rest = rest[: int(size, 16)].decode(), rest[int(size, 16) :]
        else:
            line, _, rest = rest.partition(b"\n")
            rows[row_id.decode()] = json.loads(line)
    assert rows == {
        "4": {"empty": {}},
        "5": '长 "text"\n5:with a line that looks like a row\n',
        "6": ["</script>", "a & b"],
        "7": {"price": "$$5", "text": "$5", "other": "$6", "nothing": "$undefined", "id": "7690183442860198697"},
    }


def test_nothing_in_a_piece_ends_the_script() -> None:
    scripts, _ = page()
    assert scripts.count("</script>") == scripts.count("<script")
    assert "&" not in scripts


@pytest.mark.parametrize("seed", range(20))
def test_what_is_to_be_kept_together_is_in_one_piece(seed: int) -> None:
    assert '\\"id\\":\\"7690183442860198697\\"' in page('"id":"7690183442860198697"', seed)[0]
