"""How a room's entries and phases come in: from its channel, and from its log wherever the channel is not enough.

Entries come from the channel in the log's order. Whenever an id shows that something is missing, or the channel was
silent or cut, the log is read; meanwhile the channel's messages wait. All of that is done by one worker at a time, so
that nothing is entered out of order.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.flusher import Flusher
from gateway.settings import GatewaySettings
from gateway.tail import AHEAD, BEGINNING, BEHIND, DOUBLE, NEXT, RING_MAX, RING_MAX_BYTES, Tail
from shared import metrics
from shared.backoff import Backoff
from shared.broker import PAGE_ENTRIES, Broker, Entry
from shared.channels import Channels
from shared.cursor import Cursor
from shared.demand import Demand
from shared.errors import BrokerUnavailable
from shared.phases import RESTING, Phase, RoomPhase
from shared.platforms import is_name
from shared.room import RoomKey

logger = logging.getLogger(__name__)

INBOX_MAX = 1000  # messages that wait for a read; past it they are dropped, and the read is made again
RETRY = Backoff(base_s=0.2, cap_s=5.0)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What rooms need to reach the rest of the cluster, and their clients; `tasks` is where their work runs."""

    broker: Broker
    channels: Channels
    demand: Demand
    tasks: asyncio.TaskGroup
    settings: GatewaySettings
    flusher: Flusher


class Reader(Protocol):
    """Who is given what comes in. Nothing here waits or raises."""

    target: RoomKey | None
    """Of a name: the room it points to; set where it was not known."""

    @property
    def phase(self) -> RoomPhase | None:
        """The last one entered."""

    @property
    def taken(self) -> bool:
        """Whether somebody holds the room, as far as is known."""

    def enter(self, entries: Sequence[Entry]) -> None:
        """Entries, in order; some may be doubles."""

    def on_moved(self) -> None:
        """A read moved the place reached, with or without entries."""

    def enter_phase(self, phase: RoomPhase) -> None:
        """A phase, in its place among the entries."""

    def on_heard(self) -> None:
        """The room's holder gave a sign of life."""

    def on_unavailable(self) -> None:
        """The log cannot be read, or the channel not be heard; may come several times."""

    def on_available(self) -> None:
        """All is well again, and what was missed is entered."""


class Feed:
    """What comes in of one room.

    Attributes:
        started: set when the channel is subscribed and the log's end and the phase are known.
        heard_at: when the holder last gave a sign of life, monotonic.

    Args:
        key: the room.
        tail: its log, as far as it was entered.
        cluster: where from.
        reader: who is given it.
    """

    def __init__(self, key: RoomKey, tail: Tail, cluster: Cluster, reader: Reader) -> None:
        self.started = asyncio.Event()
        self.heard_at = time.monotonic()
        self._key = key
        self._tail = tail
        self._cluster = cluster
        self._reader = reader
        self._silence_s = 2 * cluster.settings.lease_ttl_s / 3  # two missing heartbeats
        self._read_at = self.heard_at
        self._worker: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._failures = 0  # of the worker, in a row
        self._inbox: deque[Entry | RoomPhase | Cursor] = deque()
        self._covered = 0  # so many at its head are older than the last read
        self._log_due = self._state_due = True
        self._subscribed = self._failed = False
        self._missed = False  # the channel left something out, or may have: the next read tells

    @property
    def available(self) -> bool:
        """Whether the log can be read and the channel be heard, as far as is known."""
        return self._cluster.channels.up and not self._failed

    # --- what is asked of it -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Subscribe and read, unless that was done."""
        self._failed |= not self._cluster.channels.up
        self._work()

    async def heal(self) -> None:
        """Read what the log has beyond the place reached; returns when that is entered.

        Raises:
            BrokerUnavailable: it cannot be read now. It is as soon as it can, but that may take for ever.
        """
        self._log_due = True
        self._settled.clear()
        self._work()
        if not self._failures:
            await self._settled.wait()
        if self._failures:
            raise BrokerUnavailable("room not read")

    def doubt_silence(self, now: float) -> bool:
        """Read anew when the holder of a taken room was silent for too long; returns whether it was."""
        if now - max(self.heard_at, self._read_at) <= self._silence_s:
            return False
        self._read_at = now
        self.on_resubscribed()
        return True

    async def aclose(self) -> None:
        """Leave the channel; nothing comes in any more."""
        if self._worker is not None:
            self._worker.cancel()
        await self._cluster.channels.unsubscribe(self._key)

    # --- the channel -------------------------------------------------------------------------------------------------

    def on_entry(self, entry: Entry) -> None:
        """An entry, or a marker, came in."""
        self._heard()
        if self._worker is None:
            verdict = self._tail.judge(entry)
            if verdict is NEXT:
                self._reader.enter((entry,))
                return
            if verdict is DOUBLE:
                return
        self._take_in(entry)

    def on_alive(self, last: Cursor) -> None:
        """The holder is there, and `last` is the log's last id."""
        self._heard()
        if not self._reader.taken:
            self._state_due = True  # its phase was told before we listened, or while its lease had lapsed
        if self._worker is not None or self._state_due or last != self._tail.last:
            self._take_in(last)

    def on_phase(self, phase: RoomPhase) -> None:
        """The holder told a phase."""
        if phase.phase not in RESTING:
            self._heard()
        if phase.phase is Phase.ENDED and self._worker is None:
            self._log_due = True  # whatever came before the end is told before the end
        if self._worker is not None or self._log_due:
            self._take_in(phase)
        else:
            self._reader.enter_phase(phase)

    def on_resubscribed(self) -> None:
        """Messages may have been lost, entries and phases alike."""
        self._log_due = self._state_due = self._missed = True
        self._work()

    def on_link(self, up: bool) -> None:
        """Nothing comes in any more; or it does again, and then what was missed is read."""
        if up:
            self._state_due = True
            self._work()
        else:
            self._fail()

    def _heard(self) -> None:
        self.heard_at = time.monotonic()
        self._reader.on_heard()

    def _take_in(self, item: Entry | RoomPhase | Cursor) -> None:
        if len(self._inbox) >= INBOX_MAX:
            self._inbox.clear()
            self._covered = 0
            self._log_due = self._state_due = True
        self._inbox.append(item)
        self._work()

    # --- the worker --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        if self._worker is None:
            self._worker = self._cluster.tasks.create_task(self._run(), name=f"room {self._key}")

    async def _run(self) -> None:
        """Do what is to be done, until nothing is; what fails is done again after a pause."""
        while self._log_due or self._state_due or self._inbox:
            try:
                await self._catch_up()
                self._failures = 0
                continue
            except BrokerUnavailable as error:
                logger.debug("room not read room=%s: %s", self._key, error)
            except Exception:
                logger.exception("room worker failed room=%s", self._key)
            self._log_due = self._state_due = True
            self._fail()
            self._failures += 1
            self._settled.set()
            await asyncio.sleep(RETRY.delay_s(self._failures - 1, random.random))
        self._worker = None
        self._settled.set()

    def _fail(self) -> None:
        self._failed = True
        self._reader.on_unavailable()

    async def _catch_up(self) -> None:
        if not self._subscribed:
            await self._cluster.channels.subscribe(self._key)
            self._subscribed = True
        if self._log_due:
            self._log_due = False
            self._covered = len(self._inbox)  # a read made from here on holds these, and all before them
            begun, reached, losses = self._tail.begun, self._tail.last, self._tail.losses
            await self._read_log()
            if self._tail.last != reached:
                self._reader.on_moved()
                if self._missed and begun and self._tail.losses == losses:
                    metrics.GAPS.labels("healed").inc()
            self._missed &= self._log_due  # what was missed since the read began is brought by the next one
        if self._state_due:
            self._state_due = False
            await self._read_state()
        self.started.set()
        if self._failed and self._cluster.channels.up:
            self._failed = False
            self._reader.on_available()
        await self._empty_inbox()

    async def _empty_inbox(self) -> None:
        while self._inbox and not self._log_due:
            item = self._inbox.popleft()
            covered = self._covered > 0
            self._covered -= 1
            if isinstance(item, RoomPhase):
                self._reader.enter_phase(item)
            elif isinstance(item, Cursor):
                if item != self._tail.last and not covered:
                    self._log_due = self._missed = True
            else:
                verdict = self._tail.judge(item)
                if verdict is AHEAD and not covered:
                    self._inbox.appendleft(item)
                    self._log_due = self._missed = True
                elif verdict is not BEHIND or await self._is_rewound():
                    self._reader.enter([item])

    async def _is_rewound(self) -> bool:
        newest = await self._cluster.broker.last_id(self._key)
        return newest is None or (self._tail.last is not None and newest < self._tail.last)

    async def _read_log(self) -> None:
        broker, tail = self._cluster.broker, self._tail
        self._read_at = time.monotonic()
        if not tail.begun:
            entries = await broker.tail(self._key, RING_MAX, RING_MAX_BYTES)
            tail.begin(entries, None if entries else await broker.last_id(self._key))
            return
        after = tail.last or BEGINNING
        while True:
            page = await broker.page(self._key, after)
            if page:
                self._reader.enter(page)
                after = page[-1].cursor
                if len(page) < PAGE_ENTRIES:
                    return
            elif tail.found_nothing(newest := await broker.last_id(self._key)):
                return
            elif newest is not None and not await broker.page(self._key, after):
                tail.skip_to(newest)  # written after our read, and trimmed to nothing again
                return

    async def _read_state(self) -> None:
        if is_name(self._key) and self._reader.target is None:
            self._reader.target = await self._cluster.demand.target(self._key)
        state = await self._cluster.broker.state(self._key)
        phase = state.phase
        if phase is None or (phase.phase not in RESTING and not state.holder):
            return  # left by a holder that released the room, or died
        if phase.phase is Phase.TARGET or phase == self._reader.phase:
            return
        told = [item for item in self._inbox if isinstance(item, RoomPhase)]
        if phase not in told:  # it is about to be told, after those before it
            self._reader.enter_phase(phase)
