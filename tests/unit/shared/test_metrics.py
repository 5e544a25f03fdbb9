"""What every process tells of itself."""

import tomllib
from pathlib import Path

from shared import metrics

ROOT = Path(__file__).parents[3]


def test_version_told_is_that_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["version"]
    (told,) = (sample for metric in metrics.BUILD.collect() for sample in metric.samples)
    assert (told.name, told.labels, told.value) == ("roomcast_build_info", {"version": version}, 1)
