"""How the simulator is served: uvicorn with a WebSocket protocol that behaves like the platforms' front ends.

No compression of WebSocket frames, pings that are heard and answered as a platform does, and connections that can be
cut without a word. Source: recorded session of 2024-12 for the first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from shared.http_server import GuestServer

LINE = "simulator.line"
"""Key in an ASGI scope's extensions: `{"line": Line}`."""

FRAME_MAX_BYTES = 64 * 1024  # from a client; the largest real one is an ack of a few hundred bytes


@dataclass(slots=True)
class Line:
    """What is under a WebSocket, as far as an application may touch it.

    Attributes:
        abort: cuts the TCP connection.
        on_ping: called for every ping.
        empty_pongs: a pong does not carry what the ping did.
    """

    abort: Callable[[], None]
    on_ping: Callable[[], None] = lambda: None
    empty_pongs: bool = False


class PlatformProtocol(WebSocketsSansIOProtocol):
    """A platform's end of a WebSocket."""

    def handle_ping(self) -> None:
        self._line.on_ping()
        pong = self.conn.data_to_send()
        if self._line.empty_pongs:
            self.conn.send_pong(b"")
            pong = self.conn.data_to_send()
        self.transport.write(b"".join(pong))

    async def run_asgi(self) -> None:
        self._line = Line(self.transport.abort)
        self.scope["extensions"] = {**(self.scope["extensions"] or {}), LINE: {"line": self._line}}
        await super().run_asgi()


def server(app: Starlette, host: str, port: int, *, log_level: str = "warning") -> GuestServer:
    """A server for `serve()`, which ends soon after its `should_exit` is set; port 0 lets the system choose."""
    return GuestServer(
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
