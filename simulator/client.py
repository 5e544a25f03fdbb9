"""One client's socket once it was let in: moves frames both ways between it and its room."""

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect

from simulator.connection import Entered, Heartbeat, ServerConnection, WrongAck
from simulator.listener import Close, Listener, Wait
from simulator.room import Room
from simulator.server import LINE, Line
from simulator.world import Site


class Client:
    """One accepted socket."""

    def __init__(self, site: Site, room: Room, protocol: ServerConnection, *, cursor: str, history: int) -> None:
        self._site = site
        self._world = site.world
        self._room = room
        self._listener = Listener(protocol, site.world.now_s())
        self._cursor = cursor
        self._history = history

    def enter(self, room: Room, cursor: str = "") -> None:
        """Listen to a room. A cursor given here goes before that of the handshake."""
        self._room.leave(self._listener)
        if room is not self._room:
            self._room, self._cursor = room, ""
        now_ms, now_s = self._world.now_ms(), self._world.now_s()
        room.enter(self._listener, cursor or self._cursor, self._history, now_ms, now_s)

    def ping(self) -> None:
        """The client sent a WebSocket ping, which shows that it lives."""
        self._listener.heard_s = self._world.now_s()
        self._room.counters["pings"] += 1

    async def serve(self, websocket: WebSocket) -> None:
        """Move frames both ways until one side has enough."""
        self._world.connected.add(self._listener)
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(websocket))
                await self._read(websocket)
                writer.cancel()
        finally:
            self._world.connected.discard(self._listener)
            self._room.leave(self._listener)

    async def _read(self, websocket: WebSocket) -> None:
        while (event := await websocket.receive())["type"] == "websocket.receive":
            if (data := event.get("bytes")) is not None:
                self._take(data)
            else:
                self._room.counters["bad_frames"] += 1

    def _take(self, data: bytes) -> None:
        listener = self._listener
        match listener.protocol.receive_frame(data):
            case Entered(room_id, cursor):
                listener.heard_s = self._world.now_s()
                if room := self._site.room(room_id):
                    self.enter(room, cursor)
                else:
                    listener.close(1000)
            case Heartbeat():
                listener.heard_s = self._world.now_s()
                now_ms = self._world.now_ms()
                listener.send(listener.protocol.heartbeat_answer(self._room.cursor(now_ms), now_ms))
            case WrongAck() if self._world.config.strict_acks:
                listener.close(1000, "payload_handler_ack")

    async def _write(self, websocket: WebSocket) -> None:
        try:
            while await self._write_one(websocket, await self._listener.next_item()):
                pass
        except WebSocketDisconnect:
            pass  # the reader sees it too, and ends

    async def _write_one(self, websocket: WebSocket, item: bytes | str | Wait | Close) -> bool:
        """False when that was the last one."""
        match item:
            case bytes():
                await websocket.send_bytes(item)
            case str():
                await websocket.send_text(item)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Close(None):
                line(websocket).abort()
                return False
            case Close(int(code), reason):
                await websocket.close(code, reason)
                return False
        return True


def line(websocket: WebSocket) -> Line:
    """What is under the socket."""
    found: Line = websocket.scope["extensions"][LINE]["line"]
    return found
