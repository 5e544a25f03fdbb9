"""TikTok's WebSocket: a handshake as strict as the platform's, and the shell that moves frames.

Source: peer libraries and recorded handshakes, 2023 to 2026.
"""

import asyncio
from collections.abc import Mapping
from random import Random

from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from simulator.faults import REFUSALS, FaultKind, Refusal
from simulator.listener import Close, Listener, Wait
from simulator.room import Room
from simulator.server import ABORT
from simulator.tickets import Ticket, is_ttwid
from simulator.tiktok_pages import delay_http
from simulator.webcast import Entered, Heartbeat, ServerConnection, WrongAck
from simulator.world import World

SOCKET_PATHS = ("/webcast/im/ws_proxy/ws_reuse_supplement/", "/webcast/im/ws_proxy/from_preview/")
AID = "1988"
HISTORY_DEFAULT = 6  # chats, when a client does not say how many it wants


class Door:
    """Lets clients in, or refuses them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[WebSocketRoute]:
        """Where it is."""
        return [WebSocketRoute(path, self.open) for path in SOCKET_PATHS]

    async def open(self, websocket: WebSocket) -> None:
        """One client from handshake to close."""
        world = self._world
        await delay_http(world)
        query = websocket.query_params
        admitted = self._admit(websocket)
        if isinstance(admitted, str):
            world.refused[admitted] += 1
            await websocket.send_denial_response(_denial(REFUSALS[admitted]))
            return
        room_id, cursor = admitted.room_id, admitted.cursor
        await websocket.accept(
            headers=[
                (b"handshake-status", b"0"),
                (b"handshake-msg", b"OK"),
                (b"handshake-options", b"ping-interval=%d;" % world.config.ping_interval_s),
                (b"x-tt-logid", b"%d%d" % (world.now_ms(), room_id)),
                (b"tt_stable", b"1"),
            ]
        )
        room = world.room(room_id)
        if room is None:
            await websocket.close(1000)
            return
        room.counters["connections_opened"] += 1
        protocol = ServerConnection(
            Random(f"{world.config.seed}/{room_id}/{room.counters['connections_opened']}"),
            room.counters,
            gzip_allowed=query.get("compress") == "gzip",
            ping_interval_s=world.config.ping_interval_s,
            ack_s=world.config.ack_s,
        )
        listener = Listener(protocol, world.now_s())
        client = Client(world, room, listener, cursor=cursor, history=_history_wanted(query))
        if query.get("client_enter") != "1":
            client.enter(room, "")  # older clients do not ask
        await client.serve(websocket)

    def _admit(self, websocket: WebSocket) -> Ticket | str:
        """Look at the handshake as strictly as the platform does; text is why it refuses, a key of `REFUSALS`."""
        world, query = self._world, websocket.query_params
        room_text = query.get("room_id", "")
        if not room_text.isdecimal() or len(room_text) > 20:
            return "bad_request"
        room_id = int(room_text)
        if fault := world.faults.take(FaultKind.REFUSE_HANDSHAKE, room_id, world.now_s()):
            return str(fault.options["reason"])
        ttwid = websocket.cookies.get("ttwid", "")
        if not ttwid:
            return "no_cookie"
        room = world.room(room_id)
        locked = room is not None and room.restricted and "sessionid" not in websocket.cookies
        if not websocket.headers.get("user-agent") or not is_ttwid(ttwid) or locked:
            return "device_blocked"
        if query.get("aid") != AID:
            return "bad_app_id"
        if wrss := query.get("wrss", ""):
            ticket = world.tickets.redeem(wrss, room_id, world.now_s())
            if ticket is None:
                return "bad_secret"
            return Ticket(room_id, query.get("cursor") or ticket.cursor, ticket.expires_s)
        if world.config.direct and query.get("ws_direct") == "1":
            return Ticket(room_id, query.get("cursor", ""), world.now_s())
        return "bad_secret"


class Client:
    """One accepted socket."""

    def __init__(self, world: World, room: Room, listener: Listener, *, cursor: str, history: int) -> None:
        self._world = world
        self._room = room
        self._listener = listener
        self._cursor = cursor
        self._history = history

    def enter(self, room: Room, cursor: str) -> None:
        """Listen to a room. A cursor given here goes before that of the handshake."""
        self._room.leave(self._listener)
        if room is not self._room:
            self._room, self._cursor = room, ""
        now_ms, now_s = self._world.now_ms(), self._world.now_s()
        room.enter(self._listener, cursor or self._cursor, self._history, now_ms, now_s)

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
                if room := self._world.room(room_id):
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
                websocket.scope["extensions"][ABORT]["abort"]()
                return False
            case Close(int(code), reason):
                await websocket.close(code, reason)
                return False
        return True


def _denial(refusal: Refusal) -> Response:
    headers = {"Handshake-Status": refusal.status, "Handshake-Msg": refusal.message} if refusal.status else {}
    return Response(b"", refusal.http_status, headers)


def _history_wanted(query: Mapping[str, str]) -> int:
    text = query.get("history_comment_count", "")
    return int(text) if text.isdecimal() and len(text) <= 3 else HISTORY_DEFAULT
