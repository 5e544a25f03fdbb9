"""Douyin's WebSocket: a handshake as strict as there is evidence for.

What is checked, and why. All recorded and all public clients send what is asked for here; nothing else is asked for
(no Origin, no Referer, no msToken, neither cursor nor internal_ext). Each failed check is counted in `World.refused`
under its name, and answered as the platform does: HTTP 200, nothing in it, `handshake-msg: DEVICE_BLOCKED`,
`handshake-status: 415`. Source: five public reports, 2024 to 2026.

- ws_ttwid: the cookie, its escapes as they were given. All clients fetch it first; `web/enter` is empty without one.
- ws_user_agent: recorded 2026-09; all clients name a browser.
- ws_aid, ws_app_name: 6383 and `douyin_web` in all addresses on record; `aid` is signed.
- ws_live_id, ws_did_rule, ws_identity, ws_device_platform, ws_version_code: the same constants in the recorded address
  and in six public clients; they are signed.
- ws_sdk_version: 1.0.15 (recorded 2026-09) or 1.0.14-beta.0 (public clients of 2024 to 2026); it is signed.
- ws_room_id: 19 or 20 digits, the broadcast's id and not the number of its page; it is signed.
- ws_user_unique_id: 19 digits. With 12, messages went missing (measured 2026), which a client would not notice.
- signature_missing: refused for everybody since 2024-07, says every public report since.
- signature_length, _alphabet, _mode, _checksum, _body, _stub: the parts of it that a server can compute from the
  address; 42 values of public clients agree.

Less sure: that a room which is over, or which nobody knows, is let in and closed with 1000 (nothing on record); that
silence ends a connection (see `SimulatorConfig.silence_s`). A raw `+` in the signature is taken as it stands, as public
clients send it, and counted as signatures_unescaped.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import unquote

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from simulator.client import Client, line
from simulator.doors import delay_http, denial
from simulator.douyin.connection import DouyinConnection
from simulator.douyin.signature import wrong_with
from simulator.faults import REFUSALS, FaultKind
from simulator.ttwid import is_ttwid
from simulator.world import Site

SOCKET_PATHS: Final = ("/webcast/im/push/v2/", "/hl/webcast/im/push/v2/")
"""One for each of two hosts: here they differ by their path."""
AID: Final = "6383"
APP_NAME: Final = "douyin_web"
_SDK_VERSIONS: Final = ("1.0.15", "1.0.14-beta.0")


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a client shows."""

    query: Mapping[str, str]
    cookies: Mapping[str, str]
    user_agent: str


def _is(name: str, *values: str) -> Callable[[Handshake], bool]:
    return lambda handshake: handshake.query.get(name, "") in values


def _looks_like(name: str, form: str) -> Callable[[Handshake], bool]:
    return lambda handshake: re.fullmatch(form, handshake.query.get(name, "")) is not None


CHECKS: Final[Mapping[str, Callable[[Handshake], bool]]] = {
    "ws_ttwid": lambda handshake: is_ttwid(handshake.cookies.get("ttwid", "")),
    "ws_user_agent": lambda handshake: handshake.user_agent != "",
    "ws_aid": _is("aid", AID),
    "ws_app_name": _is("app_name", APP_NAME),
    "ws_live_id": _is("live_id", "1"),
    "ws_did_rule": _is("did_rule", "3"),
    "ws_identity": _is("identity", "audience"),
    "ws_device_platform": _is("device_platform", "web"),
    "ws_version_code": _is("version_code", "180800"),
    "ws_sdk_version": _is("webcast_sdk_version", *_SDK_VERSIONS),
    "ws_room_id": _looks_like("room_id", "[1-9][0-9]{18,19}"),
    "ws_user_unique_id": _looks_like("user_unique_id", "[1-9][0-9]{18}"),
}


class Door:
    """Lets clients in, or refuses them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._world = site.world

    def routes(self) -> list[WebSocketRoute]:
        """Where it is."""
        return [WebSocketRoute(path, self.open) for path in SOCKET_PATHS]

    async def open(self, websocket: WebSocket) -> None:
        """One client from handshake to close."""
        world = self._world
        await delay_http(world)
        now_ms = world.now_ms()
        log_id = f"{now_ms:014d}{world.random.getrandbits(80):020X}".encode()
        query = raw_query(websocket.url.query)
        if refused := self._refused(websocket, query):
            why, reason = refused
            world.refused[why] += 1
            headers = {"Server": "Tengine", "X-Tt-Logid": log_id.decode()}
            await websocket.send_denial_response(denial(REFUSALS[reason], headers))
            return
        await websocket.accept(headers=[(b"x-tt-logid", log_id)])
        room = self._site.find(query["room_id"])
        if room is None:
            await websocket.close(1000)
            return
        room.counters["connections_opened"] += 1
        room.counters["signatures_unescaped"] += "+" in websocket.url.query.partition("signature=")[2]
        protocol = DouyinConnection(
            Random(f"{world.config.seed}/{room.id}/{room.counters['connections_opened']}"),
            room.counters,
            gzip_allowed=query.get("compress") == "gzip",
            ack_s=world.config.ack_s,
            gifts=is_logged_in(websocket.cookies),
            first_req_ms=now_ms,
        )
        cursor, history = query.get("cursor", ""), history_wanted(query)
        client = Client(self._site, room, protocol, cursor=cursor, history=history)
        line(websocket).on_ping = client.ping  # some clients beat so, with the heartbeat frame inside
        client.enter(room)
        await client.serve(websocket)

    def _refused(self, websocket: WebSocket, query: Mapping[str, str]) -> tuple[str, str] | None:
        """Why a client is not let in, and as which of `REFUSALS`."""
        world, path = self._world, websocket.url.path
        room_id = query.get("room_id", "")
        room = self._site.find(room_id)
        if fault := world.faults.take(FaultKind.REFUSE_HANDSHAKE, room.id if room else 0, world.now_s(), path=path):
            reason = str(fault.options["reason"])
            return reason, reason
        handshake = Handshake(query, websocket.cookies, websocket.headers.get("user-agent", ""))
        for name, is_right in CHECKS.items():
            if not is_right(handshake):
                return name, "device_blocked"
        if wrong := wrong_with(query.get("signature", ""), query):
            return f"signature_{wrong}", "device_blocked"
        return None


def raw_query(text: str) -> dict[str, str]:
    """A query whose `+` is a plus: that is how addresses of sockets are read, and how public clients write them."""
    pairs = (part.partition("=") for part in text.split("&") if part)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def is_logged_in(cookies: Mapping[str, str]) -> bool:
    """Whether a session is somebody's."""
    return cookies.get("sessionid", "") != ""


def history_wanted(query: Mapping[str, str]) -> int:
    """How many recent messages a client asks for."""
    text = query.get("need_persist_msg_count", "")
    return int(text) if text.isdecimal() and len(text) <= 3 else 0
