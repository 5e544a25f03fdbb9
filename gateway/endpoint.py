"""One client, from accept to close.

The socket is accepted before anything is checked, and what is wrong is told in frames: clients written in languages
whose WebSocket libraries hide the HTTP answer would not learn it otherwise.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from contextlib import nullcontext
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.admission import Admission, TokenBucket, origin_of
from gateway.close_codes import Code
from gateway.frames import Delivery, control
from gateway.hub import wanted_frames
from gateway.options import Options, parse_options
from gateway.progress import Progress
from gateway.protocol import (
    ClientFrame,
    closing_frame,
    error_frame,
    parse_client_frame,
    pong_frame,
    recovered_frame,
    status_frame,
)
from gateway.recovery import Recovery
from gateway.relay import Relay
from gateway.room import Room, now_ms
from gateway.sink import PortableSink
from gateway.subscriber import Subscriber
from gateway.texts import CLOSING_TEXTS, Status
from shared import metrics
from shared.cursor import Cursor
from shared.errors import BadCursor, BadRoom, BrokerUnavailable
from shared.events import LiveStatus, LiveStatusDetail, User
from shared.phases import RESTING, Phase
from shared.platforms import DEFAULT_PLATFORM, is_name, parse_room
from shared.room import RoomKey

logger = logging.getLogger(__name__)

FRAMES_BURST = 100  # client frames read at once, before the rate counts
RETRY_S = 0.5  # between two tries to read the log for a client
_encoder = msgspec.json.Encoder()


def room_of_path(scope: Scope) -> tuple[str, str]:
    """Platform and room of `/ws/{room}` and `/ws/{platform}/{room}`, percent-decoded part by part.

    A server decodes the path as a whole, so that an encoded slash in a pasted link would look like a separator.

    Raises:
        BadRoom: neither.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    below = raw.removeprefix(scope["root_path"].encode())
    parts = [unquote_to_bytes(part).decode("utf-8", "replace") for part in below.split(b"/")[1:]]
    match parts:
        case [room] | [room, ""]:
            return DEFAULT_PLATFORM, room
        case [platform, room] | [platform, room, ""]:
            return platform, room
    raise BadRoom("the address is /ws/{room} or /ws/{platform}/{room}")


class Endpoint:
    """The ASGI application behind `/ws/`."""

    def __init__(self, relay: Relay) -> None:
        settings = relay.settings
        self._relay = relay
        self._admission = Admission(
            clients_max=settings.clients_max,
            clients_per_address=settings.clients_per_address,
            new_rooms_per_minute=settings.new_rooms_per_minute,
        )
        self._sessions: set[Session] = set()
        self._left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await PlainTextResponse("a WebSocket lives here\n", 426, {"Upgrade": "websocket"})(
                scope, receive, send
            )
        websocket = WebSocket(scope, receive, send)
        origin = origin_of(websocket.client.host if websocket.client else "")
        options = parse_options(scope["query_string"].decode("latin-1"))
        session = Session(self._relay, self._admission, websocket, origin, options)
        try:
            await websocket.accept()
            if self._relay.draining:
                await session.refuse(Code.DRAINING)
            elif not self._admission.enter(origin):
                await session.refuse(Code.OVERLOADED)
            else:
                await self._serve(session, scope, origin)
        except (WebSocketDisconnect, OSError):
            logger.debug("client left before it was served")
        return None

    async def _serve(self, session: "Session", scope: Scope, origin: str) -> None:
        self._sessions.add(session)
        self._relay.clients += 1
        metrics.GATEWAY_CLIENTS.inc()
        try:
            await session.run(scope)
        finally:
            metrics.GATEWAY_CLIENTS.dec()
            self._relay.clients -= 1
            self._sessions.discard(session)
            self._left.set()
            self._admission.leave(origin)

    async def drain(self) -> None:
        """Send everybody away, to come back elsewhere; returns when they are gone, or did not go in time."""
        self._relay.draining = True
        for session in list(self._sessions):
            session.close(Code.DRAINING)
        try:
            async with asyncio.timeout(self._relay.settings.shutdown_s):
                while self._sessions:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            logger.warning("clients did not leave in time clients=%d", len(self._sessions))


class Session:
    """One client. It is the member that rooms know (`gateway.room.Member`)."""

    def __init__(self, relay: Relay, admission: Admission, websocket: WebSocket, origin: str, options: Options) -> None:
        settings = relay.settings
        self._relay = relay
        self._admission = admission
        self._websocket = websocket
        self._origin = origin
        self._options = options
        self._sink = PortableSink(websocket)
        self.subscriber = Subscriber(self._sink, settings.send_limits, options.wanted)

        self._progress = Progress(options.lang)
        self._asked: RoomKey | None = None
        self._name: Room | None = None
        self._room: Room | None = None  # canonical
        self._shown: Room | None = None  # whose phases the client is told
        self._resumed = False
        self._paid = False
        self._unavailable_told = False
        self._untaken_told: Code | None = None
        self._tasks = asyncio.TaskGroup()
        self._joining: asyncio.Task[None] | None = None

    # --- from accept to close ----------------------------------------------------------------------------------------

    async def refuse(self, code: Code) -> None:
        """Close an accepted socket with an error."""
        self._close_with_error(code)
        await self._sink.run()

    async def run(self, scope: Scope) -> None:
        """Serve the client until it leaves or is closed."""
        try:
            platform, text = room_of_path(scope)
            self._asked = parse_room(text, platform)
        except BadRoom as error:
            self._close_with_error(Code.BAD_ROOM, detail=str(error))
            return await self._sink.run()
        self._tell(status_frame(Status.CONNECTING, self._options.lang, self._asked))
        for code, detail in self._options.problems:
            self._tell_error(code, detail=detail)
        try:
            async with self._tasks:
                reader = self._tasks.create_task(self._guard(self._read()))
                self._join(self._asked)
                await self._sink.run()
                reader.cancel()
                if self._joining is not None:
                    self._joining.cancel()
        finally:
            self._leave()
        return None

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        """A fault of ours ends this client, and no other."""
        try:
            await work
        except Exception:
            logger.exception("session failed room=%s", self._asked)
            self.dismiss(Code.INTERNAL)

    def _leave(self) -> None:
        for room in (self._name, self._room):
            if room is not None:
                room.detach(self)
        self._name = self._room = self._shown = None

    # --- what the client says ----------------------------------------------------------------------------------------

    async def _read(self) -> None:
        settings = self._relay.settings
        bucket = TokenBucket.full(settings.client_frames_per_s, FRAMES_BURST, time.monotonic())
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self._sink.gone()
                return
            await asyncio.sleep(bucket.spend(time.monotonic()))  # what it sends on waits in its own socket
            text, data = message.get("text"), message.get("bytes")
            kind = parse_client_frame(text if text is not None else data or b"")
            metrics.CLIENT_FRAMES.labels(kind.value).inc()
            match kind:
                case ClientFrame.PING:
                    if not self.subscriber.offer([control(pong_frame(now_ms(), self._position))], time.monotonic()):
                        self.dismiss(Code.SLOW_CONSUMER)
                case ClientFrame.CLOSE:
                    self.close(Code.REQUESTED)
                case ClientFrame.TOO_LARGE:
                    self._close_with_error(Code.TOO_LARGE)

    # --- into the room -----------------------------------------------------------------------------------------------

    def _join(self, key: RoomKey, *, moved: bool = False) -> None:
        if self._joining is not None:
            self._joining.cancel()
        if not self._sink.closing:
            self._joining = self._tasks.create_task(self._guard(self._go_to(key, moved=moved)))

    async def _go_to(self, key: RoomKey, *, moved: bool) -> None:
        room = self._relay.attach(self, key)
        if room.is_name:
            self._name = room
        else:
            self._room = room
        await room.started.wait()
        if room.is_name and room.target is not None:
            room.want()
            return self.on_target(room)
        await self._pay(room)
        room.want()
        if room.is_name:
            return self._show(room)
        if self._options.wanted.wants_raw:
            room.ask_raw()
        if self._resumed or (self._options.since is None and not self._options.last):
            room.hub.add(self.subscriber)
        else:
            await self._resume(room)
        self._show(room)
        if moved:
            await self._tell_live_status(room)
        return None

    async def _pay(self, room: Room) -> None:
        """Wait until this client may start a room, if the room has to be started for it."""
        told = False
        while not (self._paid or room.wanted or room.taken or room.rests):
            wait_s = self._admission.new_room(self._origin, time.monotonic())
            if not wait_s:
                self._paid = True
                return
            if not told:
                self._tell_error(Code.RATE_LIMITED, retry_in_ms=int(wait_s * 1000))
                told = True
            await asyncio.sleep(wait_s)

    async def _resume(self, room: Room) -> None:
        """Tell what the client asked for of the past, and go on from there without a hole."""
        recovery = Recovery(room, self._relay.broker, self._options.since)
        async with self._relay.log_readers if recovery.needs_log else nullcontext():
            try:
                deliveries = await self._recover(recovery)
            except BadCursor as error:
                self._tell_error(Code.BAD_CURSOR, detail=str(error))
                deliveries = ()
            else:
                self._tell_recovered(room, recovery, deliveries)
            await self._catch_up(recovery, deliveries)
        room.hub.add(self.subscriber)
        self._resumed = True

    async def _recover(self, recovery: Recovery) -> Sequence[Delivery]:
        options = self._options
        while True:
            try:
                if options.since is None:
                    return await recovery.newest(options.last, options.wanted, self._relay.settings.history_len)
                await recovery.prove()
                return await recovery.pull()
            except BrokerUnavailable:
                self.on_unavailable()
                await asyncio.sleep(RETRY_S)

    def _tell_recovered(self, room: Room, recovery: Recovery, deliveries: Sequence[Delivery]) -> None:
        since = self._options.since
        events = [frame for frame in wanted_frames(deliveries, self._options.wanted) if frame.type]
        cursor = events[-1].cursor if events else room.tail.position or since
        recovered = since is None or recovery.complete
        metrics.RECOVERIES.labels(str(recovered).lower()).inc()
        self._tell(recovered_frame(room.key, recovered=recovered, count=len(events), since=since, cursor=cursor))

    async def _catch_up(self, recovery: Recovery, deliveries: Sequence[Delivery]) -> None:
        """Send what was read, no faster than it is taken, and what came meanwhile; without an await behind the last."""
        limits = self._relay.settings.send_limits
        while True:
            frames = wanted_frames(deliveries, self._options.wanted)
            if sum(frame.size for frame in frames) <= limits.soft_bytes:
                return self._sink.write(frames)
            for frame in frames:
                self._sink.write([frame])
                if self._sink.unsent_bytes > limits.soft_bytes:
                    try:
                        async with asyncio.timeout(limits.age_s):
                            await self._sink.drained()
                    except TimeoutError:
                        return self.dismiss(Code.SLOW_CONSUMER)
            deliveries = await self._pull(recovery)

    async def _pull(self, recovery: Recovery) -> Sequence[Delivery]:
        while True:
            try:
                return await recovery.pull()
            except BrokerUnavailable:
                self.on_unavailable()
                await asyncio.sleep(RETRY_S)

    async def _tell_live_status(self, room: Room) -> None:
        """Somebody who was moved is told what runs there, as those who saw it begin were."""
        if room.phase is None or room.phase.phase is not Phase.CONNECTED:
            return  # its holder tells when it is
        try:
            state = await self._relay.broker.state(room.key)
            owner = msgspec.json.decode(state.owner, type=User) if state.owner else UNSET
        except (BrokerUnavailable, msgspec.DecodeError):
            return
        detail = LiveStatusDetail(
            state="live", title=state.title or UNSET, owner=owner, gifts=True if state.gifts is None else state.gifts
        )
        event = LiveStatus(platform=room.key.platform, room=room.key.room, time=now_ms(), live_status=detail)
        self._tell(_encoder.encode(event).decode())

    # --- what rooms say ----------------------------------------------------------------------------------------------

    def _show(self, room: Room) -> None:
        """From here on the client is told this room's phases, beginning with the present one."""
        self._shown = room
        self.on_phase(room)

    def on_phase(self, room: Room) -> None:
        if room is not self._shown:
            return
        self._unavailable_told = False
        self._untaken_told = None
        phase = room.phase
        if phase is None or (phase.phase in RESTING and not room.rests):
            return  # nobody runs it; or its rest is over, and it is asked for anew
        told = self._progress.advance(room.key, phase, position=room.tail.position, now_ms=now_ms())
        for frame in told.frames:
            self._tell(frame)
        if told.close is not None:
            metrics.CLIENT_ERRORS.labels(told.close).inc()
            self._sink.close(told.close, since=told.since)
            self._leave()

    def on_target(self, name: Room) -> None:
        target = name.target
        if target is None or is_name(target) or (self._room is not None and self._room.key == target):
            return
        moved = self._room is not None
        if self._room is not None:
            self._room.detach(self)
            self._room = self._shown = None
            self._progress.interrupted()
        self._join(target, moved=moved)

    def on_unavailable(self) -> None:
        if not self._unavailable_told:
            self._unavailable_told = True
            self._progress.interrupted()
            self._tell_error(Code.UNAVAILABLE)

    def on_untaken(self, room: Room, code: Code) -> None:
        if room is self._shown and code != self._untaken_told:
            self._untaken_told = code
            self._progress.interrupted()
            self._tell_error(code)

    def dismiss(self, code: Code) -> None:
        if code in CLOSING_TEXTS:
            metrics.CLIENT_ERRORS.labels(code).inc()
            since = self._sink.sent
            self._sink.abort(code, closing_frame(code, self._options.lang, cursor=since), since=since)
            self._leave()
        else:
            self._close_with_error(code)

    # --- telling -----------------------------------------------------------------------------------------------------

    @property
    def _position(self) -> Cursor | None:
        """Where this client may resume: only who gets the room's events as they come has got all of them."""
        room = self._room
        return room.tail.position if room is not None and self.subscriber in room.hub else None

    def _tell(self, frame: str) -> None:
        self._sink.write([control(frame)])

    def _tell_error(self, code: Code, *, detail: str = "", retry_in_ms: int | UnsetType = UNSET) -> None:
        metrics.CLIENT_ERRORS.labels(code).inc()
        self._tell(error_frame(code, self._options.lang, self._asked, detail=detail, retry_in_ms=retry_in_ms))

    def _close_with_error(self, code: Code, *, detail: str = "") -> None:
        self._tell_error(code, detail=detail)
        self._sink.close(code)
        self._leave()

    def close(self, code: Code) -> None:
        """Close with a closing frame, after all that is queued."""
        metrics.CLIENT_ERRORS.labels(code).inc()
        since = self._position
        self._sink.close(code, closing_frame(code, self._options.lang, cursor=since), since=since)
        self._leave()
