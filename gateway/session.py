"""One client's connection, from its first frame to its close: what does not depend on which rooms it is told of."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from random import getrandbits
from typing import ClassVar

from starlette.websockets import WebSocket

from gateway.admission import Admission, TokenBucket
from gateway.close_codes import Code
from gateway.event_stream import EventStream, StreamSink
from gateway.frames import Frame, control
from gateway.protocol import error_frame
from gateway.relay import Relay
from gateway.sink import PortableSink, QueueSink
from gateway.subscriber import Sink, Subscriber
from gateway.subscription import Subscription
from gateway.texts import Lang
from gateway.wire import EXTENSION
from gateway.wire_sink import WireSink
from shared import metrics
from shared.cursor import Cursor
from shared.room import RoomKey

logger = logging.getLogger(__name__)

Peer = WebSocket | EventStream
"""The client as its server shows it."""

FRAMES_BURST = 100  # client frames read at once, before the rate counts
LOUD = frozenset({Code.SLOW_CONSUMER, Code.INTERNAL})
"""Closes that are one client's own, and logged at INFO. Others close a whole room, or any stranger can ask for them."""


class Session:
    """One client. By itself it is in no room; see `gateway.single_room` and `gateway.many_rooms`.

    Attributes:
        number: what it is called in logs, there written in hexadecimal; no other client of the cluster has it.
        relay: where its rooms are.
        admission: whether it may start one.
        origin: on whose account.
        lang: of the texts it is told.
        sink: the way to its socket.
        many: whether it can be in several rooms, so that every frame has to say which it is about.
    """

    __slots__ = ("_came_at", "_peer", "_tasks", "admission", "lang", "number", "origin", "relay", "sink")

    many: ClassVar[bool] = False

    def __init__(self, relay: Relay, admission: Admission, peer: Peer, origin: str, lang: Lang) -> None:
        self.number = getrandbits(48)
        self.relay = relay
        self.admission = admission
        self.origin = origin
        self.lang = lang
        self._came_at = time.monotonic()
        self._peer = peer
        self.sink = self._open_sink(peer)
        self._tasks = asyncio.TaskGroup()

    def _open_sink(self, peer: Peer) -> QueueSink | WireSink:
        slow = self.relay.slow_sinks
        if isinstance(peer, EventStream):
            return StreamSink(peer, slow)
        wire = peer.scope.get("extensions", {}).get(EXTENSION)
        if wire is None:
            return PortableSink(peer, slow)
        return WireSink(wire, self, self.relay.settings.send_soft_bytes, slow)

    # --- from accept to close ----------------------------------------------------------------------------------------

    async def refuse(self, code: Code, *, detail: str = "") -> None:
        """Close an accepted socket with an error."""
        self._close_with_error(code, detail=detail)
        await self.sink.run()

    async def run(self) -> None:
        """Serve the client until it leaves or is closed."""
        logger.debug("client came client=%012x room=%s", self.number, self.place)
        try:
            async with self._tasks:
                self._begin()
                await self.sink.run(self.guard(self._read, self.fail))
                self._leave()
        finally:
            self._leave()  # also when this task was cancelled
            logger.debug("client left client=%012x room=%s seconds=%.1f", self.number, self.place, self._seconds)
            self._forget()

    def spawn(self, work: Callable[[], Awaitable[None]], failed: Callable[[Code], None]) -> asyncio.Task[None]:
        """Do something beside, for as long as the client is here at most."""
        return self._tasks.create_task(self.guard(work, failed))

    async def guard(self, work: Callable[[], Awaitable[None]], failed: Callable[[Code], None]) -> None:
        """A fault of ours ends what the client asked for, and disturbs no other."""
        try:
            await work()
        except Exception:
            logger.exception("session failed client=%012x room=%s", self.number, self.place)
            failed(Code.INTERNAL)

    # --- what its kind decides ---------------------------------------------------------------------------------------

    @property
    def subscriptions(self) -> Collection[Subscription]:
        """The rooms it is in, or on its way into."""
        return ()

    @property
    def subscribers(self) -> list[Subscriber]:
        """Its places in the fan-outs."""
        return [subscription.subscriber for subscription in self.subscriptions]

    def share(self) -> Sink:
        """The way to its socket, for one room."""
        return self.sink

    def holds(self, room: RoomKey, but: Subscription) -> bool:
        """Whether it is in this room already, by another subscription."""
        return False

    def on_joined(self, subscription: Subscription) -> None:
        """It gets the events of one of its rooms as they come from here on."""

    def on_end(self, subscription: Subscription, code: Code, since: Cursor | None = None) -> None:
        """One of its rooms is over for it; the frame that says so was told."""

    def _begin(self) -> None:
        """Tell the first frames, and go where it wants to be."""

    def _hear(self, frame: str | bytes) -> None:
        """Do what the client says."""

    def _forget(self) -> None:
        """Let go of the subscriptions, which know this client: the garbage collector would have to find them."""

    def _last_words(self, code: Code, places: Mapping[RoomKey, Cursor]) -> tuple[str, Cursor | None]:
        """The closing frame, and the place for the reason of the close."""
        raise NotImplementedError

    # --- what the client says ----------------------------------------------------------------------------------------

    async def _read(self) -> None:
        bucket = TokenBucket.full(self.relay.settings.client_frames_per_s, FRAMES_BURST, time.monotonic())
        while not self.sink.closing:
            message = await self._peer.receive()
            if message["type"] == "websocket.disconnect":
                self.sink.gone()
                return
            await asyncio.sleep(bucket.spend(time.monotonic()))  # what it sends on waits in its own socket
            text, data = message.get("text"), message.get("bytes")
            self._hear(text if text is not None else data or b"")

    # --- telling -----------------------------------------------------------------------------------------------------

    def tell(self, frame: str) -> None:
        """Say something that has no place among the events of a room."""
        self._write(control(frame))

    def _write(self, frame: Frame) -> None:
        if self.relay.settings.send_limits.exceeded_by(self.sink, time.monotonic()):
            self.give_up()
        else:
            self.sink.write([frame])

    def catch_up(self) -> None:
        """Write all that it is owed by its rooms, so that what is told next stands behind it."""
        now = time.monotonic()
        for subscriber in self.subscribers:
            if not subscriber.catch_up(now):
                return self.give_up()
        return None

    @property
    def _positions(self) -> dict[RoomKey, Cursor]:
        """Where it may resume, in the rooms whose events it gets as they come."""
        return {
            subscription.room.key: position
            for subscription in self.subscriptions
            if subscription.room is not None and (position := subscription.position) is not None
        }

    def _leave(self) -> None:
        for subscription in self.subscriptions:
            subscription.leave()

    # --- closing -----------------------------------------------------------------------------------------------------

    def close(self, code: Code) -> None:
        """Close with a closing frame, after all that is queued."""
        metrics.CLIENT_ERRORS.labels(code).inc()
        self.catch_up()
        words, since = self._last_words(code, self._positions)
        self._log_close(code)
        self.sink.close(code, words, since=since)
        self._leave()

    def give_up(self) -> None:
        """Close at once, without what is queued: the client reads too slowly."""
        if self.sink.closing:
            return
        code = Code.SLOW_CONSUMER
        metrics.CLIENT_ERRORS.labels(code).inc()
        sent = {
            subscription.room.key: place
            for subscription in self.subscriptions
            if subscription.room is not None and (place := subscription.sink.sent) is not None
        }
        words, since = self._last_words(code, sent)
        self._log_close(code)
        self.sink.abort(code, words, since=since)
        self._leave()

    def fail(self, code: Code) -> None:
        """Close with an error, after all that is queued."""
        if not self.sink.closing:
            self._close_with_error(code)

    def _close_with_error(self, code: Code, *, detail: str = "") -> None:
        metrics.CLIENT_ERRORS.labels(code).inc()
        self.catch_up()
        self.tell(self._error(code, detail))
        self._log_close(code)
        self.sink.close(code)
        self._leave()

    def _error(self, code: Code, detail: str) -> str:
        return error_frame(code, self.lang, detail=detail)

    # --- for operators -----------------------------------------------------------------------------------------------

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._came_at

    @property
    def place(self) -> object:
        """Where it is, for the log."""
        return None

    def _log_close(self, code: Code) -> None:
        """Log that the client is about to be closed; not again when it is being closed already."""
        level = logging.INFO if code in LOUD else logging.DEBUG
        if logger.isEnabledFor(level) and not self.sink.closing:
            logger.log(
                level, "client closed client=%012x room=%s code=%s seconds=%.1f unsent_bytes=%d",
                self.number, self.place, code, self._seconds, self.sink.unsent_bytes,
            )  # fmt: skip
