"""The import rules: who may know whom. Everything is read from the source; nothing is imported."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("shared", "gateway", "ingestor", "simulator", "protos")
MAY_IMPORT = {
    "shared": {"shared"},
    "gateway": {"shared", "gateway"},
    "ingestor": {"shared", "ingestor"},
    "simulator": {"shared", "simulator", "protos"},
    "protos": {"protos"},
}
PLATFORM_NAMES = re.compile(r"tiktok|douyin", re.IGNORECASE)


def modules(*parts: str) -> list[Path]:
    return [path for part in parts for path in sorted((ROOT / part).rglob("*.py")) if not path.name.endswith("_pb2.py")]


def imported(path: Path) -> Iterator[str]:
    """The dotted names of our own modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in (*PARTS, "app", "tests", "bench"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(*PARTS), ids=relative)
def test_a_part_imports_only_what_it_may(path: Path) -> None:
    part = path.relative_to(ROOT).parts[0]
    allowed = set(MAY_IMPORT[part])
    if relative(path).startswith("ingestor/connectors/"):
        allowed.add("protos")
    assert [name for name in imported(path) if name.partition(".")[0] not in allowed] == []


@pytest.mark.parametrize("path", modules("shared", "gateway", "ingestor", "simulator"), ids=relative)
def test_no_platform_is_named_outside_its_folder(path: Path) -> None:
    name = relative(path)
    at_home = name in ("shared/platforms.py", "ingestor/connectors/registry.py", "simulator/platforms.py") or re.match(
        r"(ingestor/connectors|simulator)/(tiktok|douyin)/", name
    )
    if at_home:
        return
    tree = ast.parse(path.read_text("utf8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    named = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and PLATFORM_NAMES.search(node.id))
        or (isinstance(node, ast.Attribute) and PLATFORM_NAMES.search(node.attr))
        or (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
            and PLATFORM_NAMES.search(node.value)
        )
    ]
    assert named == [], f"{name} names a platform in lines {named}"


def test_there_are_no_import_cycles() -> None:
    files = {relative(path).removesuffix(".py").replace("/", "."): path for path in modules(*PARTS)}
    graph = {
        module: {
            target
            for name in imported(path)
            for target in (name, name.rpartition(".")[0])
            if target in files and target != module
        }
        for module, path in files.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for target in sorted(graph[module]):
                visit(target, (*trail, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())
