"""An ingestor goes, with or without a word: another one takes its rooms, and no client misses or doubles an event."""

import signal
from typing import Any

import httpx
import pytest

from tests.e2e.cluster import Client, Processes, every_redis, until
from tests.e2e.test_main_path import DEMO, between, control, inject, live_ids, sent_ids


def holder(gateway: str) -> str:
    """The name of the ingestor that holds the only room; empty when nobody does."""
    rooms: list[dict[str, Any]] = httpx.get(f"http://{gateway}/rooms").json()["rooms"]
    return next((room.get("holder", "") for room in rooms), "")


@every_redis
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


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize(("address", "room"), [(DEMO, DEMO), ("douyin/728804746624", "728804746624")])
async def test_the_sums_of_gifts_are_exact_over_a_take_over(
    processes: Processes, how: signal.Signals, address: str, room: str
) -> None:
    """Streaks that are open when their holder goes are counted on by the next one."""
    processes.simulator("--rate", "60")
    login = {"ROOMCAST_DOUYIN_COOKIES": "sessionid=s"}
    ingestors = {name: processes.ingestor(ROOMCAST_INGESTOR_NAME=name, **login) for name in ("one", "two")}
    gateway = processes.gateway()
    async with Client(gateway, address, "lang=en&events=gift,chat") as client:

        def pressed(more_than: int) -> bool:
            return bool(sum(gift["delta"] for gift in client.of_type("gift")) > more_than)

        await until(lambda: pressed(20), what="gifts")
        before = holder(gateway)
        ingestors[before].send_signal(how)
        await until(lambda: holder(gateway) not in ("", before), what="another holder")
        counted = sum(gift["delta"] for gift in client.of_type("gift"))
        await until(lambda: pressed(counted + 20), what="more gifts")
        control(processes, f"/rooms/{room}/pause", {})
        last = inject(processes, room, ("WebcastChatMessage", b""))[0]
        await until(lambda: last in live_ids(client), what="the last chat")
        given = control(processes, f"/rooms/{room}")["gifts"]
    gifts = client.of_type("gift")
    assert client.of_type("gap") == []
    assert sum(gift["delta"] for gift in gifts) == given["units"]
    assert sum(gift["diamonds"] for gift in gifts) == given["diamonds"]
