"""What one client is owed, and what happens when it does not take it: nobody waits for the slowest.

The bytes themselves are the sink's. What is decided here, from the number and age of its unsent bytes alone, is
whether the next event is still worth sending, and when a client is too slow to be kept.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.frames import Frame, control
from gateway.options import EventFilter
from gateway.protocol import dropped_frame
from shared.cursor import Cursor
from shared.events import SHED_ORDER
from shared.room import RoomKey

DROPPED_EVERY_S = 1.0  # between two `dropped` frames: they must not add to what they report


class Sink(Protocol):
    """Where "these bytes go to that client" is. Nothing here waits or raises."""

    @property
    def unsent_bytes(self) -> int:
        """Bytes taken over and not yet given to the network."""

    def unsent_for_s(self, now: float) -> float:
        """How long the oldest of them has waited."""

    def write(self, frames: Iterable[Frame]) -> None:
        """Take frames over, in order. After a close they are ignored."""


@dataclass(frozen=True, slots=True)
class SendLimits:
    """When to shed, and when to give up.

    Attributes:
        soft_bytes: from here on events of the first shed class are dropped; of the second and third, at a third and
            two thirds of the way to `hard_bytes`.
        hard_bytes: beyond this the client is closed.
        age_s: unsent bytes older than this close it as well.
    """

    soft_bytes: int
    hard_bytes: int
    age_s: float

    def shed_from(self, shed_class: int) -> float:
        """Unsent bytes from which on a shed class is dropped."""
        return self.soft_bytes + (self.hard_bytes - self.soft_bytes) * (shed_class - 1) / 3


class Subscriber:
    """One client of one room's fan-out."""

    def __init__(self, sink: Sink, limits: SendLimits, wanted: EventFilter) -> None:
        self.wanted = wanted
        self._sink = sink
        self._limits = limits
        self._dropped: Counter[str] = Counter()
        self._dropped_up_to: Cursor | None = None
        self._dropped_told_at = float("-inf")

    def offer(self, frames: Sequence[Frame], now: float) -> bool:
        """Take frames that pass the filter, or shed them. False means too slow: close with SLOW_CONSUMER."""
        unsent = self._sink.unsent_bytes
        limits = self._limits
        if unsent > limits.hard_bytes or (unsent and self._sink.unsent_for_s(now) > limits.age_s):
            return False
        if unsent <= limits.soft_bytes:
            self._sink.write(frames)
        else:
            self._sink.write([frame for frame in frames if not self._shed(frame, unsent)])
        return True

    def tell_dropped(self, room: RoomKey, now: float) -> Counter[str]:
        """Tell the client what was shed since it was last told, at most once a second. Returns what was told now."""
        if self._dropped_up_to is None or now - self._dropped_told_at < DROPPED_EVERY_S:
            return Counter()
        dropped = self._dropped
        self._sink.write([control(dropped_frame(room, dict(dropped), self._dropped_up_to))])
        self._dropped, self._dropped_up_to, self._dropped_told_at = Counter(), None, now
        return dropped

    def _shed(self, frame: Frame, unsent: int) -> bool:
        shed_class = SHED_ORDER.get(frame.type, 0)
        if not shed_class or unsent <= self._limits.shed_from(shed_class):
            return False
        self._dropped[frame.type] += 1
        self._dropped_up_to = frame.cursor
        return True
