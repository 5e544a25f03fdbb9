"""How a gateway takes leave of its clients when somebody else's server runs it, like the workers of uvicorn.

Such a server closes all sockets as soon as it hears of SIGTERM, so the gateway has to hear of it first. Our own server
does the same in its `shutdown` (`gateway/server.py`), where it can also stop to listen in between.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

from gateway.endpoint import Endpoint
from gateway.settings import GatewaySettings


@asynccontextmanager
async def leaving_first(endpoint: Endpoint, settings: GatewaySettings) -> AsyncIterator[None]:
    """Within the block SIGTERM reaches the server only after the clients were sent away; a second one at once."""
    servers_own = signal.getsignal(signal.SIGTERM)
    if not callable(servers_own) or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    async def leave() -> None:
        await told.wait()
        endpoint.announce_leave()
        await asyncio.sleep(settings.drain_notice_s)
        await endpoint.drain(within_s=settings.drain_window_s)
        servers_own(signal.SIGTERM, None)

    def on_signal(number: int, frame: FrameType | None) -> None:
        signal.signal(number, servers_own)
        loop.call_soon_threadsafe(told.set)

    signal.signal(signal.SIGTERM, on_signal)
    async with asyncio.TaskGroup() as tasks:
        leaving = tasks.create_task(leave())
        try:
            yield
        finally:
            leaving.cancel()
            if signal.getsignal(signal.SIGTERM) is on_signal:
                signal.signal(signal.SIGTERM, servers_own)
