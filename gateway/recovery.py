"""Bringing a client from an old place in the log to the live end: no hole, no double, and every omission said.

While it catches up a client is a position and pulls: from the room's ring where that reaches back far enough, from the
log otherwise, page by page. What `pull` returns reaches up to the room's live end at the moment it returns; whoever
joins the fan-out before awaiting anything else has missed nothing.

A client's place never goes back, or it would get again what it has, unless it is told of a rewind. So a client whose
place is ahead of this gateway, and whom the log cannot help, is not brought to the gateway's place: it goes on pulling.
"""

from collections.abc import Sequence

from gateway.frames import Delivery
from gateway.options import EventFilter
from gateway.room import Room
from gateway.tail import BEGINNING, EXPIRED, REWOUND, TRIMMED, Walk
from shared.broker import Broker
from shared.cursor import Cursor, follows
from shared.errors import BadCursor


class Recovery:
    """One client on its way to the live end of a room.

    Args:
        room: started.
        broker: where its log is read.
        since: the place where the client left; None: it has no place yet.
    """

    def __init__(self, room: Room, broker: Broker, since: Cursor | None) -> None:
        self._room = room
        self._broker = broker
        self._since = since
        self.ahead = False
        """The client has to wait until the room enters something, and then to pull again."""
        self.reached = False
        """The last pull came to the live end, or as far as there is anything; not after a page, nor a step back."""
        self._told_at: Cursor | None = None  # that something behind this place is missing, while nothing is behind it
        self._walk = Walk(room.key, since)
        self._found: list[Delivery] = []
        """Read already, while a read after it failed."""

    @property
    def complete(self) -> bool:
        """Whether nothing was found missing so far."""
        return not self._walk.losses

    @property
    def place(self) -> Cursor | None:
        """The place reached."""
        return self._walk.last

    @property
    def needs_log(self) -> bool:
        """Whether the ring does not reach back to the client's place."""
        return self._room.tail.after(self._walk.last) is None

    async def prove(self) -> None:
        """Check that the cursor is one of this room.

        A cursor of an epoch seen here, or older than the log, is believed: what is missing becomes a gap.

        Raises:
            BadCursor: it is another room's, or made up. The way begins at the live end.
            BrokerUnavailable: the log cannot be read.
        """
        since, tail = self._since, self._room.tail
        if since is None or tail.knows(since.epoch) or not self.needs_log:
            return
        page = await self._broker.page(self._room.key, since, 1)
        if page:
            first = page[0]
            prev = first.marker_prev
            if follows(since, first.cursor, prev) or since.epoch in (first.cursor.epoch, prev and prev.epoch):
                return
            oldest = await self._broker.page(self._room.key, BEGINNING, 1)
            foreign = bool(oldest) and since > oldest[0].cursor
        else:
            newest = await self._broker.last_id(self._room.key)
            foreign = newest is not None and newest < since and newest.epoch != since.epoch
        if foreign:
            self._walk.last = tail.position
            raise BadCursor("neither in the log nor older than it")

    async def newest(self, count: int, wanted: EventFilter, history_len: int) -> Sequence[Delivery]:
        """The newest `count` events that pass the filter, and all that lies between them, up to the live end.

        Raises:
            BrokerUnavailable: the log cannot be read.
        """
        tail = self._room.tail
        self._walk.last = tail.position
        self._found.clear()
        found = _newest(tail.held(), count, wanted)
        if found is not None:
            return found
        read: list[Delivery] = []
        # Mostly nearly every entry counts. With a filter, or when others ask for `raw`, all of the log has to be read.
        for entries_max in (count, history_len) if wanted.rest else (history_len,):
            entries = await self._broker.tail(self._room.key, entries_max)
            walk = Walk(self._room.key, None)
            read = [walk.step(entry) for entry in entries]
            self._walk.last = walk.last or self._walk.last
            found = _newest(read, count, wanted)
            if found is not None or len(entries) < entries_max:
                break
        return [*(found or read), *await self.pull()]

    def step_back(self, place: Cursor) -> None:
        """What lies behind this place was pulled, and not sent: it will be pulled again."""
        self._walk = Walk(self._room.key, place)
        self._told_at = None
        self.ahead = self.reached = False

    async def pull(self, *, by_page: bool = False) -> Sequence[Delivery]:
        """Everything from the client's place up to the live end; by page, no more of the log than one.

        Raises:
            BrokerUnavailable: the log cannot be read; nothing is lost by trying again.
        """
        self.reached = False
        tail, walk = self._room.tail, self._walk
        while (rest := tail.after(walk.last)) is None:
            if self.ahead and tail.began_after(walk.last):  # many may have waited: they need not all read it
                walk.lose(EXPIRED)
                walk.last = None
            elif await self._read():
                if by_page:
                    found, self._found = self._found, []
                    return found
            elif not await self._meet():
                self.reached = True
                return self._take()
        walk.last, self.ahead, self.reached = tail.position, False, True
        return self._take(rest)

    async def _read(self) -> bool:
        """Go on along the log, by a page; returns whether it has anything behind the client's place."""
        walk = self._walk
        page = await self._broker.page(self._room.key, walk.last or BEGINNING)
        fresh = page[1:] if page and page[0].cursor == walk.last else page
        self._found += map(walk.step, fresh)
        if fresh:
            self.ahead = False
        return bool(fresh)

    async def _meet(self) -> bool:
        """The log has nothing for the client: it goes to where this gateway is, or False: it is ahead of it."""
        tail, walk = self._room.tail, self._walk
        await self._room.feed.heal()
        if tail.after(walk.last) is not None:
            return True
        reached, newest = tail.position, await self._broker.last_id(self._room.key)
        if await self._read() or tail.after(walk.last) is not None:
            return True  # written meanwhile; else what lies before `reached` and `newest` is in no log
        reason = "" if newest == walk.last else _reason(walk.last, newest)
        if reason == REWOUND or (reason and _is_beyond(reached, walk.last)):
            walk.lose(reason)
            walk.last, self.ahead = reached, False
            return True
        if reason and self._told_at != walk.last:
            walk.lose(reason)
            self._told_at = walk.last
        self.ahead = True
        return False

    def _take(self, rest: Sequence[Delivery] = ()) -> Sequence[Delivery]:
        """What was found, and `rest` behind it; a gap that has no event behind it is told at the end."""
        walk = self._walk
        if (gap := walk.tell_gap(before=_first_place(rest) or walk.last)) is not None:
            self._found.append(Delivery(walk.last or BEGINNING, (gap,)))
        found, self._found = self._found, []
        return [*found, *rest]


def _newest(deliveries: Sequence[Delivery], count: int, wanted: EventFilter) -> Sequence[Delivery] | None:
    """The end of `deliveries` that holds `count` wanted events; None when there are fewer."""
    for index in range(len(deliveries) - 1, -1, -1):
        events = [frame for frame in deliveries[index].frames if frame.type]
        count -= any(wanted.wants(frame.type) for frame in events)
        if count == 0:
            first = Delivery(deliveries[index].cursor, tuple(events))  # a gap before it is nothing to this client
            return [first, *deliveries[index + 1 :]]
    return None


def _first_place(deliveries: Sequence[Delivery]) -> Cursor | None:
    return next((delivery.cursor for delivery in deliveries if delivery.frames), None)


def _is_beyond(reached: Cursor | None, place: Cursor | None) -> bool:
    return reached is not None and (place is None or reached > place)


def _reason(last: Cursor | None, newest: Cursor | None) -> str:
    if newest is None or last is None:
        return EXPIRED
    return REWOUND if newest < last else TRIMMED
