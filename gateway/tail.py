"""What this gateway knows of a room's log: the place reached, what was delivered, and the newest entries.

Every entry comes in through one function, `Tail.enter`, so that nothing is delivered twice and nothing missing goes
unsaid. Nothing here performs I/O: `Tail.judge` says what has to be read.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from enum import Enum

from gateway.frames import Delivery, Frame, control, event_frame
from gateway.protocol import gap_frame
from shared.broker import Entry
from shared.cursor import Cursor, follows
from shared.room import RoomKey

RING_MAX = 256  # entries; a client that hops between gateways comes back within seconds
RING_MAX_BYTES = 512 * 1024  # per room, whatever the size of its entries
EPOCHS_REMEMBERED = 16  # holders; a double from further back is older than any log

BEGINNING = Cursor(0, 0)
"""A place before any entry."""

TRIMMED, EXPIRED, REWOUND = "trimmed", "expired", "rewound"


class Walk:
    """Goes along a log, entry by entry, and says where something is missing.

    A gap is held back until the event after it, so that gaps in a row become one, or until no event is to come; until
    then `position` stays before it, or a client that resumes from there would never be told.
    """

    def __init__(self, room: RoomKey, last: Cursor | None) -> None:
        self._room = room
        self.last = last
        self.losses = 0  # ever
        self._after: Cursor | None = None
        self._reason = ""

    @property
    def position(self) -> Cursor | None:
        """The place up to which everything was delivered or announced."""
        return self.last if self._after is None else self._after

    @property
    def broken(self) -> bool:
        """Whether a gap waits to be told."""
        return self._after is not None

    def lose(self, reason: str) -> None:
        """Something after `last` is missing. Of gaps in a row a rewind is the one that clients must know of."""
        self.losses += 1
        if self._after is None:
            self._after, self._reason = self.last, reason
        elif reason == REWOUND:
            self._reason = reason

    def step(self, entry: Entry) -> Delivery:
        """Go to the next entry."""
        cursor, last = entry.cursor, self.last
        if last is not None and not follows(last, cursor, entry.marker_prev):
            self.lose(_reason(last, entry))
        self.last = cursor
        if entry.is_marker:
            return Delivery(cursor, ())
        frame = event_frame(entry.type, _utf8(entry.data), cursor)
        gap = self.tell_gap(before=cursor) if self.broken else None
        return Delivery(cursor, (frame,) if gap is None else (gap, frame))

    def tell_gap(self, before: Cursor | None) -> Frame | None:
        """The frame of the gap that waits, if one does; it waits no more. `before` is None where nothing is behind."""
        if self._after is None:
            return None
        frame = control(gap_frame(self._room, after=self._after, before=before or self._after, reason=self._reason))
        self._after = None
        return frame


def _utf8(data: bytes) -> bytes:
    """The same bytes, unless somebody wrote into the log what clients would break off for."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def _reason(last: Cursor, entry: Entry) -> str:
    """Why `entry` does not follow `last`."""
    prev = entry.marker_prev
    if entry.cursor < last or (prev is not None and prev < last):
        return REWOUND
    return EXPIRED if entry.is_marker and prev is None else TRIMMED


class Verdict(Enum):
    """What to do with an entry that arrives on the channel."""

    DOUBLE = "double"
    """Delivered already: drop it."""
    NEXT = "next"
    """Enter it."""
    AHEAD = "ahead"
    """Something before it has not arrived: read the log, then enter it."""
    BEHIND = "behind"
    """Older than the place reached, yet new: either the log was set back, or a read was faster than the channel; the
    log's last id tells."""


DOUBLE, NEXT, AHEAD, BEHIND = Verdict.DOUBLE, Verdict.NEXT, Verdict.AHEAD, Verdict.BEHIND
"""Looked up once: in Python 3.11 `Verdict.NEXT` takes as long as judging does."""


class Tail:
    """One room's log, as far as this gateway needs it."""

    def __init__(self, room: RoomKey) -> None:
        self._walk = Walk(room, None)
        self._delivered: dict[int, int] = {}  # epoch -> largest offset
        self._ring: deque[Delivery] = deque()
        self._sizes: deque[int] = deque()  # of the deliveries in the ring
        self._ring_bytes = 0
        self._ring_start: Cursor | None = None
        self._owed_from_the_start = False
        self.begun = False
        """The log was looked at; what is written from then on is owed to those who are here."""

    @property
    def last(self) -> Cursor | None:
        """The last entry entered, or the place where we began; None while the room has had no log."""
        return self._walk.last

    @property
    def position(self) -> Cursor | None:
        """What a client that got everything may resume from."""
        return self._walk.position

    @property
    def losses(self) -> int:
        """How often something was missing that no read brought."""
        return self._walk.losses

    def knows(self, epoch: int) -> bool:
        """Whether entries of this epoch were seen here: a cursor of it is one of this room."""
        return epoch in self._delivered

    def begin(self, entries: Iterable[Entry], newest: Cursor | None) -> None:
        """Take the log's newest entries and last id as the start. Nobody is owed them."""
        self.begun = True
        for entry in entries:
            self.enter(entry)
        if self.last is None and newest is not None:
            self._restart(newest)
        self._owed_from_the_start = self.last is None

    def judge(self, entry: Entry) -> Verdict:
        """What an entry of the channel is to us."""
        cursor, last = entry.cursor, self._walk.last
        if cursor.offset <= self._delivered.get(cursor.epoch, -1):
            return DOUBLE
        if self._owed_from_the_start:
            return NEXT if _begins_log(entry) else AHEAD
        if last is None or follows(last, cursor, entry.marker_prev):
            return NEXT
        return AHEAD if cursor > last else BEHIND

    def enter(self, entry: Entry) -> Delivery | None:
        """Take an entry in. Returns what clients get for it; None for a double."""
        cursor = entry.cursor
        if cursor.offset <= self._delivered.get(cursor.epoch, -1):
            return None
        if self._owed_from_the_start:
            self._owed_from_the_start = False
            if not _begins_log(entry):
                self._walk.last = BEGINNING  # which nothing follows: what is missing before it becomes a gap
        start = None
        if not self._ring:
            start = _before(entry) if self.position is None else self.position
        delivery = self._walk.step(entry)
        self._deliver_up_to(cursor)
        if not self._walk.broken:  # else it is a marker behind a gap that is not told yet: nobody is served from there
            self._hold(delivery, start)
        return delivery

    def tell_gap(self) -> Delivery | None:
        """Give up waiting for an event behind the gap that waits, if one does. Returns what clients get for it."""
        start, last = self.position, self.last
        if last is None or (gap := self._walk.tell_gap(before=last)) is None:
            return None
        delivery = Delivery(last, (gap,))
        self._hold(delivery, start)
        return delivery

    def found_nothing(self, newest: Cursor | None) -> bool:
        """A read from `last` on found no entry; `newest` is the log's last id. False: it must be read again."""
        last = self.last
        if newest is None:
            if last is not None:
                self._walk.lose(EXPIRED)
        elif last is not None and newest < last:
            self._walk.lose(REWOUND)
            self._walk.last = newest
            self._deliver_up_to(newest)
        elif newest != last:
            return False
        return True

    def skip_to(self, newest: Cursor) -> None:
        """Give up on what lies before `newest`: it is in no log."""
        if self.last is None:  # we were here before the log was: the gap begins where it did
            self._walk.last = BEGINNING
        self._walk.lose(TRIMMED)
        self._restart(newest)

    def after(self, position: Cursor | None) -> Sequence[Delivery] | None:
        """What a client at `position` is still owed, to be where all others are; None when only the log can tell."""
        if position == self.position:
            return ()
        found: list[Delivery] = []
        for delivery in reversed(self._ring):
            if delivery.cursor == position:
                return found[::-1]
            found.append(delivery)
        return found[::-1] if self._ring and position == self._ring_start else None

    def began_after(self, position: Cursor | None) -> bool:
        """Whether the whole log is held here, and a client at `position` comes from before it."""
        return (
            position is not None and self._ring_start is None and bool(self._ring) and position < self._ring[0].cursor
        )

    def held(self) -> Sequence[Delivery]:
        """The newest entries."""
        return tuple(self._ring)

    def _hold(self, delivery: Delivery, start: Cursor | None) -> None:
        ring = self._ring
        if not ring:
            self._ring_start = start
        size = delivery.size
        ring.append(delivery)
        self._sizes.append(size)
        self._ring_bytes += size
        while len(ring) > RING_MAX or (self._ring_bytes > RING_MAX_BYTES and len(ring) > 1):
            self._ring_start = ring.popleft().cursor
            self._ring_bytes -= self._sizes.popleft()

    def _restart(self, newest: Cursor) -> None:
        self._owed_from_the_start = False
        self._walk.last = newest
        self._deliver_up_to(newest)
        self._ring.clear()
        self._sizes.clear()
        self._ring_bytes = 0

    def _deliver_up_to(self, cursor: Cursor) -> None:
        epoch, offset = cursor
        known = self._delivered.pop(epoch, 0)
        self._delivered[epoch] = max(known, offset)
        if len(self._delivered) > EPOCHS_REMEMBERED:
            del self._delivered[next(iter(self._delivered))]  # not the smallest: that is the present one after a rewind


def _begins_log(entry: Entry) -> bool:
    """Whether nothing can have been in the log before this entry."""
    return entry.is_marker and entry.marker_prev is None


def _before(entry: Entry) -> Cursor | None:
    """The only place that an entry follows."""
    cursor = entry.cursor
    return entry.marker_prev if entry.is_marker else Cursor(cursor.epoch, cursor.offset - 1)
