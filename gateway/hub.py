"""Who listens to a room, and copying to all of them.

Subscribers with the same filter are one group: the choice of frames is made once for each filter in use, not once for
each client.
"""

import logging
from collections.abc import Iterator, Sequence

from gateway.close_codes import Code
from gateway.frames import Delivery, Frame
from gateway.options import EventFilter
from gateway.subscriber import Subscriber

logger = logging.getLogger(__name__)


def wanted_frames(deliveries: Sequence[Delivery], wanted: EventFilter) -> list[Frame]:
    """The frames of these entries that pass a filter; the gateway's own (gaps) always do."""
    return [frame for delivery in deliveries for frame in delivery.frames if not frame.type or wanted.wants(frame.type)]


class Hub:
    """The subscribers of one room that get its events as they come."""

    def __init__(self) -> None:
        self._groups: dict[EventFilter, dict[Subscriber, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def __iter__(self) -> Iterator[Subscriber]:
        for group in self._groups.values():
            yield from group

    def __contains__(self, subscriber: Subscriber) -> bool:
        return subscriber in self._groups.get(subscriber.wanted, ())

    def add(self, subscriber: Subscriber) -> None:
        """From the next entry on it gets what its filter wants."""
        self._groups.setdefault(subscriber.wanted, {})[subscriber] = None

    def remove(self, subscriber: Subscriber) -> None:
        """It gets no more; no error when it was not there."""
        group = self._groups.get(subscriber.wanted, {})
        group.pop(subscriber, None)
        if not group:
            self._groups.pop(subscriber.wanted, None)

    def fan_out(self, deliveries: Sequence[Delivery], now: float) -> tuple[int, int, dict[Subscriber, Code]]:
        """Offer entries to all. One that fails disturbs no other.

        Returns:
            Frames and bytes offered, and the subscribers to be closed, with the reason.
        """
        frames_out = bytes_out = 0
        failed: dict[Subscriber, Code] = {}
        for wanted, group in self._groups.items():
            frames = wanted_frames(deliveries, wanted)
            if not frames:
                continue
            for subscriber in group:
                try:
                    if not subscriber.offer(frames, now):
                        failed[subscriber] = Code.SLOW_CONSUMER
                except Exception:
                    logger.exception("subscriber failed")
                    failed[subscriber] = Code.INTERNAL
            frames_out += len(frames) * len(group)
            bytes_out += sum(frame.size for frame in frames) * len(group)
        return frames_out, bytes_out, failed
