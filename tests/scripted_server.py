"""A server whose every answer the test chooses, for HTTP and WebSocket, and that remembers what it was asked."""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.servers import served

Answer = Response | Callable[[Request], Awaitable[Response]]


def as_json(content: object, status: int = 200, **headers: str) -> Response:
    """An answer in JSON; underscores in header names stand for dashes."""
    return Response(
        json.dumps(content), status, {name.replace("_", "-"): value for name, value in headers.items()},
        media_type="application/json",
    )  # fmt: skip


@dataclass
class Asked:
    """A request, or a handshake, as it came."""

    path: str
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes = b""


@dataclass
class ScriptedServer:
    """What it says is set by the test.

    Attributes:
        answers: path -> what it answers; of several the last one stays.
        asked: every request, in order.
        handshakes: every attempt to open a socket.
        refusals: answers to the next handshakes, one each.
        greeting: headers of the handshake that is accepted.
        sockets: accepted ones; the test speaks through them.
    """

    port: int
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    asked: list[Asked] = field(default_factory=list)
    handshakes: list[Asked] = field(default_factory=list)
    refusals: list[Response] = field(default_factory=list)
    greeting: dict[str, str] = field(default_factory=dict)
    sockets: asyncio.Queue[WebSocket] = field(default_factory=asyncio.Queue)
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """For HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """For WebSocket."""
        return f"ws://127.0.0.1:{self.port}/socket"

    def paths(self) -> list[str]:
        """Of all requests so far, in order."""
        return [asked.path for asked in self.asked]

    async def socket(self) -> WebSocket:
        """The next accepted socket."""
        async with asyncio.timeout(10):
            return await self.sockets.get()

    async def _answer(self, request: Request) -> Response:
        self.asked.append(_asked(request, await request.body()))
        waiting = self.answers[request.url.path]
        if not waiting:
            return Response("nothing here", 404)
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return answer if isinstance(answer, Response) else await answer(request)

    async def _accept(self, websocket: WebSocket) -> None:
        self.handshakes.append(_asked(websocket))
        if self.refusals:
            await websocket.send_denial_response(self.refusals.pop(0))
            return
        await websocket.accept(headers=[(name.encode(), value.encode()) for name, value in self.greeting.items()])
        self.sockets.put_nowait(websocket)
        await self._done.wait()


def _asked(request: Request | WebSocket, body: bytes = b"") -> Asked:
    return Asked(
        request.url.path,
        dict(request.query_params),
        request.url.query,
        dict(request.headers),
        request.cookies,
        body,
    )


@contextlib.asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """A server on a free port, ready when the block begins and gone at its end."""
    app = Starlette()
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", ws_ping_interval=None, timeout_graceful_shutdown=1
    )
    async with served(uvicorn.Server(config)) as port:
        scripted = ScriptedServer(port)
        app.router.routes += [
            Route("/{path:path}", scripted._answer, methods=["GET", "POST"]),
            WebSocketRoute("/{path:path}", scripted._accept),
        ]
        try:
            yield scripted
        finally:
            scripted._done.set()
