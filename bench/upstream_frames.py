"""Frames of lively simulated rooms, made beforehand, and a server that sends them over WebSockets as fast as they are
read. Written by the simulator's own scenario and protocol; only the moments at which things are told are pressed
together.
"""

import asyncio
import base64
import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from random import Random

from protos.webcast_pb2 import Message
from simulator.room import FRAME_SIZES
from simulator.tiktok.connection import TikTokConnection
from simulator.tiktok.platform import GENERATED_FROM, TikTok

START_MS = 1_765_432_111_123
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3


def room_id(number: int) -> int:
    """The n-th room."""
    return GENERATED_FROM + number


def frames_of(number: int, messages: int, sizes: Sequence[int] = FRAME_SIZES) -> list[bytes]:
    """Frames of the n-th room with so many messages, in order; one of `sizes` in each."""
    random = Random(number)
    platform = TikTok()
    name, profile = platform.generated(number)
    room = room_id(number)
    scenario = platform.scenario(room, name, profile, random, rate=50, pictures="http://127.0.0.1/pictures")
    connection = TikTokConnection(random, Counter(), gzip_allowed=True, ping_interval_s=10, ack_s=10)
    now_ms = START_MS
    scenario.past(now_ms)
    told: list[Message] = []
    while len(told) < messages:
        now_ms += 1000
        told += scenario.advance(1.0, now_ms)
    frames = []
    start = 0
    while start < messages:
        chunk = told[start : min(messages, start + random.choice(sizes))]
        start += len(chunk)
        cursor = platform.cursors.write(room, start, chunk[-1].msg_id, now_ms)
        frames += [frame.SerializeToString() for frame in connection.messages(chunk, cursor, now_ms, 0.0)]
    return frames


def serve(pipe: Connection, frames: list[list[bytes]]) -> None:
    """Send the n-th room's frames to whoever opens `/n`; a process of its own, on the last core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asyncio.run(_serve(pipe, [b"".join(map(_wire, room)) for room in frames]))


async def _serve(pipe: Connection, rooms: list[bytes]) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = request.lower().partition("sec-websocket-key: ")[0]
        key = request[len(key) + len("sec-websocket-key: ") :].split("\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n" + rooms[int(request.split()[1].strip("/"))]
        )
        while await reader.read(65536):  # receipts and heartbeats
            pass

    server = await asyncio.start_server(send, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _wire(payload: bytes) -> bytes:
    """A binary WebSocket frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x82, size)) + payload
    if size < 65536:
        return bytes((0x82, 126)) + size.to_bytes(2) + payload
    return bytes((0x82, 127)) + size.to_bytes(8) + payload
