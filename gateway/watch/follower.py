"""Follows rooms on one socket, comes back after every loss, and goes on with each where it was."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException

from gateway.close_codes import OUTCOMES, Code
from shared.backoff import Backoff
from shared.errors import ConfigError
from shared.events import EVENT_TYPES
from shared.room import RoomKey

Frame = dict[str, Any]

PING_S = 10.0  # tells the delay, and keeps the places of rooms fresh in which nothing happens that is wanted
OPEN_S = 10.0
BACKOFF = Backoff(base_s=0.5, cap_s=15.0)

_REFUSALS: Final = frozenset({Code.BAD_ROOM, Code.BAD_COMMAND, Code.TOO_MANY_ROOMS, Code.ALREADY_SUBSCRIBED})
"""Answers to `subscribe` after which there is no subscription."""


class Followed:
    """One room.

    Attributes:
        asked: as it was asked for.
        target: the room that a name points to.
        cursor: where to go on; empty when that is not known.
        over: the code of its end; empty while it is followed.
    """

    def __init__(self, asked: RoomKey, cursor: str = "") -> None:
        self.asked = asked
        self.target = asked
        self.cursor = cursor
        self.over = ""

    def take(self, frame: Frame) -> None:
        """Keep what a frame of this room changes for a return."""
        kind, code = frame.get("type"), frame.get("code")
        if kind == "target":
            target = RoomKey(self.asked.platform, frame["target"])
            if target != self.target and self.target != self.asked:
                self.cursor = ""  # it was a place in another broadcast
            self.target = target
        elif "cursor" in frame and (kind in EVENT_TYPES or kind == "gap"):
            self.cursor = frame["cursor"]
        elif frame.get("status") == "connected":
            self.cursor = self.cursor or frame.get("cursor", "")
        elif code == Code.BAD_CURSOR:
            self.cursor = ""
        elif (code in _REFUSALS and "id" in frame) or _ends(frame):
            self.over = str(code)


def _ends(frame: Frame) -> bool:
    """Whether a frame is the last one of a room."""
    code = frame.get("code")
    # Of status frames a code says why they are told; they end nothing.
    return (
        "reconnect" in frame
        and code in OUTCOMES
        and not frame["reconnect"]
        and OUTCOMES[Code(str(code))].close is not None
    )


@dataclass(slots=True)
class Link:
    """The connection.

    Attributes:
        up: there is one.
        latency_ms: of the last ping; 0 when not known.
        lost: how often there was none any more.
        fault: why there is none.
    """

    up: bool = False
    latency_ms: int = 0
    lost: int = 0
    fault: str = ""


class Follower:
    """A client of many rooms.

    Args:
        url: `ws://host:port` of a gateway or balancer.
        rooms: what to follow.
        on_frame: called with each frame as it came and as it was read, and the room it is about.
        on_loss: called with the reason and the pause in seconds when a connection was lost, or could not be had.
        query: options for all rooms.
        last: begin each room with so many of its latest events.
        backoff: before it comes back; a gateway that tells a longer time is heeded.

    Attributes:
        rooms: what it follows.
        link: the connection.
    """

    def __init__(
        self,
        url: str,
        rooms: Sequence[Followed],
        on_frame: Callable[[str, Frame, Followed | None], None],
        on_loss: Callable[[str, float], None],
        *,
        query: dict[str, str],
        last: int = 0,
        backoff: Backoff = BACKOFF,
    ) -> None:
        self.rooms = rooms
        self.link = Link()
        self._url = f"{url.rstrip('/')}/ws?{urlencode(query)}"
        self._on_frame = on_frame
        self._on_loss = on_loss
        self._last = last
        self._backoff = backoff
        self._attempt = 0
        self._told_s = 0.0
        self._pinged_at = 0.0

    async def run(self) -> None:
        """Follow until every room is over.

        Raises:
            ConfigError: the address is none.
        """
        while any(not room.over for room in self.rooms):
            self._told_s = 0.0
            try:
                await self._connect()
            except InvalidURI:
                raise ConfigError("the address of a gateway begins with ws:// or wss://") from None
            except (OSError, WebSocketException, TimeoutError) as error:
                self.link.fault = str(error) or type(error).__name__
            self.link.up = False
            self.link.lost += 1
            if all(room.over for room in self.rooms):
                return
            pause_s = max(self._told_s, self._backoff.delay_s(self._attempt, random.random))
            self._attempt += 1
            self._on_loss(self.link.fault, pause_s)
            await asyncio.sleep(pause_s)

    async def _connect(self) -> None:
        async with connect(self._url, open_timeout=OPEN_S, close_timeout=1) as socket:
            self.link.up, self.link.fault = True, ""
            await self._subscribe(socket)
            pings = asyncio.create_task(self._ping(socket))
            try:
                while any(not room.over for room in self.rooms):
                    self._take(await socket.recv())
            finally:
                pings.cancel()
                await asyncio.gather(pings, return_exceptions=True)

    async def _subscribe(self, socket: ClientConnection) -> None:
        for number, room in enumerate(self.rooms):
            if room.over:
                continue
            command = {"action": "subscribe", "id": number, "platform": room.asked.platform, "room": room.asked.room}
            if room.cursor:
                command["since"] = room.cursor
            elif self._last:
                command["last"] = self._last
            await socket.send(msgspec.json.encode(command).decode())

    async def _ping(self, socket: ClientConnection) -> None:
        try:
            while True:
                self._pinged_at = time.monotonic()
                await socket.send('{"type":"ping"}')
                await asyncio.sleep(PING_S)
        except ConnectionClosed:
            pass  # which the reader sees too

    def _take(self, text: str | bytes) -> None:
        try:
            frame = msgspec.json.decode(text)
        except (msgspec.MsgspecError, RecursionError):
            return
        if not isinstance(frame, dict) or isinstance(text, bytes):
            return
        if frame.get("type") == "pong":
            self._take_pong(frame)
        elif "retry_in_ms" in frame and "room" not in frame:
            self._told_s = frame["retry_in_ms"] / 1000  # of the last frame of all
        if "room" not in frame and frame.get("code") in OUTCOMES:
            self.link.fault = str(frame["code"])
        room = self._room_of(frame)
        if room is not None:
            room.take(frame)
            if "cursor" in frame:
                self._attempt = 0
        self._on_frame(text, frame, room)

    def _take_pong(self, frame: Frame) -> None:
        self.link.latency_ms = round((time.monotonic() - self._pinged_at) * 1000)
        places = frame.get("cursors", {})
        for room in self.rooms:
            room.cursor = places.get(str(room.target), room.cursor)

    def _room_of(self, frame: Frame) -> Followed | None:
        if isinstance(number := frame.get("id"), int) and "room" not in frame and number < len(self.rooms):
            return self.rooms[number]  # an answer to `subscribe` that could not even name the room
        key = f"{frame.get('platform')}:{frame.get('room')}"
        matching = [room for room in self.rooms if key in (str(room.asked), str(room.target))]
        return next((room for room in matching if not room.over), None)
