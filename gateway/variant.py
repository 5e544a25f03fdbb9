"""The clients of one room that want the same: what they are owed is chosen once, joined once, and written to each.

Most of them take what they are given, and stand in lanes: whoever is in a lane is owed the same, and a flush writes the
same bytes to all of it without a look at any of them. Apart from the lanes stand those who have to be looked at: who
just came, was told something out of turn, or reads too slowly; they return to a lane when that is over.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.close_codes import Code
from gateway.frames import Encoding, Frame, last_cursor
from gateway.options import EventFilter
from gateway.subscriber import Outlet, Subscriber
from shared.cursor import Cursor

logger = logging.getLogger(__name__)

LANE_MAX = 500  # clients written to in one go: some 3 ms, during which the process does nothing else


@dataclass(slots=True, eq=False)
class Lane:
    """Clients that are owed all frames from number `owed` on, and take them encoded in the same way.

    `reached` is the place in the log of the last event before that, as far as it was written from here.
    """

    encoding: Encoding
    owed: int
    reached: Cursor | None = None
    outlets: dict[Subscriber, Outlet] = field(default_factory=dict)


@dataclass(slots=True)
class Flushed:
    """What a flush did.

    Attributes:
        clients: written to.
        frames: written, over all clients.
        size: their bytes, as they were written.
        failed: the subscribers to be closed, with the reason.
    """

    clients: int = 0
    frames: int = 0
    size: int = 0
    failed: dict[Subscriber, Code] = field(default_factory=dict)


class Variant:
    """Subscribers with one filter.

    Attributes:
        wanted: the filter.
        apart: subscribers in no lane.
    """

    def __init__(self, wanted: EventFilter) -> None:
        self.wanted = wanted
        self.apart: dict[Subscriber, int] = {}  # -> number of the first frame it is owed
        self._lanes: list[Lane] = []
        self._places: dict[Subscriber, Lane] = {}
        self._frames: list[Frame] = []
        self._first = 0  # number of the first of them
        self._target = 0  # of the flush that goes on: everybody is brought at least up to this number
        self._joined: dict[tuple[Encoding, int], bytes] = {}  # up to the present end

    def __len__(self) -> int:
        return len(self._places) + len(self.apart)

    def __iter__(self) -> Iterator[Subscriber]:
        yield from self._places
        yield from self.apart

    def __contains__(self, subscriber: Subscriber) -> bool:
        return subscriber in self._places or subscriber in self.apart

    @property
    def _end(self) -> int:
        return self._first + len(self._frames)

    @property
    def owes(self) -> bool:
        """Whether somebody is owed something."""
        return bool(self._frames)

    # --- who is here -------------------------------------------------------------------------------------------------

    def add(self, subscriber: Subscriber) -> None:
        """It is owed what is pushed from here on."""
        self.apart[subscriber] = self._end
        subscriber.variant = self
        if not self._frames:  # else nobody stands where it does, and a crowd would get a lane for each
            self._settle(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """It is owed nothing more; no error when it was not here."""
        lane = self._places.pop(subscriber, None)
        if lane is not None:
            del lane.outlets[subscriber]
            if not lane.outlets:
                self._lanes.remove(lane)
        self.apart.pop(subscriber, None)
        if subscriber.variant is self:
            subscriber.variant = None

    def set_apart(self, subscriber: Subscriber) -> None:
        """It has to be looked at from here on; no error when it is already, or not here."""
        lane = self._places.get(subscriber)
        if lane is not None:
            self.remove(subscriber)
            self.apart[subscriber] = lane.owed
            subscriber.variant = self
            subscriber.reach(lane.reached)

    def _settle(self, subscriber: Subscriber) -> None:
        """Put a subscriber that nothing is special about into a lane."""
        outlet = subscriber.outlet
        if outlet is None:
            return
        owed = self.apart[subscriber]
        for lane in self._lanes:
            if lane.owed == owed and lane.encoding is subscriber.encoding and len(lane.outlets) < LANE_MAX:
                break
        else:
            lane = Lane(subscriber.encoding, owed)
            self._lanes.append(lane)
        lane.outlets[subscriber] = outlet
        self._places[subscriber] = lane
        del self.apart[subscriber]

    # --- what they are owed ------------------------------------------------------------------------------------------

    def push(self, frames: Sequence[Frame]) -> None:
        """Owe these to all."""
        self._frames += frames
        self._joined.clear()

    def catch_up(self, subscriber: Subscriber, now: float) -> bool:
        """Write what one of them is owed, ahead of the others. False means too slow; then it is still owed it."""
        owed = lane.owed if (lane := self._places.get(subscriber)) is not None else self.apart[subscriber]
        if owed == self._end:
            return True
        self.set_apart(subscriber)
        return self._offer(subscriber, now)

    def _offer(self, subscriber: Subscriber, now: float) -> bool:
        frames = self._frames[self.apart[subscriber] - self._first :]
        taken = subscriber.offer(frames, now) if frames else True
        if taken and subscriber in self.apart:
            self.apart[subscriber] = self._end
        return taken

    def flush(self, flushed: Flushed, budget: int, now: float) -> bool:
        """Write what is owed to about `budget` clients at most. False: go on with another call.

        What is pushed between two calls waits for the next flush, or those at the end would wait for ever.
        """
        if self._target == self._first:
            self._target = self._end
        for lane in list(self._lanes):
            if lane.owed < self._target:
                if flushed.clients >= budget:
                    return False
                self._write(lane, flushed)
        for subscriber, owed in list(self.apart.items()):
            if owed < self._target and subscriber in self.apart:
                if flushed.clients >= budget:
                    return False
                self._look_at(subscriber, flushed, now)
        del self._frames[: self._target - self._first]
        self._first = self._target
        return True

    def _write(self, lane: Lane, flushed: Flushed) -> None:
        """Write to a whole lane. Nothing here may cost much per client: everything else is the kernel's."""
        frames = self._frames[lane.owed - self._first :]
        key = (lane.encoding, lane.owed)
        joined = self._joined.get(key)
        if joined is None:
            joined = self._joined[key] = lane.encoding(frames)
        lane.owed = self._end  # before the first write: who is full of it leaves the lane there
        lane.reached = last_cursor(frames) or lane.reached
        outlets = list(lane.outlets.values())  # some may leave meanwhile
        for outlet in outlets:
            try:
                outlet.write(joined)
            except Exception as error:
                # Closed by the client a moment ago: uvloop raises RuntimeError, and the news of it is on its way.
                logger.debug("client left while it was written to: %s", error)
        flushed.clients += len(outlets)
        flushed.frames += len(frames) * len(outlets)
        flushed.size += len(joined) * len(outlets)

    def _look_at(self, subscriber: Subscriber, flushed: Flushed, now: float) -> None:
        frames = self._frames[self.apart[subscriber] - self._first :]
        flushed.clients += 1
        try:
            if not self._offer(subscriber, now):
                flushed.failed[subscriber] = Code.SLOW_CONSUMER
                return
        except Exception:
            logger.exception("subscriber failed")
            flushed.failed[subscriber] = Code.INTERNAL
            self.remove(subscriber)  # what it has got of this is not known: it gets no more
            return
        flushed.frames += len(frames)
        flushed.size += sum(len(frame.wire) for frame in frames)
        if subscriber in self.apart and not subscriber.owes_word:
            self._settle(subscriber)
