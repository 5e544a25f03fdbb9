"""Clients that wait for a host who comes and goes: one look at a time for all of them, and nothing is missed."""

import contextlib
import signal
import time

import pytest

from tests.e2e.cluster import Client, Processes, one_and_many, until
from tests.e2e.test_main_path import control, inject, sent_ids

TIKTOK = ("@demo", "@demo", 1)
DOUYIN = ("douyin/728804746624", "@728804746624", 2)  # that somebody is not live is asked at two doors
OPTIONS = "lang=en&events=all&wait=1"
POLL_S = 2
FAST_LOOKS = {"ROOMCAST_WAIT_POLL_S": str(POLL_S), "ROOMCAST_DOUYIN_COOKIES": "sessionid=s"}


class Host:
    """Who is waited for, at the simulator's control.

    Args:
        processes: with a simulator.
        name: of the host.
        questions: that a look takes.
    """

    def __init__(self, processes: Processes, name: str, questions: int) -> None:
        self._processes = processes
        self._path = f"/rooms/{name}"
        self._questions = questions

    @property
    def looks(self) -> float:
        """How often somebody looked whether the latest broadcast is live."""
        asked: int = control(self._processes, self._path)["counters"].get("live_checks", 0)
        return asked / self._questions

    def end(self) -> None:
        """Leave."""
        control(self._processes, f"{self._path}/end", {})

    def begin(self) -> str:
        """Come; the broadcast's id."""
        room: str = control(self._processes, f"{self._path}/live", {})["room"]
        return room

    async def is_looked_at(self, times: int) -> None:
        """Until it was looked at so often, never twice in one interval."""
        began, before = time.monotonic(), self.looks
        await until(lambda: self.looks >= before + times, what="looks")
        looks = self.looks - before
        assert looks <= 1 + (time.monotonic() - began) / POLL_S


def told_ids(client: Client) -> list[str]:
    """The message ids a client got; what happened in the second of our arrival may pass for history."""
    return [event["id"] for event in client.events if "id" in event]


async def all_told(clients: list[Client], status: str, times: int) -> None:
    """Until each was told a status so often; no one is told it more often."""
    await until(
        lambda: all(client.statuses.count(status) >= times for client in clients), what=f"{status} {times} times"
    )
    assert {client.statuses.count(status) for client in clients} == {times}


async def follow_two_broadcasts(processes: Processes, address: str, name: str, questions: int) -> None:
    """Fifty clients on two gateways; both ingestors could look."""
    processes.simulator("--rate", "20")
    for ingestor in ("one", "two"):
        processes.ingestor(ROOMCAST_INGESTOR_NAME=ingestor, **FAST_LOOKS)
    gateways = [processes.gateway(), processes.gateway()]
    host = Host(processes, name, questions)
    host.end()
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(Client(gateways[number % 2], address, OPTIONS)) for number in range(50)
        ]
        for broadcast in (1, 2):
            await all_told(clients, "waiting", broadcast)
            await host.is_looked_at(2)
            room = host.begin()
            await all_told(clients, "connected", broadcast)
            mark = inject(processes, room, ("WebcastMark", b""))[0]
            await until(lambda mark=mark: all(mark in told_ids(client) for client in clients), what="the mark")  # type: ignore[misc]
            sent = sent_ids(processes, room)
            expected = sent[: sent.index(mark) + 1]
            for client in clients:
                assert [message for message in told_ids(client) if message in set(expected)] == expected
            host.end()
        await all_told(clients, "waiting", 3)
        for client in clients:
            assert len([event for event in client.of_type("live_status") if "cursor" in event]) == 2
            assert len(client.of_type("ended")) == 2
            assert client.of_type("gap") == []
            assert client.close_code is None


@one_and_many
async def test_who_waits_for_a_name_follows_it_from_broadcast_to_broadcast(processes: Processes) -> None:
    await follow_two_broadcasts(processes, *TIKTOK)


async def test_who_waits_for_a_room_follows_its_broadcasts(processes: Processes) -> None:
    await follow_two_broadcasts(processes, *DOUYIN)


@pytest.mark.parametrize(("address", "name", "questions"), [TIKTOK, DOUYIN], ids=["tiktok", "douyin"])
async def test_whichever_ingestor_is_killed_the_others_go_on_looking(
    processes: Processes, address: str, name: str, questions: int
) -> None:
    processes.simulator()
    ingestors = [processes.ingestor(ROOMCAST_INGESTOR_NAME=each, **FAST_LOOKS) for each in ("one", "two")]
    gateway = processes.gateway()
    host = Host(processes, name, questions)
    host.end()
    async with Client(gateway, address, OPTIONS) as client:
        await client.has_status("waiting")
        for ingestor in ingestors:
            processes.ingestor(ROOMCAST_INGESTOR_NAME=f"after-{ingestor.pid}", **FAST_LOOKS)
            ingestor.send_signal(signal.SIGKILL)
            ingestor.wait()
            await host.is_looked_at(2)
        host.begin()
        await client.has_status("connected")
        assert client.statuses.count("waiting") == 1
