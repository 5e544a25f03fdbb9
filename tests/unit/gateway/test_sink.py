"""One client by the portable way: when it counts as slow, and its close."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from starlette.websockets import WebSocket

from gateway.close_codes import Code
from gateway.frames import control, event_frame
from gateway.share import Share
from gateway.sink import SLOW_BYTES, PortableSink
from gateway.subscriber import Sink
from shared.cursor import Cursor
from tests.measured import measured


class Socket:
    """A client that takes frames while its gate is open."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.closed = asyncio.Event()
        self.gate = asyncio.Event()

    async def send_text(self, text: str) -> None:
        await self.gate.wait()
        self.taken.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.closed.set()


@asynccontextmanager
async def running(slow: set[Sink]) -> AsyncIterator[tuple[Socket, PortableSink]]:
    socket = Socket()
    sink = PortableSink(cast(WebSocket, socket), slow)
    task = asyncio.create_task(sink.run())
    async with asyncio.timeout(5):
        yield socket, sink
        sink.gone()
        socket.gate.set()
        await task


async def test_client_is_slow_from_when_much_waits_until_nothing_does() -> None:
    slow: set[Sink] = set()
    async with running(slow) as (socket, sink):
        sink.write([control("x" * (SLOW_BYTES - 1))])
        assert slow == set()
        sink.write([control("y")])
        assert slow == {sink}
        socket.gate.set()
        await sink.drained()
        assert (len(socket.taken), slow) == (2, set())


async def test_slow_client_that_is_gone_is_slow_no_more() -> None:
    slow: set[Sink] = set()
    async with running(slow) as (_, sink):
        sink.write([control("x" * SLOW_BYTES)])
    assert slow == set()


async def test_each_room_has_its_place() -> None:
    async with running(set()) as (socket, sink):
        one, two = Share(sink), Share(sink)
        one.write([event_frame("chat", b"a", Cursor(1, 1)), control("{}")])
        two.write([event_frame("chat", b"b", Cursor(1, 9))])
        assert (one.sent, two.sent, one.unsent_bytes) == (None, None, 4)
        socket.gate.set()
        await one.drained()
        assert (one.sent, two.sent, sink.sent) == (Cursor(1, 1), Cursor(1, 9), None)


async def test_close_is_counted_once_by_its_word() -> None:
    before = measured("gateway_closes_total", code="ended")
    async with running(set()) as (socket, sink):
        sink.close(Code.ENDED)
        sink.abort(Code.INTERNAL)
        await socket.closed.wait()
    assert measured("gateway_closes_total", code="ended") == before + 1
