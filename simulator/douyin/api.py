"""Douyin's HTTP doors beside the room page: entering a room, polling it, and what links and room ids lead to.

Source: protocol notes on peer clients of 2025 and 2026, an answer recorded 2026-04, refusals recorded 2026-09.
"""

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from protos.webcast_pb2 import Response as WebcastResponse
from simulator.doors import failure, is_empty
from simulator.douyin import a_bogus
from simulator.douyin.answers import BAD_REQUEST, FINISHED, NO_LOGIN, NOT_FOUND, entered, reflowed, refusal
from simulator.douyin.connection import visible
from simulator.douyin.socket import AID, APP_NAME, SOCKET_PATHS, history_wanted, is_logged_in, raw_query
from simulator.faults import FaultKind
from simulator.room import Room, RoomStatus
from simulator.ttwid import is_ttwid, new_ttwid, set_cookie
from simulator.world import Site

FETCH_INTERVAL_MS = 1000
SHORT_PATH = "/_short"  # where short links are; on the platform they have a host of their own
SHORT_LINKS = {"demo": "728804746624", "broadcast": "728804746624"}
"""By code, whose room they lead to: to the room page, and to a page of the running broadcast."""


class Api:
    """The routes beside page and socket."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._world = site.world

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/webcast/room/web/enter/", self._guarded(self.enter)),
            Route("/webcast/room/reflow/info/", self._guarded(self.reflow)),
            Route("/webcast/im/fetch/", self._guarded(self.fetch), methods=["GET", "POST"]),
            Route("/ttwid/union/register/", self._guarded(self.register), methods=["POST"]),
            Route(f"{SHORT_PATH}/{{code}}/", self._guarded(self.short_link)),
        ]

    async def enter(self, request: Request) -> Response:
        """`web/enter`: who is live there, for visitors with a cookie."""
        if refused := self._mistrusted(request):
            return refused
        query, now_ms = raw_query(request.url.query), self._world.now_ms()
        web_rid = query.get("web_rid", "")
        if not web_rid or query.get("aid") != AID or query.get("app_name") != APP_NAME:
            return JSONResponse(refusal(BAD_REQUEST, now_ms))
        host = self._site.host(web_rid)
        if host is None:
            return JSONResponse(refusal(NOT_FOUND, now_ms))
        _count_a_bogus(request, host.room.counters)
        host.room.counters["live_checks"] += 1
        if host.profile.restricted and not is_logged_in(request.cookies):
            return JSONResponse(refusal(NO_LOGIN, now_ms))
        return JSONResponse(entered(host, self._world.config.public_url, now_ms))

    async def reflow(self, request: Request) -> Response:
        """`reflow/info`: whose broadcast a room id is, for everybody."""
        room = self._site.find(request.query_params.get("room_id", ""))
        now_ms = self._world.now_ms()
        if room is None:
            return JSONResponse(refusal(FINISHED, now_ms))
        return JSONResponse(reflowed(room, self._site.hosts[room.name], self._world.config.public_url, now_ms))

    async def fetch(self, request: Request) -> Response:
        """`im/fetch`: the socket's messages without the socket, as protobuf; refusals are JSON all the same."""
        if refused := self._mistrusted(request):
            return refused
        query, now_ms, now_s = raw_query(request.url.query), self._world.now_ms(), self._world.now_s()
        room = self._site.find(query.get("room_id", ""))
        if room is None or room.status is RoomStatus.ENDED:
            return JSONResponse(refusal(FINISHED, now_ms))
        _count_a_bogus(request, room.counters)
        room.counters["fetches"] += 1
        cursor = query.get("cursor", "")
        messages = room.poll(cursor, now_s)
        if not cursor:
            messages = [*room.source.greeting(now_ms), *room.history("", history_wanted(query))]
        answer = WebcastResponse(
            messages=visible(messages, room.counters, gifts=is_logged_in(request.cookies)),
            cursor=room.cursor(now_ms).encode(),
            fetch_interval=FETCH_INTERVAL_MS,
            now=now_ms,
            internal_ext=_internal_ext(room, query, now_ms).encode(),
            fetch_type=1,
            push_server_v2=f"{_socket_base(request)}{SOCKET_PATHS[0]}".encode(),
        )
        return Response(answer.SerializeToString(), media_type="application/x-protobuf")

    async def register(self, request: Request) -> Response:
        """The door that gives visitors' cookies to all sites of the company."""
        try:
            asked = json.loads(await request.body())
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("aid"), int) or not asked.get("service"):
            return JSONResponse({"status_code": 1001, "message": "params error"})
        ttwid = new_ttwid(self._world.random, self._world.now_ms())
        answer = {"status_code": 0, "message": "", "redirect_url": ""}
        return JSONResponse(answer, headers={"Set-Cookie": set_cookie(ttwid)})

    async def short_link(self, request: Request) -> Response:
        """What the app's "share" gives."""
        code = request.path_params["code"]
        host = self._site.host(SHORT_LINKS.get(code, ""))
        if host is None:
            return Response(status_code=404)
        path = host.name if code == "demo" else f"douyin/webcast/reflow/{host.room.id}"
        return RedirectResponse(f"{request.base_url}{path}?from=share", 302)

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if failed := await failure(self._world):
                return failed
            return Response() if is_empty(self._world) else await answer(request)

        return endpoint

    def _mistrusted(self, request: Request) -> Response | None:
        """Success with nothing in it: no cookie, or a captcha. Source: recorded 2026-09."""
        if not is_ttwid(request.cookies.get("ttwid", "")):
            self._world.refused["http_ttwid"] += 1
            return Response()
        if self._world.faults.take(FaultKind.CAPTCHA, 0, self._world.now_s()):
            return Response(headers={"bdturing-verify": '{"code":"10000","type":"verify","subtype":"slide"}'})
        return None


def _count_a_bogus(request: Request, counters: Counter[str]) -> None:
    """Whether the request is signed, and rightly: clients that do without get their answers too."""
    before, _, rest = request.url.query.partition("&a_bogus=")
    signed = raw_query(f"a_bogus={rest}").get("a_bogus", "")
    wrong = a_bogus.wrong_with(signed, before, request.headers.get("user-agent", ""))
    counters[f"a_bogus_{'good' if wrong is None else 'missing' if wrong == 'missing' else 'bad'}"] += 1


def _internal_ext(room: Room, query: dict[str, str], now_ms: int) -> str:
    """Goes with the cursor; a client gives it back, and the next one goes on from there."""
    given = query.get("internal_ext", "")
    did = query.get("user_unique_id", "")
    mine = f"internal_src:dim|wss_push_room_id:{room.id}|wss_push_did:{did}|first_req_ms:"
    found = re.fullmatch(rf"{re.escape(mine)}([0-9]+)\|fetch_time:[0-9]+\|seq:([0-9]+)\|.*", given)
    room.counters["fetches_odd"] += bool(query.get("cursor")) != bool(found)
    first_ms, seq = (found[1], int(found[2]) + 1) if found else (now_ms, 1)
    return f"{mine}{first_ms}|fetch_time:{now_ms}|seq:{seq}|wss_info:0-{now_ms}-0-0|wrds_v:{now_ms // 1000 << 32}"


def _socket_base(request: Request) -> str:
    return f"{'wss' if request.url.scheme == 'https' else 'ws'}://{request.url.netloc}"
