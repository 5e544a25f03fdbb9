"""The balancer as it is configured, a real HAProxy, in front of real gateways; only found by port, not by name."""

import asyncio
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.protocol import State

from tests.conftest import REPO_ROOT, free_port, need
from tests.gateways import DEADLINE_S, Client, Gateway, running_gateway
from tests.holder import Holder, HolderClient
from tests.servers import http_client

CONFIGURATION = REPO_ROOT / "deploy" / "haproxy" / "haproxy.cfg"
ROOM = "7300000000000000001"
GATEWAYS = 3

PASSES = ["/", "/health", "/viewer", "/viewer/static/viewer.js", "/viewer?room=@demo", "http://x/health"]
STAYS_INSIDE = [
    *("/metrics", "/rooms", "/rooms/tiktok/1", "/cluster", "/readyz", "/healthz", "/viewers", "/healthy", "/wsx"),
    *("//metrics", "/%6detrics", "/viewer/../metrics", "/viewer/%2e%2e/metrics", "/ws/../metrics", "http://x/metrics"),
]


def configuration(port: int, inside: int, gateways: list[int]) -> str:
    """The configuration, with other ports and with gateways on this machine."""
    text = CONFIGURATION.read_text("utf8")
    servers = "\n".join(f"    server gateway{port} 127.0.0.1:{port}" for port in gateways)
    for old, new in (
        (r"bind :8000", f"bind 127.0.0.1:{port}"),
        (r"bind :8404", f"bind 127.0.0.1:{inside}"),
        (r" resolvers dns init-addr none", ""),
        (r"    server-template gateway \d+ gateway:8000", servers),
        (r"    server-template simulator .*", ""),
    ):
        text, times = re.subn(old, new, text)
        assert times, f"no {old!r} in the configuration"
    return text


class Balancer(Gateway):
    """The balancer as clients see it, and what it tells inside."""

    def __init__(self, port: int, http: httpx.AsyncClient, inside: httpx.AsyncClient) -> None:
        super().__init__(port, http)
        self.inside = inside

    async def sees(self, **up: int) -> None:
        """Return when so many servers of each backend are up."""
        wanted = {f'haproxy_backend_active_servers{{proxy="{backend}"}} {count}' for backend, count in up.items()}
        async with asyncio.timeout(DEADLINE_S):
            while not wanted <= set((await self.inside.get("/metrics")).text.splitlines()):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def balanced(folder: Path, gateways: list[Gateway]) -> AsyncIterator[Balancer]:
    """A balancer in front of these gateways. It answers."""
    haproxy = need("haproxy", "haproxy")
    port, inside = free_port(), free_port()
    file = folder / "haproxy.cfg"
    file.write_text(configuration(port, inside, [gateway.port for gateway in gateways]), "utf8")
    process = subprocess.Popen([haproxy, "-db", "-f", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        async with http_client(port) as http, http_client(inside) as told:
            async with asyncio.timeout(DEADLINE_S):
                while process.poll() is None:
                    try:
                        await told.get("/healthz")
                        break
                    except httpx.HTTPError:
                        await asyncio.sleep(0.02)
            yield Balancer(port, http, told)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
async def holder(redis_server: str) -> AsyncIterator[Holder]:
    async with HolderClient(redis_server) as cluster:
        holder = cluster.holder(f"tiktok:{ROOM}")
        await holder.go_live()
        yield holder


@pytest.fixture
async def gateways(redis_server: str) -> AsyncIterator[list[Gateway]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                running_gateway(redis_server, gateway_name=f"gw-{number}", trusted_proxies="*", clients_per_address=20)
            )
            for number in range(GATEWAYS)
        ]


@pytest.fixture
async def balancer(tmp_path: Path, gateways: list[Gateway]) -> AsyncIterator[Balancer]:
    async with balanced(tmp_path, gateways) as balancer:
        await balancer.sees(ready=GATEWAYS)
        yield balancer


async def test_pages_for_clients_pass_and_all_else_stays_inside(balancer: Balancer) -> None:
    async def status(path: str) -> int:
        # Byte for byte: a client of a library would tidy the path up.
        reader, writer = await asyncio.open_connection("127.0.0.1", balancer.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(DEADLINE_S):
            answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1])

    assert {path: code for path in PASSES if (code := await status(path)) != 200} == {}
    assert await status("/avatar/1.svg") == 404  # there is no simulator
    assert {path: code for path in STAYS_INSIDE if (code := await status(path)) not in (404, 426)} == {}


async def test_balancer_tells_inside_what_prometheus_and_health_checks_ask(balancer: Balancer) -> None:
    assert (await balancer.inside.get("/healthz")).text == "ok\n"
    assert "haproxy_frontend_current_sessions" in (await balancer.inside.get("/metrics")).text
    assert (await balancer.inside.get("/health")).status_code == 404


async def test_clients_are_spread_evenly(balancer: Balancer, gateways: list[Gateway]) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(10 * GATEWAYS):
            client = await stack.enter_async_context(balancer.join(ROOM))
            await client.next()
        assert [(await gateway.get("/health")).json()["clients"] for gateway in gateways] == [10] * GATEWAYS


async def test_gateway_that_leaves_is_sent_nobody_and_its_clients_go_on_elsewhere(
    balancer: Balancer, gateways: list[Gateway], holder: Holder
) -> None:
    leaving, *others = gateways
    async with AsyncExitStack() as stack:

        async def join(query: str = "") -> Client:
            client = await stack.enter_async_context(balancer.join(f"{ROOM}?{query}"))
            await client.until(status="connected")
            return client

        clients = [await join() for _ in gateways]
        await leaving.shows(clients=1)
        leaving.endpoint.announce_leave()
        await balancer.sees(ready=GATEWAYS - 1)
        clients += [await join() for _ in range(2 * len(others))]
        assert [(await gateway.get("/health")).json()["clients"] for gateway in gateways] == [1, 3, 3]

        cursor = await holder.chat("before")
        for client in clients:
            await client.until(content="before")
        await leaving.endpoint.drain()
        await holder.chat("between")
        ended = [client for client in clients if client.socket.state is not State.OPEN]
        assert [await client.closed() for client in ended] == [(1012, f"draining since={cursor}")]
        returned = await stack.enter_async_context(balancer.join(f"{ROOM}?since={cursor}"))
        assert (await returned.until(type="recovered"))["recovered"]
        assert (await returned.next())["content"] == "between"


async def test_address_of_a_client_is_the_one_the_balancer_saw(balancer: Balancer) -> None:
    async with AsyncExitStack() as stack:
        answers: Counter[str] = Counter()
        for number in range(20 * GATEWAYS + 1):
            forged = {"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
            client = await stack.enter_async_context(balancer.join(ROOM, additional_headers=forged))
            answers[(await client.next()).get("code", "let in")] += 1
    assert answers == {"let in": 20 * GATEWAYS, "overloaded": 1}


async def test_without_redis_clients_are_still_let_in_and_told(tmp_path: Path) -> None:
    async with running_gateway(f"redis://127.0.0.1:{free_port()}/0") as gateway, balanced(tmp_path, [gateway]) as door:
        await door.sees(ready=0, living=1)
        async with door.join(ROOM) as client:
            assert (await client.until(code="unavailable"))["reconnect"]
