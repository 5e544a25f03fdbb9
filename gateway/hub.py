"""Who listens to a room, and copying to all of them.

Subscribers with the same filter are one variant: what it costs to choose, join and compress their frames grows with the
number of filters in use, not of clients.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from gateway.frames import Delivery, Frame
from gateway.options import EventFilter
from gateway.subscriber import Subscriber
from gateway.variant import Flushed, Variant


def wanted_frames(deliveries: Sequence[Delivery], wanted: EventFilter) -> list[Frame]:
    """The frames of these entries that pass a filter; the gateway's own (gaps) always do."""
    return [frame for delivery in deliveries for frame in delivery.frames if not frame.type or wanted.wants(frame.type)]


class Hub:
    """The subscribers of one room that get its events as they come.

    Attributes:
        gathered: entries pushed since the last flush began.
        waits_since_ms: when the oldest event among them came from upstream; 0: there is none.
        flushed_since_ms: the same of the events of the last flush, or of the one that goes on.
    """

    def __init__(self) -> None:
        self.gathered = 0
        self.waits_since_ms = self.flushed_since_ms = 0
        self._round: deque[Variant] = deque()  # those that the flush which goes on has not finished with
        self._variants: dict[EventFilter, Variant] = {}

    def __len__(self) -> int:
        return sum(map(len, self._variants.values()))

    def __iter__(self) -> Iterator[Subscriber]:
        for variant in self._variants.values():
            yield from variant

    def __contains__(self, subscriber: Subscriber) -> bool:
        variant = self._variants.get(subscriber.wanted)
        return variant is not None and subscriber in variant

    @property
    def looked_at(self) -> list[Subscriber]:
        """Those that are not simply written to: who reads too slowly is among them."""
        return [subscriber for variant in self._variants.values() if variant.apart for subscriber in variant.apart]

    def add(self, subscriber: Subscriber) -> None:
        """From the next entry on it gets what its filter wants."""
        variant = self._variants.get(subscriber.wanted)
        if variant is None:
            variant = self._variants[subscriber.wanted] = Variant(subscriber.wanted)
        variant.add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """It gets no more; no error when it was not there."""
        variant = self._variants.get(subscriber.wanted)
        if variant is not None:
            variant.remove(subscriber)
            if not len(variant):
                del self._variants[subscriber.wanted]

    def push(self, deliveries: Sequence[Delivery], received_ms: int = 0) -> bool:
        """Owe entries to all, the first of which came from upstream at `received_ms`.

        Returns whether somebody wants them, so that a flush is due.
        """
        due = False
        for variant in self._variants.values():
            if frames := wanted_frames(deliveries, variant.wanted):
                variant.push(frames)
                due = True
        if due:
            self.gathered += len(deliveries)
            self.waits_since_ms = self.waits_since_ms or received_ms
        return due

    def flush(self, flushed: Flushed, budget: int, now: float) -> bool:
        """Write what is owed, until about `budget` clients were written to. One that fails disturbs no other.

        Args:
            flushed: what is done is added here.
            budget: of this tick.
            now: the time.

        Returns:
            Whether the flush is complete.
        """
        if not self._round:
            self.gathered = 0
            self.flushed_since_ms, self.waits_since_ms = self.waits_since_ms, 0
            self._round.extend(variant for variant in self._variants.values() if variant.owes)
        while self._round:
            if not self._round[0].flush(flushed, budget, now):
                return False
            self._round.popleft()
        return True

    @property
    def owes(self) -> bool:
        """Whether something waits for a flush."""
        for variant in self._variants.values():  # noqa: SIM110 - for every message: `any` takes twice the time
            if variant.owes:
                return True
        return False
