"""The benchmark counts right: real servers, real clients, one second."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.measure import Bench, Load, bench, run
from bench.servers import VARIANTS
from tests.conftest import REPO_ROOT, need

LOAD = Load(rooms=2, clients=10, rate=50)


@pytest.fixture
def shared() -> Iterator[Bench]:
    need("redis-server", "redis-server")
    with bench() as running:
        yield running


@pytest.mark.parametrize("variant", ["gateway", "naive", "limit"])
def test_every_delivery_is_counted(shared: Bench, variant: str) -> None:
    rooms = 1 if variant == "limit" else LOAD.rooms
    with run(shared, variant, Load(rooms, LOAD.clients, LOAD.rate)) as started:
        figures = started.step(LOAD, seconds=1.0, warm_up_s=0.1)
        assert figures.deliveries == rooms * LOAD.clients * LOAD.rate
        assert figures.cpu_us > 0
        assert figures.wire_bytes > 600
        assert 0 < figures.p50 <= figures.p99 <= figures.p999 <= figures.highest
        assert started.memory_kib() > 0


@pytest.mark.parametrize("variant", ["ws", "socketio"])
def test_servers_under_node_are_counted_too(shared: Bench, variant: str) -> None:
    need("node", "nodejs")
    need("npm", "npm")
    if missing := VARIANTS[variant].missing():
        pytest.skip(missing)
    with run(shared, variant, LOAD) as started:
        assert started.step(LOAD, seconds=1.0, warm_up_s=0.1).deliveries == LOAD.connections * LOAD.rate


def test_clients_that_never_read_are_not_waited_for(shared: Bench) -> None:
    with run(shared, "gateway", Load(1, 10, 50, slow=3)) as started:
        assert started.step(Load(1, 10, 50), seconds=1.0).deliveries == 10 * 50


def test_a_server_that_ends_gives_an_error_and_no_figures(shared: Bench) -> None:
    with run(shared, "gateway", LOAD) as started:
        os.killpg(started.server.pid, signal.SIGKILL)
        with pytest.raises(BenchError, match="20 clients were closed"):
            started.step(LOAD, seconds=1.0, warm_up_s=0.1)


def arguments(out: Path) -> list[str]:
    return [sys.executable, "-m", "bench", "--only", "busy", "--variants", "gateway", "--out", str(out)]


def test_a_run_ends_with_tables_and_every_figure(tmp_path: Path) -> None:
    need("redis-server", "redis-server")
    command = [*arguments(tmp_path / "out"), "--repeats", "1", "--seconds", "1"]
    done = subprocess.run(command, cwd=REPO_ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert "| gateway" in done.stdout
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["machine"]["cores"] >= 1
    assert [row["variant"] for row in written["measurements"]] == ["gateway"]
    assert (tmp_path / "out.md").read_text() in done.stdout


def test_nothing_is_left_behind_when_it_is_interrupted(tmp_path: Path) -> None:
    need("redis-server", "redis-server")
    command = [*arguments(tmp_path / "out"), "--seconds", "60"]
    with subprocess.Popen(command, cwd=REPO_ROOT, stdout=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 30
        while len(family := children(running.pid)) < 4:  # Redis, the gateway, its clients, the publisher
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        try:
            code = running.wait(15)
        except subprocess.TimeoutExpired:  # Python loses what a handler raises while it forks: whoever waits asks again
            running.send_signal(signal.SIGINT)
            code = running.wait(15)
        assert code == 0
    deadline = time.monotonic() + 10
    while [pid for pid in family if Path(f"/proc/{pid}").exists()]:  # one just being started dies with its parent
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
