"""What integration tests share."""

import io
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from shared import logs
from tests.gateways import Gateway, running_gateway
from tests.holder import HolderClient


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


@pytest.fixture
async def gateway(redis_url: str) -> AsyncIterator[Gateway]:
    """A gateway, on an in-process Redis and on a real one. Files that need another one have their own."""
    async with running_gateway(redis_url) as gateway:
        yield gateway


@pytest.fixture
async def cluster(redis_url: str) -> AsyncIterator[HolderClient]:
    """Scripted ingestors on the same Redis."""
    async with HolderClient(redis_url) as cluster:
        yield cluster
