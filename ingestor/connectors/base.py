"""What a platform has to bring: interfaces, and the values that pass through them. Nothing here performs I/O.

A connector resolves, checks and opens; a transport moves frames and knows no meaning; an upstream protocol is the pure
state of one connection; a decoder turns messages into events. `room_worker.py` drives them and knows no platform.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from google.protobuf.message import Message as ProtobufMessage

from shared.clock import now_ms
from shared.events import Event, User
from shared.room import RoomKey


class Message(msgspec.Struct, frozen=True, gc=False):  # many are made: a frozen dataclass takes eight times as long
    """The platform's item inside a frame, not yet decoded.

    Attributes:
        method: its name on the wire, e.g. `WebcastChatMessage`.
        payload: protobuf bytes, unzipped.
        id: the envelope's message id in decimal, "" when the platform gave 0.
        history: told on connecting; happened before we listened.
        sync: how things stand, told again on every connection; nothing that happened.
        room_id: what messages of this connection call their room, "" when that is not known.
        happened_ms: when it happened, ms since 1970, as the envelope tells; 0 when it does not.
    """

    method: str
    payload: bytes
    id: str
    history: bool
    sync: bool = False
    room_id: str = ""
    happened_ms: int = 0


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """What a live check learnt; unknown parts are None.

    Attributes:
        gifts: whether our session is told gifts.
        broadcast: the platform's id of the running broadcast, where the room's key is not that.
    """

    title: str | None = None
    owner: User | None = None
    started_at: int | None = None
    viewer_count: int | None = None
    paused: bool = False
    gifts: bool = True
    broadcast: str = ""


class SeenIds:
    """Message ids already passed on, of one room: the newest `capacity`, over reconnects and take-overs."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._ids

    def add(self, message_id: str) -> bool:
        """Remember an id. False when it was there already."""
        if message_id in self._ids:
            self._ids.move_to_end(message_id)
            return False
        self._ids[message_id] = None
        if len(self._ids) > self._capacity:
            self._ids.popitem(last=False)
        return True

    def clear(self) -> None:
        """Forget all: what comes from here on is told, whatever was told before."""
        self._ids.clear()


class UpstreamProtocol(Protocol):
    """The pure state of one connection: bytes in, messages out. It never awaits and has no clock."""

    heartbeat_s: float
    """Seconds between heartbeats; may change while frames come in."""

    @property
    def position(self) -> str:
        """The upstream's own cursor behind the last message returned; opaque, "" when there is none."""

    @property
    def overlapped(self) -> bool:
        """A message arrived that had been passed on before: nothing was missed in between."""

    @property
    def closing(self) -> bool:
        """The platform asked us to leave this connection."""

    def frames_to_send(self) -> list[bytes]:
        """Frames that wait to be sent, in order; each is returned once. At the start: the opening frames."""

    def receive_frame(self, frame: bytes) -> list[Message]:
        """Take one frame in; returns its new messages in order. Duplicates are dropped.

        Raises:
            RemoteProtocolError: the frame cannot be read and neither could several before it. A single bad frame is
                counted and skipped.
        """

    def heartbeat(self) -> None:
        """Queue a heartbeat frame."""


class Transport(Protocol):
    """Moves frames."""

    async def receive(self) -> list[bytes]:
        """The frames that came in since the last call, in order. Waits for one when there is none.

        Raises:
            UpstreamLeft: there is none any more, as planned.
            UpstreamError: the same, unplanned; mostly UpstreamClosed.
        """

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send frames, in order.

        Raises:
            UpstreamClosed: they cannot be sent any more.
        """

    async def aclose(self) -> None:
        """Close, within 2 s. Never raises; may be called twice."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """An open connection.

    Attributes:
        transport: moves its frames.
        protocol: understands them.
        first: messages that came with the opening.
        room_id: what messages of this connection call their room, "" when that is not known.
        position: the upstream's cursor that it goes on from, "" when it begins anew.
        clock: when what was received last was received, ms since 1970; now, unless it is a recording that is played.
    """

    transport: Transport
    protocol: UpstreamProtocol
    first: Sequence[Message] = ()
    room_id: str = ""
    position: str = ""
    clock: Callable[[], int] = now_ms

    @property
    def played(self) -> bool:
        """Whether this is a recording, and not what happens now."""
        return self.clock is not now_ms


class Decoder(Protocol):
    """Turns messages of one room into events; lives as long as the lease."""

    def decode(self, message: Message, received_ms: int) -> list[Event]:
        """The events of one message, mostly one. Never raises: what cannot be decoded becomes `raw`."""

    def content(self, message: Message) -> ProtobufMessage | None:
        """The payload, parsed anew; None where its schema is not known, or it is not of it. Never raises."""


class Connector(Protocol):
    """All we know about one platform."""

    platform: str

    async def resolve(self, name: RoomKey) -> RoomKey:
        """Look up the canonical room of a name.

        Raises:
            RoomNotLive: offline, not found, restricted or hidden (see its subclasses).
            UpstreamError: it could not be found out.
        """

    async def check_live(self, room: RoomKey) -> LiveRoom:
        """Ask whether the room is live.

        Raises:
            RoomNotLive: offline, not found, restricted or hidden (see its subclasses).
            UpstreamError: it could not be found out.
        """

    async def connect(self, room: RoomKey, live: LiveRoom, position: str, seen: SeenIds) -> Upstream:
        """Open the upstream. The caller closes the transport.

        Args:
            room: a canonical room.
            live: what `check_live` said of it just now.
            position: the upstream's cursor to go on from, "" to begin now.
            seen: ids passed on so far; the protocol drops these and adds to them.

        Raises:
            UpstreamError: refused by platform or provider, or not reachable.
        """

    def decoder(self, room: RoomKey) -> Decoder:
        """A decoder for a room, fresh for each lease."""

    async def aclose(self) -> None:
        """Close idle connections. Never raises."""
