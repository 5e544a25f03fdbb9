"""A uvicorn server inside the test process: up when the block begins, down at its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn

LEAVING_S = 0.05  # for the news that a client's sockets are closed to arrive


@asynccontextmanager
async def served(server: uvicorn.Server) -> AsyncIterator[int]:
    """Serve while the block runs, on the port that is the value.

    What `serve` does, but for signals, which belong to the test process, and for its pauses of 0.1 s: the one in which
    it looks whether it is to end, and the one for clients to leave in, where no client is left.
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
        if await _is_left_alone(server):
            for listener in server.servers:
                listener.close()
                await listener.wait_closed()
            await server.lifespan.shutdown()
        else:
            await server.shutdown()


async def _is_left_alone(server: uvicorn.Server) -> bool:
    state = server.server_state
    try:
        async with asyncio.timeout(LEAVING_S):
            while state.connections or state.tasks:
                await asyncio.sleep(0.001)
    except TimeoutError:
        return False
    return True


def http_client(port: int) -> httpx.AsyncClient:
    """A client of that port. It reads no certificates, which would take longer than most tests."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=False, trust_env=False)
