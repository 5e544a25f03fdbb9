"""What is generated from the code is what is committed."""

import subprocess
import sys
from pathlib import Path

import pytest

from docs.__main__ import generated

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_the_committed_file_is_what_make_docs_writes(path: Path) -> None:
    assert path.read_text("utf8") == generated()[path]


def test_the_committed_protobuf_modules_are_what_make_protos_writes(tmp_path: Path) -> None:
    schemas = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "protos").glob("*.proto"))
    outputs = [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", "-I", ".", *outputs, *schemas], cwd=ROOT, check=True)
    made = sorted(tmp_path.rglob("*_pb2.py*"))
    assert len(made) == 2 * len(schemas)
    for path in made:
        assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes(), path.name
