"""The limit where there is no C compiler: `limit.c` in Python, on the bare event loop. It is not the kernel's limit.

Run as `python -m bench.limit PORT PAYLOAD_BYTES`; standard input and output are as in `limit.c`.
"""

import asyncio
import sys
import time
from typing import cast

from bench.marks import mark
from shared import event_loop

_ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
UNSENT_MAX = 1 << 20  # bytes of one client, beyond which all wait for it


class Connection(asyncio.Protocol):
    """One client."""

    transport: asyncio.Transport

    def __init__(self, clients: "set[Connection]") -> None:
        self._clients = clients

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is of another class

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET "):
            self.transport.write(_ACCEPTED)
            self._clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clients.discard(self)


def frame(payload_bytes: int, number: int) -> bytes:
    """A message of this size."""
    half = payload_bytes // 2
    payload = (b"x" * half + mark(number, time.monotonic_ns())).ljust(payload_bytes, b"x")
    return b"\x81\x7e" + payload_bytes.to_bytes(2) + payload


async def publish(clients: set[Connection], first: int, count: int, rate: float, batch: int, size: int) -> None:
    """Send `count` messages from number `first` on."""
    started = time.monotonic()
    for sent in range(0, count, batch):
        joined = min(batch, count - sent)
        if rate:
            await asyncio.sleep(max(0.0, started + (sent + joined - 1) / rate - time.monotonic()))
        while any(client.transport.get_write_buffer_size() > UNSENT_MAX for client in clients):  # noqa: ASYNC110 - polled
            await asyncio.sleep(0.001)
        data = b"".join(frame(size, first + sent + n) for n in range(joined))
        for client in tuple(clients):
            client.transport.write(data)
        await asyncio.sleep(0)


async def serve(port: int, payload_bytes: int) -> None:
    """Do as standard input says."""
    clients: set[Connection] = set()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    server = await loop.create_server(lambda: Connection(clients), "127.0.0.1", port, backlog=2048)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    last = 0
    while line := await reader.readline():
        count, rate, batch = line.split()
        await publish(clients, last + 1, int(count), float(rate), int(batch), payload_bytes)
        last += int(count)
        print(last, flush=True)
    server.close()


if __name__ == "__main__":
    event_loop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
