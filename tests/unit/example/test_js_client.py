"""The JavaScript client's own tests are written in its own language; this lets them run with all the others."""

import subprocess

from tests.conftest import REPO_ROOT, need


def test_the_javascript_client_passes_its_tests() -> None:
    result = subprocess.run(
        [need("node", "nodejs"), "--test", "tests/unit/example/roomcast.test.mjs"],
        cwd=REPO_ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
