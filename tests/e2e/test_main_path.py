"""The whole way, with real processes: simulator, ingestors, a redis-server, gateways, WebSocket clients."""

import asyncio
import contextlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import redis

from shared.keys import RoomKeys
from shared.room import RoomKey
from tests.e2e.cluster import Client, Processes, every_redis, until
from tests.topologies import Topology

DEMO = "7300000000000000001"
FIRST_ROOM = 7300000000000010000


def control(processes: Processes, path: str = "/", body: object = None) -> Any:
    """Ask, or tell, the simulator."""
    url = f"{processes.simulator_url}/_control{path}"
    answer = httpx.get(url, timeout=10) if body is None else httpx.post(url, json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def sent_ids(processes: Processes, room: str) -> list[str]:
    """The ids of the messages that the simulator sent in a room, in order."""
    return [message["id"] for message in control(processes, f"/rooms/{room}/messages")["messages"]]


def inject(processes: Processes, room: str, *payloads: tuple[str, bytes]) -> list[str]:
    """Let messages happen; their ids."""
    messages = [{"method": method, "payload_b64": b64encode(payload).decode()} for method, payload in payloads]
    ids: list[str] = control(processes, f"/rooms/{room}/messages", {"messages": messages})["ids"]
    return ids


def between(ids: list[str], first: str, last: str) -> list[str]:
    """The ids from one to another, both included."""
    return ids[ids.index(first) : ids.index(last) + 1]


def live_ids(client: Client) -> list[str]:
    """The message ids a client got, without those from before the connection."""
    return [event["id"] for event in client.events if "id" in event and not event.get("history")]


@every_redis
async def test_fifty_rooms_and_a_thousand_clients_share_fifty_upstreams(processes: Processes) -> None:
    processes.simulator("--rooms", "50", "--rate", "1")
    processes.ingestor(ROOMCAST_INGESTOR_NAME="one")
    processes.ingestor(ROOMCAST_INGESTOR_NAME="two")
    gateways = [processes.gateway(), processes.gateway()]
    rooms = [str(FIRST_ROOM + n) for n in range(50)]
    async with contextlib.AsyncExitStack() as stack:
        clients: dict[str, list[Client]] = {room: [] for room in rooms}
        for n in range(20):
            for room in rooms:
                client = Client(gateways[n % 2], room, "lang=en&events=all")
                clients[room].append(await stack.enter_async_context(client))
        everybody = [client for group in clients.values() for client in group]
        await until(
            lambda: all("connected" in client.statuses for client in everybody), timeout_s=60, what="all connected"
        )
        assert control(processes)["connections_open"] == 50

        # From here on every client is live in its room: what is sent now has to reach each of them, once, in order.
        marks = {room: inject(processes, room, ("WebcastMark", b""))[0] for room in rooms}
        await until(
            lambda: all(marks[room] in live_ids(client) for room in rooms for client in clients[room]),
            timeout_s=60,
            what="the first mark at all clients",
        )
        ends = {room: inject(processes, room, ("WebcastMark", b""))[0] for room in rooms}
        await until(
            lambda: all(ends[room] in live_ids(client) for room in rooms for client in clients[room]),
            timeout_s=60,
            what="the last mark at all clients",
        )
        for room in rooms:
            sent = sent_ids(processes, room)
            expected = between(sent, marks[room], ends[room])
            for client in clients[room]:
                assert between(live_ids(client), marks[room], ends[room]) == expected
        overview = control(processes)
        assert overview["connections_open"] == 50
        assert overview["connections_opened"] == 50


@every_redis
async def test_a_name_and_its_room_id_share_one_upstream(processes: Processes) -> None:
    processes.simulator()
    processes.ingestor()
    gateway = processes.gateway()
    async with Client(gateway, "@demo") as by_name, Client(gateway, DEMO) as by_id, Client(gateway, "@DEMO") as again:
        for client in (by_name, by_id, again):
            await client.has_status("connected")
        mark = inject(processes, DEMO, ("WebcastChatMessage", b""))[0]
        for client in (by_name, by_id, again):
            await until(lambda client=client: mark in live_ids(client), what="the mark")  # type: ignore[misc]
        assert {event["room"] for event in by_name.events} == {DEMO}
        assert control(processes)["connections_open"] == 1


@every_redis
async def test_an_idle_room_is_closed_at_once_and_its_log_goes_after_the_history_time(
    topology: Topology, processes: Processes
) -> None:
    processes.simulator("--rate", "20")
    idle = {"ROOMCAST_IDLE_TIMEOUT_S": "2", "ROOMCAST_HISTORY_TTL_S": "3"}
    processes.ingestor(**idle)
    gateway = processes.gateway(**idle)
    keys = RoomKeys.of(RoomKey("tiktok", DEMO))
    with redis.Redis(port=topology.owner(keys.log).port) as store:
        async with Client(gateway, DEMO) as client:
            await client.has_status("connected")
            await until(lambda: len(client.events) > 20, what="events")
            await asyncio.sleep(3)  # longer than the idle time: as long as somebody is there, nothing happens
            assert client.socket.close_code is None
            assert control(processes)["connections_open"] == 1
        async with Client(gateway, DEMO) as returned:  # before the idle time is over
            await returned.has_status("connected")
            assert returned.statuses == ["connecting", "connected"]
        await until(lambda: control(processes)["connections_open"] == 0, what="the upstream closed")
        await until(lambda: not store.exists(keys.lease), timeout_s=1, what="the lease gone")
        assert not store.exists(keys.demand)
        assert store.exists(keys.log, keys.state) == 2
        await until(lambda: not store.exists(keys.log, keys.state), timeout_s=10, what="log and state gone")
    shown = control(processes, f"/rooms/{DEMO}")
    assert shown["counters"]["connections_opened"] == 1


async def test_payload_files_arrive_through_the_whole_way_in_order_and_once(
    processes: Processes, tmp_path: Path
) -> None:
    from tests.conftest import REPO_ROOT

    payloads = REPO_ROOT / "tests" / "fixtures" / "tiktok" / "messages.jsonl"
    await play(processes, payloads)


async def play(processes: Processes, payloads: Path) -> int:
    """Play payload files as a room; returns how many messages arrived."""
    processes.simulator("--payloads", str(payloads), "--payload-rate", "400")
    processes.ingestor()
    gateway = processes.gateway()
    async with Client(gateway, "@payloads", "lang=en&events=all") as client:
        await until(lambda: bool(client.of_type("ended")), timeout_s=60, what=f"the end; {client.frames[-3:]}")
        await until(lambda: client.socket.close_code is not None, what="the close")
        room = client.of_type("ended")[0]["room"]
        got = live_ids(client)
        sent = sent_ids(processes, room)
    # What ends a room is played last; the first such message ends it.
    assert got == sent[: sent.index(client.of_type("ended")[0]["id"]) + 1]
    cursors = [tuple(map(int, event["cursor"].split("-"))) for event in client.events]
    assert cursors == sorted(set(cursors))
    assert client.frames[-1]["status"] == "closing"
    assert client.frames[-1]["code"] == "ended"
    assert client.close_code == 1000
    return len(got)


@every_redis
async def test_after_the_end_a_name_is_offline_and_then_leads_to_the_next_broadcast(processes: Processes) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor(ROOMCAST_OFFLINE_TTL_S="1")
    gateway = processes.gateway()
    async with Client(gateway, "@demo") as client:
        await client.has_status("connected")
        control(processes, f"/rooms/{DEMO}/end", {})
        await until(lambda: client.close_code is not None, what=f"the close; {client.frames[-2:]}")
    assert client.of_type("ended")[0]["ended"] == {"reason": "host"}
    assert (client.frames[-1]["code"], client.close_code) == ("ended", 1000)

    async with Client(gateway, "@demo") as early:
        await until(lambda: early.close_code is not None, what="the close of who came too late")
    assert early.frames[-1]["code"] in ("ended", "offline")
    assert (early.frames[-1]["reconnect"], early.close_code) == (False, 1000)

    next_room = control(processes, "/rooms/@demo/live", {})["room"]
    assert next_room != DEMO
    statuses: list[str] = []
    while "connected" not in statuses:  # "offline" is answered from memory for a second
        async with Client(gateway, "@demo") as late:
            await until(lambda: late.close_code is not None or "connected" in late.statuses, what="an answer")
            statuses = late.statuses
    assert late.frames[-1]["room"] == next_room
