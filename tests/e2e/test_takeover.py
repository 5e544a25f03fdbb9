"""An ingestor goes, with or without a word: another one takes its rooms, and no client misses or doubles an event."""

import signal
from typing import Any

import httpx
import pytest

from tests.e2e.cluster import Client, Processes, until
from tests.e2e.test_main_path import DEMO, between, control, inject, live_ids, sent_ids


def holder(gateway: str) -> str:
    """The name of the ingestor that holds @demo; empty when nobody does."""
    rooms: list[dict[str, Any]] = httpx.get(f"http://{gateway}/rooms").json()["rooms"]
    return next((room.get("holder", "") for room in rooms if room["room"] == DEMO), "")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
async def test_another_ingestor_goes_on_where_the_first_one_stopped(processes: Processes, how: signal.Signals) -> None:
    processes.simulator("--rate", "20")
    ingestors = {name: processes.ingestor(ROOMCAST_INGESTOR_NAME=name) for name in ("one", "two")}
    gateway = processes.gateway()
    async with Client(gateway, DEMO, "lang=en&events=all") as client:
        await client.has_status("connected")
        first = inject(processes, DEMO, ("WebcastMark", b""))[0]
        await until(lambda: first in live_ids(client), what="the first mark")
        before = holder(gateway)
        ingestors[before].send_signal(how)
        await until(lambda: holder(gateway) not in ("", before), what="another holder")
        await until(lambda: control(processes)["connections_open"] == 1, what="one upstream")
        last = inject(processes, DEMO, ("WebcastMark", b""))[0]
        await until(lambda: last in live_ids(client), what="the last mark")
        sent = sent_ids(processes, DEMO)
    assert between(live_ids(client), first, last) == between(sent, first, last)
    assert client.of_type("gap") == []
    if how is signal.SIGTERM:
        assert ingestors[before].wait(10) == 0
