"""Real gateways on free ports, and clients that read their frames: what tests of the gateway are made of."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.app import create_app
from gateway.endpoint import Endpoint
from gateway.server import create_server
from gateway.settings import GatewaySettings
from shared.redis_client import open_redis
from tests.frames import Frame, is_described, read, read_answer
from tests.servers import http_client, served

DEADLINE_S = 10.0


class Client:
    """One WebSocket client; what it received is kept."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.fronts: list[Frame] = []

    async def next(self) -> Frame:
        """The next frame; what a newcomer is told of a running room is kept in `fronts` and stepped over."""
        while True:
            async with asyncio.timeout(DEADLINE_S):
                frame = read(await self.socket.recv())
            if frame.get("type") != "live_status" or "cursor" in frame:
                self.frames.append(frame)
                return frame
            self.fronts.append(frame)

    async def until(self, **fields: object) -> Frame:
        """Read on to the first frame with these fields."""
        while True:
            frame = await self.next()
            if all(frame.get(field) == value for field, value in fields.items()):
                return frame

    async def say(self, frame: object) -> None:
        """Send a frame as JSON."""
        await self.socket.send(json.dumps(frame))

    async def rest(self) -> list[Frame]:
        """Everything up to the close."""
        found = []
        try:
            while True:
                found.append(await self.next())
        except ConnectionClosed:
            return found

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close; frames before it are kept."""
        await self.rest()
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""


class Gateway:
    """A running gateway."""

    def __init__(self, port: int, http: httpx.AsyncClient, app: Starlette | None = None) -> None:
        self.port = port
        self.http = http
        self._app = app

    @property
    def app(self) -> Starlette:
        """What serves, for what cannot be asked from outside."""
        assert self._app is not None
        return self._app

    @property
    def endpoint(self) -> Endpoint:
        """Its door for clients."""
        endpoint: Endpoint = self.app.state.endpoint
        return endpoint

    @asynccontextmanager
    async def join(self, path: str, **options: Any) -> AsyncIterator[Client]:
        """A client at `/ws/<path>`."""
        async with connect(f"ws://127.0.0.1:{self.port}/ws/{path}", **options) as socket:
            yield Client(socket)

    @asynccontextmanager
    async def join_without_reading(
        self, path: str, *, after: str = "connected", first: object = None
    ) -> AsyncIterator[Client]:
        """A client that reads nothing after a frame of this type or status; its kernel buffers are small.

        What it says `first`, if anything, may be what that frame answers.
        """
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        async with self.join(path, sock=raw, max_queue=1) as client:
            if first is not None:
                await client.say(first)
            while after not in ((frame := await client.next()).get("status"), frame.get("type")):
                pass
            client.socket.transport.pause_reading()
            yield client
            client.socket.transport.abort()  # a close in good order would wait for frames that nobody reads

    async def shows(self, **counts: int) -> None:
        """Return when `/health` tells these counts."""
        async with asyncio.timeout(DEADLINE_S):
            while not counts.items() <= (await self.get("/health")).json().items():
                await asyncio.sleep(0.01)

    async def get(self, path: str) -> httpx.Response:
        """GET; what is answered has to be what the OpenAPI document promises."""
        answer = await self.http.get(path)
        if is_described(path):
            read_answer(path, answer.status_code, answer.text)
        return answer


@asynccontextmanager
async def running_gateway(redis_url: str, **settings: Any) -> AsyncIterator[Gateway]:
    """A gateway in this process, with a real server and a Redis client of its own."""
    chosen: dict[str, Any] = {"_env_file": None, "redis_url": redis_url, "host": "127.0.0.1", "port": 0, "linger_s": 0}
    read = GatewaySettings(**chosen | settings)
    redis = open_redis(redis_url, name="gateway")
    app = create_app(read, redis)
    try:
        async with served(create_server(app, read)) as port, http_client(port) as http:
            yield Gateway(port, http, app)
    finally:
        await redis.aclose()
