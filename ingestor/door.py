"""What machines and operators ask an ingestor, over HTTP: is it alive, is it ready, what does it count."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.http_server import HTTP, GuestServer

CONNECTIONS_MAX = 64  # those who ask are a scraper or two, an orchestrator and a person; others are answered with 503


def create_app(fault: Callable[[], str]) -> Starlette:
    """The pages.

    Args:
        fault: why the ingestor is not ready, empty when it is.
    """

    async def alive(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        found = fault()
        return JSONResponse({"status": found or "ok"}, 503 if found else 200)

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)])


@contextlib.asynccontextmanager
async def answering(listener: socket.socket, fault: Callable[[], str]) -> AsyncIterator[None]:
    """Answer while the block runs.

    Args:
        listener: listening; closed at the end.
        fault: as of `create_app`.
    """
    config = uvicorn.Config(
        create_app(fault),
        http=HTTP,
        ws="none",
        lifespan="off",
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=1,
    )
    server = GuestServer(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
