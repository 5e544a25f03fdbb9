"""One client, from its first frame to its close."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from random import getrandbits

from msgspec import UNSET, UnsetType
from starlette.websockets import WebSocket

from gateway.admission import Admission, TokenBucket
from gateway.close_codes import Code
from gateway.frames import control
from gateway.options import Options
from gateway.progress import Progress
from gateway.protocol import ClientFrame, closing_frame, error_frame, parse_client_frame, pong_frame, status_frame
from gateway.relay import Relay
from gateway.replay import Replay
from gateway.room import Room
from gateway.sink import PortableSink
from gateway.subscriber import Subscriber
from gateway.texts import CLOSING_TEXTS, Status
from gateway.wire import EXTENSION
from gateway.wire_sink import WireSink
from shared import metrics
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable
from shared.phases import RESTING, Phase
from shared.platforms import is_name, is_one_broadcast
from shared.room import RoomKey

logger = logging.getLogger(__name__)

FRAMES_BURST = 100  # client frames read at once, before the rate counts
LOUD = frozenset({Code.SLOW_CONSUMER, Code.TOO_LARGE, Code.INTERNAL})
"""Closes that are one client's own, and logged at INFO. Others close a whole room, or come with every stranger."""


class Session:
    """One client. It is the member that rooms know (`gateway.room.Member`).

    Attributes:
        number: what it is called in logs, there written in hexadecimal; no other client of the cluster has it.
        waits: it stays while its room is not live.
    """

    def __init__(self, relay: Relay, admission: Admission, websocket: WebSocket, origin: str, options: Options) -> None:
        settings = relay.settings
        self.number = getrandbits(48)
        self._came_at = time.monotonic()
        self._relay = relay
        self._admission = admission
        self._websocket = websocket
        self._origin = origin
        self._options = options
        wire = websocket.scope.get("extensions", {}).get(EXTENSION)
        self._sink = (
            PortableSink(websocket, relay.slow_sinks)
            if wire is None
            else WireSink(wire, self, settings.send_soft_bytes, relay.slow_sinks)
        )
        self.subscriber = Subscriber(self._sink, settings.send_limits, options.wanted)

        self.waits = options.wait
        self._progress = Progress(options.lang, wait=options.wait)
        self._asked: RoomKey | None = None
        self._name: Room | None = None
        self._room: Room | None = None  # canonical
        self._shown: Room | None = None  # whose phases the client is told
        self._resumed = False
        self._waited = False  # at its name, for the broadcast it joins next
        self._left: tuple[RoomKey, Cursor | None] | None = None  # the broadcast before that, and the place in it
        self._ahead = False  # of this gateway: it may get entries yet that the present phase comes behind
        self._paid = False
        self._unavailable_told = False
        self._untaken_told: Code | None = None
        self._tasks = asyncio.TaskGroup()
        self._joining: asyncio.Task[None] | None = None

    # --- from accept to close ----------------------------------------------------------------------------------------

    async def refuse(self, code: Code, *, detail: str = "") -> None:
        """Close an accepted socket with an error."""
        self._close_with_error(code, detail=detail)
        await self._sink.run()

    async def run(self, asked: RoomKey) -> None:
        """Serve the client until it leaves or is closed."""
        self._asked = asked
        logger.debug("client came client=%012x room=%s since=%s", self.number, asked, self._options.since)
        self._tell(status_frame(Status.CONNECTING, self._options.lang, asked))
        for code, detail in self._options.problems:
            self.tell_error(code, detail=detail)
        try:
            async with self._tasks:
                self._join(asked)
                await self._sink.run(self._guard(self._read))
                self._leave()
        finally:
            self._leave()  # also when this task was cancelled
            logger.debug("client left client=%012x room=%s seconds=%.1f", self.number, asked, self._seconds)

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        """A fault of ours ends this client, and no other."""
        try:
            await work()
        except Exception:
            logger.exception("session failed client=%012x room=%s", self.number, self._asked)
            self.dismiss(Code.INTERNAL)

    def _leave(self) -> None:
        if self._joining is not None:
            self._joining.cancel()
        for room in (self._name, self._room):
            if room is not None:
                room.detach(self)
        self._name = self._room = self._shown = None

    # --- what the client says ----------------------------------------------------------------------------------------

    async def _read(self) -> None:
        settings = self._relay.settings
        bucket = TokenBucket.full(settings.client_frames_per_s, FRAMES_BURST, time.monotonic())
        while not self._sink.closing:
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
                    self._tell(pong_frame(now_ms(), self._position))
                case ClientFrame.CLOSE:
                    self.close(Code.REQUESTED)
                case ClientFrame.TOO_LARGE:
                    self._close_with_error(Code.TOO_LARGE)

    # --- into the room -----------------------------------------------------------------------------------------------

    def _join(self, key: RoomKey, *, moved: bool = False) -> None:
        if self._joining is not None:
            self._joining.cancel()
        if not self._sink.closing:
            self._joining = self._tasks.create_task(self._guard(partial(self._go_to, key, moved=moved)))

    async def _go_to(self, key: RoomKey, *, moved: bool) -> None:
        room = self._relay.attach(self, key)
        if room.is_name:
            self._name = room
        else:
            self._room = room
        await room.feed.started.wait()
        if room.is_name and room.target is not None:
            room.want()
            return self.on_target(room)
        await self._pay(room)
        room.want()
        if room.is_name:
            return self._show(room)
        if self._options.wanted.wants_raw:
            room.demand.ask_raw()
        waited, past = self._waited, self._past_of(room)
        if past is not None:
            relay = self._relay
            replay = Replay(room, relay.broker, relay.log_readers, past, self._sink, self)
            await replay.send()
            self._resumed = True
            self._shown, self._ahead = room, True
            try:
                await replay.be_overtaken()
            finally:
                self._ahead = False
            if self._sink.closing:
                return None
        room.hub.add(self.subscriber)
        self._waited, self._left = False, None
        logger.debug("client joined client=%012x room=%s", self.number, room.key)
        runs = room.phase is not None and room.phase.phase is Phase.CONNECTED
        self._show(room)
        if runs and not waited and (moved or self._options.since is None):
            await self._tell_front(room)
        return None

    def _past_of(self, room: Room) -> Options | None:
        """What the client is owed of a room's past: what it asked for, or all of the broadcast it waited for."""
        options = self._options
        if not self._resumed and (options.since is not None or (options.last and not self._waited)):
            return options
        if not self._waited or not any(delivery.frames for delivery in room.tail.held()):
            return None
        if self._left is None or self._left[0] != room.key:
            return replace(options, since=None, last=room.settings.history_len)
        place = self._left[1]
        return None if place in (None, room.tail.position) else replace(options, since=place, last=0)

    async def _pay(self, room: Room) -> None:
        """Wait until this client may start a room, if the room has to be started for it."""
        told = False
        while not (self._paid or room.demand.wanted or room.taken or room.rests):
            wait_s = self._admission.new_room(self._origin, time.monotonic())
            if not wait_s:
                self._paid = True
                return
            if not told:
                self.tell_error(Code.RATE_LIMITED, retry_in_ms=int(wait_s * 1000))
                told = True
            await asyncio.sleep(wait_s)

    async def _tell_front(self, room: Room) -> None:
        """Who comes in the middle is told what runs here, as those were who saw it begin."""
        try:
            self._tell(await room.front.frame(self._relay.broker, now_ms()))
        except BrokerUnavailable as error:
            logger.debug("newcomer not told what runs client=%012x room=%s: %s", self.number, room.key, error)

    # --- what rooms say ----------------------------------------------------------------------------------------------

    def _show(self, room: Room) -> None:
        """From here on the client is told this room's phases, beginning with the present one."""
        self._shown = room
        self._tell_phase(room)

    def on_phase(self, room: Room) -> None:
        if room is self._shown and not self._ahead:
            self._tell_phase(room)

    def on_nothing_more(self) -> None:
        if self._shown is not None:
            self._tell_phase(self._shown)

    def _tell_phase(self, room: Room) -> None:
        self._unavailable_told = False
        self._untaken_told = None
        phase = room.phase
        if phase is None or (phase.phase in RESTING and not room.rests):
            return  # nobody runs it; or its rest is over, and it is asked for anew
        told = self._progress.advance(room.key, phase, position=self._position, now_ms=now_ms())
        for frame in told.frames:
            self._tell(frame)
        if told.waits and self._name is not None and is_one_broadcast(self._name.key):
            self._wait_at(self._name)
        if told.code is not None:
            metrics.CLIENT_ERRORS.labels(told.code).inc()
            if told.closes:
                self._log_close(told.code)
                self._sink.close(told.code, since=told.since)
                self._leave()

    def _wait_at(self, name: Room) -> None:
        """The next broadcast is another room, which the name will point to: the client leaves the one that is over."""
        self._waited = self._paid = True
        room = self._room
        if room is not None:
            self._catch_up()
            if self._sink.closing:
                return
            self._left = room.key, self._position
            room.detach(self)
            self._room = None
            self._show(name)

    def on_target(self, name: Room) -> None:
        target = name.target
        if target is None or is_name(target) or (self._room is not None and self._room.key == target):
            return
        moved = self._room is not None
        if self._room is not None:
            self._catch_up()
            if self._sink.closing:
                return
            self._room.detach(self)
            self._room = self._shown = None
            self._progress.interrupted()
        self._join(target, moved=moved)

    def on_unavailable(self) -> None:
        if not self._unavailable_told:
            self._unavailable_told = True
            self._progress.interrupted()
            self.tell_error(Code.UNAVAILABLE)

    def on_untaken(self, room: Room, code: Code) -> None:
        if room is self._shown and code != self._untaken_told:
            self._untaken_told = code
            self._progress.interrupted()
            self.tell_error(code)

    def dismiss(self, code: Code) -> None:
        if self._sink.closing:
            return
        if code in CLOSING_TEXTS:
            metrics.CLIENT_ERRORS.labels(code).inc()
            since = self._sink.sent
            self._log_close(code)
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

    def _catch_up(self) -> None:
        if not self.subscriber.catch_up(time.monotonic()):
            self.dismiss(Code.SLOW_CONSUMER)

    def _tell(self, frame: str) -> None:
        if not self.subscriber.tell(control(frame), time.monotonic()):
            self.dismiss(Code.SLOW_CONSUMER)

    def tell_error(self, code: Code, *, detail: str = "", retry_in_ms: int | UnsetType = UNSET) -> None:
        """Tell an error; the socket stays open."""
        metrics.CLIENT_ERRORS.labels(code).inc()
        room = self._room.key if self._room is not None else self._asked
        self._tell(error_frame(code, self._options.lang, room, detail=detail, retry_in_ms=retry_in_ms))

    def _close_with_error(self, code: Code, *, detail: str = "") -> None:
        self.tell_error(code, detail=detail)
        self._log_close(code)
        self._sink.close(code)
        self._leave()

    def close(self, code: Code) -> None:
        """Close with a closing frame, after all that is queued."""
        metrics.CLIENT_ERRORS.labels(code).inc()
        self._catch_up()
        since = self._position
        self._log_close(code)
        self._sink.close(code, closing_frame(code, self._options.lang, cursor=since), since=since)
        self._leave()

    # --- for operators -----------------------------------------------------------------------------------------------

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._came_at

    def _log_close(self, code: Code) -> None:
        """Log that the client is about to be closed; not again when it is being closed already."""
        level = logging.INFO if code in LOUD else logging.DEBUG
        if logger.isEnabledFor(level) and not self._sink.closing:
            room = self._room.key if self._room is not None else self._asked
            logger.log(
                level, "client closed client=%012x room=%s code=%s seconds=%.1f unsent_bytes=%d",
                self.number, room, code, self._seconds, self._sink.unsent_bytes,
            )  # fmt: skip
