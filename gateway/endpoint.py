"""The door of the gateway: accepts sockets, counts them, and sends away whom it cannot serve.

The socket is accepted before anything is checked, and what is wrong is told in frames: clients written in languages
whose WebSocket libraries hide the HTTP answer would not learn it otherwise.
"""

import asyncio
import logging
import math
import time
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.admission import Admission, origin_of
from gateway.close_codes import Code
from gateway.event_stream import EventStream
from gateway.many_rooms import ManyRooms
from gateway.options import Options, parse_options
from gateway.protocol import error_frame
from gateway.relay import Relay
from gateway.session import Session
from gateway.single_room import SingleRoom
from gateway.streamed_room import StreamedRoom, has_read_all
from shared import metrics
from shared.cursor import Cursor
from shared.errors import BadRoom
from shared.platforms import DEFAULT_PLATFORM, parse_room
from shared.room import RoomKey

logger = logging.getLogger(__name__)

OPEN = {"access-control-allow-origin": "*"}  # pages of any origin may read, as they may open sockets
LEAVING_PER_S_MIN = 100.0  # clients sent away a second when there is more time than they need
TURNED_AWAY_TOLD_S = 10.0  # between two lines about it: a crowd that comes back every second is no news each time


def room_of_path(scope: Scope) -> tuple[str, str] | None:
    """Room and platform of `/ws/{room}` and `/ws/{platform}/{room}`, percent-decoded part by part; of `/ws` None.

    Where the path begins does not matter: it is the same below `/sse`.

    A server decodes the path as a whole, so that an encoded slash in a pasted link would look like a separator.

    Raises:
        BadRoom: neither.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    below = raw.removeprefix(scope["root_path"].encode())
    parts = [unquote_to_bytes(part).decode("utf-8", "replace") for part in below.split(b"/")[1:]]
    match parts:
        case [] | [""]:
            return None
        case [room] | [room, ""]:
            return room, DEFAULT_PLATFORM
        case [platform, room] | [platform, room, ""]:
            return room, platform
    raise BadRoom("the address ends in /{room} or /{platform}/{room}")


class Endpoint:
    """The ASGI application behind `/ws`; behind `/sse` it is `stream`."""

    def __init__(self, relay: Relay) -> None:
        settings = relay.settings
        self._relay = relay
        self._admission = Admission(
            clients_max=settings.clients_max,
            clients_per_address=settings.clients_per_address,
            new_rooms_per_minute=settings.new_rooms_per_minute,
            queued_rooms_per_address=settings.queued_rooms_per_address,
        )
        self._sessions: set[Session] = set()
        self._left = asyncio.Event()
        self._closed = False
        self._turned_away = 0  # since that was told
        self._tell_turned_away_from = -math.inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await PlainTextResponse("a WebSocket lives here\n", 426, {"Upgrade": "websocket"})(
                scope, receive, send
            )
        websocket = WebSocket(scope, receive, send)
        origin = origin_of(websocket.client.host if websocket.client else "")
        session, fault = self._session(scope, websocket, origin)
        scope["headers"] = ()  # nobody reads them any more, and a browser's take 2 KB as long as it stays
        try:
            await websocket.accept()
            await self._admit(session, origin, fault)
        except (WebSocketDisconnect, OSError):
            logger.debug("client left before it was served client=%012x", session.number)
        return None

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a client that listens by HTTP, at `/sse/`."""
        request = Request(scope)
        origin = origin_of(request.client.host if request.client else "")
        options = parse_options(scope["query_string"].decode("latin-1"), request.headers.get("last-event-id", ""))
        returns = "last-event-id" in request.headers
        try:
            if (room := room_of_path(scope)) is None:
                raise BadRoom("the address is /sse/{room} or /sse/{platform}/{room}")
            asked = parse_room(*room)
        except BadRoom as error:
            return await self._answer_bad_room(options, str(error))(scope, receive, send)
        if request.method != "GET":
            return await Response(status_code=405, headers={"allow": "GET"})(scope, receive, send)
        if returns and not options.wait and await self._has_read_all(origin, asked, options.since):
            response = Response(status_code=204, headers=OPEN)  # after which `EventSource` does not come back
            return await response(scope, receive, send)
        del request
        scope["headers"] = ()
        stream = EventStream(scope, receive, send)
        session = StreamedRoom(self._relay, self._admission, stream, origin, options, asked)
        try:
            await stream.start()
            await self._admit(session, origin)
        except OSError:
            logger.debug("client left before it was served client=%012x", session.number)
        finally:
            await stream.leave()
        return None

    async def _has_read_all(self, origin: str, asked: RoomKey, since: Cursor | None) -> bool:
        """As `has_read_all`; who cannot be let in does not make us ask Redis."""
        if not self._admission.enter(origin):
            return False
        try:
            return await has_read_all(self._relay, asked, since)
        finally:
            self._admission.leave(origin)

    def _answer_bad_room(self, options: Options, detail: str) -> Response:
        metrics.CLIENT_ERRORS.labels(Code.BAD_ROOM).inc()
        body = error_frame(Code.BAD_ROOM, options.lang, detail=detail)
        return Response(body, 400, OPEN, "application/json")

    async def _admit(self, session: Session, origin: str, fault: str = "") -> None:
        """Serve a client whose connection is open, unless there are too many, or none are taken any more."""
        metrics.CONNECTS.inc()
        if self._closed:
            await session.refuse(Code.DRAINING)
        elif not self._admission.enter(origin):
            self._note_turned_away()
            await session.refuse(Code.OVERLOADED)
        else:
            await self._serve(session, origin, fault)

    def _session(self, scope: Scope, websocket: WebSocket, origin: str) -> tuple[Session, str]:
        """What the client came for; and why it cannot have it, if it cannot."""
        options = parse_options(scope["query_string"].decode("latin-1"))
        try:
            asked = room_of_path(scope)
            if asked is None:
                return ManyRooms(self._relay, self._admission, websocket, origin, options), ""
            return SingleRoom(self._relay, self._admission, websocket, origin, options, parse_room(*asked)), ""
        except BadRoom as error:
            return Session(self._relay, self._admission, websocket, origin, options.lang), str(error)

    def _note_turned_away(self) -> None:
        self._turned_away += 1
        now = time.monotonic()
        if now >= self._tell_turned_away_from:
            logger.warning(
                "clients sent away code=%s clients=%d served=%d",
                Code.OVERLOADED,
                self._turned_away,
                len(self._sessions),
            )
            self._turned_away = 0
            self._tell_turned_away_from = now + TURNED_AWAY_TOLD_S

    async def _serve(self, session: Session, origin: str, fault: str) -> None:
        self._sessions.add(session)
        self._relay.clients += 1
        metrics.GATEWAY_CLIENTS.inc()
        try:
            if fault:
                await session.refuse(Code.BAD_ROOM, detail=fault)
            else:
                await session.run()
        finally:
            metrics.GATEWAY_CLIENTS.dec()
            self._relay.clients -= 1
            self._sessions.discard(session)
            self._left.set()
            self._admission.leave(origin)

    def announce_leave(self) -> None:
        """Say at `/readyz` that this gateway leaves. Who comes yet is served, and sent away with the others."""
        self._relay.draining = True
        logger.info("gateway leaves clients=%d", len(self._sessions))

    async def drain(self, *, within_s: float = 0.0, per_s_min: float = LEAVING_PER_S_MIN) -> None:
        """Send everybody away, to come back elsewhere; returns when they are gone, or did not go in time.

        Args:
            within_s: the time to spread this over, so that the other gateways and the log are not asked by all at once.
            per_s_min: how many to send away a second at least, however much time there is.
        """
        self._relay.draining = self._closed = True
        sessions = list(self._sessions)
        pause_s = min(within_s / max(1, len(sessions)), 1 / per_s_min)
        began = time.monotonic()
        for number, session in enumerate(sessions):
            early_s = began + number * pause_s - time.monotonic()
            if early_s > 0:
                await asyncio.sleep(early_s)
            if session in self._sessions:
                session.close(Code.DRAINING)
        try:
            async with asyncio.timeout(self._relay.settings.shutdown_s):
                while self._sessions:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            logger.warning("clients did not leave in time clients=%d", len(self._sessions))
        else:
            logger.info("clients left clients=%d seconds=%.1f", len(sessions), time.monotonic() - began)
