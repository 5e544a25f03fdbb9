"""What asyncio's transports do not offer by themselves."""

import asyncio
import socket
import struct
from typing import Final, Protocol

STREAM: Final = "roomcast.stream"
"""The ASGI extension of a request whose answer may take for ever: a weak reference to its connection, a `Stream`."""

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


class Stream(Protocol):
    """A connection that carries an answer without end. Nothing here waits or raises."""

    def begin_stream(self, kernel_max_bytes: int) -> None:
        """Let the answer take as long as it takes, with so many unsent bytes in the kernel at most."""

    def announce(self, size: int) -> None:
        """So many bytes of the answer are sent next."""

    def end_stream(self, within_s: float) -> None:
        """The answer is complete: reset the connection if it is not taken within this time."""

    def reset(self) -> None:
        """End the connection at once, without what is unsent."""


def reset(transport: asyncio.Transport) -> None:
    """End a connection at once, without what is unsent: the kernel would keep it for minutes."""
    _set(transport, socket.SO_LINGER, _RESET)
    transport.abort()


def bound_kernel(transport: asyncio.Transport, size: int) -> None:
    """Let the kernel take about so many unsent bytes at most: it would take 4 MiB before a slow client shows."""
    _set(transport, socket.SO_SNDBUF, size)


def _set(transport: asyncio.Transport, option: int, value: int | bytes) -> None:
    connection = transport.get_extra_info("socket")
    if connection is not None:
        try:
            connection.setsockopt(socket.SOL_SOCKET, option, value)
        except (OSError, RuntimeError, ValueError):
            pass  # closed a moment ago; uvloop, which has no descriptor any more, says it by a ValueError
