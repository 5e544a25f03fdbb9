"""The demand for one room, for as long as somebody here wants it: told, kept up, and why nobody meets it.

Whoever takes the room takes the demand back when there is nothing to want any more; then it is told anew when the
room's rest is over.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from gateway.close_codes import Code
from shared.demand import Demand
from shared.errors import BrokerUnavailable
from shared.room import RoomKey

logger = logging.getLogger(__name__)

RETRY_S = 1.0  # after Redis could not be told


class StandingDemand:
    """The demand of this gateway's clients for one room. Methods do not wait: Redis is told beside the rest.

    Attributes:
        wanted: it stands.

    Args:
        key: the room.
        demand: where it is told.
        tasks: where the telling runs.
        wants_raw: whether some client wants `raw` events now.
        waits: whether some client stays while the room is not live.
        idle_timeout_s: how long it lives untold.
        untaken_after_s: how long to wait for somebody to take the room, before asking why.
    """

    def __init__(
        self,
        key: RoomKey,
        demand: Demand,
        tasks: asyncio.TaskGroup,
        *,
        wants_raw: Callable[[], bool],
        waits: Callable[[], bool],
        idle_timeout_s: float,
        untaken_after_s: float,
    ) -> None:
        self.wanted = False
        self._key = key
        self._demand = demand
        self._tasks = tasks
        self._wants_raw = wants_raw
        self._waits = waits
        self._refresh_s = idle_timeout_s / 4
        self._untaken_after_s = untaken_after_s
        self._announced = False
        self._failing = False
        self._announced_at = self._due = float("inf")
        self._untaken: Code | None = None
        self._why_due = float("-inf")
        self._errands: set[asyncio.Task[None]] = set()

    def stand(self, now: float) -> None:
        """A client was admitted: from here on it is kept up, until `lapse`."""
        if not self.wanted:
            self.wanted = True
            self._due = self._announced_at = now

    def lapse(self) -> None:
        """The last client left: the room's idle time begins now."""
        if self.wanted and self._announced:
            self._run(partial(self._demand.refresh, self._key))
        self.wanted = self._announced = False

    def taken_back(self, until: float) -> None:
        """The room rests until then. Who still waits asks anew."""
        self._announced = False
        self._due = self._announced_at = until

    def ask_raw(self) -> None:
        """A client that wants `raw` events has come."""
        self._run(partial(self._demand.want_raw, self._key))

    def ask_wait(self) -> None:
        """A client that stays while the room is not live has come."""
        self._run(partial(self._demand.want_wait, self._key))

    def keep_up(self, now: float) -> None:
        """Tell it again when it is time."""
        if now >= self._due:
            self._due = now + self._refresh_s
            self._run(self._tell)

    def doubt(self, now: float) -> None:
        """Perhaps Redis forgot the demand, and the holder gave the room up."""
        if self._announced:
            self._due = now

    def excuse(self, now: float) -> None:
        """Nobody could be heard until now: whoever may take the room has all the time for it."""
        self._announced_at = now

    def why_untaken(self, heard_at: float, now: float) -> Code | None:
        """Why nobody has taken the room for so long; None when it was not so long, or while that is being found out.

        Args:
            heard_at: when its holder last gave a sign of life.
            now: the time, monotonic.
        """
        if now - max(heard_at, self._announced_at) <= self._untaken_after_s:
            return None
        if now >= self._why_due:
            self._why_due = now + self._untaken_after_s
            self._run(self._find_out_why)
        return self._untaken

    def met(self) -> bool:
        """The room's holder gave a sign of life. Whether that is news: the room was said to be untaken."""
        news, self._untaken = self._untaken is not None, None
        return news

    def cancel(self) -> None:
        """The room is not used any more."""
        for errand in self._errands:
            errand.cancel()

    async def _tell(self) -> None:
        if self._wants_raw():
            await self._demand.want_raw(self._key)
        if self._waits():
            await self._demand.want_wait(self._key)
        if self._announced:
            await self._demand.refresh(self._key)
        else:
            await self._demand.announce(self._key)
            self._announced = self.wanted
            self._announced_at = time.monotonic()
        self._failing = False

    async def _find_out_why(self) -> None:
        if self._failing:
            self._untaken = Code.UNAVAILABLE  # nobody can know of it
            return
        if await self._demand.is_held(self._key):
            self._untaken = None  # its holder cannot make himself heard: Redis is full, and takes nothing
            return
        ingestors = await self._demand.members("ingestor")
        all_full = bool(ingestors) and all(_is_full(ingestor.load) for ingestor in ingestors)
        self._untaken = Code.NO_CAPACITY if all_full else Code.NO_INGESTOR

    def _run(self, errand: Callable[[], Awaitable[None]]) -> None:
        """Run something short beside the rest; a failure is made good by the next `keep_up`."""
        task = self._tasks.create_task(self._guard(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _guard(self, errand: Callable[[], Awaitable[None]]) -> None:
        try:
            await errand()
        except BrokerUnavailable as error:
            logger.debug("demand not told room=%s: %s", self._key, error)
            self._failing = True
            if self.wanted:
                self._due = min(self._due, time.monotonic() + RETRY_S)
        except Exception:
            logger.exception("demand failed room=%s", self._key)


def _is_full(load: Mapping[str, str]) -> bool:
    try:
        return int(load["rooms"]) >= int(load["max_rooms"])
    except (KeyError, ValueError):
        return False
