"""A running simulator on a free port, and clients of its sockets that know nothing but the schema of frames."""

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from websockets.asyncio.client import ClientConnection, connect

from protos.webcast_pb2 import EnterRoom, HeartBeat, Message, PushFrame, Response
from simulator.app import create_app
from simulator.config import SimulatorConfig
from simulator.room import Room
from simulator.server import server
from simulator.world import World
from tests.servers import http_client, served

DEADLINE_S = 10.0
SOCKET_PATH = "/webcast/im/ws_proxy/ws_reuse_supplement/"
TTWID = "1%7Cabc%7C1700000000%7C00ff"
DEMO = 7300000000000000001
DOUYIN_DEMO = "728804746624"
DOUYIN_SOCKET_PATH = "/webcast/im/push/v2/"
VISITOR = "7319483754668557238"
STANDING = (b"WebcastRoomStatsMessage", b"WebcastRoomRankMessage")  # what Douyin tells in frames of its own


@dataclass(frozen=True)
class Simulator:
    """A simulator that runs in this process."""

    url: str
    world: World
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        """Use its control endpoint; the answer must be a success."""
        answer = await self.http.request(method, f"/_control{path}", json=body or None)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def socket_url(self, room_id: int = DEMO, /, **query: str | None) -> str:
        """Where a client of TikTok goes that needs no token; a query parameter of None is left out."""
        params: dict[str, str | None] = {
            "aid": "1988", "ws_direct": "1", "client_enter": "1", "compress": "gzip", "room_id": str(room_id), **query
        }  # fmt: skip
        chosen = {key: value for key, value in params.items() if value is not None}
        return f"{self.url.replace('http', 'ws')}{SOCKET_PATH}?{urlencode(chosen)}"

    def douyin_room(self, web_rid: str = DOUYIN_DEMO) -> Room:
        """The broadcast of a host on Douyin."""
        host = self.world.sites["douyin"].host(web_rid)
        assert host is not None
        return host.room


class SimulatorClient:
    """One client of a socket."""

    def __init__(self, socket: ClientConnection, room: Room) -> None:
        self.socket = socket
        self.room = room
        self.frames: list[PushFrame] = []

    async def send(self, frame: PushFrame) -> None:
        """Send any frame."""
        await self.socket.send(frame.SerializeToString())

    async def ack(self, frame: PushFrame, internal_ext: bytes) -> None:
        """Send a receipt for a frame."""
        await self.send(PushFrame(log_id=frame.log_id, payload_type=b"ack", payload=internal_ext))

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

    def news(self) -> list[int]:
        """Ids of what happened, as far as it was received in `msg` frames: what came again, and how things stand, left
        out.
        """
        responses = [read(frame) for frame in self.frames if frame.payload_type == b"msg"]
        told = [message for response in responses for message in response.messages if message.method not in STANDING]
        return list(dict.fromkeys(message.msg_id for message in told))

    def listed_news(self) -> list[int]:
        """The same of all that the room told."""
        return [listed.id for listed in self.room.listed if listed.method.encode() not in STANDING]


class TikTokClient(SimulatorClient):
    """One client of TikTok's socket."""

    async def enter(self, cursor: str = "") -> None:
        """Send `im_enter_room`."""
        payload = EnterRoom(room_id=self.room.id, live_id=12, identity="audience", cursor=cursor).SerializeToString()
        await self.send(PushFrame(payload_encoding=b"pb", payload_type=b"im_enter_room", payload=payload))

    async def heartbeat(self, number: int = 1) -> None:
        """Send `hb`."""
        payload = HeartBeat(room_id=self.room.id, send_packet_seq_id=number).SerializeToString()
        await self.send(PushFrame(payload_encoding=b"pb", payload_type=b"hb", payload=payload))


class DouyinClient(SimulatorClient):
    """One client of Douyin's socket."""

    async def heartbeat(self) -> None:
        """Send `hb`."""
        await self.socket.send(b"\x3a\x02hb")


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


# Closes also with frames unread.
_SOCKET_OPTIONS: Mapping[str, Any] = {"ping_interval": None, "compression": None, "max_queue": None}


@asynccontextmanager
async def joined(
    simulator: Simulator, room_id: int = DEMO, cursor: str = "", **query: str | None
) -> AsyncIterator[tuple[TikTokClient, Response]]:
    """A client in a room of TikTok, and what it was told on entering."""
    headers = {"Cookie": f"ttwid={TTWID}", "User-Agent": "test"}
    url = simulator.socket_url(room_id, **query)
    async with connect(url, additional_headers=headers, **_SOCKET_OPTIONS) as socket:
        room = simulator.world.room(room_id)
        assert room is not None
        client = TikTokClient(socket, room)
        await client.enter(cursor)
        _, first = await client.next("im_enter_room_resp")
        yield client, first


@asynccontextmanager
async def douyin_joined(
    simulator: Simulator,
    room: Room | None = None,
    *,
    cookies: str = "; sessionid=somebody",
    path: str = DOUYIN_SOCKET_PATH,
    **query: str,
) -> AsyncIterator[tuple[DouyinClient, Response]]:
    """A client in a room of Douyin, logged in, and how it was told that things stand."""
    room = room or simulator.douyin_room()
    headers = {"Cookie": f"ttwid={TTWID}{cookies}", "User-Agent": "test"}
    url = douyin_url(simulator, douyin_query(room.id, **query), path=path)
    async with connect(url, additional_headers=headers, **_SOCKET_OPTIONS) as socket:
        client = DouyinClient(socket, room)
        _, first = await client.next()
        client.frames.clear()
        yield client, first


def douyin_query(room_id: int, /, **query: str) -> dict[str, str]:
    """What an address of Douyin's socket has to say; without history."""
    return {
        "app_name": "douyin_web", "version_code": "180800", "webcast_sdk_version": "1.0.15", "compress": "gzip",
        "cursor": "t-1700000000000_r-1_d-1_u-1", "aid": "6383", "live_id": "1", "did_rule": "3",
        "user_unique_id": VISITOR, "device_platform": "web", "identity": "audience", "room_id": str(room_id),
        "need_persist_msg_count": "0", **query,
    }  # fmt: skip


def douyin_url(
    simulator: Simulator, query: Mapping[str, str], signature: str | None = None, *, path: str = DOUYIN_SOCKET_PATH
) -> str:
    """The address of Douyin's socket; signed, if no signature is given."""
    signature = douyin_signature(query) if signature is None else signature
    text = urlencode({**query, "signature": signature}, quote_via=quote)
    return f"{simulator.url.replace('http', 'ws')}{path}?{text}"


_SIGNED = (
    "live_id,aid,version_code,webcast_sdk_version,room_id,sub_room_id,sub_channel_id,did_rule,user_unique_id,"
    "device_platform,device_type,ac,identity"
).split(",")
_ALPHABET = "Dkdpgh4ZKsQB80/Mfvw36XI1R25+WUAlEi7NLboqYTOPuzmFjJnryx9HVGcaStCe"


def douyin_signature(
    query: Mapping[str, str], *, key: int = 63, head: tuple[int, int, int, int] = (1, 0, 1, 14)
) -> str:
    """What a client signs, written apart from both the connector and the simulator.

    Args:
        query: of the address.
        key: the drawn key.
        head: the plain bytes of counter and environment.
    """
    stub = hashlib.md5(",".join(f"{name}={query.get(name, '')}" for name in _SIGNED).encode()).hexdigest()
    tail = hashlib.md5(bytes.fromhex(stub)).digest()[14:]
    nothing = hashlib.md5(hashlib.md5(b"").digest()).digest()[14:]
    plain = [*head, *nothing, *tail, 63]
    check = 0
    for byte in plain:
        check ^= byte
    return spelled(bytes([0x50, key]) + one_key_rc4(key, bytes([*plain, check])))


def one_key_rc4(key: int, text: bytes) -> bytes:
    """RC4 with a key of one byte."""
    box = list(range(256))
    swap = 0
    for index in range(256):
        swap = (swap + box[index] + key) % 256
        box[index], box[swap] = box[swap], box[index]
    first = second = 0
    out = []
    for byte in text:
        first = (first + 1) % 256
        second = (second + box[first]) % 256
        box[first], box[second] = box[second], box[first]
        out.append(byte ^ box[(box[first] + box[second]) % 256])
    return bytes(out)


def spelled(raw: bytes) -> str:
    """Bytes in the alphabet of signatures, four characters for three."""
    number = int.from_bytes(raw)
    count = len(raw) * 8 // 6
    return "".join(_ALPHABET[number >> 6 * (count - 1 - index) & 63] for index in range(count))
