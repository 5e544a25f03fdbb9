"""Clients that come and go by the hundred, in every way there is to go, while a room is sent to those who stay."""

import asyncio
import base64
import os
import random
import socket
import struct
import time

import pytest

from tests.gateways import DEADLINE_S, Client, Gateway, running_gateway
from tests.holder import HolderClient
from tests.wire_peers import TEXT, close, frame

ROOM = "7300000000000000001"
PER_S = 400
RECONNECTS = 1000
STAYING = 20
RESET = struct.pack("ii", 1, 0)


async def come_and_go(port: int, dice: random.Random) -> None:
    """One client: at once, after its request, after its first frames, or after events; with a word or without."""
    loop = asyncio.get_running_loop()
    with socket.socket() as peer:
        peer.setblocking(False)
        await loop.sock_connect(peer, ("127.0.0.1", port))
        stage = dice.randrange(5)
        if stage:
            key = base64.b64encode(os.urandom(16)).decode()
            request = (
                f"GET /ws/{ROOM} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await loop.sock_sendall(peer, request.encode())
        received = b""
        while received.count(b"\x81") < stage - 1 and (part := await loop.sock_recv(peer, 65536)):
            received += part
        if stage > 1:
            said = [b"", close(1000), frame(TEXT, b'{"action": "close"}'), b"\xff\xff", frame(TEXT, b"x")[:3]]
            await loop.sock_sendall(peer, dice.choice(said))
        if dice.random() < 0.5:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def churn(port: int) -> None:
    """Reconnect at a steady rate."""
    dice, begun, gone = random.Random(7), time.monotonic(), 0
    async with asyncio.TaskGroup() as tasks:
        while gone < RECONNECTS:
            await asyncio.sleep(0.01)
            for _ in range(int((time.monotonic() - begun) * PER_S) - gone):
                tasks.create_task(come_and_go(port, dice))
                gone += 1


async def stay(gateway: Gateway, clients: list[Client], ready: asyncio.Event) -> None:
    """Join, and read on to the end of the test."""
    async with gateway.join(ROOM) as client:
        await client.until(status="connected")
        clients.append(client)
        if len(clients) == STAYING:
            ready.set()
        await client.until(content="the last")


async def test_those_who_stay_get_everything_in_order_while_hundreds_come_and_go(
    redis_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    clients: list[Client] = []
    ready = asyncio.Event()
    async with HolderClient(redis_server) as cluster, running_gateway(redis_server) as gateway:
        holder = cluster.holder(f"tiktok:{ROOM}")
        await holder.go_live()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(STAYING):
                tasks.create_task(stay(gateway, clients, ready))
            await ready.wait()
            churning = tasks.create_task(churn(gateway.port))
            sent = 0
            while not churning.done():
                await holder.chat(f"number {sent}")
                sent += 1
                async with asyncio.timeout(DEADLINE_S):  # nobody stalls
                    while not all(client.frames[-1].get("content") == f"number {sent - 1}" for client in clients):
                        await asyncio.sleep(0.001)
            await holder.chat("the last")
        await gateway.shows(clients=0)

    expected = [*(f"number {number}" for number in range(sent)), "the last"]
    for client in clients:
        assert [found["content"] for found in client.frames if found.get("type") == "chat"] == expected
    assert [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
