"""Several gateways behind one port: `python -m gateway --workers 2`."""

import signal
from contextlib import AsyncExitStack
from functools import partial

import httpx

from tests.conftest import free_port
from tests.e2e.cluster import Client, Processes, until, wait_for
from tests.e2e.test_main_path import DEMO, between, inject, live_ids, sent_ids

CLIENTS = 12  # that the kernel gives all of them to the same worker happens once in 2,000 runs; then nothing fails


async def test_workers_share_a_port_and_nothing_else_and_take_leave(processes: Processes) -> None:
    processes.simulator("--rate", "40")
    processes.ingestor()
    port = free_port()
    settings = {"PORT": str(port), "HOST": "127.0.0.1", "ROOMCAST_GATEWAY_NAME": "edge"}
    supervisor = processes.start("-m", "gateway", "--workers", "2", env=settings)
    gateway = f"127.0.0.1:{port}"
    wait_for(f"http://{gateway}/readyz", supervisor)

    names: set[str] = set()

    def both_answer() -> bool:
        names.add(httpx.get(f"http://{gateway}/health").json()["gateway"])
        return len(names) == 2

    await until(both_answer, what="both workers")
    assert all(name.startswith("edge-") for name in names)

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(gateway, DEMO, "lang=en&events=all")) for _ in range(CLIENTS)]
        for client in clients:
            await client.has_status("connected")
        first = inject(processes, DEMO, ("WebcastMark", b""))[0]
        last = inject(processes, DEMO, ("WebcastMark", b""))[0]
        for client in clients:
            await until(partial(has, client, last), what="the last mark")
        sent = sent_ids(processes, DEMO)
        for client in clients:
            assert between(live_ids(client), first, last) == between(sent, first, last)

        supervisor.send_signal(signal.SIGTERM)
        for client in clients:
            await client.has_status("closing")
            await client.socket.wait_closed()
            assert client.socket.close_code == 1012
            assert client.frames[-1]["cursor"] == client.events[-1]["cursor"]
        assert supervisor.wait(15) == 0
    assert processes.output().count("gateway leaves") == 2
    assert processes.output().count("clients left") == 2


def has(client: Client, message_id: str) -> bool:
    return message_id in live_ids(client)
