"""`python -m gateway forward` as a process: what a client sees is in the file, though the process was killed."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPO_ROOT
from tests.e2e.cluster import Client, Processes, until


def held(path: Path) -> list[dict[str, Any]]:
    """The events of a file; of a line that is being written, nothing."""
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]


async def test_a_file_holds_all_that_a_client_sees_though_the_forwarder_was_killed(
    processes: Processes, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    command = ("-m", "gateway", "forward", "tiktok:@demo", "--file", str(path))
    processes.simulator("--rate", "30")
    processes.ingestor()
    gateway = processes.gateway()
    first = processes.start(*command)
    await until(lambda: len(held(path)) > 5)
    async with Client(gateway, "@demo") as client:
        await until(lambda: len(client.events) > 20)
        first.kill()
        first.wait()
        seen = len(client.events)
        await until(lambda: len(client.events) > seen + 30)
        second = processes.start(*command)
        await until(lambda: client.events[seen + 30]["cursor"] in {event["cursor"] for event in held(path)})
        second.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(second.wait, 15) == 0
    in_file = held(path)
    cursors = list(dict.fromkeys(event["cursor"] for event in in_file))
    begin = cursors.index(client.events[0]["cursor"])
    both = [event["cursor"] for event in client.events if event["cursor"] in cursors]
    assert cursors[begin : begin + len(both)] == both
    assert len(both) > seen + 30
    by_cursor = {event["cursor"]: event for event in in_file}
    assert [by_cursor[event["cursor"]] for event in client.events[: len(both)]] == client.events[: len(both)]
    assert "gap" not in {event["type"] for event in in_file}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["@demo"], "--file FILE, or --webhook"),
        (["@demo", "--webhook"], "the webhook is an address"),
        (["a b", "--file", "x"], "ROOM"),
        (["@demo", "--file", "x", "--events", "chats"], "chats"),
        (["@demo", "--file", "/nowhere/x"], "cannot be written"),
    ],
)
def test_what_cannot_be_forwarded_is_told(tmp_path: Path, arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "gateway", "forward", *arguments]
    run = subprocess.run(command, cwd=REPO_ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode in (1, 2)
    assert words in run.stderr
    assert not (REPO_ROOT / "x").exists()
