"""When what gathered in a room is written to its clients: at once where little happens, in batches where much does.

A write costs the kernel about the same whether it carries one event or ten, so what saves time is to write less often.
The first event after a pause goes out at the end of the loop's tick. Then the room rests, for a multiple of what the
flush took: a small room for microseconds, a large one until the bound. What a flush took is measured up to the next
tick, so that the lag of the loop counts, and the bytes do by the time they take. A long rest ends when enough has
gathered.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from gateway.variant import Flushed
from shared import metrics

logger = logging.getLogger(__name__)

REST_MAX = 9.0  # times what the last flush took: writing takes a tenth of a room's time
REST_MIN = 1.0  # the same where enough has gathered: half of its time
ENOUGH = 32  # events; when so many share one write, the bytes cost more than the writes
SLICE = 500  # clients written to before anything else in the process has its turn


class Flushable(Protocol):
    """A room, as it is flushed."""

    pace: "Pace"

    def flush(self, flushed: Flushed, budget: int, now: float) -> bool:
        """Write until `flushed` has about `budget` clients. Returns whether nothing is left to do."""

    @property
    def gathered(self) -> int:
        """Entries that wait for the next flush."""

    @property
    def owes(self) -> bool:
        """Whether there is something to be flushed."""


class Pace:
    """One room's rhythm.

    Attributes:
        took_s: what its flush took so far, all that happened meanwhile included.
        earliest: when the next flush may begin if enough has gathered, and
        latest: when it may in any case; monotonic.
        timer: of a flush that waits for its time.
        hurried: it waits for the earliest one.
        busy: a flush goes on, or is next.
    """

    __slots__ = ("busy", "earliest", "hurried", "latest", "timer", "took_s")

    def __init__(self) -> None:
        self.took_s = self.earliest = self.latest = 0.0
        self.timer: asyncio.TimerHandle | None = None
        self.hurried = self.busy = False

    def rest(self, now: float, bound_s: float) -> None:
        """The flush is over: set when the next one may begin.

        An event waits for the rest, and then for the flush itself: both together are kept within the bound.
        """
        longest = max(0.0, bound_s - self.took_s)
        self.latest = now + min(longest, REST_MAX * self.took_s)
        self.earliest = now + min(longest, REST_MIN * self.took_s)
        self.took_s = 0.0


class Flusher:
    """The flushes of all rooms of a process.

    Args:
        bound_s: how long an event may wait; 0: every event goes out at the end of its tick.
        clock: seconds; to be read within ticks, so not the loop's.
    """

    def __init__(self, bound_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._bound_s = bound_s
        self._clock = clock
        self._due: deque[Flushable] = deque()
        self._running = False
        self._flushed: list[tuple[Flushable, bool]] = []  # in the last tick, and whether completely
        self._began = 0.0

    def want(self, room: Flushable) -> None:
        """A room has something for its clients."""
        pace = room.pace
        if pace.busy or pace.hurried:
            return
        now = self._clock()
        enough = room.gathered >= ENOUGH
        begin = pace.earliest if enough else pace.latest
        if begin <= now:
            self._begin(room)
        elif enough or pace.timer is None:
            self.forget(room)
            pace.hurried = enough
            pace.timer = asyncio.get_running_loop().call_later(begin - now, self._begin, room)

    def forget(self, room: Flushable) -> None:
        """The room is closed, or waits no more."""
        pace = room.pace
        if pace.timer is not None:
            pace.timer.cancel()
            pace.timer = None
        pace.hurried = False

    def _begin(self, room: Flushable) -> None:
        self.forget(room)
        room.pace.busy = True
        self._due.append(room)
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        """One tick: measure what the last one took, then flush a slice."""
        now = self._clock()
        self._measure(now)
        self._began = now
        flushed = Flushed()
        while self._due and flushed.clients < SLICE:
            room = self._due.popleft()
            try:
                done = room.flush(flushed, SLICE, now)
            except Exception:
                logger.exception("flush failed room=%r", room)
                done = True
            self._flushed.append((room, done))
            if not done:
                self._due.append(room)  # behind the others: a small room does not wait for a large one
        if flushed.frames:
            metrics.DELIVERIES.inc(flushed.frames)
            metrics.DELIVERED_BYTES.inc(flushed.size)
        self._running = bool(self._flushed)
        if self._running:
            asyncio.get_running_loop().call_soon(self._run)

    def _measure(self, now: float) -> None:
        flushed, self._flushed = self._flushed, []
        for room, done in flushed:
            pace = room.pace
            pace.took_s += now - self._began
            if done:
                pace.rest(now, self._bound_s)
                pace.busy = False
                if room.owes:
                    self.want(room)
