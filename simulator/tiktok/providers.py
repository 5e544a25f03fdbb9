"""The token providers' doors, in the manner of TikHub and of Euler Stream: they hand out what opens a socket.

Source: the providers' documentation and peer libraries, 2025 and 2026. Both give tickets of the same kind.
"""

import json
from base64 import b64encode
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from protos.webcast_pb2 import Response as WebcastResponse
from protos.webcast_pb2 import RouteParam
from simulator.doors import failure, is_empty
from simulator.faults import FaultKind
from simulator.room import Room, RoomStatus
from simulator.tiktok.connection import as_history, pipe_internal_ext
from simulator.tiktok.pages import alive_answer
from simulator.tiktok.quota import Quota
from simulator.tiktok.socket import HISTORY_DEFAULT, SOCKET_PATHS
from simulator.tiktok.tickets import Tickets
from simulator.ttwid import new_ttwid
from simulator.world import Site


class Providers:
    """The routes of both providers."""

    def __init__(self, site: Site, tickets: Tickets) -> None:
        self._site = site
        self._world = site.world
        self._tickets = tickets
        self._euler_quota, self._tikhub_quota = Quota(), Quota()

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        tikhub = "/api/v1/tiktok/web"
        return [
            Route("/webcast/fetch", self.euler_fetch),
            Route("/webcast/fetch/", self.euler_fetch),
            Route("/webcast/rooms/{room_id}/connect", self.euler_fetch),
            Route(f"{tikhub}/fetch_live_im_fetch", self.tikhub_im_fetch),
            Route(f"{tikhub}/fetch_check_live_alive", self.tikhub_check_alive),
            Route(f"{tikhub}/generate_ttwid", self.tikhub_ttwid),
        ]

    # Euler Stream

    async def euler_fetch(self, request: Request) -> Response:
        """The bootstrap as protobuf, cookies for the socket in a header."""
        key = request.headers.get("x-api-key") or request.query_params.get("apiKey", "")
        if refused := await self._refused(key, needs_key=False):
            return refused
        room = self._site.find(request.path_params.get("room_id") or request.query_params.get("room_id", ""))
        if room is None and (host := self._site.host(request.query_params.get("unique_id", ""))):
            room = host.room
        if is_empty(self._world):
            return Response(b"", headers={"X-Set-TT-Cookie": "ttwid=; Path=/"})
        now_ms = self._world.now_ms()
        ttwid = new_ttwid(self._world.random, now_ms)
        headers = {
            "X-Set-TT-Cookie": f"ttwid={ttwid}; Path=/; Domain=.tiktok.com; HttpOnly; SameSite=None",
            "X-Request-Id": f"{self._world.random.getrandbits(64):016x}",
            "X-Agent-Id": "simulator",
            "X-Log-Code": "0",
            "RateLimit-Remaining": str(self._euler_quota.take(self._world.now_s())),
        }
        if room is not None:
            headers["X-Room-Id"] = str(room.id)
        cursor = request.query_params.get("cursor", "")
        body = self._bootstrap(request, room, cursor).SerializeToString()
        return Response(body, media_type="application/protobuf", headers=headers)

    # TikHub

    async def tikhub_im_fetch(self, request: Request) -> Response:
        """The bootstrap as JSON."""
        if refused := await self._refused(_authorization(request), needs_key=True):
            return refused
        room = self._site.find(request.query_params.get("room_id", ""))
        bootstrap = self._bootstrap(request, None if is_empty(self._world) else room, "")
        return self._tikhub(request, _as_json(bootstrap))

    async def tikhub_check_alive(self, request: Request) -> Response:
        """Whether a room is live."""
        if refused := await self._refused(_authorization(request), needs_key=True):
            return refused
        answer = alive_answer(self._site, [request.query_params.get("room_id", "")])
        return self._tikhub(request, {"live_room_status": answer})

    async def tikhub_ttwid(self, request: Request) -> Response:
        """A visitor's cookie."""
        if refused := await self._refused(_authorization(request), needs_key=True):
            return refused
        return self._tikhub(request, {"ttwid": new_ttwid(self._world.random, self._world.now_ms())})

    def _tikhub(self, request: Request, content: dict[str, Any]) -> Response:
        answer = {"code": 200, "router": request.url.path, "params": dict(request.query_params), "data": content}
        headers = {"X-RateLimit-Remaining": str(self._tikhub_quota.take(self._world.now_s()))}
        return Response(json.dumps(answer), media_type="application/json", headers=headers)

    # What both share

    async def _refused(self, key: str, *, needs_key: bool) -> Response | None:
        world = self._world
        if failed := await failure(world):
            return failed
        known = key in world.config.keys if world.config.keys else bool(key) or not needs_key
        if not known or world.faults.take(FaultKind.REFUSE_KEY, 0, world.now_s()):
            return JSONResponse({"code": 401, "message": "invalid API key", "detail": {"code": 401}}, 401)
        return None

    def _bootstrap(self, request: Request, room: Room | None, cursor: str) -> WebcastResponse:
        """What opens a socket of the room; without route and address where there is nothing to open."""
        world = self._world
        now_ms = world.now_ms()
        locked = room is not None and room.restricted and not request.query_params.get("session_id")
        if room is None or room.status is RoomStatus.ENDED or locked:
            return WebcastResponse(now=now_ms, fetch_interval=1000)
        cursor = cursor or room.cursor(now_ms)
        wrss = self._tickets.issue(room.id, cursor, world.now_s())
        scheme = "wss" if request.url.scheme == "https" else "ws"
        return WebcastResponse(
            messages=[*room.source.greeting(now_ms), *as_history(room.history(cursor, HISTORY_DEFAULT))],
            cursor=cursor.encode(),
            fetch_interval=1000,
            now=now_ms,
            internal_ext=pipe_internal_ext(cursor, now_ms).encode(),
            fetch_type=1,
            is_first=True,
            route_params=[RouteParam(key=b"wrss", value=wrss.encode()), RouteParam(key=b"imprp", value=b"")],
            push_server=f"{scheme}://{request.url.netloc}{SOCKET_PATHS[0]}".encode(),
        )


def _authorization(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ").strip()


def _as_json(bootstrap: WebcastResponse) -> dict[str, Any]:
    """A bootstrap as TikHub writes it: protobuf's JSON names, 64-bit numbers and bytes as text."""
    return {
        "messages": [
            {
                "method": message.method.decode(),
                "payload": b64encode(message.payload).decode(),
                "msgId": str(message.msg_id),
                "isHistory": message.is_history,
            }
            for message in bootstrap.messages
        ],
        "cursor": bootstrap.cursor.decode(),
        "fetchInterval": str(bootstrap.fetch_interval),
        "now": str(bootstrap.now),
        "internalExt": bootstrap.internal_ext.decode(),
        "fetchType": bootstrap.fetch_type,
        "routeParams": {param.key.decode(): param.value.decode() for param in bootstrap.route_params},
        "pushServer": bootstrap.push_server.decode(),
    }
