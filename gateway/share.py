"""One room's share in the way to a client that has several."""

from collections.abc import Iterable
from typing import Protocol

from gateway.frames import Encoding, Frame
from gateway.subscriber import Outlet, Place, Sink
from shared.cursor import Cursor


class SharedSink(Sink, Protocol):
    """A sink that keeps apart how far each of several rooms has come."""

    def write(self, frames: Iterable[Frame], place: Place | None = None) -> None:
        """Take frames over, of which the newest that is handed over is noted in `place`."""


class Share:
    """What the fan-out of one room sees of a sink (`gateway.subscriber.Sink`). All but its place is the whole one's.

    Attributes:
        sent: the newest place in the room's log of which a frame was handed over.
    """

    __slots__ = ("_whole", "sent")

    def __init__(self, whole: SharedSink) -> None:
        self.sent: Cursor | None = None
        self._whole = whole

    @property
    def outlet(self) -> Outlet | None:
        return self._whole.outlet

    @property
    def encoding(self) -> Encoding:
        return self._whole.encoding

    @property
    def unsent_bytes(self) -> int:
        return self._whole.unsent_bytes

    def unsent_for_s(self, now: float) -> float:
        return self._whole.unsent_for_s(now)

    @property
    def closing(self) -> bool:
        return self._whole.closing

    def write(self, frames: Iterable[Frame]) -> None:
        self._whole.write(frames, self)

    async def drained(self) -> None:
        await self._whole.drained()
