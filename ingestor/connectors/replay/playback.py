"""A recorded connection that takes place again: the same frames, at the same distances or faster."""

from asyncio import sleep
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from ingestor.connectors.base import Message
from ingestor.connectors.replay.play import Play
from ingestor.connectors.replay.reel import Reel
from ingestor.connectors.webcast import WebcastProtocol
from ingestor.recording import BadRecording, Kind
from shared.errors import RoomNotFound, RoomOffline, UpstreamLeft

PAUSE_MAX_S: Final = 10.0  # as it is played; nobody sits out a night between two connections


class PlaybackTransport:
    """See `Transport`. What is sent goes nowhere: the answers are recorded."""

    def __init__(
        self, reel: Reel, play: Play, began_ms: int, *, speed: float, give_back: Callable[[Reel], None]
    ) -> None:
        """Begin.

        Args:
            reel: behind the opening of the connection.
            play: is told where, and before which opening, this connection ended.
            began_ms: when the connection was opened, or the first record from this place on came.
            speed: how many times faster.
            give_back: is given the reel when the transport is closed.
        """
        self._reel = reel
        self._play = play
        self._speed = speed
        self._give_back = give_back
        self._at_ms = began_ms
        self._due_s = monotonic()

    def clock(self) -> int:
        """When what was passed on last came."""
        return self._at_ms

    async def receive(self) -> list[bytes]:
        """The next frame.

        Raises:
            UpstreamLeft: another connection follows.
            RoomOffline: the recording is over.
        """
        while (record := await self._reel.peek()) is not None:
            if record.kind == Kind.OPENED:
                try:
                    self._play.opened = record.as_opened()
                except BadRecording as error:
                    raise RoomNotFound(str(error)) from None
                raise UpstreamLeft("the recorded connection ended here", close_code=1000)
            if record.kind == Kind.FRAME:
                await self._until(record.at_ms)
                self._reel.step()
                return [record.content]
            self._reel.step()
        raise RoomOffline("the recording is over")

    async def send(self, frames: Sequence[bytes]) -> None:
        """Nothing: see above."""

    async def aclose(self) -> None:
        """Give the file back. The next connection goes on here, whatever of this one was of use."""
        self._play.place = self._reel.place
        self._give_back(self._reel)

    async def _until(self, at_ms: int) -> None:
        pause_s = min(max(at_ms - self._at_ms, 0) / 1000 / self._speed, PAUSE_MAX_S)
        due_s = self._due_s + pause_s
        await sleep(max(due_s - monotonic(), 0))
        self._due_s, self._at_ms = due_s, at_ms


class PlaybackProtocol:
    """See `UpstreamProtocol`. Its position is a place in the recording, with that of the platform behind a space."""

    heartbeat_s = 3600.0  # nobody listens

    def __init__(self, protocol: WebcastProtocol, place: Callable[[], int]) -> None:
        """Begin.

        Args:
            protocol: of the recorded connection.
            place: the number of records passed on.
        """
        self._protocol = protocol
        self._place = place

    @property
    def position(self) -> str:
        """See `UpstreamProtocol`."""
        return f"{self._place()} {self._protocol.position}"

    @property
    def overlapped(self) -> bool:
        """See `UpstreamProtocol`."""
        return self._protocol.overlapped

    @property
    def closing(self) -> bool:
        """See `UpstreamProtocol`."""
        return self._protocol.closing

    def frames_to_send(self) -> list[bytes]:
        """None."""
        self._protocol.frames_to_send()
        return []

    def receive_frame(self, frame: bytes) -> list[Message]:
        """See `UpstreamProtocol`."""
        return self._protocol.receive_frame(frame)

    def heartbeat(self) -> None:
        """Nothing."""
