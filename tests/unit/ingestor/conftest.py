"""A stage for each test."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.redis_client import open_redis
from tests.ingestor_stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    redis = open_redis(f"memory://{uuid4().hex}", name="test")
    yield Stage(redis)
    await redis.aclose()
