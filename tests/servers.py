"""A uvicorn server inside the test process: up when the block begins, down at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn


@asynccontextmanager
async def served(server: uvicorn.Server) -> AsyncIterator[int]:
    """Serve while the block runs, on the port that is the value.

    What `serve` does, but for signals, which belong to the test process, and for the loop that looks only every 0.1 s
    whether it is to end.
    """
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    await server.on_tick(0)  # sets the headers of answers
    try:
        port: int = server.servers[0].sockets[0].getsockname()[1]
        yield port
    finally:
        await server.shutdown()


def http_client(port: int) -> httpx.AsyncClient:
    """A client of that port. It reads no certificates, which would take longer than most tests."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=False, trust_env=False)
