"""TikTok's WebSocket: a handshake as strict as the platform's.

Source: peer libraries and recorded handshakes, 2023 to 2026.
"""

from collections.abc import Mapping
from random import Random

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from simulator.client import Client, line
from simulator.doors import delay_http, denial
from simulator.faults import REFUSALS, FaultKind
from simulator.tiktok.connection import TikTokConnection
from simulator.tiktok.tickets import Ticket, Tickets
from simulator.ttwid import is_ttwid
from simulator.world import Site

SOCKET_PATHS = ("/webcast/im/ws_proxy/ws_reuse_supplement/", "/webcast/im/ws_proxy/from_preview/")
AID = "1988"
HISTORY_DEFAULT = 6  # chats, when a client does not say how many it wants


class Door:
    """Lets clients in, or refuses them."""

    def __init__(self, site: Site, tickets: Tickets) -> None:
        self._site = site
        self._world = site.world
        self._tickets = tickets

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
            await websocket.send_denial_response(denial(REFUSALS[admitted], {}))
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
        line(websocket).empty_pongs = True  # Source: recorded session of 2024-12.
        room = self._site.room(room_id)
        if room is None:
            await websocket.close(1000)
            return
        room.counters["connections_opened"] += 1
        protocol = TikTokConnection(
            Random(f"{world.config.seed}/{room_id}/{room.counters['connections_opened']}"),
            room.counters,
            gzip_allowed=query.get("compress") == "gzip",
            ping_interval_s=world.config.ping_interval_s,
            ack_s=world.config.ack_s,
        )
        client = Client(self._site, room, protocol, cursor=cursor, history=_history_wanted(query))
        if query.get("client_enter") != "1":
            client.enter(room)  # older clients do not ask
        await client.serve(websocket)

    def _admit(self, websocket: WebSocket) -> Ticket | str:
        """Look at the handshake as strictly as the platform does; text is why it refuses, a key of `REFUSALS`."""
        world, query = self._world, websocket.query_params
        room_text = query.get("room_id", "")
        if not room_text.isdecimal() or len(room_text) > 20:
            return "bad_request"
        room_id = int(room_text)
        if fault := world.faults.take(FaultKind.REFUSE_HANDSHAKE, room_id, world.now_s(), path=websocket.url.path):
            return str(fault.options["reason"])
        ttwid = websocket.cookies.get("ttwid", "")
        if not ttwid:
            return "no_cookie"
        room = self._site.room(room_id)
        locked = room is not None and room.restricted and "sessionid" not in websocket.cookies
        if not websocket.headers.get("user-agent") or not is_ttwid(ttwid) or locked:
            return "device_blocked"
        if query.get("aid") != AID:
            return "bad_app_id"
        if wrss := query.get("wrss", ""):
            ticket = self._tickets.redeem(wrss, room_id, world.now_s())
            if ticket is None:
                return "bad_secret"
            return Ticket(room_id, query.get("cursor") or ticket.cursor, ticket.expires_s)
        if world.config.direct and query.get("ws_direct") == "1":
            return Ticket(room_id, query.get("cursor", ""), world.now_s())
        return "bad_secret"


def _history_wanted(query: Mapping[str, str]) -> int:
    text = query.get("history_comment_count", "")
    return int(text) if text.isdecimal() and len(text) <= 3 else HISTORY_DEFAULT
