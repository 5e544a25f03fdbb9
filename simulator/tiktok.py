"""TikTok's own doors: the live page, its JSON endpoints, and the WebSocket with its handshake.

Source: peer libraries and recorded answers, 2023 to 2026; fields nobody reads are left out.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from simulator.faults import REFUSALS, FaultKind, Refusal
from simulator.people import host_user_id
from simulator.room import Close, Listener, Room, RoomStatus, Wait
from simulator.server import ABORT
from simulator.tickets import Ticket, is_ttwid, new_ttwid
from simulator.webcast import Entered, Heartbeat, ServerConnection, WrongAck
from simulator.world import Host, World

SOCKET_PATHS = ("/webcast/im/ws_proxy/ws_reuse_supplement/", "/webcast/im/ws_proxy/from_preview/")
AID = "1988"
HISTORY_DEFAULT = 6  # chats, when a client does not say how many it wants
RESTRICTED = 4003110
NO_SUCH_USER = 19881007
ROOM_GONE = 30003

_CAPTCHA = (
    "<!DOCTYPE html><html><head><title>TikTok</title></head><body><div id=tiktok-verify-page></div></body></html>"
)


class TikTok:
    """The routes of the platform itself."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        pages: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
            ("/", self.front_page),
            ("/live", self.front_page),
            ("/@{name}/live", self.live_page),
            ("/api-live/user/room", self.user_room),
            ("/api-live/user/room/", self.user_room),
            ("/webcast/room/check_alive/", self.check_alive),
            ("/webcast/room/info/", self.room_info),
        ]
        sockets = [WebSocketRoute(path, self.socket) for path in SOCKET_PATHS]
        return [*(Route(path, page) for path, page in pages), *sockets]

    # Pages and JSON

    async def front_page(self, request: Request) -> Response:
        """Anything; what counts is its cookie."""
        response = HTMLResponse("<!DOCTYPE html><html><head><title>TikTok</title></head><body></body></html>")
        if "ttwid" not in request.cookies:
            ttwid = new_ttwid(self._world.random, self._world.now_ms())
            response.headers["Set-Cookie"] = f"ttwid={ttwid}; Path=/; Max-Age=31536000; HttpOnly; SameSite=None"
        return response

    async def live_page(self, request: Request) -> Response:
        """`/@name/live`: what is worth knowing sits in a JSON script tag."""
        if await self._is_captcha():
            return HTMLResponse(_CAPTCHA)
        host = self._world.host(request.path_params["name"])
        state: dict[str, Any] = {"AppContext": {"lang": "en"}}
        if host is not None:
            state["LiveRoom"] = {"liveRoomUserInfo": _user_room(host, self._world.config.public_url)}
        text = json.dumps(state).replace("<", "\\u003C")
        return HTMLResponse(
            f'<!DOCTYPE html><html><head><title>TikTok LIVE</title></head><body><div id="app"></div>'
            f'<script id="SIGI_STATE" type="application/json">{text}</script></body></html>'
        )

    async def user_room(self, request: Request) -> Response:
        """`/api-live/user/room/?uniqueId=`: the same as JSON."""
        if await self._is_captcha():
            return HTMLResponse(_CAPTCHA)
        name = request.query_params.get("uniqueId", "")
        if not name:
            return JSONResponse({"statusCode": 10201, "message": "params_error", "data": None})
        host = self._world.host(name)
        if host is None:
            return JSONResponse({"statusCode": NO_SUCH_USER, "message": "user_not_found", "data": None})
        if host.room.restricted and "sessionid" not in request.cookies:
            return JSONResponse({"statusCode": RESTRICTED, "message": "", "data": None})
        return JSONResponse({"statusCode": 0, "message": "", "data": _user_room(host, self._world.config.public_url)})

    async def check_alive(self, request: Request) -> Response:
        """`/webcast/room/check_alive/?room_ids=`: unknown rooms are left out of the answer."""
        if refused := await self._refused(request):
            return refused
        asked = request.query_params.get("room_ids", "").split(",")
        return JSONResponse(alive_answer(self._world, asked))

    async def room_info(self, request: Request) -> Response:
        """`/webcast/room/info/?room_id=`."""
        if refused := await self._refused(request):
            return refused
        room = find_room(self._world, request.query_params.get("room_id", ""))
        if room is None:
            return JSONResponse({"status_code": ROOM_GONE, "data": {"message": "room has finished", "room_id": "0"}})
        if room.restricted and "sessionid" not in request.cookies:
            prompts = "This LIVE may be uncomfortable for some viewers."
            return JSONResponse({"status_code": RESTRICTED, "data": {"prompts": prompts}})
        return JSONResponse({"status_code": 0, "data": self._room_object(room), "extra": {"now": self._world.now_ms()}})

    def _room_object(self, room: Room) -> dict[str, Any]:
        owner_id = host_user_id(room.name)
        avatar = [f"{self._world.config.public_url}/avatar/{owner_id}.svg"]
        return {
            "id": room.id,
            "id_str": str(room.id),
            "status": int(room.status),
            "title": room.title,
            "create_time": room.started_ms // 1000,
            "user_count": room.source.viewers if room.status is not RoomStatus.ENDED else 0,
            "stats": {"total_user": room.source.viewers * 12, "like_count": 0, "comment_count": 0},
            "owner": {
                "id": owner_id,
                "id_str": str(owner_id),
                "display_id": room.name,
                "nickname": room.name.capitalize(),
                "bio_description": "",
                "avatar_thumb": {"url_list": avatar},
                "avatar_large": {"url_list": avatar},
                "follow_info": {"follower_count": 1200, "following_count": 12},
            },
            "stream_url": {"flv_pull_url": {}},
            "age_restricted": {"restricted": room.restricted},
            "link_mic": {"multi_live_enum": 1, "rival_anchor_id": 0, "battle_scores": []},
        }

    async def _is_captcha(self) -> bool:
        await delay_http(self._world)
        return self._world.faults.take(FaultKind.CAPTCHA, 0, self._world.now_s()) is not None

    async def _refused(self, request: Request) -> Response | None:
        await delay_http(self._world)
        # Source: peer libraries; webcast refuses the slash and bare clients.
        if request.headers.get("origin", "").endswith("/") or not request.headers.get("user-agent"):
            return Response(status_code=403)
        return None

    # The socket

    async def socket(self, websocket: WebSocket) -> None:
        """One client from handshake to close."""
        world = self._world
        await delay_http(world)
        query = websocket.query_params
        admitted = self._admit(websocket)
        if isinstance(admitted, Refusal):
            world.refused[next(name for name, refusal in REFUSALS.items() if refusal == admitted)] += 1
            await websocket.send_denial_response(_denial(admitted))
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

    def _admit(self, websocket: WebSocket) -> Ticket | Refusal:
        """Look at the handshake as strictly as the platform does."""
        world, query = self._world, websocket.query_params
        room_text = query.get("room_id", "")
        if not room_text.isdecimal() or len(room_text) > 20:
            return REFUSALS["bad_request"]
        room_id = int(room_text)
        if fault := world.faults.take(FaultKind.REFUSE_HANDSHAKE, room_id, world.now_s()):
            return REFUSALS[str(fault.options["reason"])]
        ttwid = websocket.cookies.get("ttwid", "")
        if not ttwid:
            return REFUSALS["no_cookie"]
        room = world.room(room_id)
        locked = room is not None and room.restricted and "sessionid" not in websocket.cookies
        if not websocket.headers.get("user-agent") or not is_ttwid(ttwid) or locked:
            return REFUSALS["device_blocked"]
        if query.get("aid") != AID:
            return REFUSALS["bad_app_id"]
        if wrss := query.get("wrss", ""):
            ticket = world.tickets.redeem(wrss, room_id, world.now_s())
            if ticket is None:
                return REFUSALS["bad_secret"]
            return Ticket(room_id, query.get("cursor") or ticket.cursor, ticket.expires_s)
        if world.config.direct and query.get("ws_direct") == "1":
            return Ticket(room_id, query.get("cursor", ""), world.now_s())
        return REFUSALS["bad_secret"]


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


def find_room(world: World, text: str) -> Room | None:
    """The room a query names."""
    return world.room(int(text)) if text.isdecimal() and len(text) <= 20 else None


def alive_answer(world: World, room_ids: Iterable[str]) -> dict[str, Any]:
    """Which of these rooms are live; unknown ones are left out."""
    rooms = [room for text in room_ids if (room := find_room(world, text))]
    alive = [
        {"alive": room.status is not RoomStatus.ENDED, "room_id": room.id, "room_id_str": str(room.id)}
        for room in rooms
    ]
    return {"data": alive, "extra": {"now": world.now_ms()}, "status_code": 0}


async def delay_http(world: World) -> None:
    """Be slow, where that was asked for."""
    if fault := world.faults.take(FaultKind.DELAY_HTTP, 0, world.now_s()):
        await asyncio.sleep(fault.number("delay_s"))


def _user_room(host: Host, picture_url: str) -> dict[str, Any]:
    room = host.room
    status = int(room.status)
    avatar = f"{picture_url}/avatar/{host_user_id(host.name)}.svg"
    viewers = 0 if room.status is RoomStatus.ENDED else room.source.viewers
    return {
        "user": {
            "id": str(host_user_id(host.name)),
            "uniqueId": host.name,
            "nickname": host.name.capitalize(),
            "secUid": f"MS4wLjABAAAA{host.name}",
            "signature": "",
            "avatarLarger": avatar,
            "avatarMedium": avatar,
            "avatarThumb": avatar,
            "roomId": str(room.id),
            "status": status,
            "verified": False,
            "secret": False,
        },
        "stats": {"followerCount": 1200, "followingCount": 12},
        "liveRoom": {
            "title": room.title,
            "startTime": room.started_ms // 1000,
            "status": status,
            "coverUrl": avatar,
            "mode": 1,
            "streamId": str(room.id),
            "liveRoomStats": {"userCount": viewers, "enterCount": viewers * 12},
        },
    }


def _denial(refusal: Refusal) -> Response:
    headers = {"Handshake-Status": refusal.status, "Handshake-Msg": refusal.message} if refusal.status else {}
    return Response(b"", refusal.http_status, headers)


def _history_wanted(query: Mapping[str, str]) -> int:
    text = query.get("history_comment_count", "")
    return int(text) if text.isdecimal() and len(text) <= 3 else HISTORY_DEFAULT
