"""A client that comes back: it keeps its cursor, and goes on with it on whichever gateway it meets."""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote

import websockets

from tests.chaos.oracle import Seen, seen

PING_S: Final = 1.0  # a gateway that does not answer in as long again is gone


class Client:
    """One viewer of one room.

    Attributes:
        frames: what it saw, as far as it matters.
        ids: of the events, for looking up.
    """

    def __init__(self, room: str, addresses: Callable[[], Sequence[str]], rng: random.Random) -> None:
        """Create it; `run` connects.

        Args:
            room: `PLATFORM/ROOM`.
            addresses: of the gateways, `host:port`.
            rng: which of them it chooses.
        """
        self.room = room
        self.frames: list[Seen] = []
        self.ids: set[str] = set()
        self.pause_s = 0.0
        self._addresses = addresses
        self._rng = rng
        self._cursor = ""
        self._socket: websockets.ClientConnection | None = None

    async def run(self) -> None:
        """Watch, and come back after every loss, until cancelled."""
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException, TimeoutError):
                await self._watch()
            await asyncio.sleep(self._rng.uniform(0.05, 0.3))

    async def hop(self) -> None:
        """Leave this gateway, for any of them."""
        if self._socket is not None:
            await self._socket.close()

    async def _watch(self) -> None:
        address = self._rng.choice(list(self._addresses()))
        since = f"&since={quote(self._cursor)}" if self._cursor else ""
        url = f"ws://{address}/ws/{quote(self.room)}?lang=en&events=all{since}"
        async with websockets.connect(
            url, open_timeout=3, close_timeout=1, ping_interval=PING_S, ping_timeout=2 * PING_S, max_queue=64
        ) as self._socket:
            async for text in self._socket:
                self._take(json.loads(text))
                if self.pause_s:
                    await asyncio.sleep(self.pause_s)

    def _take(self, frame: dict[str, Any]) -> None:
        if frame.get("code") == "bad_cursor":
            self._cursor = ""
        # Not that of other frames: a closing frame's stands behind what we may not have seen.
        if "time" in frame and "cursor" in frame:
            self._cursor = frame["cursor"]
        if "cursor" in frame and frame.get("status") == "connected" and not self._cursor:
            self._cursor = frame["cursor"]
        if (what := seen(frame)) is not None:
            self.frames.append(what)
            self.ids.add(what.id)
