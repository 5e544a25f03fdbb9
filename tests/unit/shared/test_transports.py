"""What is done to a connection is done to none that has just gone."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from shared.transports import bound_kernel, reset


class Watcher(asyncio.Protocol):
    """Says when its connection is closed."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set()


@pytest.mark.parametrize("new_loop", [asyncio.SelectorEventLoop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("do", [reset, lambda transport: bound_kernel(transport, 4096)], ids=["reset", "bound"])
def test_a_connection_that_is_closed_already_is_let_be(
    new_loop: Callable[[], asyncio.AbstractEventLoop], do: Callable[[asyncio.Transport], None]
) -> None:
    async def scenario() -> None:
        loop, other = asyncio.get_running_loop(), Watcher()
        server = await loop.create_server(lambda: other, "127.0.0.1", 0)
        transport, client = await loop.create_connection(Watcher, *server.sockets[0].getsockname())
        transport.abort()
        await client.gone.wait()
        await other.gone.wait()
        do(transport)
        server.close()
        await server.wait_closed()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(scenario())
