"""The gateway in the model: `Walk`, `Tail` and `Feed` as functions on frozen values.

A step of its worker is one read of the log; messages of the channel that come between two reads wait in the inbox.
"""

from typing import NamedTuple

from gateway.tail import BEGINNING, EXPIRED, REWOUND, TRIMMED, Verdict
from shared.cursor import Cursor, follows
from tests.model.rules import Rules
from tests.model.server_model import Entry, Log, Message

PAGE = 3  # entries of a read
RING_MAX = 3
INBOX_MAX = 3


class Delivery(NamedTuple):
    """An entry as clients get it; `gap` is the reason of the gap that is told before it, "" without one."""

    entry: Entry
    gap: str


class Walk(NamedTuple):
    """A way along a log; `reason` is that of the gap that waits to be told, and `after` its place."""

    last: Cursor | None
    after: Cursor | None = None
    reason: str = ""

    @property
    def position(self) -> Cursor | None:
        """The place up to which everything was delivered or announced."""
        return self.after if self.reason else self.last

    def lose(self, reason: str) -> "Walk":
        """Something after `last` is missing."""
        if not self.reason:
            return Walk(self.last, self.last or BEGINNING, reason)
        return self._replace(reason=REWOUND) if reason == REWOUND else self

    def step(self, entry: Entry, rules: Rules) -> tuple["Walk", Delivery]:
        """Go to the next entry."""
        walk = self
        if not _follows(walk.last, entry, rules):
            walk = walk.lose(_reason(walk.last, entry))
        if entry.is_marker:
            return walk._replace(last=entry.cursor), Delivery(entry, "")
        return Walk(entry.cursor), Delivery(entry, walk.reason)


class Gateway(NamedTuple):
    """One room of a gateway.

    Attributes:
        walk: the place reached.
        delivered: the largest offset of each epoch.
        ring, ring_start: the latest deliveries, and the place before them.
        up: the channel is subscribed, and the link to it is there.
        started: the log was read once.
        due: it has to be read; reading: it is being read, from there on.
        inbox: messages that wait; covered: so many of them are older than the read.
    """

    walk: Walk = Walk(None)
    delivered: tuple[Cursor, ...] = ()
    ring: tuple[Delivery, ...] = ()
    ring_start: Cursor | None = None
    up: bool = False
    started: bool = False
    due: bool = True
    reading: Cursor | None = None
    inbox: tuple[Message, ...] = ()
    covered: int = 0

    @property
    def idle(self) -> bool:
        """Whether the worker has nothing to do."""
        return not (self.due or self.inbox or self.reading)

    def knows(self, epoch: int) -> bool:
        """Whether entries of this epoch were seen here."""
        return any(cursor.epoch == epoch for cursor in self.delivered)

    def owed_at(self, position: Cursor | None, rules: Rules) -> tuple[Delivery, ...] | None:
        """What the ring has for a client at `position`; None when only the log can tell."""
        if position == self.walk.position or (position == self.walk.last and not rules.one_place):
            return ()
        for index in range(len(self.ring) - 1, -1, -1):
            if self.ring[index].entry.cursor == position:
                return self.ring[index + 1 :]
        return self.ring if self.ring and position == self.ring_start else None

    def began_after(self, position: Cursor | None) -> bool:
        """Whether the whole log is in the ring, and a client at `position` comes from before it."""
        whole = bool(self.ring) and self.ring_start is None
        return whole and position is not None and position < self.ring[0].entry.cursor

    def judge(self, entry: Entry, rules: Rules) -> Verdict:
        """What a message of the channel is."""
        if self._is_double(entry.cursor):
            return Verdict.DOUBLE
        last = self.walk.last
        if _follows(last, entry, rules):
            return Verdict.NEXT
        return Verdict.AHEAD if last is None or entry.cursor > last else Verdict.BEHIND

    def _is_double(self, cursor: Cursor) -> bool:
        return any(cursor.epoch == seen.epoch and cursor.offset <= seen.offset for seen in self.delivered)

    def _deliver_up_to(self, cursor: Cursor, rules: Rules) -> tuple[Cursor, ...]:
        if not rules.doubles_per_epoch:
            return (cursor,)
        most = max([seen for seen in self.delivered if seen.epoch == cursor.epoch], default=cursor)
        return (*(seen for seen in self.delivered if seen.epoch != cursor.epoch), max(most, cursor))


Change = tuple[Gateway, tuple[Delivery, ...]]
"""A gateway after a step, and what its clients got in it."""


def enter(gateway: Gateway, entries: tuple[Entry, ...], rules: Rules) -> Change:
    """Take entries in, in order; doubles are left out."""
    found = []
    for entry in entries:
        if gateway._is_double(entry.cursor):
            continue
        before = gateway.walk.position
        if before is None:  # else the gap before the first entry is told to who comes from before it
            before = _before(entry) if _follows(None, entry, rules) else BEGINNING
        walk, delivery = gateway.walk.step(entry, rules)
        gateway = gateway._replace(walk=walk, delivered=gateway._deliver_up_to(entry.cursor, rules))
        if not walk.reason:
            ring, start = (*gateway.ring, delivery), gateway.ring_start if gateway.ring else before
            if len(ring) > RING_MAX:
                ring, start = ring[1:], ring[0].entry.cursor
            gateway = gateway._replace(ring=ring, ring_start=start)
        found.append(delivery)
    return gateway, tuple(found)


def hear(gateway: Gateway, message: Message, rules: Rules) -> Change:
    """A message arrives on the channel."""
    if gateway.idle:
        if isinstance(message, Cursor):
            return gateway._replace(due=message != gateway.walk.last), ()
        verdict = gateway.judge(message, rules)
        if verdict in (Verdict.NEXT, Verdict.DOUBLE):
            return enter(gateway, (message,), rules)
        gateway = gateway._replace(due=verdict is Verdict.AHEAD)
    if len(gateway.inbox) >= INBOX_MAX:
        gateway = gateway._replace(inbox=(), covered=0, due=True)
    return gateway._replace(inbox=(*gateway.inbox, message)), ()


def work(gateway: Gateway, log: Log | None, rules: Rules) -> Change:
    """One read of the worker, and what it can do after it without another."""
    found: tuple[Delivery, ...] = ()
    if gateway.due or gateway.reading:
        if not gateway.reading:
            gateway = gateway._replace(due=False, covered=len(gateway.inbox))
        gateway, found = _read(gateway, log, rules)
        if gateway.reading:
            return gateway, found
        gateway = gateway._replace(started=True)
    while gateway.inbox and not gateway.due:
        message, covered = gateway.inbox[0], gateway.covered > 0
        popped = gateway._replace(inbox=gateway.inbox[1:], covered=gateway.covered - covered)
        if isinstance(message, Cursor):
            gateway = popped._replace(due=message != gateway.walk.last and not covered)
            continue
        verdict = gateway.judge(message, rules)
        if verdict is Verdict.AHEAD and not covered:
            gateway = gateway._replace(due=True)
        elif verdict is Verdict.BEHIND and not _is_rewound(gateway, log):
            gateway = popped
        else:
            gateway, more = enter(popped, (message,), rules)
            found += more
    return gateway, found


def heal(gateway: Gateway, log: Log | None, rules: Rules) -> Gateway:
    """Read to the end, with nobody else acting meanwhile and nobody listening."""
    gateway = gateway._replace(due=True)
    while not gateway.idle:
        gateway, _ = work(gateway, log, rules)
    return gateway


def page_of(log: Log | None, after: Cursor, rules: Rules) -> tuple[Entry, ...]:
    """XRANGE."""
    entries = () if log is None else log.entries
    if not rules.inclusive_read:
        return tuple(entry for entry in entries if entry.cursor > after)[:PAGE]
    return tuple(entry for entry in entries if entry.cursor >= after)[:PAGE]


def _read(gateway: Gateway, log: Log | None, rules: Rules) -> Change:
    walk = gateway.walk
    if walk.last is None and not (gateway.started and rules.first_log):
        return _begin(gateway, log, rules), ()
    after = gateway.reading or walk.last or BEGINNING
    page = page_of(log, after, rules)
    if page:
        changed, found = enter(gateway, page, rules)
        return changed._replace(reading=page[-1].cursor if len(page) == PAGE else None), found
    return _found_nothing(gateway._replace(reading=None), None if log is None else log.last, rules), ()


def _begin(gateway: Gateway, log: Log | None, rules: Rules) -> Gateway:
    """Take the log's newest entries and last id as the start. Nobody is owed them."""
    if log is None:
        return gateway
    if not log.entries:
        return gateway._replace(walk=Walk(log.last), delivered=gateway._deliver_up_to(log.last, rules))
    newest = log.entries[-RING_MAX:]
    began, _ = enter(gateway._replace(walk=Walk(_before(newest[0]))), newest, rules)
    return began


def _found_nothing(gateway: Gateway, newest: Cursor | None, rules: Rules) -> Gateway:
    """A read from the place reached found no entry; `newest` is the log's last id."""
    walk = gateway.walk
    if newest == walk.last or not rules.inclusive_read:
        return gateway
    if newest is None:
        return gateway._replace(walk=walk.lose(EXPIRED))
    if walk.last is not None and newest < walk.last:
        lost = walk.lose(REWOUND)._replace(last=newest)
        return gateway._replace(walk=lost, delivered=gateway._deliver_up_to(newest, rules))
    lost = walk.lose(TRIMMED)._replace(last=newest)
    return gateway._replace(walk=lost, delivered=gateway._deliver_up_to(newest, rules), ring=())


def _is_rewound(gateway: Gateway, log: Log | None) -> bool:
    return log is None or (gateway.walk.last is not None and log.last < gateway.walk.last)


def _follows(last: Cursor | None, entry: Entry, rules: Rules) -> bool:
    if last is None:
        return not rules.first_log or (entry.is_marker and entry.prev is None)
    return follows(last, entry.cursor, entry.prev)


def _reason(last: Cursor | None, entry: Entry) -> str:
    if last is not None and (entry.cursor < last or (entry.prev is not None and entry.prev < last)):
        return REWOUND
    return EXPIRED if entry.is_marker and entry.prev is None else TRIMMED


def _before(entry: Entry) -> Cursor | None:
    """The only place that an entry follows."""
    return entry.prev if entry.is_marker else Cursor(entry.cursor.epoch, entry.cursor.offset - 1)
