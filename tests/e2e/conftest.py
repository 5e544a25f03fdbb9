"""A folder of running processes per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RedisServer
from tests.e2e.cluster import Processes


@pytest.fixture
def processes(own_redis: RedisServer, tmp_path: Path) -> Iterator[Processes]:
    """Processes that share a Redis of their own; their output is shown when the test fails."""
    folder = tmp_path / "output"
    folder.mkdir()
    started = Processes(folder, own_redis.url)
    yield started
    started.end()
    print(started.output()[-20_000:])
