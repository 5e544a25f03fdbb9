"""uvicorn as our parts run it: HTTP with ceilings, and signals left to whoever runs the process."""

import os
import socket
import sys
from contextlib import AbstractContextManager, nullcontext

import uvicorn

from shared.errors import ConfigError

if sys.platform != "win32":
    from shared.http_protocol import HttpProtocol, MachinesProtocol

    HTTP: type[HttpProtocol] | str = HttpProtocol
    HTTP_FOR_MACHINES: type[HttpProtocol] | str = MachinesProtocol
else:
    HTTP = HTTP_FOR_MACHINES = "h11"  # httptools is not there; h11 bounds the head of a request by itself


class GuestServer(uvicorn.Server):
    """One server of several things in a process: it ends with `should_exit`, and touches no signal handler."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def listen(host: str, port: int) -> socket.socket:
    """Listen on a port, for a server that is started later.

    Raises:
        ConfigError: that cannot be done; most often somebody else does.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise ConfigError(f"{host}:{port} cannot be listened on ({why})") from None
