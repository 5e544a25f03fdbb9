"""How a gateway takes leave: it says so, serves on for a moment, and sends its clients away little by little."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.server import Server, create_server
from gateway.settings import GatewaySettings
from shared.redis_client import open_redis
from tests.gateways import Gateway
from tests.holder import Holder, HolderClient
from tests.servers import http_client, served

ROOM = "7300000000000000001"
NOTICE_S = 5.0


@pytest.fixture
async def holder(redis_server: str) -> AsyncIterator[Holder]:
    async with HolderClient(redis_server) as cluster:
        holder = cluster.holder(f"tiktok:{ROOM}")
        await holder.go_live()
        yield holder


@pytest.fixture
async def server(redis_server: str) -> AsyncIterator[Server]:
    chosen = {"redis_url": redis_server, "host": "127.0.0.1", "port": 0, "drain_notice_s": NOTICE_S}
    settings = GatewaySettings(_env_file=None, **chosen)  # type: ignore[arg-type, call-arg]
    redis = open_redis(redis_server, name="gateway")
    yield create_server(create_app(settings, redis), settings)
    await redis.aclose()


@pytest.fixture
async def gateway(server: Server) -> AsyncIterator[Gateway]:
    async with served(server) as port, http_client(port) as http:
        yield Gateway(port, http, cast(Starlette, server.config.app))


@pytest.fixture
def signals_kept() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


async def test_leaving_gateway_is_not_ready_and_serves_who_comes_yet(gateway: Gateway, holder: Holder) -> None:
    endpoint = gateway.endpoint
    endpoint.announce_leave()
    answer = await gateway.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "draining"})
    assert (await gateway.get("/healthz")).status_code == 200
    async with gateway.join(f"{ROOM}?lang=en") as client:
        await client.until(status="connected")
        cursor = await holder.chat("one")
        await client.until(content="one")
        await endpoint.drain()
        assert await client.closed() == (1012, f"draining since={cursor}")


async def test_clients_are_sent_away_one_after_the_other(gateway: Gateway, holder: Holder) -> None:
    endpoint = gateway.endpoint
    async with gateway.join(ROOM) as one, gateway.join(ROOM) as other:
        for client in (one, other):
            await client.until(status="connected")
        draining = asyncio.create_task(endpoint.drain(within_s=3600, per_s_min=1 / 1800))
        ending = {asyncio.create_task(client.closed()): client for client in (one, other)}
        done, _ = await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result()[0] for task in done] == [1012]
        staying = next(client for task, client in ending.items() if task not in done)
        await holder.chat("you are still here")
        async with asyncio.timeout(10):
            while not staying.frames or staying.frames[-1].get("content") != "you are still here":
                await asyncio.sleep(0.01)
        for task in (draining, *ending):
            task.cancel()


@pytest.mark.usefixtures("signals_kept")
@pytest.mark.parametrize(("sent", "serves_on"), [(signal.SIGTERM, True), (signal.SIGINT, False)])
async def test_only_sigterm_gives_balancers_time(
    server: Server, gateway: Gateway, sent: signal.Signals, serves_on: bool
) -> None:
    async with gateway.join(ROOM):  # so that the fixture stops a server with clients
        server.handle_exit(sent, None)
        ending = asyncio.create_task(server.shutdown())
        await asyncio.sleep(0)
        assert gateway.app.state.relay.draining
        assert server.servers[0].is_serving() is serves_on
        ending.cancel()
        await asyncio.wait({ending})
        server.handle_exit(signal.SIGINT, None)  # so that the fixture need not wait
