"""Where "these bytes go to that client" is, by the wire: ready-made frames, written to the transport.

As long as the client takes what it is sent nothing stands between. When its transport is full, what comes waits here,
where it can still be shed, counted, and thrown away.
"""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from typing import Protocol

from gateway.close_codes import OUTCOMES, Code, close_reason
from gateway.frames import Encoding, Frame, control, deflated, last_cursor, plain
from gateway.subscriber import Outlet, Place, Sink, Subscriber
from gateway.wire import Wire
from shared import metrics
from shared.cursor import Cursor

FULL_BYTES = 64 * 1024  # in the transport, above which a client is looked at before it is sent more
FLUSH_S = 5.0  # for what is queued before an ordinary close
LAST_WORDS_S = 1.0  # for the closing frame of a client that does not read: mostly it cannot be written


class Owner(Protocol):
    """The session whose client it is."""

    @property
    def subscribers(self) -> Sequence[Subscriber]:
        """Its places in rooms, all to be looked at when the client does not take what it is sent."""

    def close(self, code: Code) -> None:
        """Close the client in good order."""


class WireSink:
    """One client's way to its socket.

    Args:
        wire: the connection.
        owner: who is told.
        soft_bytes: unsent bytes from which on frames may be shed: the client must be looked at by then.
        slow: this sink is among them while its transport is full.

    Attributes:
        sent: the newest place in the log of which a frame was handed to the transport, as far as it came this way and
            was written with no other `Place`.
    """

    __slots__ = (
        *("_changed", "_close", "_full_at", "_gone", "_owner", "_queue", "_queued_bytes", "_slow"),
        *("_timer", "_wire"),
        "sent",
    )

    def __init__(self, wire: Wire, owner: Owner, soft_bytes: int, slow: set[Sink]) -> None:
        self.sent: Cursor | None = None
        self._wire = wire
        self._owner = owner
        self._slow = slow
        self._queue: deque[tuple[float, Frame, Place]] | None = None  # most clients never need one
        self._queued_bytes = 0
        self._full_at: float | None = None
        self._close: tuple[int, str] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._gone = False
        self._changed: asyncio.Event | None = None
        full_bytes = min(FULL_BYTES, soft_bytes // 2)  # from where on the past waits, see `gateway.replay`
        wire.transport.set_write_buffer_limits(full_bytes, full_bytes // 4)
        wire.listener = self

    # --- for the fan-out (`gateway.subscriber.Sink`) -----------------------------------------------------------------

    @property
    def outlet(self) -> Outlet | None:
        return None if self._full_at is not None or self.closing else self._wire.transport

    @property
    def encoding(self) -> Encoding:
        return deflated if self._wire.deflates else plain

    @property
    def unsent_bytes(self) -> int:
        return self._queued_bytes + (0 if self._gone else self._wire.transport.get_write_buffer_size())

    def unsent_for_s(self, now: float) -> float:
        if self._full_at is None:
            return 0.0  # it is not much, and a keepalive ping is behind it
        return now - (self._queue[0][0] if self._queue else self._full_at)

    def write(self, frames: Iterable[Frame], place: Place | None = None) -> None:
        if self.closing:
            return
        if self._full_at is None:
            written = list(frames)
            self._note(place or self, last_cursor(written))
            self._put(written)
            return
        if self._queue is None:
            self._queue = deque()
        now = time.monotonic()
        for frame in frames:
            self._queue.append((now, frame, place or self))
            self._queued_bytes += frame.size

    def _put(self, frames: list[Frame]) -> None:
        """Hand frames to the transport."""
        try:
            self._wire.transport.write(self.encoding(frames))
        except (RuntimeError, OSError):
            self.on_gone()  # uvloop raises for a connection that was closed a moment ago

    @staticmethod
    def _note(place: Place, cursor: Cursor | None) -> None:
        """A frame up to there is about to be handed over."""
        if cursor is not None:
            place.sent = cursor

    # --- for its session ---------------------------------------------------------------------------------------------

    @property
    def closing(self) -> bool:
        """Whether nothing more is taken over."""
        return self._gone or self._close is not None

    def close(self, code: Code, last_words: str = "", *, since: Cursor | None = None) -> None:
        """Close after what is queued."""
        if self.closing:
            return
        if last_words:
            self.write([control(last_words)])
        metrics.CLOSES.labels(code).inc()
        self._close = (OUTCOMES[code].close or 1000, close_reason(code, since))
        if self._full_at is None:
            self._wire.finish(*self._close)
        else:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._wire.reset)
        self._tell_changed()

    def abort(self, code: Code, last_words: str = "", *, since: Cursor | None = None) -> None:
        """Close without what is queued."""
        if self.closing:
            return
        self._forget_queue()
        if last_words:
            self._put([control(last_words)])
        metrics.CLOSES.labels(code).inc()
        self._close = (OUTCOMES[code].close or 1000, close_reason(code, since))
        self._wire.finish(*self._close, within_s=LAST_WORDS_S)
        self._tell_changed()

    def gone(self) -> None:
        """The client is not there any more."""
        self.on_gone()

    async def drained(self) -> None:
        """Wait until all was handed to the transport and that is not full, or nothing more will be."""
        while not self.closing and self._full_at is not None:
            await self._change()

    async def run(self, reading: Coroutine[object, object, None] | None = None) -> None:
        """Read until the client is gone, or a close was sent. Never raises because of the client."""
        if reading is not None:
            await reading
        while not self._gone:
            await self._change()

    # --- for the wire (`gateway.wire.Listener`) ----------------------------------------------------------------------

    def on_full(self) -> None:
        self._full_at = time.monotonic()
        self._slow.add(self)
        for subscriber in self._owner.subscribers:
            if subscriber.variant is not None:
                subscriber.variant.set_apart(subscriber)

    def on_free(self) -> None:
        self._full_at = None
        self._slow.discard(self)
        while self._queue and self._full_at is None and not self._gone:
            frames: list[Frame] = []
            size = 0
            while self._queue and size < FULL_BYTES:
                _, frame, place = self._queue.popleft()
                self._note(place, frame.cursor)
                frames.append(frame)
                size += frame.size
            self._queued_bytes -= size
            self._put(frames)
        if self._full_at is None and self._close is not None:
            self._wire.finish(*self._close)
        self._tell_changed()

    def on_shutdown(self) -> None:
        self._owner.close(Code.DRAINING)

    def on_gone(self) -> None:
        if self._gone:
            return
        self._gone = True
        self._slow.discard(self)
        self._forget_queue()
        if self._timer is not None:
            self._timer.cancel()
        for subscriber in self._owner.subscribers:
            if subscriber.variant is not None:
                subscriber.variant.remove(subscriber)  # at once: nothing may follow a close on the wire
        del self._owner  # which knows this sink: the garbage collector would have to find them
        self._tell_changed()

    def _forget_queue(self) -> None:
        self._queue = None
        self._queued_bytes = 0

    def _tell_changed(self) -> None:
        if self._changed is not None:
            self._changed.set()

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = asyncio.Event()
        self._changed.clear()
        await self._changed.wait()
