"""What machines and operators ask an ingestor, over HTTP: is it alive, is it ready, what does it count."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from starlette.applications import Starlette

from shared.http_server import HTTP_FOR_MACHINES, GuestServer
from shared.vitals import vitals

KEEP_ALIVE_S = 2  # to the next request; who asks every few seconds connects anew


@contextlib.asynccontextmanager
async def answering(listener: socket.socket, fault: Callable[[], str]) -> AsyncIterator[None]:
    """Answer while the block runs.

    Args:
        listener: listening; closed at the end.
        fault: why the ingestor is not ready, empty when it is.
    """
    config = uvicorn.Config(
        Starlette(routes=vitals(fault)),
        http=HTTP_FOR_MACHINES,
        ws="none",
        lifespan="off",
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )
    server = GuestServer(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
