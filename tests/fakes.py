"""Small stand-ins for what a test cannot have: a platform whose every answer the test chooses."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ingestor.connectors.base import LiveRoom, Message, SeenIds, Upstream
from shared.errors import UpstreamClosed, UpstreamLeft
from shared.events import Ended, EndedDetail, Event, Like, Raw
from shared.room import RoomKey
from tests.events import ANA, chat


@dataclass
class FakeUpstream:
    """One connection of a `FakeConnector`, from the platform's side."""

    seen: SeenIds
    frames: asyncio.Queue[bytes | UpstreamClosed] = field(default_factory=asyncio.Queue)
    closed: bool = False
    received: list[bytes] = field(default_factory=list)
    heartbeat_s: float = 3600.0
    position: str = ""
    overlapped: bool = False
    closing: bool = False
    started_with: str = ""

    def push(self, *messages: tuple[str, str], method: str = "chat", position: str = "") -> None:
        """Send a frame of (message id, text)."""
        self.frames.put_nowait(msgspec.json.encode([position, [(method, *message) for message in messages]]))

    def drop(self) -> None:
        """Cut the connection."""
        self.frames.put_nowait(UpstreamClosed("cut by the test"))

    def leave(self) -> None:
        """End the connection as planned."""
        self.frames.put_nowait(UpstreamLeft("planned by the test"))

    # --- transport ---

    async def receive(self) -> list[bytes]:
        frame = await self.frames.get()
        if isinstance(frame, UpstreamClosed):
            raise frame
        return [frame]

    async def send(self, frames: Sequence[bytes]) -> None:
        self.received += frames

    async def aclose(self) -> None:
        self.closed = True

    # --- protocol ---

    def frames_to_send(self) -> list[bytes]:
        return []

    def heartbeat(self) -> None:
        pass

    def receive_frame(self, frame: bytes) -> list[Message]:
        position, rows = msgspec.json.decode(frame)
        self.position = position or self.position
        messages = []
        for method, message_id, text in rows:
            if self.seen.add(message_id):
                messages.append(Message(method, text.encode(), message_id, history=False, sync=method == "state"))
            else:
                self.overlapped = True
        return messages


class FakeDecoder:
    """`chat` messages and `state` become chat, and `old` one of 1970; `like` a like, `end` the end, anything else raw;
    `broken` is a bug."""

    def __init__(self, room: RoomKey) -> None:
        self._room = room

    def content(self, message: Message) -> None:
        return None

    def decode(self, message: Message, received_ms: int) -> list[Event]:
        common: Any = {"platform": self._room.platform, "room": self._room.room, "id": message.id, "time": received_ms}
        match message.method:
            case "chat" | "state":
                return [chat(self._room, message.payload.decode(), message_id=message.id, time=received_ms)]
            case "old":
                return [chat(self._room, message.payload.decode(), message_id=message.id)]
            case "like":
                return [Like(**common, user=ANA, like_count=1, total_like_count=int(message.payload))]
            case "end":
                return [Ended(**common, ended=EndedDetail(reason="host"))]
            case "broken":
                raise ZeroDivisionError
            case method:
                return [Raw(**common, method=method, payload="")]


class FakeConnector:
    """A platform whose answers the test chooses.

    Attributes:
        live: what a live check answers, or raises.
        target: what a name resolves to, or raises.
        refusals: raised by the next connects, one each.
        upstreams: every connection opened so far.
    """

    platform = "tiktok"

    def __init__(self) -> None:
        self.live: LiveRoom | Exception = LiveRoom(title="Morning", owner=ANA)
        self.target: RoomKey | Exception = RoomKey("tiktok", "7300000000000000001")
        self.refusals: list[Exception] = []
        self.upstreams: list[FakeUpstream] = []
        self.checks = 0
        self.resolves = 0
        self._opened = asyncio.Condition()

    @property
    def open(self) -> list[FakeUpstream]:
        """Connections not closed yet."""
        return [upstream for upstream in self.upstreams if not upstream.closed]

    async def upstream(self, number: int) -> FakeUpstream:
        """Wait for the connection with this number, 1 for the first."""
        async with asyncio.timeout(10), self._opened:
            await self._opened.wait_for(lambda: len(self.upstreams) >= number)
            return self.upstreams[number - 1]

    async def resolve(self, name: RoomKey) -> RoomKey:
        self.resolves += 1
        if isinstance(self.target, Exception):
            raise self.target
        return self.target

    async def check_live(self, room: RoomKey) -> LiveRoom:
        self.checks += 1
        if isinstance(self.live, Exception):
            raise self.live
        return self.live

    async def connect(self, room: RoomKey, live: LiveRoom, position: str, seen: SeenIds) -> Upstream:
        if self.refusals:
            raise self.refusals.pop(0)
        upstream = FakeUpstream(seen, started_with=position)
        async with self._opened:
            self.upstreams.append(upstream)
            self._opened.notify_all()
        return Upstream(upstream, upstream)

    def decoder(self, room: RoomKey) -> FakeDecoder:
        return FakeDecoder(room)

    async def aclose(self) -> None:
        pass
