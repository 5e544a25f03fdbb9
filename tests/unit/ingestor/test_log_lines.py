"""What is logged of a held room can be told from what was logged of it under another lease."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ingestor

FOLDER = Path(ingestor.__file__ or "").parent
LEVELS = {"debug", "info", "warning", "error", "exception", "log"}


def templates(path: Path) -> Iterator[str]:
    """Every message the file logs."""
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            yield from texts[:1]


@pytest.mark.parametrize("name", ["room_worker", "name_worker", "log_writer", "lease_keeper"])
def test_lines_of_a_held_room_say_its_room_and_epoch(name: str) -> None:
    found = list(templates(FOLDER / f"{name}.py"))
    assert found
    assert [template for template in found if " room=%s epoch=%d" not in template] == []
