"""TikTok's live page and the JSON endpoints beside it.

Source: peer libraries and recorded answers, 2023 to 2026; fields nobody reads are left out.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulator.doors import delay_http
from simulator.faults import FaultKind
from simulator.room import Room, RoomStatus
from simulator.tiktok.people import host_user_id
from simulator.ttwid import new_ttwid, set_cookie
from simulator.world import Host, Site

RESTRICTED = 4003110
NO_SUCH_USER = 19881007
ROOM_GONE = 30003

_CAPTCHA = (
    "<!DOCTYPE html><html><head><title>TikTok</title></head><body><div id=tiktok-verify-page></div></body></html>"
)


class Pages:
    """The routes of the platform itself, but for the socket."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._world = site.world

    def routes(self) -> list[Route]:
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
        return [Route(path, page) for path, page in pages]

    async def front_page(self, request: Request) -> Response:
        """Anything; what counts is its cookie."""
        response = HTMLResponse("<!DOCTYPE html><html><head><title>TikTok</title></head><body></body></html>")
        if "ttwid" not in request.cookies:
            response.headers["Set-Cookie"] = set_cookie(new_ttwid(self._world.random, self._world.now_ms()))
        return response

    async def live_page(self, request: Request) -> Response:
        """`/@name/live`: what is worth knowing sits in a JSON script tag."""
        if await self._is_captcha():
            return HTMLResponse(_CAPTCHA)
        host = self._site.host(request.path_params["name"])
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
        host = self._site.host(name)
        if host is None:
            return JSONResponse({"statusCode": NO_SUCH_USER, "message": "user_not_found", "data": None})
        host.room.counters["live_checks"] += 1
        if host.room.restricted and "sessionid" not in request.cookies:
            return JSONResponse({"statusCode": RESTRICTED, "message": "", "data": None})
        return JSONResponse({"statusCode": 0, "message": "", "data": _user_room(host, self._world.config.public_url)})

    async def check_alive(self, request: Request) -> Response:
        """`/webcast/room/check_alive/?room_ids=`: unknown rooms are left out of the answer."""
        if refused := await self._refused(request):
            return refused
        asked = request.query_params.get("room_ids", "").split(",")
        return JSONResponse(alive_answer(self._site, asked))

    async def room_info(self, request: Request) -> Response:
        """`/webcast/room/info/?room_id=`."""
        if refused := await self._refused(request):
            return refused
        room = self._site.find(request.query_params.get("room_id", ""))
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


def alive_answer(site: Site, room_ids: Iterable[str]) -> dict[str, Any]:
    """Which of these rooms are live; unknown ones are left out."""
    rooms = [room for text in room_ids if (room := site.find(text))]
    for room in rooms:
        room.counters["live_checks"] += 1
    alive = [
        {"alive": room.status is not RoomStatus.ENDED, "room_id": room.id, "room_id_str": str(room.id)}
        for room in rooms
    ]
    return {"data": alive, "extra": {"now": site.world.now_ms()}, "status_code": 0}


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
