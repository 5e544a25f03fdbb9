"""A gateway behind servers of several kinds, and clients of each: what tests are made of that hold for all of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from gateway.app import create_app
from gateway.server import create_server
from gateway.settings import GatewaySettings
from gateway.wire import WireProtocol
from shared.redis_client import open_redis
from tests.frames import read
from tests.gateways import DEADLINE_S, Gateway
from tests.servers import http_client, served

SERVERS: dict[str, Any] = {"wire": WireProtocol, "websockets": "websockets-sansio", "wsproto": "wsproto"}


class Client(Protocol):
    """One client, of whatever kind."""

    async def next(self) -> dict[str, Any]:
        """The next frame; what a newcomer is told of a running room is stepped over."""

    async def say(self, frame: object) -> None:
        """Send a frame as JSON."""

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close."""


Door = Callable[[str], AbstractAsyncContextManager[Any]]
"""Lets a client in at `/ws/<path>`."""


class InProcess:
    """A client of Starlette's TestClient."""

    def __init__(self, session: WebSocketTestSession) -> None:
        self._session = session

    async def next(self) -> dict[str, Any]:
        while True:
            async with asyncio.timeout(DEADLINE_S):
                frame = read(await asyncio.to_thread(self._session.receive_text))
            if frame.get("type") != "live_status" or "cursor" in frame:
                return frame

    async def say(self, frame: object) -> None:
        await asyncio.to_thread(self._session.send_text, json.dumps(frame))

    async def closed(self) -> tuple[int, str]:
        try:
            while True:
                await self.next()
        except WebSocketDisconnect as left:
            return left.code, left.reason or ""


@dataclass(frozen=True)
class House:
    """A gateway, however it is served.

    Attributes:
        door: lets clients in.
        drain: sends them away, as its server does before it stops.
        gateway: what else can be had of it, where it has a port.
    """

    door: Door
    drain: Callable[[], Awaitable[object]]
    gateway: Gateway | None = None


@asynccontextmanager
async def gateway_behind(server: str, url: str, **settings: Any) -> AsyncIterator[House]:
    """A gateway behind that server, or behind none."""
    chosen: dict[str, Any] = {"_env_file": None, "redis_url": url, "host": "127.0.0.1", "port": 0, "linger_s": 0}
    read = GatewaySettings(**chosen | settings)
    redis = open_redis(url, name="gateway")
    app = create_app(read, redis, around=lambda: aclosing(redis))
    async with AsyncExitStack() as stack:
        if server == "none":
            client = TestClient(app)
            await asyncio.to_thread(client.__enter__)
            stack.push_async_callback(asyncio.to_thread, client.__exit__)

            @asynccontextmanager
            async def door(path: str) -> AsyncIterator[InProcess]:
                session = client.websocket_connect(f"/ws/{path}")
                await asyncio.to_thread(session.__enter__)
                try:
                    yield InProcess(session)
                finally:
                    await asyncio.to_thread(session.__exit__, None, None, None)

            assert client.portal is not None
            yield House(door, partial(asyncio.to_thread, client.portal.call, app.state.endpoint.drain))
        else:
            made = create_server(app, read)
            made.config.ws = SERVERS[server]
            port = await stack.enter_async_context(served(made))
            gateway = Gateway(port, await stack.enter_async_context(http_client(port)))
            yield House(gateway.join, app.state.endpoint.drain, gateway)
