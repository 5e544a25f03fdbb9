"""The clients of a drill, as they are started beside a cluster."""

import json
import signal
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import free_port
from tests.e2e.cluster import Processes, until, wait_for

CLIENTS = 12


async def test_clients_of_a_drill_come_back_and_say_at_the_end_what_they_saw(
    processes: Processes, tmp_path: Path
) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor()
    port, path = free_port(), tmp_path / "report.json"
    env = {"PORT": str(port), "HOST": "127.0.0.1"}
    gateway = processes.start("-m", "gateway", env=env)
    wait_for(f"http://127.0.0.1:{port}/readyz", gateway)
    drill = processes.start(
        "-m", "tests.drill.clients", "--url", f"ws://127.0.0.1:{port}/", "--clients", f"{CLIENTS}",
        "--rooms", "@demo,douyin/728804746624", "--seconds", "3600", "--report", str(path),
    )  # fmt: skip
    processes.until_said(drill, f"served {CLIENTS} of {CLIENTS} clients")

    gateway.send_signal(signal.SIGTERM)
    assert gateway.wait(20) == 0
    gateway = processes.start("-m", "gateway", env=env)
    wait_for(f"http://127.0.0.1:{port}/readyz", gateway)

    def all_are_back() -> bool:
        answer: dict[str, Any] = httpx.get(f"http://127.0.0.1:{port}/health").json()
        return bool(answer["clients"] == CLIENTS)

    await until(all_are_back, what="the clients")
    drill.send_signal(signal.SIGINT)
    assert drill.wait(30) == 0
    report = json.loads(path.read_text("utf8"))
    assert report["clean"]
    assert report["closes"] == {"1012 draining": CLIENTS}
    assert (report["clients"], report["connected"], report["connects"]) == (CLIENTS, CLIENTS, 2 * CLIENTS)
    assert (report["lost"], report["doubled"], report["disordered"], report["late"], report["gaps"]) == (0, 0, 0, 0, {})
    assert report["events"] == report["owed"] > CLIENTS
