"""Many WebSocket clients in one process, as cheap as they can be: they count what arrives and look into nothing."""

import asyncio
import base64
import os


class CountingClient(asyncio.Protocol):
    """One connection. `events` counts the chat events that came in whole."""

    def __init__(self, path: str, host: str) -> None:
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
        ).encode()
        self._buffer = bytearray()
        self._upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the handshake failed"))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._upgraded:
            head, found, rest = bytes(buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.splitlines()[0]:
                self.transport.abort()
                return
            self._upgraded = True
            self.ready.set_result(None)
            buffer[:] = rest
        position = 0
        while len(buffer) - position >= 2:
            length, header = buffer[position + 1] & 0x7F, 2
            if length == 126:
                length, header = int.from_bytes(buffer[position + 2 : position + 4]), 4
            elif length == 127:
                length, header = int.from_bytes(buffer[position + 2 : position + 10]), 10
            if len(buffer) - position < header + length:
                break
            start = position + header
            if buffer.startswith(b'{"type":"chat"', start):
                self.events += 1
            position = start + length
        del buffer[:position]


async def connect(port: int, path: str, count: int) -> list[CountingClient]:
    """Open `count` connections, 100 at a time.

    Raises:
        OSError: one was refused.
    """
    loop = asyncio.get_running_loop()
    clients: list[CountingClient] = []
    while len(clients) < count:
        opened = await asyncio.gather(
            *(
                loop.create_connection(lambda: CountingClient(path, f"127.0.0.1:{port}"), "127.0.0.1", port)
                for _ in range(min(100, count - len(clients)))
            )
        )
        batch = [client for _, client in opened]
        await asyncio.gather(*(client.ready for client in batch))
        clients += batch
    return clients
