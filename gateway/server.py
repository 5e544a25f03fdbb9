"""uvicorn as this gateway runs it."""

import asyncio
import logging
import signal
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from gateway.endpoint import Endpoint
from gateway.settings import GatewaySettings
from gateway.wire import WireProtocol
from shared.http_server import HTTP

if sys.platform != "win32":
    import resource

logger = logging.getLogger(__name__)

CLIENT_FRAME_CUT_BYTES = 64 * 1024  # a larger frame ends the connection before the application sees it
INFLATED_CUT_BYTES = 8 * 1024  # the same of compressed ones, of which hundreds come in a few KB
BACKLOG = 2048
OTHER_FILES = 200  # open files of a process besides its clients: Redis, logs, the loop


class Server(uvicorn.Server):
    """Takes leave of its clients before it closes their sockets.

    On SIGTERM as one gateway of several does: balancers are given time to see that it leaves, then its clients are sent
    away little by little. On SIGINT, or by `should_exit`, at once: somebody waits at a terminal.
    """

    def __init__(self, config: uvicorn.Config, settings: GatewaySettings) -> None:
        super().__init__(config)
        self._settings = settings
        self._hurries = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a second signal ends the process at once. uvicorn's own would raise the first one anew at the end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        self._hurries = sig != signal.SIGTERM
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        endpoint: Endpoint = self.config.app.state.endpoint  # type: ignore[union-attr]
        endpoint.announce_leave()
        if not self._hurries:
            await asyncio.sleep(self._settings.drain_notice_s)
        for server in self.servers:
            server.close()  # who comes yet is refused by the kernel, and a balancer tries the next one
        await endpoint.drain(within_s=0 if self._hurries else self._settings.drain_window_s)
        await super().shutdown(sockets)


def create_server(app: Starlette, settings: GatewaySettings) -> Server:
    """A server for the application; `await server.serve()` runs it until SIGINT, SIGTERM or `server.should_exit`."""
    return Server(uvicorn.Config(app, **_options(settings)), settings)


def worker_config(settings: GatewaySettings, workers: int) -> uvicorn.Config:
    """What uvicorn's supervisor needs to run several processes, each a gateway of its own."""
    return uvicorn.Config("gateway.app:from_environment", factory=True, workers=workers, **_options(settings))


def _options(settings: GatewaySettings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "http": HTTP,
        "ws": WireProtocol,
        "ws_max_size": INFLATED_CUT_BYTES if settings.compression else CLIENT_FRAME_CUT_BYTES,
        "ws_ping_interval": settings.ping_interval_s,
        "ws_ping_timeout": settings.ping_timeout_s,
        "ws_per_message_deflate": settings.compression,
        "proxy_headers": False,  # the application does it
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "log_level": "warning",
        "lifespan": "on",
        "backlog": BACKLOG,
        "timeout_graceful_shutdown": 2,  # by now every client was closed; what is left does not answer
    }


def allow_open_files(wanted: int) -> None:
    """Raise this process's limit of open files, which is 1,024 on most machines, as far as it may be raised."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        logger.warning("fewer open files allowed than clients allowed=%d wanted=%d", allowed, wanted)
