"""Douyin's room page: a challenge for strangers, then a stream of state for its own scripts.

Source: pages of 2023 to 2026 as peer clients read them.
"""

import hashlib
import re
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.doors import failure, is_empty
from simulator.douyin.answers import account, broadcast, has_room
from simulator.douyin.flight import Flight
from simulator.faults import FaultKind
from simulator.ttwid import new_ttwid, set_cookie
from simulator.world import Host, Site

NONCE = "__ac_nonce"
_MOBILE = re.compile("Mobile|Android|iPhone")
_CHALLENGE = (
    "<html><head><title>Loading</title></head><body><script>window.byted_acrawler.init({aid:99999999,dfp:0});"
    "window.location.reload();</script></body></html>"
)
_ABOUT = "关于主播:每天晚上都在这里做饭。\n" * 40  # long enough for a row of its own


class Pages:
    """The room page."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._world = site.world

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route("/{web_rid:int}", self.room_page)]

    async def room_page(self, request: Request) -> Response:
        """`/<web_rid>`."""
        world = self._world
        if failed := await failure(world):
            return failed
        if is_empty(world):
            return HTMLResponse("")
        name = request.url.path.removeprefix("/")
        if _MOBILE.search(request.headers.get("user-agent", "")):
            return RedirectResponse(f"https://share.example/live/{name}", 302)
        response = self._page(name, request)
        if "ttwid" not in request.cookies:
            response.headers.append("Set-Cookie", set_cookie(new_ttwid(world.random, world.now_ms())))
        return response

    def _page(self, name: str, request: Request) -> Response:
        world = self._world
        if not request.cookies.get(NONCE):
            nonce = f"0{world.random.getrandbits(80):020x}"
            return HTMLResponse(_CHALLENGE, headers={"Set-Cookie": f"{NONCE}={nonce}; Path=/; Max-Age=1800"})
        visitor = visitor_number(request.cookies.get("ttwid", ""))
        host = self._site.host(name)
        locked = host is not None and host.profile.restricted and "sessionid" not in request.cookies
        if locked or world.faults.take(FaultKind.CAPTCHA, 0, world.now_s()):
            return HTMLResponse(
                f'<html><script>window.__log={{"user_unique_id":"{visitor}"}};</script><body></body></html>'
            )
        if host is None:
            return HTMLResponse("<html><body>页面不存在</body></html>", 404)
        return HTMLResponse(self._room_html(host, visitor))

    def _room_html(self, host: Host, visitor: str) -> str:
        pictures = self._world.config.public_url
        host.room.counters["live_checks"] += 1
        room_id = str(host.room.id)
        flight = Flight()
        flight.row(["$", "$Le", None, {"state": {"roomStore": {"roomInfo": {}, "liveStatus": "normal"}}}])
        anchor = account(host, pictures)
        signature = flight.text(_ABOUT)
        info: dict[str, Any] = {
            "roomId": room_id,
            "web_rid": host.name,
            "anchor": anchor | {"avatar_thumb": flight.row(anchor["avatar_thumb"]), "signature": signature},
        }
        if has_room(host):
            told = broadcast(host, pictures)
            info = {"room": told | {"stream_url": flight.row(told["stream_url"]), "city": None}, **info}
        odin = {"user_id": "0", "user_type": 12, "user_unique_id": visitor}
        state = {"appStore": {"theme": "dark"}, "roomStore": {"roomInfo": info}, "userStore": {"odin": odin}}
        flight.row(["$", "$Lf", None, {"state": state}])
        scripts = flight.scripts(Random(f"{host.name}/{room_id}/{visitor}"), keep=f'"roomId":"{room_id}"')
        title = f"{host.profile.nickname}的抖音直播间 - 抖音直播"
        return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{scripts}</body></html>"


def visitor_number(ttwid: str) -> str:
    """The number of an anonymous visitor, always the same for a cookie: 19 digits."""
    digest = int.from_bytes(hashlib.sha256(ttwid.encode()).digest()[:8])
    return str(7_300_000_000_000_000_000 + digest % 700_000_000_000_000_000)
