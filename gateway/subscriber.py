"""What one client is owed, and what happens when it does not take it: nobody waits for the slowest.

The bytes themselves are the sink's. What is decided here, from the number and age of its unsent bytes alone, is
whether the next event is still worth sending, and when a client is too slow to be kept.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.frames import Encoding, Frame, control
from gateway.options import EventFilter
from gateway.protocol import dropped_frame
from shared.cursor import Cursor
from shared.events import SHED_ORDER
from shared.room import RoomKey

DROPPED_EVERY_S = 1.0  # between two `dropped` frames: they must not add to what they report


class Outlet(Protocol):
    """Takes ready-made bytes for a client's socket, and says so when it holds too many; an asyncio transport."""

    def write(self, data: bytes, /) -> None:
        """Take bytes over. What it raises means that the client is gone."""


class Place(Protocol):
    """Where the newest place in a log is noted of which a frame was handed over."""

    sent: Cursor | None


class Sink(Protocol):
    """Where "these bytes go to that client" is. Nothing here raises, and nothing but `drained` waits.

    Attributes:
        sent: the newest place in the log of which a frame was handed over.
    """

    sent: Cursor | None

    @property
    def outlet(self) -> Outlet | None:
        """What frames may be written to without a look at the client; None while it has to be looked at."""

    @property
    def encoding(self) -> Encoding:
        """What the outlet takes."""

    @property
    def unsent_bytes(self) -> int:
        """Bytes taken over and not yet given to the network."""

    def unsent_for_s(self, now: float) -> float:
        """How long the oldest of them has waited."""

    @property
    def closing(self) -> bool:
        """Whether nothing more is taken over."""

    def write(self, frames: Iterable[Frame]) -> None:
        """Take frames over, in order. After a close they are ignored."""

    async def drained(self) -> None:
        """Wait until what was taken over is with the network, but for little, or nothing more will be."""


class Group(Protocol):
    """Subscribers that want the same (`gateway.variant.Variant`), as one of them sees it."""

    def catch_up(self, subscriber: "Subscriber", now: float) -> bool:
        """Write what it is owed, ahead of the others. False means too slow; then it is still owed it."""

    def set_apart(self, subscriber: "Subscriber") -> None:
        """It has to be looked at from here on."""

    def remove(self, subscriber: "Subscriber") -> None:
        """It is owed nothing more."""


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

    def exceeded_by(self, sink: Sink, now: float) -> bool:
        """Whether the client is to be given up."""
        unsent = sink.unsent_bytes
        return unsent > self.hard_bytes or bool(unsent and sink.unsent_for_s(now) > self.age_s)


class Subscriber:
    """One client of one room's fan-out.

    Attributes:
        wanted: its filter.
        variant: those who want the same, while it is among them.
    """

    __slots__ = ("_dropped", "_dropped_told_at", "_dropped_up_to", "_limits", "_sink", "variant", "wanted")

    def __init__(self, sink: Sink, limits: SendLimits, wanted: EventFilter) -> None:
        self.wanted = wanted
        self.variant: Group | None = None
        self._sink = sink
        self._limits = limits
        self._dropped: Counter[str] | None = None  # None mostly: an empty one costs every client some memory
        self._dropped_up_to: Cursor | None = None
        self._dropped_told_at = float("-inf")

    @property
    def outlet(self) -> Outlet | None:
        """See `Sink`."""
        return self._sink.outlet

    @property
    def encoding(self) -> Encoding:
        """See `Sink`."""
        return self._sink.encoding

    @property
    def owes_word(self) -> bool:
        """Whether the client has to be told that something was shed."""
        return self._dropped is not None

    def reach(self, cursor: Cursor | None) -> None:
        """Frames up to this place were written to the outlet."""
        if cursor is not None:
            self._sink.sent = cursor

    def too_slow(self, now: float) -> bool:
        """Whether the client is to be given up."""
        return self._limits.exceeded_by(self._sink, now)

    def offer(self, frames: Sequence[Frame], now: float) -> bool:
        """Take frames that pass the filter, or shed them. False means too slow: close with SLOW_CONSUMER."""
        if self.too_slow(now):
            return False
        unsent = self._sink.unsent_bytes
        if unsent > self._limits.soft_bytes:
            frames = [frame for frame in frames if not self._shed(frame, unsent)]
        self._sink.write(frames)
        return True

    def tell(self, frame: Frame, now: float) -> bool:
        """Say something out of turn, behind all that the client is owed. False means too slow, and nothing was said."""
        return self.catch_up(now) and self.offer([frame], now)

    def catch_up(self, now: float) -> bool:
        """Write what the client is owed, ahead of the next flush. False means too slow; it is still owed it then."""
        return self.variant is None or self.variant.catch_up(self, now)

    def tell_dropped(self, room: RoomKey, now: float) -> Counter[str]:
        """Tell the client what was shed since it was last told, at most once a second. Returns what was told now."""
        dropped, up_to = self._dropped, self._dropped_up_to
        if dropped is None or up_to is None or now - self._dropped_told_at < DROPPED_EVERY_S:
            return Counter()
        self._sink.write([control(dropped_frame(room, dict(dropped), up_to))])
        self._dropped, self._dropped_told_at = None, now
        return dropped

    def _shed(self, frame: Frame, unsent: int) -> bool:
        shed_class = SHED_ORDER.get(frame.type, 0)
        if not shed_class or unsent <= self._limits.shed_from(shed_class):
            return False
        if self._dropped is None:
            self._dropped = Counter()
        self._dropped[frame.type] += 1
        self._dropped_up_to = frame.cursor
        return True
