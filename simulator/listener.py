"""One client of a simulated room: what is on its way to it, in order, and what may hold it up."""

import asyncio
from dataclasses import dataclass

from protos.webcast_pb2 import PushFrame
from simulator.connection import ServerConnection

OUTBOX_MAX = 2_000  # frames; a client that is further behind is cut off


@dataclass(frozen=True, slots=True)
class Close:
    """The last thing in an outbox. Code None: the connection is cut without a word."""

    code: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """In an outbox: what is behind it comes so much later."""

    seconds: float


class Listener:
    """One client in a room: what is on its way to it. Whoever owns the socket takes `next_item`."""

    def __init__(self, protocol: ServerConnection, now_s: float) -> None:
        self.protocol = protocol
        self.outbox: asyncio.Queue[bytes | str | Wait | Close] = asyncio.Queue()
        self.heard_s = now_s
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._stalled_until_s = 0.0

    def put(self, item: bytes | str | Wait | Close) -> None:
        """Queue without waiting; a client that is too far behind is cut off."""
        if self.outbox.qsize() >= OUTBOX_MAX:
            self.close(None)
        else:
            self.outbox.put_nowait(item)

    def send(self, frame: PushFrame) -> None:
        """Queue a frame."""
        self.put(frame.SerializeToString())

    def close(self, code: int | None, reason: str = "") -> None:
        """Close at once: what waits is lost, as it would be in a broken connection."""
        while not self.outbox.empty():
            self.outbox.get_nowait()
        self._flowing.set()
        self.outbox.put_nowait(Close(code, reason))

    def stall(self, until_s: float) -> None:
        """Send nothing more for a while, without a word; what comes up waits."""
        self._stalled_until_s = until_s
        self._flowing.clear()

    def resume(self, now_s: float) -> None:
        """End the stall, if it is time."""
        if now_s >= self._stalled_until_s:
            self._flowing.set()

    async def next_item(self) -> bytes | str | Wait | Close:
        """What to send next, once it may be sent."""
        item = await self.outbox.get()
        await self._flowing.wait()
        return item
