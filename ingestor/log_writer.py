"""Everything that numbers, stores and announces the events of one held room is in this file.

One call to Redis is in flight at a time. A batch once sent is frozen: same offsets, same bytes, until its answer is
known; so a retry is stored once. What was lost, or might have been, never disappears quietly: a `gap` entry is stored
in its place. Nothing here knows how events come about.
"""

import asyncio
import contextlib
import itertools
import logging
import math
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ingestor.log_size import LogSize
from shared import metrics
from shared.backoff import Backoff
from shared.broker import Broker, Entry, Hole, PublishAnswer, Published
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable, LeaseLost, NotDone
from shared.events import ENTRY_MAX_BYTES, Event, Gap, encode, type_of
from shared.lease import Lease, Leases, Lost, NoLog, Released, Renewed, new_owner
from shared.phases import RoomPhase
from shared.room import RoomKey

logger = logging.getLogger(__name__)

BATCH_MAX_ENTRIES = 256  # a script holds everybody else up: about 2 ms for so many
BATCH_MAX_BYTES = 1024 * 1024
KEPT_MAX_BYTES = 1024 * 1024  # stored entries kept for refilling a Redis that went back in time
KEPT_MAX_ENTRIES = 1000
_RETRY = Backoff(base_s=0.05, cap_s=2)


class _Row(msgspec.Struct):
    """An entry of the log. `data` is its JSON under the number `offset`."""

    offset: int
    type: str
    received_ms: int
    data: bytes


class _Event(_Row):
    """An event on its way into the log, under its present number."""

    event: Event | Gap
    state: Mapping[str, str]


@dataclass(slots=True)
class _Telling:
    """A phase on its way to the gateways: told in its place among the events, but not part of the log."""

    phase: RoomPhase
    state: Mapping[str, str]


class LogWriter:
    """The one writer of a room's log, for as long as its lease can be proven.

    Args:
        broker, leases: the log and who may write it.
        lease: the room's lease, just acquired.
        tail: the newest entries of the log as it was found, for the count of its bytes.
        history_len, history_bytes: what the log may hold.
        buffer_bytes: what may wait here while Redis is away.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        broker: Broker,
        leases: Leases,
        lease: Lease,
        *,
        tail: Sequence[Entry],
        history_len: int,
        history_bytes: int,
        buffer_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker = broker
        self._leases = leases
        self._lease = lease
        self._clock = clock
        self._buffer_bytes = buffer_bytes
        self._log_size = LogSize(history_len, history_bytes)
        for entry in tail:
            self._log_size.add(entry.cursor, len(entry.data))
        self._call = asyncio.Lock()
        self._believed_until = clock() + leases.ttl_s
        self._next_offset = 1
        self._next_owner = ""  # while a new epoch is being begun: who asks for it
        self._acknowledged = _known_end(lease)
        self._waiting: deque[_Event | _Telling] = deque()
        self._waiting_bytes = 0  # of the frozen batch too
        self._shown_bytes = 0  # of these in the metric
        self._frozen: list[_Event] = []
        self._unanswered = False  # the frozen batch was sent, and what became of it is not known
        self._overflowed = False
        self._phase: RoomPhase | None = None  # the latest that was told, or is being told
        self._state: dict[str, str] = {}  # what else of the room's state is from here
        self._kept: deque[_Row] = deque()
        self._kept_bytes = 0
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    def __repr__(self) -> str:
        return f"<LogWriter {self.room} epoch={self.epoch} next={self._next_offset} waiting={self.waiting}>"

    @property
    def room(self) -> RoomKey:
        """The room written to."""
        return self._lease.room

    @property
    def epoch(self) -> int:
        """The present epoch; changes when the log has to be begun anew."""
        return self._lease.epoch

    @property
    def waiting(self) -> int:
        """Events and phases not yet known to be stored."""
        return len(self._waiting) + len(self._frozen)

    # --- taking in ---------------------------------------------------------------------------------------------------

    def add(self, event: Event | Gap, received_ms: int, state: Mapping[str, str] | None = None) -> None:
        """Take an event in; it is stored soon, in order. Never waits.

        Args:
            event: without cursor.
            received_ms: when its frame came in, ms since 1970.
            state: fields of the room's state that become true with this event; stored in the same step.
        """
        item = _Event(0, type_of(event), received_ms, b"", event, state or {})
        self._number(item)
        if len(item.data) > ENTRY_MAX_BYTES:
            self._next_offset -= 1
            metrics.EVENTS_OVERSIZED.inc()
            logger.warning(
                "event too large room=%s epoch=%d type=%s bytes=%d", self.room, self.epoch, item.type, len(item.data)
            )
            return
        self._waiting_bytes += len(item.data)
        self._take(item)
        if self._waiting_bytes > self._buffer_bytes:
            self._overflow()

    def add_gap(self, received_ms: int) -> None:
        """Announce that upstream events may be missing before whatever is added next."""
        epoch, offset = self._lease.epoch, self._next_offset
        after = Cursor(epoch, offset - 1) if offset > 1 or self._lease.prev is None else self._lease.prev
        gap = Gap(
            platform=self.room.platform,
            room=self.room.room,
            after=str(after),
            before=str(Cursor(epoch, offset + 1)),
            reason="upstream",
        )
        self.add(gap, received_ms)

    def tell(self, phase: RoomPhase, state: Mapping[str, str] | None = None) -> None:
        """Write the room's phase and tell the gateways, after all that was added before. Never waits."""
        self._take(_Telling(phase, state or {}))

    def _take(self, item: _Event | _Telling) -> None:
        self._waiting.append(item)
        self._settled.clear()
        self._wake.set()

    def _number(self, item: _Event) -> None:
        item.offset = self._next_offset
        item.data = encode(item.event, Cursor(self._lease.epoch, item.offset))
        self._next_offset += 1

    def _overflow(self) -> None:
        """Redis was away too long: drop what waits, and begin a new epoch, since the offsets are used up."""
        tellings = [item for item in self._waiting if isinstance(item, _Telling)]
        dropped = len(self._waiting) - len(tellings)
        metrics.EVENTS_DISCARDED.inc(dropped)
        logger.warning("buffer full room=%s epoch=%d dropped=%d", self.room, self.epoch, dropped)
        self._waiting = deque(tellings[-1:])
        self._waiting_bytes = sum(len(item.data) for item in self._frozen)
        self._overflowed = True

    # --- storing -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Store what is added, until cancelled.

        Raises:
            LeaseLost: the room is somebody else's now, or may be.
        """
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting or self._overflowed:
                    async with self._call:
                        await self._store_next()
                self._settled.set()
                self._show_waiting(self._waiting_bytes)
        finally:
            self._show_waiting(0)

    def hurry(self) -> None:
        """Redis may be there again: try at once what waits to be tried again."""
        self._hurry.set()

    async def drain(self) -> None:
        """Wait until all that was added is stored; `run` has to be running."""
        await self._settled.wait()

    async def _store_next(self) -> None:
        """Freeze the next batch, or take the next phase, and repeat until its fate is known."""
        telling = self._waiting[0] if self._waiting else None
        if isinstance(telling, _Telling):
            self._waiting.popleft()
            self._phase = telling.phase
            self._state.update(telling.state)
        else:
            self._freeze()
        try:
            await self._try_to_store(telling)
        except BrokerUnavailable as error:
            with self._stalled(error):
                await self._try_again_to_store(telling)

    async def _try_again_to_store(self, telling: _Event | _Telling | None) -> None:
        for attempt in itertools.count():
            await self._pause(_RETRY.delay_s(attempt, random.random))
            with contextlib.suppress(BrokerUnavailable):
                await self._try_to_store(telling)
                return

    async def _try_to_store(self, telling: _Event | _Telling | None) -> None:
        """Store the phase, or else the frozen batch, until its fate is known.

        Raises:
            LeaseLost, BrokerUnavailable: as `_publish_frozen`.
        """
        self._show_waiting(self._waiting_bytes)
        while True:
            if self._overflowed or self._next_owner:
                await self._begin_epoch()
            elif self._clock() > self._believed_until:
                await self._renew()
            if await (self._set_phase(telling) if isinstance(telling, _Telling) else self._publish_frozen()):
                return

    def _show_waiting(self, size: int) -> None:
        """Correct the metric's sum over all rooms; with each try to store, for with each event would cost more."""
        metrics.BUFFERED_BYTES.inc(size - self._shown_bytes)
        self._shown_bytes = size

    @contextlib.contextmanager
    def _stalled(self, error: BrokerUnavailable) -> Iterator[None]:
        """Tell that nothing is stored, and when it is again."""
        began_at = self._clock()
        logger.warning("storing failed room=%s epoch=%d waiting=%d: %s", self.room, self.epoch, self.waiting, error)
        with metrics.ROOMS_STALLED.track_inprogress():
            yield
        logger.info("storing again room=%s epoch=%d after_s=%.1f", self.room, self.epoch, self._clock() - began_at)

    async def _pause(self, delay_s: float) -> None:
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._hurry.wait()

    def _freeze(self) -> None:
        size = 0
        while self._waiting and len(self._frozen) < BATCH_MAX_ENTRIES:
            item = self._waiting[0]
            if isinstance(item, _Telling):
                break
            size += len(item.data)
            if self._frozen and size > BATCH_MAX_BYTES:
                break
            self._waiting.popleft()
            self._frozen.append(item)

    async def _set_phase(self, telling: _Telling) -> bool:
        """Tell a phase once. True when it is told.

        Raises:
            LeaseLost, BrokerUnavailable: as `_publish_frozen`.
        """
        if await self._broker.set_phase(self._lease, telling.phase, telling.state):
            return True
        await self._renew()
        return False

    async def _publish_frozen(self) -> bool:
        """Send the frozen batch once. True when its fate is known: it is stored, or numbered anew, or given up.

        Raises:
            LeaseLost: somebody else holds the room.
            BrokerUnavailable: the outcome is not known.
        """
        if not self._frozen:
            return True
        state: dict[str, str] = {}
        for item in self._frozen:
            state.update(item.state)
        try:
            answer = await self._publish(self._frozen, state)
        except NotDone:
            raise
        except BrokerUnavailable:
            self._unanswered = True
            raise
        match answer:
            case Published():
                self._state.update(state)
                self._settle()
                return True
            case Lost():
                # The lease may only have expired, with nobody else there: renewing finds out, and revives it.
                await self._renew()
            case Hole(last) if last.epoch == self.epoch and (missing := self._kept_after(last)) is not None:
                logger.warning(
                    "log went back room=%s epoch=%d to=%s refilled=%d", self.room, self.epoch, last, len(missing)
                )
                for start in range(0, len(missing), BATCH_MAX_ENTRIES):
                    await self._publish(missing[start : start + BATCH_MAX_ENTRIES], {})
            case Hole() | NoLog():
                await self._begin_epoch()
                return True
        return False

    async def _publish(self, items: Sequence[_Row], state: Mapping[str, str]) -> PublishAnswer:
        return await self._broker.publish(
            self._lease,
            items[0].offset,
            [(item.type, item.received_ms, item.data) for item in items],
            state=state,
            min_id=self._log_size.oldest_to_keep,
        )

    def _kept_after(self, last: Cursor) -> list[_Row] | None:
        """The stored entries from `last` to the frozen batch; None when one of them is no longer kept."""
        missing = [item for item in self._kept if item.offset > last.offset]
        return missing if len(missing) == self._frozen[0].offset - last.offset - 1 else None

    def _settle(self) -> None:
        """The frozen batch is in the log."""
        epoch = self.epoch
        for item in self._frozen:
            size = len(item.data)
            self._log_size.add(Cursor(epoch, item.offset), size)
            self._waiting_bytes -= size
            self._kept.append(_Row(item.offset, item.type, item.received_ms, item.data))
            self._kept_bytes += size
        for event_type, count in Counter([item.type for item in self._frozen]).items():
            metrics.EVENTS_PUBLISHED.labels(self.room.platform, event_type).inc(count)
        while self._kept_bytes > KEPT_MAX_BYTES or len(self._kept) > KEPT_MAX_ENTRIES:
            self._kept_bytes -= len(self._kept.popleft().data)
        metrics.PUBLISH_SECONDS.observe(max(0, now_ms() - self._frozen[0].received_ms) / 1000)
        self._acknowledged = Cursor(self.epoch, self._frozen[-1].offset)
        self._frozen.clear()
        self._unanswered = False

    # --- the lease ---------------------------------------------------------------------------------------------------

    async def renew(self) -> None:
        """Keep the lease.

        Raises:
            LeaseLost: somebody else has it.
            BrokerUnavailable: not known.
        """
        async with self._call:
            await self._renew()

    async def _renew(self) -> None:
        if self._next_owner:  # the lease may be that one's already
            await self._begin_epoch()
            return
        sent_at = self._clock()
        match await self._leases.renew(self._lease):
            case Renewed():
                self._believed_until = sent_at + self._leases.ttl_s
            case NoLog():
                await self._begin_epoch()
            case Lost() if sent_at > self._believed_until:
                raise LeaseLost(f"lease lost room={self.room}")
            case Lost():
                await self._begin_epoch()  # nobody else could take a lease that lives: Redis forgot it

    async def _begin_epoch(self) -> None:
        """Go on in a new epoch behind whatever the log still holds: Redis forgot something, or we dropped something.

        Events that were never sent are numbered anew. A batch without an answer is given up: it may be at clients
        already, and under new ids it would come twice. The gap entry stands for it. If the whole log is gone, so may be
        the room's state: it is told again.

        Raises:
            LeaseLost: somebody else was faster.
            BrokerUnavailable: not known; nothing has changed here.
        """
        old = self._lease
        # One owner for all tries: if an earlier one was executed, the next is answered as it was.
        self._next_owner = self._next_owner or new_owner(old.owner.partition("/")[0])
        sent_at = self._clock()
        lease = await self._leases.acquire(
            old.room, self._next_owner, need_demand=False, replaces=old.owner, floor=old.epoch
        )
        if not isinstance(lease, Lease):
            raise LeaseLost(f"lease taken room={self.room}")
        if lease.prev is not None and lease.prev.epoch > old.epoch:
            # Somebody had the room meanwhile, and what waits here may be told already.
            await self._leases.release(lease, only_if_idle=False, acknowledged=None)
            raise LeaseLost(f"lease taken, and left, room={self.room}")
        logger.warning("epoch begun room=%s epoch=%d after=%s", self.room, lease.epoch, lease.prev)
        self._lease = lease
        self._next_owner = ""
        self._believed_until = sent_at + self._leases.ttl_s
        given_up = self._unanswered or self._overflowed
        if given_up:
            metrics.EVENTS_DISCARDED.inc(len(self._frozen))
        survivors = [*(() if given_up else self._frozen), *self._waiting]
        self._frozen.clear()
        self._waiting.clear()
        self._kept.clear()
        self._kept_bytes = self._waiting_bytes = 0
        self._unanswered = self._overflowed = False
        self._next_offset = 1
        self._acknowledged = _known_end(lease)
        if lease.prev is None and self._phase is not None:
            # Not the upstream's position: it stands behind events that are in no log any more.
            self.tell(self._phase, {field: value for field, value in self._state.items() if field != "cursor"})
        self.add_gap(now_ms())
        for item in survivors:
            if isinstance(item, _Event):
                self._number(item)
                self._waiting_bytes += len(item.data)
            self._take(item)

    async def release(self, *, only_if_idle: bool) -> bool:
        """Give the room up. False when `only_if_idle` and somebody wants it again: it is still held.

        Raises:
            BrokerUnavailable: not known; the lease expires by itself.
        """
        async with self._call:
            released = await self._leases.release(
                self._lease, only_if_idle=only_if_idle, acknowledged=self._acknowledged
            )
            if released is Released.WANTED:
                return False
            self._believed_until = -math.inf  # a lease that is gone now was not forgotten
            return True


def _known_end(lease: Lease) -> Cursor | None:
    """The end of the log behind which nothing is missing, as far as the lease tells."""
    return Cursor(lease.epoch, 0) if lease.clean or lease.prev is None else lease.prev
