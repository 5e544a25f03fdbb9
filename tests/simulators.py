"""A running simulator on a free port, and a client of its socket that knows nothing but the schema of frames."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from websockets.asyncio.client import ClientConnection, connect

from protos.webcast_pb2 import EnterRoom, HeartBeat, Message, PushFrame, Response
from simulator.app import create_app
from simulator.config import SimulatorConfig
from simulator.server import server
from simulator.world import World
from tests.servers import http_client, served

DEADLINE_S = 10.0
SOCKET_PATH = "/webcast/im/ws_proxy/ws_reuse_supplement/"
TTWID = "1%7Cabc%7C1700000000%7C00ff"
DEMO = 7300000000000000001


@dataclass(frozen=True)
class Simulator:
    """A simulator that runs in this process."""

    url: str
    world: World
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Use its control endpoint; the answer must be a success."""
        answer = await self.http.request(method, f"/_control{path}", json=body or None)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def socket_url(self, room_id: int = DEMO, /, **query: str | None) -> str:
        """Where a client goes that needs no token; a query parameter of None is left out."""
        params: dict[str, str | None] = {
            "aid": "1988", "ws_direct": "1", "client_enter": "1", "compress": "gzip", "room_id": str(room_id), **query
        }  # fmt: skip
        chosen = {key: value for key, value in params.items() if value is not None}
        return f"{self.url.replace('http', 'ws')}{SOCKET_PATH}?{urlencode(chosen)}"


class SimulatorClient:
    """One client of the socket."""

    def __init__(self, socket: ClientConnection, room_id: int) -> None:
        self.socket = socket
        self.room_id = room_id
        self.frames: list[PushFrame] = []

    async def enter(self, cursor: str = "") -> None:
        """Send `im_enter_room`."""
        payload = EnterRoom(room_id=self.room_id, live_id=12, identity="audience", cursor=cursor).SerializeToString()
        await self.send(PushFrame(payload_encoding=b"pb", payload_type=b"im_enter_room", payload=payload))

    async def heartbeat(self, number: int = 1) -> None:
        """Send `hb`."""
        payload = HeartBeat(room_id=self.room_id, send_packet_seq_id=number).SerializeToString()
        await self.send(PushFrame(payload_encoding=b"pb", payload_type=b"hb", payload=payload))

    async def send(self, frame: PushFrame) -> None:
        """Send any frame."""
        await self.socket.send(frame.SerializeToString())

    async def ack(self, frame: PushFrame, internal_ext: bytes) -> None:
        """Send a receipt for a frame."""
        await self.send(
            PushFrame(log_id=frame.log_id, payload_encoding=b"pb", payload_type=b"ack", payload=internal_ext)
        )

    async def next(self, payload_type: str = "msg") -> tuple[PushFrame, Response]:
        """The next frame of a type, others are skipped."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                data = await self.socket.recv()
                assert isinstance(data, bytes)
                frame = PushFrame.FromString(data)
                self.frames.append(frame)
                if frame.payload_type == payload_type.encode():
                    return frame, read(frame)

    async def messages(self, count: int) -> list[Message]:
        """At least so many live messages."""
        messages: list[Message] = []
        while len(messages) < count:
            messages += (await self.next())[1].messages
        return messages


def read(frame: PushFrame) -> Response:
    """What a frame carries."""
    zipped = any(header.key == b"compress_type" and header.value == b"gzip" for header in frame.headers)
    return Response.FromString(gzip.decompress(frame.payload) if zipped else frame.payload)


@asynccontextmanager
async def running_simulator(config: SimulatorConfig) -> AsyncIterator[Simulator]:
    """Start a simulator; it is ready, and ends with the scope."""
    app = create_app(config)
    async with served(server(app, "127.0.0.1", 0)) as port, http_client(port) as http:
        yield Simulator(str(http.base_url).rstrip("/"), app.state.world, http)


@asynccontextmanager
async def joined(
    simulator: Simulator, room_id: int = DEMO, cursor: str = "", **query: str | None
) -> AsyncIterator[tuple[SimulatorClient, Response]]:
    """A client in a room, and what it was told on entering."""
    headers = {"Cookie": f"ttwid={TTWID}", "User-Agent": "test"}
    url = simulator.socket_url(room_id, **query)
    options: Any = {"ping_interval": None, "compression": None, "max_queue": None}  # closes also with frames unread
    async with connect(url, additional_headers=headers, **options) as socket:
        client = SimulatorClient(socket, room_id)
        await client.enter(cursor)
        _, first = await client.next("im_enter_room_resp")
        yield client, first
