"""The WebSocket to an upstream, over a real socket."""

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.responses import Response

from ingestor.connectors.base import Transport
from ingestor.connectors.websocket import HandshakeRefused, WebSocketTransport
from shared.errors import UpstreamClosed, UpstreamUnavailable
from tests.scripted_server import ScriptedServer, scripted_server

SECRET = "wrss-SECRET"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port on which nobody answers but the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def address(listener: socket.socket) -> str:
    return f"ws://127.0.0.1:{listener.getsockname()[1]}/"


async def opened(url: str, *, timeout_s: float = 5, max_frame_bytes: int = 1000) -> WebSocketTransport:
    return await WebSocketTransport.open(
        url,
        headers={"Cookie": f"ttwid={SECRET}"},
        user_agent="Mozilla/5.0 test",
        proxy=None,
        timeout_s=timeout_s,
        max_frame_bytes=max_frame_bytes,
    )


async def test_frames_go_both_ways_and_text_is_skipped(server: ScriptedServer) -> None:
    transport: Transport = await opened(server.socket_url)
    peer = await server.socket()
    await transport.send([b"hello"])
    assert await peer.receive_bytes() == b"hello"
    await peer.send_text("text means nothing")
    await peer.send_bytes(b"\x00\xff")
    assert await transport.receive() == [b"\x00\xff"]
    await transport.aclose()


async def test_the_handshake_carries_our_headers_and_offers_no_compression(server: ScriptedServer) -> None:
    server.greeting = {"Handshake-Options": "ping-interval=15;"}
    transport = await opened(f"{server.socket_url}?wrss=a%20b&x=1")
    (handshake,) = server.handshakes
    assert handshake.raw_query == "wrss=a%20b&x=1"
    assert handshake.cookies == {"ttwid": SECRET}
    assert handshake.headers["user-agent"] == "Mozilla/5.0 test"
    assert "sec-websocket-extensions" not in handshake.headers
    assert transport.handshake_headers["handshake-options"] == "ping-interval=15;"
    await transport.aclose()


@pytest.mark.parametrize("status", [200, 302, 400, 415, 429, 503])
async def test_a_refusal_keeps_status_and_headers(server: ScriptedServer, status: int) -> None:
    server.refusals = [Response(b"", status, {"Handshake-Msg": "DEVICE_BLOCKED", "Location": "/elsewhere"})]
    with pytest.raises(HandshakeRefused) as refused:
        await opened(server.socket_url)
    assert (refused.value.status, refused.value.headers["handshake-msg"]) == (status, "DEVICE_BLOCKED")
    assert len(server.handshakes) == 1  # redirects are not followed


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "nonsense", "ws://127.0.0.1:1/", "ws://no-such-host.invalid/"])
async def test_an_address_that_does_not_open_is_unavailable(url: str) -> None:
    with pytest.raises(UpstreamUnavailable) as raised:
        await opened(f"{url}?wrss={SECRET}")
    assert SECRET not in str(raised.value)


async def test_a_server_that_does_not_answer_is_unavailable(listener: socket.socket) -> None:
    with pytest.raises(UpstreamUnavailable):
        await opened(address(listener), timeout_s=0.1)


async def test_something_else_than_http_is_unavailable(listener: socket.socket) -> None:
    opening = asyncio.create_task(opened(address(listener)))
    mail, _ = await asyncio.get_running_loop().sock_accept(listener)
    with mail:
        mail.send(b"220 mail.example.org ESMTP\r\n")
    with pytest.raises(UpstreamUnavailable):
        await opening


@pytest.mark.parametrize("code", [1000, 1001, 4001])
async def test_the_servers_close_code_is_told(server: ScriptedServer, code: int) -> None:
    transport = await opened(server.socket_url)
    await (await server.socket()).close(code)
    with pytest.raises(UpstreamClosed) as closed:
        await transport.receive()
    assert closed.value.close_code == code
    with pytest.raises(UpstreamClosed) as closed:
        await transport.send([b"x"])
    assert closed.value.close_code == code
    await transport.aclose()


async def test_a_frame_beyond_the_ceiling_ends_the_connection(server: ScriptedServer) -> None:
    transport = await opened(server.socket_url, max_frame_bytes=10)
    await (await server.socket()).send_bytes(bytes(11))
    with pytest.raises(UpstreamClosed) as closed:
        await transport.receive()
    assert closed.value.close_code == 1006
    await transport.aclose()


async def test_closing_twice_is_fine_and_ends_both_sides(server: ScriptedServer) -> None:
    transport = await opened(server.socket_url)
    peer = await server.socket()
    await transport.aclose()
    await transport.aclose()
    assert (await peer.receive())["type"] == "websocket.disconnect"
    with pytest.raises(UpstreamClosed):
        await transport.receive()


async def shaken(listener: socket.socket) -> tuple[WebSocketTransport, socket.socket]:
    """A transport, and the bare socket of its peer."""
    opening = asyncio.create_task(opened(address(listener)))
    loop = asyncio.get_running_loop()
    peer, _ = await loop.sock_accept(listener)
    peer.setblocking(False)
    request = await loop.sock_recv(peer, 65536)
    key = request.partition(b"Sec-WebSocket-Key: ")[2][:24]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    head = b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    await loop.sock_sendall(peer, head + accept + b"\r\n\r\n")
    return await opening, peer


async def test_a_peer_that_is_gone_does_not_hold_up_the_close(listener: socket.socket) -> None:
    transport, peer = await shaken(listener)
    with peer:
        stuffing = asyncio.create_task(transport.send([bytes(30_000_000)]))  # more than the buffers on the way hold
        await asyncio.sleep(0)
        async with asyncio.timeout(2):
            await transport.aclose()
        await asyncio.gather(stuffing, return_exceptions=True)
        with pytest.raises(UpstreamClosed):
            await transport.send([b"x"])


async def test_frames_read_together_are_received_together(listener: socket.socket) -> None:
    """Where this fails with a newer websockets: `receive` looks into its queue of frames that were read."""
    transport, peer = await shaken(listener)
    with peer:
        frames = [bytes([number]) for number in range(40)]  # more than are read ahead
        await asyncio.get_running_loop().sock_sendall(peer, b"".join(b"\x82\x01" + frame for frame in frames))
        assert await transport.receive() == frames
        await asyncio.get_running_loop().sock_sendall(peer, b"\x82\x04more")  # it is still read
        assert await transport.receive() == [b"more"]
        await transport.aclose()


async def test_fragments_and_text_among_frames_read_together_keep_the_order(listener: socket.socket) -> None:
    transport, peer = await shaken(listener)
    with peer:
        fragments, text, ping = b"\x02\x01b\x00\x01b\x80\x01b", b"\x81\x04text", b"\x89\x00"
        frames = b"\x82\x01a" + fragments + text + b"\x82\x01c" + ping + b"\x82\x01d" + b"\x02\x01e"
        await asyncio.get_running_loop().sock_sendall(peer, frames)
        peer.shutdown(socket.SHUT_WR)
        arrived = []
        with pytest.raises(UpstreamClosed):
            while True:
                arrived += await transport.receive()
        assert arrived == [b"a", b"bbb", b"c", b"d"]
        await transport.aclose()


async def test_a_cancelled_receive_loses_no_frame(listener: socket.socket) -> None:
    transport, peer = await shaken(listener)
    with peer:
        receiving = asyncio.create_task(transport.receive())
        await asyncio.sleep(0)
        receiving.cancel()
        await asyncio.wait({receiving})
        await asyncio.get_running_loop().sock_sendall(peer, b"\x82\x01a\x82\x01b")
        assert await transport.receive() == [b"a", b"b"]
        await transport.aclose()


async def test_frames_sent_together_arrive_one_by_one(server: ScriptedServer) -> None:
    """Where this fails with a newer websockets: `send` goes around its own, by `protocol`, `paused` and `transport`."""
    transport = await opened(server.socket_url)
    peer = await server.socket()
    frames = [bytes([number]) * 1000 * number for number in range(20)]
    await transport.send(frames[:10])
    await transport.send(frames[10:])
    assert [await peer.receive_bytes() for _ in frames] == frames
    await transport.aclose()
