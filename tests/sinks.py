"""Sinks of clients that are no sockets, and a flusher without patience."""

from collections.abc import Iterable

from gateway.flusher import Flushable, Flusher
from gateway.frames import Frame, plain
from gateway.subscriber import Outlet
from gateway.variant import Flushed
from shared.cursor import Cursor


class ListSink:
    """Keeps what it is given; is looked at for every frame."""

    outlet: Outlet | None = None
    encoding = staticmethod(plain)
    unsent_bytes = 0
    closing = False

    def __init__(self) -> None:
        self.sent: Cursor | None = None
        self.written: list[Frame] = []

    def unsent_for_s(self, now: float) -> float:
        return 0.0

    def write(self, frames: Iterable[Frame]) -> None:
        self.written += frames

    async def drained(self) -> None:
        pass


class AtOnce(Flusher):
    """Flushes whatever is wanted before it returns."""

    def __init__(self) -> None:
        super().__init__(0)

    def want(self, room: Flushable) -> None:
        while room.owes:
            room.flush(Flushed(), 100, 0.0)
