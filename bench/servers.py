"""What is measured: the table of servers, and how each is started."""

import functools
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.child import process
from bench.clients import Dialect
from bench.errors import BenchError
from bench.marks import EVENT_BYTES
from shared.keys import RoomKeys
from shared.room import RoomKey

FOLDER = Path(__file__).parent
NODE = FOLDER / "node"
BUILD = FOLDER / "build"
START_S = 20.0
FIRST_ROOM = 7_300_000_000_000_000_001
CHANNEL = RoomKeys.of(RoomKey("tiktok", "ROOM")).events.replace("ROOM", "%s")  # of any room


@dataclass(frozen=True, slots=True)
class Start:
    """What a server is started with."""

    port: int
    redis_url: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One server.

    Attributes:
        label: in tables.
        command: how it is run.
        missing: what it needs and is not there, or "".
        settings: its environment.
        path: where a client of a room connects to.
        feeds_itself: it makes the messages, told by lines on standard input, and reads no Redis.
    """

    label: str
    command: Callable[[Start], list[str]]
    missing: Callable[[], str] = lambda: ""
    settings: Mapping[str, str] = field(default_factory=dict)
    path: str = "/ws/%s"
    dialect: Dialect = Dialect.PLAIN
    feeds_itself: bool = False


def _naive(start: Start) -> list[str]:
    return [sys.executable, "-m", "bench.naive", str(start.port), start.redis_url, CHANNEL]


def _gateway(*options: str) -> Callable[[Start], list[str]]:
    return lambda start: [sys.executable, "-m", "gateway", *options]


def _node(script: str) -> Callable[[Start], list[str]]:
    return lambda start: ["node", str(NODE / script), str(start.port), start.redis_url, CHANNEL]


def _limit(start: Start) -> list[str]:
    program = compiled_limit()
    command = [str(program)] if program else [sys.executable, "-m", "bench.limit"]
    return [*command, str(start.port), str(EVENT_BYTES)]


@functools.cache
def compiled_limit() -> Path | None:
    """`limit.c`, compiled; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    BUILD.mkdir(exist_ok=True)
    program = BUILD / "limit"
    subprocess.run([compiler, "-O2", "-Wall", "-o", program, FOLDER / "limit.c"], check=True)
    return program


@functools.cache
def node_missing() -> str:
    """Why nothing can be run under Node, or ""; installs the packages at first use."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if not (NODE / "node_modules").exists():
        installed = subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=NODE, timeout=180)
        if installed.returncode:
            return "npm could not install the packages"
    return ""


VARIANTS: dict[str, Variant] = {
    "naive": Variant("Starlette, await send_text in a loop", _naive),
    "ws": Variant("Node ws + ioredis", _node("ws.js"), node_missing),
    "socketio": Variant(
        "Socket.IO (Node)",
        _node("socketio.js"),
        node_missing,
        path="/socket.io/?EIO=4&transport=websocket&room=%s",
        dialect=Dialect.ENGINEIO,
    ),
    "gateway": Variant("gateway", _gateway()),
    "gateway-50": Variant("gateway, flush bound 50 ms", _gateway(), settings={"ROOMCAST_FLUSH_MAX_MS": "50"}),
    "gateway-0": Variant("gateway, flush bound 0", _gateway(), settings={"ROOMCAST_FLUSH_MAX_MS": "0"}),
    "gateway-deflate": Variant(
        "gateway, compressed", _gateway(), settings={"ROOMCAST_COMPRESSION": "true"}, dialect=Dialect.DEFLATE
    ),
    "gateway-workers": Variant("gateway, 2 processes", _gateway("--workers", "2")),
    "limit": Variant("limit in C" if shutil.which("cc") else "limit in Python", _limit, feeds_itself=True),
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    variant: Variant
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return self.process.pid


@contextmanager
def server(variant: Variant, redis_url: str, cores: set[int]) -> Iterator[Server]:
    """A server under test, as soon as it listens.

    Raises:
        BenchError: it cannot be started.
    """
    if missing := variant.missing():
        raise BenchError(missing)
    start = Start(free_port(), redis_url)
    environment = {
        "PORT": str(start.port), "HOST": "127.0.0.1", "REDIS_URL": redis_url, "ROOMCAST_LOG_LEVEL": "ERROR",
        "ROOMCAST_CLIENTS_PER_ADDRESS": "20000", **variant.settings,
    }  # fmt: skip
    with process(variant.command(start), cores, environment=environment, talks=variant.feeds_itself) as running:
        wait_for_port(start.port, running)
        yield Server(variant, start.port, running)


@contextmanager
def redis_server(cores: set[int]) -> Iterator[tuple[str, int]]:
    """A redis-server of its own; its URL and process id."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory]
        with process([*command, "--loglevel", "warning"], cores) as running:
            wait_for_port(port, running)
            yield f"redis://127.0.0.1:{port}/0", running.pid


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, running: "subprocess.Popen[bytes]") -> None:
    """Until somebody listens.

    Raises:
        BenchError: nobody did in time.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if running.poll() is not None:
            raise BenchError(f"it ended at once, with {running.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise BenchError(f"nobody listens on port {port}")
