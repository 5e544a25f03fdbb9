"""What a peer can send, or leave unread, before and beside the frames that the application sees."""

import asyncio
import base64
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
import uvicorn

from gateway.conversation import FRAGMENTS_MAX
from gateway.wire import WireProtocol
from shared.http_protocol import HEAD_MAX_BYTES, HttpProtocol
from tests.gateways import DEADLINE_S, running_gateway

TEXT, CLOSE, PING, PONG, MORE = 0x1, 0x8, 0x9, 0xA, 0x0


def frame(opcode: int, payload: bytes = b"", *, last: bool = True) -> bytes:
    """A frame of a client, masked with zeros."""
    assert len(payload) < 126
    return bytes([0x80 * last | opcode, 0x80 | len(payload)]) + bytes(4) + payload


class Peer:
    """A socket without manners."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)

    def close(self) -> None:
        self.socket.close()

    async def send(self, data: bytes) -> None:
        await asyncio.to_thread(self.socket.sendall, data)

    async def upgrade(self, path: str = "/ws/@nobody") -> None:
        """Ask for a WebSocket; returns when there is an answer."""
        key = base64.b64encode(os.urandom(16)).decode()
        await self.send(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await asyncio.to_thread(self.socket.recv, 12, socket.MSG_PEEK | socket.MSG_WAITALL)

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        found = b""
        try:
            while part := await asyncio.to_thread(self.socket.recv, 65536):
                found += part
        except ConnectionResetError:
            pass
        return found


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with running_gateway("memory://bounds") as gateway:
        yield gateway.port


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nx: "], ids=["address", "header"])
async def test_head_without_end_is_refused(port: int, start: bytes) -> None:
    with closing(Peer(port)) as peer:
        await peer.send(start)
        await peer.send(b"a" * HEAD_MAX_BYTES)
        assert (await peer.rest()).startswith(b"HTTP/1.1 400 ")


async def test_connection_may_carry_any_number_of_requests(port: int) -> None:
    with closing(Peer(port)) as peer:
        for _ in range(20):
            await peer.send(b"POST /healthz HTTP/1.1\r\ncontent-length: 4000\r\n\r\n" + b"a" * 4000)
        await peer.send(b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert (await peer.rest()).count(b"HTTP/1.1 ") == 21


async def test_upgrade_that_cannot_be_read_is_answered(port: int) -> None:
    with closing(Peer(port)) as peer:
        await peer.upgrade("/ws/" + "a" * 10_000)
        assert (await peer.rest()).startswith(b"HTTP/1.1 414 ")


@pytest.mark.parametrize(
    ("request_head", "answer"),
    [
        (b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n", b"HTTP/1.1 200 "),
        (b"GET /healthz HTTP/1.1\r\n: x\r\n\r\n", b"HTTP/1.1 400 "),
        (b"\x16\x03\x01\x02\x00\x01\x00", b"HTTP/1.1 400 "),
    ],
    ids=["another upgrade", "a header without name", "a greeting of TLS"],
)
async def test_what_strangers_ask_is_answered_and_not_logged(
    port: int, request_head: bytes, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Peer(port)) as peer:
        await peer.send(request_head)
        assert (await peer.rest()).startswith(answer)
    assert caplog.records == []


async def test_message_of_endless_fragments_is_refused(port: int) -> None:
    with closing(Peer(port)) as peer:
        await peer.upgrade()
        await peer.send(frame(TEXT, last=False) + frame(MORE, last=False) * (FRAGMENTS_MAX + 1))
        assert struct.pack("!H", 1009) + b"too many fragments" in await peer.rest()


@pytest.mark.parametrize("frames", [frame(TEXT, b"\xff"), frame(TEXT, b"\xc3", last=False) + frame(MORE, b"(")])
async def test_text_that_is_none_is_refused_without_noise(
    port: int, frames: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Peer(port)) as peer:
        await peer.upgrade()
        await peer.send(frames)
        assert struct.pack("!H", 1007) in await peer.rest()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_character_may_be_cut_between_fragments(port: int) -> None:
    with closing(Peer(port)) as peer:
        await peer.upgrade()
        await peer.send(frame(TEXT, b"\xc3", last=False) + frame(MORE, b"\xa9") + frame(CLOSE, struct.pack("!H", 1000)))
        assert bytes([0x80 | CLOSE, 2]) + struct.pack("!H", 1000) in await peer.rest()


async def test_answers_to_pings_are_not_kept_for_who_does_not_read(port: int) -> None:
    flood = 150_000
    with closing(Peer(port)) as peer:
        await peer.upgrade()
        for _ in range(flood // 1000):
            await peer.send(frame(PING, b"x" * 125) * 1000)
        await peer.send(frame(CLOSE))
        answer = bytes([0x80 | PONG, 125])
        assert 0 < (await peer.rest()).count(answer) < flood


class _ImpatientHttp(HttpProtocol):
    request_s = 0.2


class _ImpatientWebSocket(WireProtocol):
    leave_s = 0.2


@asynccontextmanager
async def impatient_server() -> AsyncIterator[uvicorn.Server]:
    """A server whose application sends more than a socket holds, and leaves."""

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        assert callable(send)
        await send({"type": "websocket.accept"})
        try:
            async with asyncio.timeout(0.5):
                while True:
                    await send({"type": "websocket.send", "bytes": bytes(1 << 20)})
        except TimeoutError:
            pass

    config = uvicorn.Config(
        app, port=0, http=_ImpatientHttp, ws=_ImpatientWebSocket, lifespan="off", log_config=None
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    async with asyncio.timeout(DEADLINE_S):
        while not server.started:
            await asyncio.sleep(0.005)
    try:
        yield server
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\n", b"\r\n"])
async def test_request_that_never_ends_is_cut(start: bytes) -> None:
    async with impatient_server() as server:
        with closing(Peer(server.servers[0].sockets[0].getsockname()[1])) as peer:
            await peer.send(start)
            assert await peer.rest() == b""


async def test_client_that_takes_nothing_is_cut_in_the_end() -> None:
    async with impatient_server() as server:
        with closing(Peer(server.servers[0].sockets[0].getsockname()[1])) as peer:
            await peer.upgrade()
            async with asyncio.timeout(DEADLINE_S):
                while not server.server_state.tasks:
                    await asyncio.sleep(0.005)
                while server.server_state.connections:
                    await asyncio.sleep(0.005)
