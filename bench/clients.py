"""The sockets of the load client: one protocol object each, all reading into one buffer."""

import asyncio
import base64
import os
import select
import socket
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from bench import counter
from bench.counter import CLOSE, PING, PONG, FrameCounter, LengthCounter, MarkCounter, Sequence, Tally
from bench.errors import BenchError
from bench.marks import MARK_BYTES

READ_BYTES = 256 * 1024
_HEAD = 256  # room before what is read, for the rest of the read before
_BUFFER = bytearray(_HEAD + READ_BYTES)
_READ_INTO = memoryview(_BUFFER)[_HEAD:]
assert _HEAD >= MARK_BYTES

SLOW_RECEIVE_BYTES = 16 * 1024
_DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"


class Dialect(StrEnum):
    """What is spoken inside WebSocket frames."""

    PLAIN = "plain"
    DEFLATE = "deflate"
    """Compression is offered, and must be taken."""
    ENGINEIO = "engineio"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a client connects to."""

    port: int
    path: str
    dialect: Dialect

    def request(self) -> bytes:
        """The upgrade."""
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"{_DEFLATE if self.dialect is Dialect.DEFLATE else ''}\r\n"
        ).encode()


class Client(asyncio.BufferedProtocol):
    """One connection. Subclasses take what comes after the upgrade."""

    transport: asyncio.Transport

    def __init__(self, target: Target, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._head = b""
        self._upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = ""

    @property
    def sequence(self) -> Sequence:
        """What it saw."""
        raise NotImplementedError

    def take(self, size: int) -> None:
        """Take the `size` bytes that were read into the buffer."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is of another class
        self.transport.write(self._target.request())

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = self.lost or str(exc or "closed")
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the handshake failed"))

    def get_buffer(self, sizehint: int) -> memoryview:
        return _READ_INTO

    def buffer_updated(self, nbytes: int) -> None:
        if self._upgraded:
            self._tally.reads += 1
            self._tally.bytes += nbytes
            self.take(nbytes)
        else:
            self._handshake(nbytes)

    def _handshake(self, nbytes: int) -> None:
        self._head += _READ_INTO[:nbytes]
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if not found:
            return
        deflated = b"permessage-deflate" in head
        if b" 101 " not in head.splitlines()[0] or deflated != (self._target.dialect is Dialect.DEFLATE):
            self.lost = "compression was not agreed on as asked" if b" 101 " in head else head.splitlines()[0].decode()
            self.transport.abort()
            return
        self._upgraded = True
        if not self.ready.done():  # nobody may wait any more
            self.ready.set_result(None)
        if rest:
            _BUFFER[_HEAD : _HEAD + len(rest)] = rest
            self.buffer_updated(len(rest))

    def send(self, opcode: int, payload: bytes) -> None:
        """Write a short frame; the mask of zeros leaves it as it is."""
        self.transport.write(bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload)


class CountingClient(Client):
    """Searches what arrives for marks and for pings, and reads nothing else."""

    def __init__(self, target: Target, tally: Tally) -> None:
        super().__init__(target, tally)
        self._counter = MarkCounter()
        self._engineio = target.dialect is Dialect.ENGINEIO

    @property
    def sequence(self) -> Sequence:
        return self._counter.sequence

    def take(self, size: int) -> None:
        end = _HEAD + size
        marks = self._counter
        start = _HEAD - len(marks.rest)
        _BUFFER[start:_HEAD] = marks.rest
        marks.feed(_BUFFER, start, end)
        if _BUFFER.find(0x89, start, end) >= 0:
            for payload in counter.find_pings(_BUFFER, start, _HEAD, end):
                self.send(PONG, payload)
        if self._engineio:
            if _BUFFER.startswith(b"0{", _HEAD + 2):
                self.send(1, b"40")
            for _ in range(counter.count_engineio_pings(_BUFFER, start, _HEAD, end)):
                self.send(1, b"3")


class ReadingClient(Client):
    """Reads every frame."""

    def __init__(self, target: Target, tally: Tally) -> None:
        super().__init__(target, tally)
        self._counter = FrameCounter(self._on_control, tally.latencies)
        self._opened = target.dialect is not Dialect.ENGINEIO

    @property
    def sequence(self) -> Sequence:
        return self._counter.sequence

    def take(self, size: int) -> None:
        if not self._opened:
            self._opened = True
            self.send(1, b"40")
        self._counter.feed(_READ_INTO[:size], time.monotonic_ns())

    def _on_control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.send(PONG, payload)
        elif opcode == CLOSE:
            self.lost = f"closed with {int.from_bytes(payload[:2])} {payload[2:].decode(errors='replace')}"
        elif payload == b"2" and self._target.dialect is Dialect.ENGINEIO:
            self.send(1, b"3")


class FollowingClient(ReadingClient):
    """Reads frames until the first event, and from then on only their lengths: for what cannot be searched."""

    _lengths: LengthCounter | None = None

    def take(self, size: int) -> None:
        lengths = self._lengths
        if lengths is not None:
            start = _HEAD - len(lengths.rest)
            _BUFFER[start:_HEAD] = lengths.rest
            lengths.feed(_BUFFER, start, _HEAD + size)
            return
        super().take(size)
        if self.sequence.first and not self._counter.rest:
            self._lengths = LengthCounter(self._on_control, self.sequence)


def is_closed(connection: socket.socket) -> bool:
    """Whether the server reset it, or ended it and that came through."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return bool(poll.poll(0))


def open_slow(target: Target) -> socket.socket:
    """A connection that is never read from after its upgrade."""
    connection = socket.socket()
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_RECEIVE_BYTES)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", target.port))
        connection.sendall(target.request())
        if not connection.recv(16).startswith(b"HTTP/1.1 101"):
            raise BenchError("a slow reader was refused")
    except BaseException:
        connection.close()
        raise
    return connection
