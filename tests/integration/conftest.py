"""What integration tests share."""

import io
import logging
from collections.abc import Iterator

import pytest

from shared import logs


@pytest.fixture
def all_logs() -> Iterator[io.StringIO]:
    """Everything that is logged at the chattiest level, but for what the test's own server says."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("DEBUG", "human")
    said = logging.StreamHandler(io.StringIO())
    said.addFilter(lambda record: not record.name.startswith("uvicorn"))
    root.handlers[:] = [said]
    yield said.stream
    root.handlers[:] = handlers
    root.setLevel(level)
