"""Real processes of every part, as an operator would start them, and a client that notes all it gets."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import websockets

from simulator.platforms import PLATFORMS
from tests.conftest import REPO_ROOT, free_port
from tests.frames import read
from tests.topologies import TOPOLOGIES

FAST = {
    # Timings of minutes, lowered so that a test sees them.
    "ROOMCAST_LEASE_TTL_S": "3",
    "ROOMCAST_SCAN_INTERVAL_S": "0.5",
    "ROOMCAST_UPSTREAM_BACKOFF_S": "0.2",
    "ROOMCAST_LINGER_S": "0",
    "ROOMCAST_DRAIN_NOTICE_S": "0",
}

every_redis = pytest.mark.parametrize("running_topology", TOPOLOGIES, indirect=True)
"""Marks what has to be the same on one Redis, behind Sentinels and on a Cluster of three masters."""

one_and_many = pytest.mark.parametrize("running_topology", ["single", "cluster"], indirect=True)
"""For what takes half a minute: behind Sentinels a client has the same single server before it."""


class Processes:
    """The processes of one test: started ready, and ended with it. Their output is in `folder`."""

    def __init__(self, folder: Path, redis_url: str | None = None) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.running: list[subprocess.Popen[bytes]] = []
        self.simulator_url = ""
        self._count = 0
        self._paths: dict[int, Path] = {}

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Start a Python module or script of the project."""
        self._count += 1
        path = self.folder / f"{self._count:02}-{command[-1 if len(command) == 1 else 1].strip('-')}.log"
        log = path.open("wb")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ROOMCAST_")}
        environment |= FAST | {"ROOMCAST_LOG_LEVEL": "DEBUG", "PYTHONUNBUFFERED": "1"}
        if self.redis_url:
            environment["REDIS_URL"] = self.redis_url
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=REPO_ROOT,
            env=environment | dict(env or {}),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        self.running.append(process)
        self._paths[process.pid] = path
        return process

    def until_said(self, process: "subprocess.Popen[bytes]", text: str, *, timeout_s: float = 30) -> None:
        """Wait until a process has printed something.

        Raises:
            TimeoutError: it did not; or the process ended.
        """
        path, deadline = self._paths[process.pid], time.monotonic() + timeout_s
        while text not in path.read_text("utf8", "replace"):
            if time.monotonic() > deadline or process.poll() is not None:
                raise TimeoutError(f"{path.name} does not say {text!r}")
            time.sleep(0.02)

    def simulator(self, *options: str) -> "subprocess.Popen[bytes]":
        """A simulator; the connectors started later use it."""
        port = free_port()
        self.simulator_url = f"http://127.0.0.1:{port}"
        process = self.start("-m", "simulator", "--port", str(port), *options)
        wait_for(f"{self.simulator_url}/_control/", process)
        return process

    def ingestor(self, **settings: str) -> "subprocess.Popen[bytes]":
        """An ingestor that is led to the simulator."""
        upstream = {name: value for row in PLATFORMS for name, value in row.settings(self.simulator_url).items()}
        return self.start("-m", "ingestor", env=upstream | settings)

    def gateway(self, **settings: str) -> str:
        """A gateway; its `host:port`."""
        port = free_port()
        process = self.start("-m", "gateway", env={"PORT": str(port), "HOST": "127.0.0.1", **settings})
        wait_for(f"http://127.0.0.1:{port}/readyz", process)
        return f"127.0.0.1:{port}"

    def end(self) -> None:
        """End whatever still runs."""
        for process in self.running:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        deadline = time.monotonic() + 15
        for process in self.running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def output(self) -> str:
        """What all of them printed."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text('utf8', 'replace')}" for path in sorted(self.folder.iterdir())
        )


def wait_for(url: str, process: "subprocess.Popen[bytes]", *, timeout_s: float = 30) -> None:
    """Until `url` answers 200.

    Raises:
        TimeoutError: it did not; or the process ended.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"{url} does not answer; exit code {process.poll()}")


async def until(condition: Callable[[], bool], *, timeout_s: float = 30, what: str = "") -> None:
    """Until the condition holds.

    Raises:
        AssertionError: it did not.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"did not happen in {timeout_s} s: {what}"
        await asyncio.sleep(0.02)


class Client:
    """A WebSocket client that keeps every frame. Lives as an `async with` block."""

    def __init__(self, address: str, room: str, query: str = "lang=en") -> None:
        """Connect to `ROOM` or `PLATFORM/ROOM`; slashes of a link are escaped already."""
        self._url = f"ws://{address}/ws/{quote(room, safe='/%')}?{query}"
        self.frames: list[dict[str, Any]] = []
        self.close_code: int | None = None

    async def __aenter__(self) -> "Client":
        self.socket = await websockets.connect(self._url, max_queue=None)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()
        await self._reader

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                self.frames.append(read(text))
        except websockets.ConnectionClosedError:
            pass
        self.close_code = self.socket.close_code

    @property
    def statuses(self) -> list[str]:
        """The status frames, in order."""
        return [frame["status"] for frame in self.frames if "status" in frame]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events with a place in the log, in order."""
        return [frame for frame in self.frames if "cursor" in frame and "status" not in frame and "time" in frame]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The frames of one type."""
        return [frame for frame in self.frames if frame.get("type") == kind]

    async def has_status(self, status: str) -> None:
        """Until that status came."""
        await until(lambda: status in self.statuses, what=f"{status}; frames: {self.frames[-5:]}")
