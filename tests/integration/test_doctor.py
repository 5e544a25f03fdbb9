"""What `make doctor` says of the Redis it is led to."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.doctor import REDIS_CHECK
from tests.conftest import REPO_ROOT, RedisServer, free_port
from tests.topologies import ClusterTopology, SentinelTopology, Topology, ask


def examined(url: str) -> list[str]:
    check = subprocess.run(
        [sys.executable, "-c", REDIS_CHECK],
        cwd=REPO_ROOT, env={**os.environ, "REDIS_URL": url}, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    return check.stdout.splitlines()


def test_good_redis_is_only_named(redis_server: str) -> None:
    (line,) = examined(redis_server)
    assert line.startswith("ok version ")


def test_redis_that_evicts_is_warned_of(own_redis: RedisServer) -> None:
    ask(own_redis.port, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert [line.split(" ")[:3] for line in examined(own_redis.url)[1:]] == [["missing", "maxmemory-policy", "is"]]


def test_redis_that_is_not_there_is_missing() -> None:
    (line,) = examined(f"redis://127.0.0.1:{free_port()}")
    assert line.startswith("missing ConnectionError")


@pytest.fixture(params=[SentinelTopology, ClusterTopology], ids=lambda kind: kind.kind)
def replicated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Topology]:
    topology: Topology = request.param(tmp_path / "redis")
    yield topology
    topology.stop()


def test_masters_that_write_without_replicas_are_warned_of(replicated: Topology) -> None:
    (line,) = examined(replicated.url)
    assert line.startswith("ok version ")
    for server in replicated.servers:
        ask(server.port, "CONFIG", "SET", "min-replicas-to-write", 0)
    assert [line.split(" ")[:2] for line in examined(replicated.url)[1:]] == [["missing", "min-replicas-to-write"]]
