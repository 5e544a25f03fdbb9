"""What tests of every kind share: a real Redis on a free port, and the choice between it and the in-process one."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

REPO_ROOT = Path(__file__).parents[1]
CAPTURES = REPO_ROOT.parent / "shared" / "captures"


def need(tool: str, package: str) -> str:
    """The path of a program that a test needs; without it the test is skipped, or fails where all must run."""
    path = shutil.which(tool)
    if path is None:
        reason = f"{tool} is not installed (Debian package {package})"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def redis_program() -> str:
    """The path of what is tested as Redis; `REDIS_SERVER=valkey-server make test` takes another program."""
    return need(os.environ.get("REDIS_SERVER", "redis-server"), "redis-server")


class RedisServer:
    """A redis-server of its own: nothing persists unasked, no shared state, ended by the fixture."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.directory = directory
        self._command = [
            redis_program(), "--port", str(self.port), "--bind", "127.0.0.1",
            "--save", "", "--appendonly", "no", "--dir", str(directory), *options,
        ]  # fmt: skip
        self.process = self.start()

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start it (again, after a kill) and wait until it answers; options count before those it was made with."""
        command = [*self._command, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(16).startswith(b"+PONG"):
                        return self.process
            except OSError:
                time.sleep(0.01)
        raise TimeoutError("redis-server did not answer")

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def _session_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A redis-server for one test: it may be stopped, frozen, started again."""
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def redis_server(_session_redis: RedisServer) -> Iterator[str]:
    """URL of a real, empty Redis."""
    import redis

    with redis.Redis.from_url(_session_redis.url) as client:
        client.flushall()
    yield _session_redis.url


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty Redis: once in-process, once real."""
    if request.param == "memory":
        return f"memory://{uuid4().hex}"
    url: str = request.getfixturevalue("redis_server")
    return url
