"""The gateway as an ASGI application."""

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway import documents, gauges
from gateway.endpoint import Endpoint
from gateway.health import Health
from gateway.leave import leaving_first
from gateway.overview import Overview
from gateway.relay import Relay
from gateway.settings import GatewaySettings
from shared import logs
from shared.event_loop import spare_garbage_collection
from shared.redis_client import RedisClient, open_redis
from shared.settings import load

STATIC = Path(__file__).with_name("static")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),  # avatars are loaded from the platforms' hosts
    (b"cache-control", b"no-cache"),  # asked again each time, answered with 304 mostly
)


SOCKETS = "/ws"
STREAMS = "/sse"

_DOTS = re.compile(r"(?:^|[/\\])\.\.?(?:[/\\]|$)")
"""A segment that stands for another path. A proxy may have let that one pass and hand on this one; no page of ours is
called so. Sockets are told that it is no room: nothing else is behind their addresses."""

Lifetime = Callable[[], AbstractAsyncContextManager[object]]


class App(Starlette):
    """Pages as Starlette serves them. Sockets and event streams go straight to their endpoint.

    Every layer between would wait for the client as long as it stays, and take 4 KB together.
    """

    def __init__(self, endpoint: Endpoint, trusted_proxies: str, **options: Any) -> None:
        super().__init__(**options)
        self._doors = (("websocket", SOCKETS, endpoint), ("http", STREAMS, endpoint.stream))
        self._read_proxy_headers = ProxyHeadersMiddleware(_nothing, trusted_hosts=trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _DOTS.search(scope["path"]):
            return await SecurityHeaders(PlainTextResponse("Not Found", 404))(scope, receive, send)
        root = scope.get("root_path", "")
        for kind, prefix, serve in self._doors:
            if scope["type"] == kind and f"{scope['path']}/".startswith(f"{root}{prefix}/"):
                await self._read_proxy_headers(scope, receive, send)  # type: ignore[arg-type]
                scope["root_path"] = root + prefix
                return await serve(scope, receive, send)
        return await super().__call__(scope, receive, send)


async def _nothing(*_: object) -> None:
    """What the proxy's headers are read in front of."""


def create_app(settings: GatewaySettings, redis: RedisClient, *, around: Lifetime = nullcontext) -> Starlette:
    """Build the application. `app.state.relay` and `app.state.endpoint` are there from the start.

    Args:
        settings: read once, by the caller.
        redis: open; the caller closes it.
        around: entered before the gateway starts, and left after it ended.
    """
    relay = Relay(settings, redis)
    endpoint = Endpoint(relay)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with around(), relay, gauges.kept(relay):
            yield

    async def viewer(request: Request) -> Response:
        return FileResponse(STATIC / "viewer.html")

    app = App(
        endpoint,
        trusted_proxies=settings.trusted_proxies,
        routes=[
            *Health(relay).routes(),
            *Overview(relay).routes(),
            *documents.routes(),
            Mount(SOCKETS, endpoint),
            Route("/viewer", viewer),
            Mount("/viewer/static", StaticFiles(directory=STATIC, check_dir=False)),
        ],
        middleware=[
            Middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies),
            Middleware(SecurityHeaders),
        ],
        lifespan=lifespan,
    )
    app.state.relay = relay
    app.state.endpoint = endpoint
    return app


def from_environment() -> Starlette:
    """The application as `uvicorn --factory gateway.app:from_environment` takes it, also with `--workers`.

    Of several workers each is a gateway of its own, with a name of its own.

    Raises:
        ConfigError: a setting is wrong.
    """
    settings = load(GatewaySettings)
    if parent_process() is not None:
        spare_garbage_collection()
        if "gateway_name" in settings.model_fields_set:
            settings = settings.model_copy(update={"gateway_name": f"{settings.gateway_name[:50]}-{os.getpid()}"})
    logs.configure(settings.log_level, settings.log_format)
    redis = open_redis(settings.redis_url.get_secret_value(), name=settings.gateway_name)

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        async with aclosing(redis), leaving_first(app.state.endpoint, settings):
            yield

    app = create_app(settings, redis, around=around)
    return app


class SecurityHeaders:
    """Adds the headers that keep a page of ours from doing more than it should."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        return await self._app(scope, receive, send_with_headers)
