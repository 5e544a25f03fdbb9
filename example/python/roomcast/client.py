"""The socket around a conversation: opening it, reading it, pinging it, closing it."""

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Iterable
from time import monotonic
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from .conversation import CUT_OFF, Conversation, Item, Room, State

PING_S = 20.0  # a link that brings nothing from one ping to the next is dead, whatever the socket says
OPEN_S = 10.0
CLOSE_S = 2.0


class Client:
    """Any number of rooms. Lives as an `async with` block; what happens is its iteration.

        async with Client("ws://localhost:8000") as client:
            await client.join("tiktok:@demo")
            async for room, item in client:
                ...

    An item is an event (a dict), a `State` or, once for each room, `Over`. The iteration ends with the last room. As
    long as nobody iterates nothing is read: a program that is too slow holds up nobody but itself.

    Args:
        url: of a gateway, or of what stands before several: `ws://host:8000`.
        lang: of texts for people, `en` or `zh`.
        ping_s: between two pings.
    """

    def __init__(self, url: str, *, lang: str = "en", ping_s: float = PING_S) -> None:
        self._url = f"{re.sub('^http', 'ws', url).rstrip('/')}/ws?lang={lang}"
        self._conversation = Conversation()
        self._items: deque[tuple[Room, Item]] = deque()
        self._socket: ClientConnection | None = None
        self._open_at = 0.0
        self._again_at: dict[Room, float] = {}
        self._ping_s = ping_s
        self._ping_at = 0.0
        self._heard = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def rooms(self) -> list[Room]:
        """Those that are not over."""
        return self._conversation.rooms

    async def join(
        self,
        room: str,
        *,
        events: Iterable[str] | None = None,
        last: int | None = None,
        since: str | None = None,
        wait: bool = False,
    ) -> Room:
        """Add a room.

        Args:
            room: `platform:room`, where a room is an id, a `@name` or what else the gateway takes; or a link.
            events: only these types.
            last: begin with so many of the latest events.
            since: begin behind this cursor.
            wait: for the room to go live, instead of being over when it is not.

        Raises:
            ValueError: it cannot be the text of a room; nothing was sent.
        """
        joined = self._conversation.join(
            room, since=since, events=None if events is None else list(events), last=last, wait=wait or None
        )
        await self._send(self._conversation.subscribe(joined))
        return joined

    async def leave(self, room: Room) -> None:
        """Be in a room no longer."""
        self._conversation.leave(room)
        self._again_at.pop(room, None)
        await self._send(self._conversation.unsubscribe(room))

    async def close(self) -> None:
        """Leave all rooms, politely if there is a connection."""
        socket, self._socket = self._socket, None
        for room in self.rooms:
            self._conversation.leave(room)
        if socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await socket.send('{"action":"close"}')
            await socket.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Room, Item]:
        while not self._items:
            if not self.rooms:
                await self.close()
                raise StopAsyncIteration
            try:
                if self._socket is None:
                    await self._open()
                else:
                    await self._read(self._socket)
            except ConnectionClosed as error:
                self._lose(error.rcvd.code if error.rcvd else CUT_OFF)
            except (OSError, WebSocketException):  # a TimeoutError is an OSError
                self._lose(CUT_OFF)
        return self._items.popleft()

    async def _open(self) -> None:
        await asyncio.sleep(max(0.0, self._open_at - monotonic()))
        self._socket = await connect(self._url, open_timeout=OPEN_S, close_timeout=CLOSE_S)
        self._heard, self._ping_at = True, monotonic() + self._ping_s
        self._again_at.clear()
        for room in self.rooms:
            await self._send(self._conversation.subscribe(room))

    async def _read(self, socket: ClientConnection) -> None:
        """Take in one frame, or do what has to be done meanwhile."""
        now = monotonic()
        due_at = min([self._ping_at, *self._again_at.values()])
        try:
            async with asyncio.timeout(max(0.0, due_at - now)):
                text = await socket.recv()
        except TimeoutError:
            return await self._do_what_is_due()
        self._heard = True
        if (heard := self._conversation.receive(text)) is not None:
            room, item = heard
            self._items.append(heard)
            if isinstance(item, State) and item.again_s is not None:
                self._again_at[room] = monotonic() + item.again_s
        return None

    async def _do_what_is_due(self) -> None:
        now = monotonic()
        for room in [room for room, at in self._again_at.items() if at <= now]:
            del self._again_at[room]
            await self._send(self._conversation.subscribe(room))
        if self._ping_at <= now:
            if not self._heard:
                raise TimeoutError
            self._heard, self._ping_at = False, now + self._ping_s
            await self._send('{"type":"ping"}')

    async def _send(self, command: str) -> None:
        """Say something if there is a connection; whoever reads it finds out when there is none any more."""
        if self._socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(command)

    def _lose(self, code: int) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.transport.abort()  # it may be dead: no closing handshake would end
        told, again_s = self._conversation.lost(code)
        self._items.extend(told)
        self._open_at = monotonic() + (again_s or 0.0)
