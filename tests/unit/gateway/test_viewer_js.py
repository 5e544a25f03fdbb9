"""The viewer's own tests are written in its own language; this lets them run with all the others."""

import subprocess
from pathlib import Path

from tests.conftest import REPO_ROOT, need

TESTS = sorted(str(path) for path in Path(__file__).with_name("viewer").glob("*.test.mjs"))


def test_viewer_modules_pass_their_tests() -> None:
    result = subprocess.run(
        [need("node", "nodejs"), "--test", *TESTS],
        cwd=REPO_ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
