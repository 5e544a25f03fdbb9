"""A TCP proxy between any two parts that can be made to fail: cut, silent, half-open, slow. One per link.

Everything is forwarded as it comes, with the back-pressure of TCP, until it is told otherwise.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

CHUNK_BYTES = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Proxy:
    """The link to one port of this machine.

    Attributes:
        port: where it listens.
        delay_s: by how much every piece comes later.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        self._target_port = target_port
        self._links: set[_Link] = set()
        self._refusing = False
        self._flowing = asyncio.Event()
        self._flowing.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Listen on a free port while the block runs."""
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            try:
                yield self
            finally:
                self.refuse(True)
                self.freeze(False)
                while self._links:  # their tasks end by themselves now
                    await asyncio.sleep(0.005)

    def cut(self) -> None:
        """Reset all connections; new ones work."""
        for link in list(self._links):
            link.cut()

    def refuse(self, on: bool) -> None:
        """Reset all connections, and every new one at once."""
        self._refusing = on
        if on:
            self.cut()

    def freeze(self, on: bool) -> None:
        """Let nothing through in either direction, without a word; connections stay, and can be made."""
        if on:
            self._flowing.clear()
        else:
            self._flowing.set()

    def half_open(self) -> None:
        """Let nothing through the connections there are, ever again; new ones work."""
        for link in self._links:
            link.dead = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer)
        self._links.add(link)
        try:
            if self._refusing:
                return
            await self._flowing.wait()
            with contextlib.suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
                link.writers.append(far_writer)
                ways = [
                    asyncio.ensure_future(self._forward(link, reader, far_writer)),
                    asyncio.ensure_future(self._forward(link, far_reader, writer)),
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._links.discard(link)
            link.cut()

    async def _forward(self, link: "_Link", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(CHUNK_BYTES):
                await self._flowing.wait()
                if link.dead:
                    await link.is_cut.wait()
                    return
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(piece)
                await writer.drain()


class _Link:
    """One connection, both halves of it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writers = [writer]
        self.dead = False
        self.is_cut = asyncio.Event()

    def cut(self) -> None:
        self.is_cut.set()
        for writer in self.writers:
            end: socket.socket | None = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                if end is not None:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
