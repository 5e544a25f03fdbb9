"""One room in this gateway: its channel, its log, its phase, the demand for it, and who listens.

Entries come from the channel in the log's order. Whenever an id shows that something is missing, or the channel was
silent or cut, the log is read; meanwhile the channel's messages wait. All of that is done by one worker at a time, so
that nothing is entered out of order, and everything is entered through `Tail.enter`.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from gateway.close_codes import Code
from gateway.frames import Delivery
from gateway.front import CHANGED_BY, Front
from gateway.hub import Hub
from gateway.settings import GatewaySettings
from gateway.subscriber import Subscriber
from gateway.tail import RING_MAX, RING_MAX_BYTES, Tail, Verdict
from shared import metrics
from shared.backoff import Backoff
from shared.broker import PAGE_ENTRIES, Broker, Entry
from shared.channels import Channels
from shared.cursor import Cursor
from shared.demand import Demand
from shared.errors import BadRoom, BrokerUnavailable
from shared.phases import RESTING, Phase, RoomPhase
from shared.platforms import is_name
from shared.room import RoomKey

logger = logging.getLogger(__name__)

INBOX_MAX = 1000  # messages that wait for a read; past it they are dropped, and the read is made again
RETRY = Backoff(base_s=0.2, cap_s=5.0)


def now_ms() -> int:
    """The time, ms since 1970."""
    return time.time_ns() // 1_000_000


class Member(Protocol):
    """A client attached to a room. Nothing here waits or raises."""

    @property
    def subscriber(self) -> Subscriber:
        """Its place in the fan-out."""

    def on_phase(self, room: "Room") -> None:
        """The room's phase is new, or has to be told again."""

    def on_target(self, name: "Room") -> None:
        """The name points to another room."""

    def on_unavailable(self) -> None:
        """Redis is away."""

    def on_untaken(self, room: "Room", code: Code) -> None:
        """Nobody has taken the room, for the reason given."""

    def dismiss(self, code: Code) -> None:
        """The client is to be closed at once."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What rooms need to reach the rest of the cluster; `tasks` is where their work runs."""

    broker: Broker
    channels: Channels
    demand: Demand
    tasks: asyncio.TaskGroup
    settings: GatewaySettings


class Room:
    """A room, or a name that points to one, with at least one client here now or a moment ago.

    Attributes:
        members: everybody attached, also those who wait or catch up.
        hub: those among them who get events as they come.
        front: what newcomers are told of it.
        started: set when the channel is subscribed and the log's end and the phase are known.
        phase: the latest known; None when nobody runs the room.
        target: of a name: the room it points to.
        wanted: a client was admitted, so the room's demand is kept up.
    """

    def __init__(self, key: RoomKey, cluster: Cluster) -> None:
        self.key = key
        self.is_name = is_name(key)
        self.settings = cluster.settings
        self.members: dict[Subscriber, Member] = {}
        self.hub = Hub()
        self.tail = Tail(key)
        self.front = Front(key)
        self.started = asyncio.Event()
        self.phase: RoomPhase | None = None
        self.target: RoomKey | None = None
        self.wanted = False
        self.empty_since = time.monotonic()

        self._cluster = cluster
        self._silence_s = 2 * self.settings.lease_ttl_s / 3  # two missing heartbeats
        self._refresh_s = self.settings.idle_timeout_s / 4

        self._worker: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._inbox: deque[Entry | RoomPhase | Cursor] = deque()
        self._covered = 0  # so many at its head are older than the last read
        self._heal_wanted = self._state_wanted = True
        self._subscribed = self._unavailable = False

        self._heard_at = self._read_at = self._announced_at = time.monotonic()
        self._demand_due = float("inf")
        self._announced = False
        self._untaken: Code | None = None
        self._why_due = float("-inf")
        self._errands: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        phase = self.phase.phase if self.phase else None
        return f"<Room {self.key} phase={phase} last={self.tail.last} members={len(self.members)}>"

    # --- clients -----------------------------------------------------------------------------------------------------

    def attach(self, member: Member) -> None:
        """Somebody wants to be here."""
        self.members[member.subscriber] = member
        if not self._cluster.channels.up:
            self._unavailable = True
        if self._unavailable:
            member.on_unavailable()
        self._work()

    def detach(self, member: Member) -> None:
        """Somebody left; no error when it was not here."""
        self.hub.remove(member.subscriber)
        if self.members.pop(member.subscriber, None) is None or self.members:
            return
        self.empty_since = time.monotonic()
        if self.wanted and self._announced:
            self._run_errand(partial(self._cluster.demand.refresh, self.key))  # the idle time begins now
        self.wanted = self._announced = False

    @property
    def rests(self) -> bool:
        """Whether the room is left alone for now; its phase says why."""
        return self.phase is not None and self.phase.rests(now_ms())

    @property
    def taken(self) -> bool:
        """Whether somebody holds the room, as far as is known."""
        return self.phase is not None and self.phase.phase not in RESTING

    def want(self) -> None:
        """Keep up the demand from here on, for as long as there are members and the room does not rest."""
        if not self.wanted:
            self.wanted = True
            self._demand_due = self._announced_at = time.monotonic()
            self.tick(self._demand_due)

    def ask_raw(self) -> None:
        """A client that wants `raw` events has come."""
        self._run_errand(partial(self._cluster.demand.want_raw, self.key))

    async def heal(self) -> None:
        """Read what the log has beyond the place reached; returns when that is entered."""
        self._heal_wanted = True
        self._settled.clear()
        self._work()
        await self._settled.wait()

    # --- the channel -------------------------------------------------------------------------------------------------

    def on_entry(self, entry: Entry) -> None:
        """An entry, or a marker, came in."""
        self._heard()
        if self._worker is None:
            verdict = self.tail.judge(entry)
            if verdict is Verdict.NEXT:
                self._enter([entry])
            if verdict in (Verdict.NEXT, Verdict.DOUBLE):
                return
        self._take_in(entry)

    def on_alive(self, last: Cursor) -> None:
        """The holder is there, and `last` is the log's last id."""
        self._heard()
        if not self.taken:
            self._state_wanted = True  # its phase was told before we listened, or while its lease had lapsed
        if self._worker is not None or self._state_wanted or last != self.tail.last:
            self._take_in(last)

    def on_phase(self, phase: RoomPhase) -> None:
        """The holder told a phase."""
        if phase.phase not in RESTING:
            self._heard()
        if phase.phase is Phase.ENDED and self._worker is None:
            self._heal_wanted = True  # whatever came before the end is told before the end
        if self._worker is not None or self._heal_wanted:
            self._take_in(phase)
        else:
            self._enter_phase(phase)

    def on_resubscribed(self) -> None:
        """Messages may have been lost, entries and phases alike."""
        self._heal_wanted = self._state_wanted = True
        self._work()

    def on_link(self, up: bool) -> None:
        """Nothing comes in any more; or it does again, and then what was missed is read."""
        if up:
            self._state_wanted = True
            self._work()
        else:
            self._tell_unavailable()

    def _heard(self) -> None:
        self._heard_at = time.monotonic()
        if self._untaken is not None:
            self._untaken = None
            self._tell_phase()

    def _take_in(self, item: Entry | RoomPhase | Cursor) -> None:
        if len(self._inbox) >= INBOX_MAX:
            self._inbox.clear()
            self._covered = 0
            self._heal_wanted = self._state_wanted = True
        self._inbox.append(item)
        self._work()

    # --- the worker --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        if self._worker is None:
            self._worker = self._cluster.tasks.create_task(self._run(), name=f"room {self.key}")

    async def _run(self) -> None:
        """Do what is to be done, until nothing is; what fails is done again after a pause."""
        attempt = 0
        while self._heal_wanted or self._state_wanted or self._inbox:
            try:
                await self._catch_up()
                attempt = 0
                continue
            except BrokerUnavailable as error:
                logger.debug("room cannot be read room=%s: %s", self.key, error)
            except Exception:
                logger.exception("room worker failed room=%s", self.key)
            self._heal_wanted = self._state_wanted = True
            self._tell_unavailable()
            await asyncio.sleep(RETRY.delay_s(attempt, random.random))
            attempt += 1
        self._worker = None
        self._settled.set()

    async def _catch_up(self) -> None:
        if not self._subscribed:
            await self._cluster.channels.subscribe(self.key)
            self._subscribed = True
        if self._heal_wanted:
            self._heal_wanted = False
            self._covered = len(self._inbox)  # a read made from here on holds these, and all before them
            await self._read_log()
        if self._state_wanted:
            self._state_wanted = False
            await self._read_state()
        self.started.set()
        if self._unavailable and self._cluster.channels.up:
            self._unavailable = False
            self._tell_phase()
        await self._empty_inbox()

    async def _empty_inbox(self) -> None:
        while self._inbox and not self._heal_wanted:
            item = self._inbox.popleft()
            covered = self._covered > 0
            self._covered -= 1
            if isinstance(item, RoomPhase):
                self._enter_phase(item)
            elif isinstance(item, Cursor):
                self._heal_wanted = item != self.tail.last and not covered
            else:
                verdict = self.tail.judge(item)
                if verdict is Verdict.AHEAD and not covered:
                    self._inbox.appendleft(item)
                    self._heal_wanted = True
                elif verdict is not Verdict.BEHIND or await self._is_rewound():
                    self._enter([item])

    async def _is_rewound(self) -> bool:
        newest = await self._cluster.broker.last_id(self.key)
        return newest is None or (self.tail.last is not None and newest < self.tail.last)

    async def _read_log(self) -> None:
        broker, tail = self._cluster.broker, self.tail
        self._read_at = time.monotonic()
        if tail.last is None:
            entries = await broker.tail(self.key, RING_MAX, RING_MAX_BYTES)
            tail.begin(entries, None if entries else await broker.last_id(self.key))
            return
        after = tail.last
        while True:
            page = await broker.page(self.key, after)
            if page:
                self._enter(page)
                after = page[-1].cursor
                if len(page) < PAGE_ENTRIES:
                    return
            elif tail.found_nothing(newest := await broker.last_id(self.key)):
                return
            elif newest is not None and not await broker.page(self.key, after):
                tail.skip_to(newest)  # written after our read, and trimmed to nothing again
                return

    async def _read_state(self) -> None:
        if self.is_name and self.target is None:
            self.target = await self._cluster.demand.target(self.key)
        state = await self._cluster.broker.state(self.key)
        phase = state.phase
        if phase is None or (phase.phase not in RESTING and not state.holder):
            return  # left by a holder that released the room, or died
        if phase.phase is Phase.TARGET or phase == self.phase:
            return
        told = [item for item in self._inbox if isinstance(item, RoomPhase)]
        if phase not in told:  # it is about to be told, after those before it
            self._enter_phase(phase)

    def _enter(self, entries: Sequence[Entry]) -> None:
        if any(entry.type in CHANGED_BY for entry in entries):
            self.front.forget()
        deliveries = [delivery for entry in entries if (delivery := self.tail.enter(entry)) is not None]
        if deliveries and len(self.hub):
            self._deliver(deliveries)

    def _deliver(self, deliveries: list[Delivery]) -> None:
        frames, size, failed = self.hub.fan_out(deliveries, time.monotonic())
        metrics.GAPS.inc(sum(not frame.type for delivery in deliveries for frame in delivery.frames))
        metrics.DELIVERIES.inc(frames)
        metrics.DELIVERED_BYTES.inc(size)
        for subscriber, code in failed.items():
            if (member := self.members.get(subscriber)) is not None:
                member.dismiss(code)

    # --- phases ------------------------------------------------------------------------------------------------------

    def _enter_phase(self, phase: RoomPhase) -> None:
        self.phase = phase
        self.front.forget()
        if phase.phase in RESTING:
            # Its holder took the demand back. Who still waits asks anew when the rest is over.
            self._announced = False
            self._demand_due = time.monotonic() + max(0, phase.retry_at - now_ms()) / 1000
        if phase.phase is Phase.TARGET:
            self._point_to(phase.target)
        self._tell_phase()

    def _point_to(self, target: str) -> None:
        try:
            self.target = RoomKey(self.key.platform, target)
        except BadRoom:
            logger.warning("name points to no room name=%s", self.key)
            return
        for member in list(self.members.values()):
            member.on_target(self)

    def _tell_phase(self) -> None:
        for member in list(self.members.values()):
            member.on_phase(self)

    def _tell_unavailable(self) -> None:
        self._unavailable = True
        for member in list(self.members.values()):
            member.on_unavailable()

    # --- as time passes ----------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Do what is due: tell what was shed, keep the demand up, look for a holder that fell silent."""
        for subscriber in self.hub:
            for event_type, count in subscriber.tell_dropped(self.key, now).items():
                metrics.SHED.labels(event_type).inc(count)
        if not self.wanted or self.rests:
            return
        if now >= self._demand_due:
            self._demand_due = now + self._refresh_s
            self._run_errand(self._keep_wanted)
        if self._unavailable or not self._cluster.channels.up:
            self._announced_at = now  # nobody can be heard
            return
        if self.taken and now - max(self._heard_at, self._read_at) > self._silence_s:
            self._read_at = now
            self.on_resubscribed()
        if now - max(self._heard_at, self._announced_at) > self.settings.untaken_after_s:
            if now >= self._why_due:
                self._why_due = now + self.settings.untaken_after_s
                self._run_errand(self._find_out_why)
            if self._untaken is not None:
                for member in list(self.members.values()):
                    member.on_untaken(self, self._untaken)

    async def aclose(self) -> None:
        """Leave the channel; the room is not used any more."""
        for task in (self._worker, *self._errands):
            if task is not None:
                task.cancel()
        await self._cluster.channels.unsubscribe(self.key)

    async def _keep_wanted(self) -> None:
        demand = self._cluster.demand
        if any(subscriber.wanted.wants_raw for subscriber in self.members):
            await demand.want_raw(self.key)
        if self._announced:
            await demand.refresh(self.key)
        else:
            await demand.announce(self.key)
            self._announced = self.wanted
            self._announced_at = time.monotonic()

    async def _find_out_why(self) -> None:
        ingestors = await self._cluster.demand.members("ingestor")
        all_full = bool(ingestors) and all(_is_full(ingestor.load) for ingestor in ingestors)
        self._untaken = Code.NO_CAPACITY if all_full else Code.NO_INGESTOR

    def _run_errand(self, errand: Callable[[], Awaitable[None]]) -> None:
        """Run something short beside the rest; a failure is made good by the next tick."""
        task = self._cluster.tasks.create_task(self._guard(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _guard(self, errand: Callable[[], Awaitable[None]]) -> None:
        try:
            await errand()
        except BrokerUnavailable as error:
            logger.debug("errand failed room=%s: %s", self.key, error)
            if self.wanted:
                self._demand_due = min(self._demand_due, time.monotonic() + 1)
        except Exception:
            logger.exception("errand failed room=%s", self.key)


def _is_full(load: Mapping[str, str]) -> bool:
    try:
        return int(load["rooms"]) >= int(load["max_rooms"])
    except (KeyError, ValueError):
        return False
