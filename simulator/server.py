"""How the simulator is served: uvicorn with a WebSocket protocol that behaves like the platform's front end.

No compression of WebSocket frames, pings answered with an empty pong, and connections that can be cut without a word.
Source: recorded session of 2024-12 for the first two.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

ABORT = "simulator.abort"
"""Key in an ASGI scope's extensions: a function that cuts the TCP connection."""

FRAME_MAX_BYTES = 64 * 1024  # from a client; the largest real one is an ack of a few hundred bytes


class PlatformProtocol(WebSocketsSansIOProtocol):
    """The platform's end of a WebSocket."""

    def handle_ping(self) -> None:
        self.conn.data_to_send()  # the correct pong, which the platform does not send
        self.conn.send_pong(b"")
        self.transport.write(b"".join(self.conn.data_to_send()))

    async def run_asgi(self) -> None:
        abort: Callable[[], None] = self.transport.abort
        self.scope["extensions"] = {**(self.scope["extensions"] or {}), ABORT: {"abort": abort}}
        await super().run_asgi()


class Server(uvicorn.Server):
    """A uvicorn that leaves signals to whoever runs the process, who may run other servers too."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def server(app: Starlette, host: str, port: int, *, log_level: str = "warning") -> Server:
    """A server for `serve()`, which ends soon after its `should_exit` is set; port 0 lets the system choose."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            ws=PlatformProtocol,
            ws_max_size=FRAME_MAX_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            log_level=log_level,
            access_log=False,
            timeout_graceful_shutdown=1,
            server_header=False,
        )
    )
