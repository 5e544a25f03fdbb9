"""A client that comes back: it keeps its cursor, and goes on with it on whichever gateway it meets."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import websockets

from shared.backoff import Backoff
from tests.frames import read

CUT_OFF: Final = 1006  # RFC 6455: stands for a connection that went without a close frame


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection ended.

    Attributes:
        code: of the close frame.
        reason: its text.
        cursor: the client's own, then; empty when it has none.
        served: the client was told something of its room over this connection.
        joined: it had all that was missed, and was getting events as they come: its gateway knows its place.
    """

    code: int
    reason: str
    cursor: str
    served: bool
    joined: bool


class Returning:
    """One viewer of one room. Subclasses note what they are told.

    Attributes:
        room: `PLATFORM/ROOM` or `ROOM`.
        closes: how its connections ended, in order; those that it closed itself are left out.
        refused: connections that did not come about.
        pause_s: between two frames that it reads.
    """

    def __init__(
        self,
        room: str,
        where: Callable[[], str],
        rng: random.Random,
        *,
        backoff: Backoff,
        ping_s: float = 20.0,
    ) -> None:
        """Create it; `run` connects.

        Args:
            room: as in an address; slashes of a link are escaped already.
            where: `ws://host:port` of a gateway or balancer, asked before each connection.
            rng: its randomness.
            backoff: before it returns; a gateway that tells a longer time is heeded.
            ping_s: who does not answer a ping in twice as long is gone.
        """
        self.room = room
        self.closes: list[Close] = []
        self.refused = 0
        self.pause_s = 0.0
        self._where = where
        self._rng = rng
        self._backoff = backoff
        self._ping_s = ping_s
        self._cursor = ""
        self._told_s = 0.0
        self._attempt = 0
        self._hops = False
        self._socket: websockets.ClientConnection | None = None

    # --- for subclasses -----------------------------------------------------------------------------------------------

    def on_open(self) -> None:
        """A connection came about."""

    def on_frame(self, frame: dict[str, Any]) -> None:
        """Something was told."""

    def on_close(self, close: Close) -> None:
        """A connection ended, and not because this client wanted it."""

    # ------------------------------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether it has a connection now, as far as it knows."""
        return self._socket is not None

    async def run(self) -> None:
        """Watch, and come back after every loss, until cancelled."""
        while True:
            self._told_s = 0.0
            try:
                await self._watch()
            except (OSError, websockets.WebSocketException, TimeoutError):
                self.refused += 1
            delay_s = self._backoff.delay_s(self._attempt, self._rng.random)
            self._attempt += 1
            await asyncio.sleep(max(delay_s, self._told_s))

    async def hop(self) -> None:
        """Leave this gateway, for any of them."""
        if self._socket is not None:
            self._hops = True
            await self._socket.close()

    async def _watch(self) -> None:
        since = f"&since={quote(self._cursor)}" if self._cursor else ""
        url = f"{self._where()}/ws/{quote(self.room, safe='/%')}?lang=en&events=all{since}"
        async with websockets.connect(
            url, open_timeout=3, close_timeout=1, ping_interval=self._ping_s, ping_timeout=2 * self._ping_s,
            max_queue=64, compression=None, proxy=None,
        ) as socket:  # fmt: skip
            self._socket, self._hops, served, joined = socket, False, False, False
            self.on_open()
            try:
                with contextlib.suppress(websockets.ConnectionClosedError):
                    async for text in socket:
                        frame = read(text)
                        served |= self._take(frame)
                        joined |= frame.get("status") == "connected"
                        self.on_frame(frame)
                        if self.pause_s:
                            await asyncio.sleep(self.pause_s)
                if not self._hops:
                    close = Close(socket.close_code or CUT_OFF, socket.close_reason or "", self._cursor, served, joined)
                    self.closes.append(close)
                    self.on_close(close)
            finally:
                self._socket = None

    def _take(self, frame: dict[str, Any]) -> bool:
        """Keep the place that a frame leads to; whether it is one of the room."""
        if frame.get("status") == "closing":
            self._told_s = frame.get("retry_in_ms", 0) / 1000
        if frame.get("code") == "bad_cursor":
            self._cursor = ""
        # Not that of other frames: a closing frame's stands behind what we may not have seen.
        if "time" in frame and "cursor" in frame:
            self._cursor = frame["cursor"]
            self._attempt = 0
            return True
        if "cursor" in frame and frame.get("status") == "connected" and not self._cursor:
            self._cursor = frame["cursor"]
        return False
