"""An ingestor's HTTP door in a process of its own: the port, the signals, and who does not open it."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import RedisServer, free_port
from tests.e2e.cluster import Client, Processes, until, wait_for
from tests.e2e.test_main_path import DEMO


def status(port: int) -> str:
    word: str = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).json()["status"]
    return word


def test_a_port_that_is_taken_ends_the_start_with_a_word(processes: Processes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ingestor = processes.start("-m", "ingestor", env={"ROOMCAST_INGESTOR_PORT": str(port), "HOST": "127.0.0.1"})
        assert ingestor.wait(20) == 1
    said = processes.output()
    assert f"ingestor: 127.0.0.1:{port} cannot be listened on (Address already in use)" in said
    assert "Traceback" not in said


@pytest.fixture
def processes_of_own(own_redis: RedisServer, tmp_path: Path) -> Iterator[Processes]:
    """Processes on a Redis that may be frozen."""
    folder = tmp_path / "output"
    folder.mkdir()
    started = Processes(folder, own_redis.url)
    yield started
    own_redis.process.send_signal(signal.SIGCONT)
    started.end()
    print(started.output()[-20_000:])


async def test_the_first_signal_hands_over_and_the_second_one_ends_at_once(
    processes_of_own: Processes, own_redis: RedisServer
) -> None:
    """A Redis that answers nothing holds the hand-over up for as long as it may take."""
    processes = processes_of_own
    processes.simulator("--rate", "40")
    port = free_port()
    ingestor = processes.ingestor(ROOMCAST_INGESTOR_PORT=str(port), HOST="127.0.0.1", ROOMCAST_DRAIN_S="60")
    wait_for(f"http://127.0.0.1:{port}/readyz", ingestor)
    async with Client(processes.gateway(), DEMO) as client:
        await client.has_status("connected")
        told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'roomcast_ingestor_rooms_by_phase{phase="connected",platform="tiktok"} 1.0' in told
        assert 'roomcast_upstream_quota_remaining{platform="tiktok",provider="euler"} 999.0' in told
        assert 'roomcast_upstream_provider_key{platform="tiktok",provider="euler"} 0.0' in told
        own_redis.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, own_redis.process.pid, os.WSTOPPED)  # it goes on for a moment
        ingestor.send_signal(signal.SIGTERM)
        await until(lambda: status(port) == "stopping", what="stopping")
        ingestor.send_signal(signal.SIGTERM)
        assert ingestor.wait(10) == -signal.SIGTERM


def test_an_ingestor_with_a_door_ends_by_itself(processes: Processes) -> None:
    port = free_port()
    ingestor = processes.start("-m", "ingestor", env={"ROOMCAST_INGESTOR_PORT": str(port), "HOST": "127.0.0.1"})
    wait_for(f"http://127.0.0.1:{port}/readyz", ingestor)
    ingestor.send_signal(signal.SIGTERM)
    assert ingestor.wait(20) == 0
    assert "ingestor stopped" in processes.output()


def test_all_in_one_process_opens_one_port(tmp_path: Path) -> None:
    processes, port, other = Processes(tmp_path), free_port(), free_port()
    try:
        laptop = processes.start("app.py", "--port", str(port), env={"ROOMCAST_INGESTOR_PORT": str(other)})
        wait_for(f"http://127.0.0.1:{port}/readyz", laptop)
        assert "roomcast_ingestor_rooms_limit" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{other}/healthz")
    finally:
        processes.end()
