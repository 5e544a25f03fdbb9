"""Where "these bytes go to that client" is: the portable way, for any ASGI server.

A queue, and one loop that awaits `send` for what is in it. What the server has taken over is out of sight here; it
stops taking when its own buffer is full.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.close_codes import OUTCOMES, Code, close_reason
from gateway.frames import Encoding, Frame, control, plain
from gateway.subscriber import Outlet, Place, Sink
from shared import metrics
from shared.cursor import Cursor

logger = logging.getLogger(__name__)

FLUSH_S = 5.0  # for what is queued before an ordinary close
SLOW_BYTES = 64 * 1024  # that wait here; by the wire a transport is full then
LAST_WORDS_S = 1.0  # for the closing frame of a client that does not read: mostly it cannot be written


class QueueSink(ABC):
    """One client's queue towards its server.

    Args:
        slow: this sink is among them from when `SLOW_BYTES` wait until none do.

    Attributes:
        sent: the newest place in the log of which a frame was handed to the server, of frames with no other `Place`.
    """

    outlet: Outlet | None = None
    encoding: Encoding = staticmethod(plain)
    batch_bytes = 0  # frames are handed over together up to this size; by default each by itself

    def __init__(self, slow: set[Sink]) -> None:
        self.sent: Cursor | None = None
        self._slow = slow
        self._queue: deque[tuple[float, Frame, Place]] = deque()
        self._unsent_bytes = 0
        self._news = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._close: tuple[int, str] | None = None
        self._gone = False
        self._limit_s: float | None = None
        self._deadline: asyncio.Timeout | None = None

    @property
    def unsent_bytes(self) -> int:
        return self._unsent_bytes

    def unsent_for_s(self, now: float) -> float:
        return now - self._queue[0][0] if self._queue else 0.0

    @property
    def closing(self) -> bool:
        """Whether nothing more is taken over."""
        return self._gone or self._close is not None

    def write(self, frames: Iterable[Frame], place: Place | None = None) -> None:
        if self.closing:
            return
        now = time.monotonic()
        for frame in frames:
            self._queue.append((now, frame, place or self))
            self._unsent_bytes += frame.size
        if self._unsent_bytes >= SLOW_BYTES:
            self._slow.add(self)
        self._drained.clear()
        self._news.set()

    def close(self, code: Code, last_words: str = "", *, since: Cursor | None = None) -> None:
        """Close after what is queued."""
        self._finish(code, last_words, since, FLUSH_S)

    def abort(self, code: Code, last_words: str = "", *, since: Cursor | None = None) -> None:
        """Close without what is queued."""
        if not self.closing:
            self._queue.clear()
            self._unsent_bytes = 0
        self._finish(code, last_words, since, LAST_WORDS_S)

    def gone(self) -> None:
        """The client is not there any more."""
        self._gone = True
        self._news.set()

    async def drained(self) -> None:
        """Wait until all was handed to the server, or nothing more will be."""
        await self._drained.wait()

    async def run(self, reading: Coroutine[object, object, None] | None = None) -> None:
        """Read, and send until the close is sent or the client is gone. Never raises because of the client."""
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(reading) if reading is not None else None
            await self._send()
            if reader is not None:
                reader.cancel()

    async def _send(self) -> None:
        try:
            async with asyncio.timeout(self._limit_s) as self._deadline:
                while not self._gone:
                    if self._queue:
                        await self._send_next()
                    elif self._close is not None:
                        await self._send_close(*self._close)
                        return
                    else:
                        self._drained.set()
                        self._slow.discard(self)
                        self._news.clear()
                        await self._news.wait()
        except TimeoutError:
            logger.debug("client did not take its last frames")
        except (WebSocketDisconnect, RuntimeError, OSError):
            # Closed by the client while we sent: each server and Starlette have their own way to say so.
            logger.debug("client left while it was sent to")
        finally:
            self._gone = True
            self._slow.discard(self)
            self._deadline = None
            self._drained.set()

    async def _send_next(self) -> None:
        batch: list[tuple[float, Frame, Place]] = []
        size = 0
        for entry in self._queue:
            batch.append(entry)
            size += entry[1].size
            if size > self.batch_bytes:
                break
        await self._send_frames([frame for _, frame, _ in batch])
        for entry in batch:
            _, frame, place = entry
            if self._queue and self._queue[0] is entry:  # not thrown away by an abort meanwhile
                self._queue.popleft()
                self._unsent_bytes -= frame.size
            if frame.cursor is not None:
                place.sent = frame.cursor

    @abstractmethod
    async def _send_frames(self, frames: Sequence[Frame]) -> None:
        """Hand frames to the server."""

    @abstractmethod
    async def _send_close(self, code: int, reason: str) -> None:
        """Hand the close to the server."""

    def _finish(self, code: Code, last_words: str, since: Cursor | None, within_s: float) -> None:
        if self.closing:
            return
        if last_words:
            self.write([control(last_words)])
        metrics.CLOSES.labels(code).inc()
        self._close = (OUTCOMES[code].close or 1000, close_reason(code, since))
        self._news.set()
        self._limit_s = within_s
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + within_s)


class PortableSink(QueueSink):
    """The queue towards a socket.

    Args:
        websocket: the client.
        slow: see `QueueSink`.
    """

    def __init__(self, websocket: WebSocket, slow: set[Sink]) -> None:
        super().__init__(slow)
        self._websocket = websocket

    async def _send_frames(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            await self._websocket.send_text(frame.text)

    async def _send_close(self, code: int, reason: str) -> None:
        await self._websocket.close(code, reason)
