"""What an ingestor answers over HTTP, from its start to the moment its last room is handed over."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ingestor import service
from ingestor.connectors.base import LiveRoom, SeenIds, Upstream
from ingestor.settings import IngestorSettings
from shared.demand import Demand
from shared.errors import ConfigError
from shared.http_protocol import MachinesProtocol
from shared.http_server import listen
from shared.redis_client import open_redis
from shared.room import RoomKey
from tests.conftest import free_port
from tests.fakes import FakeConnector, FakeUpstream
from tests.servers import http_client

ROOM = RoomKey("tiktok", "7300000000000000001")


class SlowToLeave(FakeConnector):
    """A platform whose connections close when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.leaving = asyncio.Event()
        self.may_leave = asyncio.Event()

    async def connect(self, room: RoomKey, live: LiveRoom, position: str, seen: SeenIds) -> Upstream:
        upstream = await super().connect(room, live, position, seen)
        return Upstream(_SlowTransport(self, self.upstreams[-1]), upstream.protocol)


class _SlowTransport:
    def __init__(self, platform: SlowToLeave, upstream: FakeUpstream) -> None:
        self.receive, self.send = upstream.receive, upstream.send
        self._platform = platform

    async def aclose(self) -> None:
        self._platform.leaving.set()
        await self._platform.may_leave.wait()


@contextlib.asynccontextmanager
async def running(redis_url: str, connector: FakeConnector, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An ingestor, and a client of its door."""
    redis = open_redis(redis_url, name="test")
    listener = listen("127.0.0.1", 0)
    async with http_client(listener.getsockname()[1]) as client:
        values = {"ingestor_name": "one", "scan_interval_s": 0.1, **settings}
        try:
            async with service.running(IngestorSettings(**values), redis, {"tiktok": connector}, listener=listener):
                yield client
        finally:
            await redis.aclose()


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.005)


async def test_an_ingestor_that_reached_redis_is_ready_and_counts() -> None:
    async with running(f"memory://{uuid4().hex}", FakeConnector(), max_rooms=123) as client:
        await until_ready(client)
        assert (await client.get("/readyz")).json() == {"status": "ok"}
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        metrics = await client.get("/metrics")
        assert "\nroomcast_ingestor_rooms_limit 123.0\n" in metrics.text
        assert metrics.headers["content-type"].startswith("text/plain; version=")
        assert (await client.get("/rooms")).status_code == 404


async def test_an_ingestor_without_redis_is_alive_and_not_ready() -> None:
    async with running(f"redis://127.0.0.1:{free_port()}", FakeConnector()) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "redis is away"})
        assert (await client.get("/healthz")).status_code == 200


async def test_an_ingestor_is_not_ready_while_it_hands_its_rooms_over() -> None:
    redis_url, platform = f"memory://{uuid4().hex}", SlowToLeave()
    async with contextlib.AsyncExitStack() as ingestor:
        client = await ingestor.enter_async_context(running(redis_url, platform))
        await until_ready(client)
        async with contextlib.aclosing(open_redis(redis_url, name="gateway")) as redis:
            await Demand(redis, idle_timeout_s=60).announce(ROOM)
        await platform.upstream(1)
        stopping = asyncio.create_task(ingestor.pop_all().aclose())
        await platform.leaving.wait()
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "stopping"})
        assert (await client.get("/healthz")).status_code == 200
        platform.may_leave.set()
        await stopping


async def test_those_who_only_hold_connections_keep_nobody_out() -> None:
    held = MachinesProtocol.connections_max
    async with running(f"memory://{uuid4().hex}", FakeConnector()) as client:
        await until_ready(client)
        port = client.base_url.port
        assert port is not None
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * held)]
        async with asyncio.timeout(10):
            async with http_client(port) as other:
                assert (await other.get("/healthz")).status_code == 200
            for reader, _ in idle[:held]:
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == b""
        for _, writer in idle:
            writer.close()
            with contextlib.suppress(ConnectionResetError):
                await writer.wait_closed()


async def test_nobody_answers_after_the_end() -> None:
    async with running(f"memory://{uuid4().hex}", FakeConnector()) as client:
        await until_ready(client)
        port = client.base_url.port
        assert port is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_port_that_is_taken_is_said_to_be_taken() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} cannot be listened on \(Address already in use\)"):
            listen("127.0.0.1", port)
