"""An application that says what it is told, behind our protocol class, and how to look at what it got."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
import uvloop

from gateway.wire import EXTENSION, WireProtocol
from tests.servers import served
from tests.wire_peers import (
    BINARY,
    CLOSE,
    DEADLINE_S,
    PONG,
    TEXT,
    Received,
    close,
)

MESSAGE_MAX = 64 * 1024


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


class HastyProtocol(WireProtocol):
    """For tests that wait for the end of its patience."""

    leave_s = 0.3
    linger_s = 0.3


class Echo:
    """An application that says what it is told; its path and what it hears tell it what to do.

    Attributes:
        heard: what it received, by path.
        gates: who comes to `/late/...` is accepted when its event is set.
        server: it runs on.
    """

    def __init__(self) -> None:
        self.heard: dict[str, list[Any]] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.server: uvicorn.Server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        heard = self.heard[path] = []
        if path.startswith("/late"):
            self.loop = asyncio.get_running_loop()
            gate = self.gates[path] = asyncio.Event()
            await gate.wait()
        heard.append((await receive())["type"])
        await send({"type": "websocket.accept"})
        if path.startswith("/full"):
            await self._fill(scope["extensions"][EXTENSION], path)
        while (message := await receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            heard.append(text if text is not None else message["bytes"])
            try:
                if text is not None and text.startswith("close "):
                    _, code, reason = text.split(" ", 2)
                    await send({"type": "websocket.close", "code": int(code), "reason": reason})
                else:
                    await send({**message, "type": "websocket.send"})
            except OSError:
                pass  # it has left, or broke the rules; what it said before is read to the end
        heard.append(f"gone {message['code']}")

    async def _fill(self, wire: Any, path: str) -> None:
        """Write more than the client's and our kernel take, and then end as the path says."""
        piece = bytes([0x80 | BINARY, 127]) + (1 << 16).to_bytes(8) + bytes(1 << 16)
        while wire.transport.get_write_buffer_size() < 1 << 20:
            wire.transport.write(piece)
            await asyncio.sleep(0)
        self.heard[path].append("full")
        if path.endswith("/finish"):
            wire.finish(1013, "slow", within_s=wire.leave_s)
        elif path.endswith("/reset"):
            wire.reset()

    @asynccontextmanager
    async def running(
        self, protocol: type[WireProtocol] = WireProtocol, *, compression: bool = False, pings_s: float = 20
    ) -> AsyncIterator[int]:
        """Serve it, on the port that is the value."""
        config = uvicorn.Config(
            self, host="127.0.0.1", port=0, ws=protocol, ws_max_size=MESSAGE_MAX, log_config=None, lifespan="off",
            ws_per_message_deflate=compression, timeout_graceful_shutdown=3, log_level="warning",
            ws_ping_interval=pings_s, ws_ping_timeout=pings_s,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        async with served(self.server) as port:
            yield port

    def clients(self) -> list[object]:
        """Addresses of those that are connected."""
        return [getattr(found, "client", None) for found in self.server.server_state.connections.copy()]

    def open_gate(self, path: str) -> None:
        """Let a late one in."""
        until(lambda: path in self.gates)
        self.loop.call_soon_threadsafe(self.gates[path].set)

    def hears(self, path: str, *messages: object) -> None:
        """Return when it has heard exactly this, after the connect."""
        until(lambda: self.heard.get(path, [])[1:] == list(messages), lambda: self.heard.get(path))


def until(condition: Callable[[], bool], shown: Callable[[], object] = str) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.002)


_paths = iter(range(1_000_000))


def path_of(kind: str = "echo") -> str:
    """A path that nobody used before."""
    return f"/{kind}/{next(_paths)}"


def words(frames: list[Received]) -> list[object]:
    """Frames made short: payloads, ("pong", payload), ("close", code)."""
    found: list[object] = []
    for got in frames:
        if got.opcode == CLOSE:
            found.append(("close", struct.unpack("!H", got.payload[:2])[0] if got.payload else None))
        elif got.opcode == PONG:
            found.append(("pong", got.payload))
        else:
            found.append(got.payload.decode() if got.opcode == TEXT else got.payload)
    return found


GOODBYE = close(1000)


BYE = ("close", 1000)


def is_in_order(got: list[object], expected: list[object]) -> bool:
    """Whether it is what was expected, but for messages that the application had no time to answer before the end."""
    for word in expected:
        if got[:1] == [word]:
            got = got[1:]
        elif not isinstance(word, str | bytes):
            return False
    return not got
