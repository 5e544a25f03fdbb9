"""The proxy does to a link what it says, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.chaos.proxy import Proxy


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1000):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


class Caller:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self, text: bytes = b"hello") -> bytes:
        """What comes back, `-` when the connection is gone."""
        try:
            self.writer.write(text)
            return await self.reader.readexactly(len(text))
        except (OSError, asyncio.IncompleteReadError):
            return b"-"


Call = Callable[[Proxy], Awaitable[Caller]]


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    """Connects to a proxy; what was opened is closed at the end."""
    callers: list[Caller] = []

    async def call(proxy: Proxy) -> Caller:
        callers.append(Caller(*await asyncio.open_connection("127.0.0.1", proxy.port)))
        return callers[-1]

    yield call
    for caller in callers:
        caller.writer.close()


async def test_it_forwards_both_ways_until_an_end_closes(echo: int, call: Call) -> None:
    async with Proxy(echo).running() as proxy:
        caller = await call(proxy)
        assert await caller.answer() == b"hello"
        large = bytes(3_000_000)
        assert await caller.answer(large) == large


async def test_a_cut_ends_what_is_open_and_nothing_else(echo: int, call: Call) -> None:
    async with Proxy(echo).running() as proxy:
        first = await call(proxy)
        assert await first.answer() == b"hello"
        proxy.cut()
        assert await first.answer() == b"-"
        assert await (await call(proxy)).answer() == b"hello"


async def test_a_refusing_one_ends_new_connections_too(echo: int, call: Call) -> None:
    async with Proxy(echo).running() as proxy:
        proxy.refuse(True)
        assert await (await call(proxy)).answer() == b"-"
        proxy.refuse(False)
        assert await (await call(proxy)).answer() == b"hello"


async def test_a_frozen_one_keeps_everything_until_it_thaws(echo: int, call: Call) -> None:
    async with Proxy(echo).running() as proxy:
        old = await call(proxy)
        assert await old.answer() == b"hello"
        proxy.freeze(True)
        new = await call(proxy)
        waiting = [asyncio.ensure_future(caller.answer()) for caller in (old, new)]
        done, _ = await asyncio.wait(waiting, timeout=0.05)
        assert not done
        proxy.freeze(False)
        assert await asyncio.gather(*waiting) == [b"hello", b"hello"]


async def test_a_half_open_connection_is_dead_and_new_ones_live(echo: int, call: Call) -> None:
    async with Proxy(echo).running() as proxy:
        old = await call(proxy)
        assert await old.answer() == b"hello"
        proxy.half_open()
        waiting = asyncio.ensure_future(old.answer())
        assert await (await call(proxy)).answer() == b"hello"
        assert not waiting.done()
        proxy.cut()
        assert await waiting == b"-"
