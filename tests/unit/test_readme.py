"""What the READMEs say of the tests is so."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISES = {"README.md": "## What is promised", "README.zh-CN.md": "## 承诺"}


def promised(readme: str) -> list[tuple[str, str]]:
    """The tests that hold the promises: name and file."""
    section = (ROOT / readme).read_text("utf8").split(PROMISES[readme])[1].split("\n## ")[0]
    rows = [line for line in section.split("\n\n")[1].splitlines() if line.startswith("| ")][1:]
    found = [re.search(r"\[`(test_\w+)`\]\((tests/[\w/]+\.py)\) \|$", row) for row in rows]
    assert len(found) > 10
    assert None not in found, "a promise names no test"
    return [(match[1], match[2]) for match in found if match is not None]


@pytest.mark.parametrize("readme", PROMISES)
def test_every_promise_names_a_test_that_is_there(readme: str) -> None:
    for name, path in promised(readme):
        tree = ast.parse((ROOT / path).read_text("utf8"))
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in tests, f"{path} has no {name}"


def test_both_languages_promise_the_same() -> None:
    assert promised("README.md") == promised("README.zh-CN.md")
