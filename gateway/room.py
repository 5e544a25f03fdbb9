"""One room in this gateway: who is here, what they are owed of its log, and which of its phases they are told.

`feed.py` brings entries and phases in, in order; every entry goes through `Room.enter`, and there through `Tail.enter`,
so that nothing is delivered twice.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.close_codes import Code
from gateway.feed import Cluster, Feed
from gateway.flusher import Pace
from gateway.frames import Delivery
from gateway.front import CHANGED_BY, TOLD_BY, Front
from gateway.hub import Hub
from gateway.standing_demand import StandingDemand
from gateway.subscriber import Subscriber
from gateway.tail import Tail
from gateway.variant import Flushed
from shared import metrics
from shared.broker import Entry
from shared.clock import now_ms
from shared.errors import BadRoom, BrokerUnavailable
from shared.phases import RESTING, Phase, RoomPhase
from shared.platforms import is_name
from shared.room import RoomKey

logger = logging.getLogger(__name__)


class Member(Protocol):
    """A client attached to a room. Nothing here waits or raises."""

    @property
    def subscriber(self) -> Subscriber:
        """Its place in the fan-out."""

    @property
    def waits(self) -> bool:
        """Whether it stays while the room is not live."""

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


class Room:
    """A room, or a name that points to one, with at least one client here now or a moment ago.

    Attributes:
        members: everybody attached, also those who wait or catch up.
        hub: those among them who get events as they come.
        pace: the rhythm in which they get them.
        tail: its log, as far as it was entered.
        feed: brings in what is entered.
        front: what newcomers are told of it.
        demand: of the members, told to the cluster.
        phase: the latest known; None when nobody runs the room.
        target: of a name: the room it points to.
        empty_since: when the last member left, monotonic.
    """

    def __init__(self, key: RoomKey, cluster: Cluster) -> None:
        settings = cluster.settings
        self.key = key
        self.is_name = is_name(key)
        self.settings = settings
        self.members: dict[Subscriber, Member] = {}
        self.hub = Hub()
        self.pace = Pace()
        self._cluster = cluster
        self._flusher = cluster.flusher
        self.tail = Tail(key)
        self.feed = Feed(key, self.tail, cluster, self)
        self.front = Front(key)
        self.demand = StandingDemand(
            key,
            cluster.demand,
            cluster.tasks,
            wants_raw=lambda: any(subscriber.wanted.wants_raw for subscriber in self.members),
            waits=lambda: any(member.waits for member in self.members.values()),
            idle_timeout_s=settings.idle_timeout_s,
            untaken_after_s=settings.untaken_after_s,
        )
        self.phase: RoomPhase | None = None
        self.target: RoomKey | None = None
        self.empty_since = time.monotonic()
        self._news: asyncio.Event | None = None

    def __repr__(self) -> str:
        phase = self.phase.phase if self.phase else None
        return f"<Room {self.key} phase={phase} last={self.tail.last} members={len(self.members)}>"

    @property
    def news(self) -> asyncio.Event:
        """Set, and replaced by another one, when the place reached is another one, or the phase is told."""
        if self._news is None:
            self._news = asyncio.Event()
        return self._news

    @property
    def rests(self) -> bool:
        """Whether the room is left alone for now; its phase says why."""
        return self.phase is not None and self.phase.rests(now_ms())

    @property
    def taken(self) -> bool:
        """Whether somebody holds the room, as far as is known."""
        return self.phase is not None and self.phase.phase not in RESTING

    # --- clients -----------------------------------------------------------------------------------------------------

    def attach(self, member: Member) -> None:
        """Somebody wants to be here."""
        if member.waits:
            self.demand.ask_wait()
        self.members[member.subscriber] = member
        self.feed.start()
        if not self.feed.available:
            member.on_unavailable()

    def detach(self, member: Member) -> None:
        """Somebody left; no error when it was not here."""
        self.hub.remove(member.subscriber)
        self.front.forgive(member.subscriber)
        if self.members.pop(member.subscriber, None) is not None and not self.members:
            self.empty_since = time.monotonic()
            self.demand.lapse()

    def want(self) -> None:
        """Keep up the demand from here on, for as long as there are members and the room does not rest."""
        if not self.demand.wanted:
            now = time.monotonic()
            self.demand.stand(now)
            self.tick(now)

    # --- what comes in (`gateway.feed.Reader`) -----------------------------------------------------------------------

    def enter(self, entries: Sequence[Entry]) -> None:
        """Deliver entries to all who get events as they come."""
        deliveries = []
        received_ms = 0
        for entry in entries:
            if entry.type in CHANGED_BY:
                self.front.forget()
                if entry.type == TOLD_BY:
                    self.front.told()
            elif entry.is_marker and entry.marker_prev is None:
                self.demand.doubt(time.monotonic())  # who lost the log before it may have lost the demand with it
            if (delivery := self.tail.enter(entry)) is not None:
                deliveries.append(delivery)
                received_ms = received_ms or entry.received_ms
        if not deliveries:
            return
        self._tell_news()
        self._deliver(deliveries, received_ms)

    def _deliver(self, deliveries: Sequence[Delivery], received_ms: int = 0) -> None:
        for delivery in deliveries:
            if delivery.frames and not delivery.frames[0].type:
                metrics.GAPS.labels("announced").inc()
        if self.hub.push(deliveries, received_ms):
            self._flusher.want(self)

    @property
    def gathered(self) -> int:
        """See `gateway.flusher.Flushable`."""
        return self.hub.gathered

    @property
    def owes(self) -> bool:
        """See `gateway.flusher.Flushable`."""
        return self.hub.owes

    def flush(self, flushed: Flushed, budget: int, now: float) -> bool:
        """See `gateway.flusher.Flushable`."""
        done = self.hub.flush(flushed, budget, now)
        if done and (since_ms := self.hub.flushed_since_ms):
            metrics.DELIVERY_SECONDS.observe(max(0, now_ms() - since_ms) / 1000)
        if flushed.failed:
            failed, flushed.failed = flushed.failed, {}
            self._dismiss(failed)
        return done

    def _dismiss(self, failed: Mapping[Subscriber, Code]) -> None:
        for subscriber, code in failed.items():
            if (member := self.members.get(subscriber)) is None:
                continue
            try:
                member.dismiss(code)
            except Exception:
                logger.exception("client not dismissed room=%s", self.key)

    def on_moved(self) -> None:
        """Let those who are ahead of this gateway look again."""
        self._tell_news()

    def enter_phase(self, phase: RoomPhase) -> None:
        """Tell all a phase."""
        self.phase = phase
        self.front.forget()
        self.front.runs_from(time.monotonic() if phase.phase is Phase.CONNECTED else math.inf)
        if phase.phase in RESTING:
            if (gap := self.tail.tell_gap()) is not None:  # what comes behind it comes too late for who is closed now
                self._deliver([gap])
            rest_s = max(0, phase.retry_at - now_ms()) / 1000
            self.demand.taken_back(time.monotonic() + rest_s)
        if phase.phase is Phase.TARGET:
            self._point_to(phase.target)
        elif phase.phase is Phase.NOT_LIVE:
            self.target = None
        self._tell_phase()

    def on_heard(self) -> None:
        """The room has a holder: who was told that nobody has taken it is told the phase."""
        if self.demand.met():
            self._tell_phase()

    def on_unavailable(self) -> None:
        """Tell all that Redis is away."""
        for member in list(self.members.values()):
            member.on_unavailable()

    def on_available(self) -> None:
        """Redis is back: tell it the demand, which it may have forgotten, and all members the phase."""
        now = time.monotonic()
        self.demand.doubt(now)
        if self.demand.wanted and not self.rests:
            self.demand.keep_up(now)
        self._tell_phase()

    def _point_to(self, target: str) -> None:
        try:
            self.target = RoomKey(self.key.platform, target)
        except BadRoom:
            logger.warning("name pointed to no room room=%s", self.key)
            return
        for member in list(self.members.values()):
            member.on_target(self)

    def _tell_phase(self) -> None:
        for member in list(self.members.values()):
            member.on_phase(self)
        self._tell_news()

    def _tell_news(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None

    # --- as time passes ----------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Do what is due: tell what was shed, keep the demand up, look for a holder that fell silent."""
        for subscriber in self.hub.looked_at:
            for event_type, count in subscriber.tell_dropped(self.key, now).items():
                metrics.SHED.labels(event_type).inc(count)
            if subscriber.too_slow(now):
                self._dismiss({subscriber: Code.SLOW_CONSUMER})
        if owed := self.front.take_owed(now):
            self._cluster.tasks.create_task(self._tell_front(owed))
        if not self.demand.wanted or self.rests:
            return
        self.demand.keep_up(now)
        if not self.feed.available:
            self.demand.excuse(now)
            return
        if self.taken and self.feed.doubt_silence(now):
            self.demand.doubt(now)
        if (code := self.demand.why_untaken(self.feed.heard_at, now)) is not None:
            for member in list(self.members.values()):
                member.on_untaken(self, code)

    async def _tell_front(self, owed: Mapping[Subscriber, Callable[[str], None]]) -> None:
        try:
            frame = await self.front.frame(self._cluster.broker, now_ms())
            for subscriber, tell in owed.items():
                if subscriber in self.members:
                    tell(frame)
        except BrokerUnavailable as error:
            logger.debug("members not told what runs room=%s: %s", self.key, error)
        except Exception:
            logger.exception("members not told what runs room=%s", self.key)

    async def aclose(self) -> None:
        """Leave the channel; the room is not used any more."""
        self._flusher.forget(self)
        self.demand.cancel()
        await self.feed.aclose()
