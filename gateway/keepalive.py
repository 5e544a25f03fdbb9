"""WebSocket pings for all connections of a server, on one timer.

Connections stand in two queues, one by when they are pinged next, one by when their answer is too late; as all wait
equally long, whoever joins a queue joins its end.
"""

import asyncio
from typing import Protocol

TICKS = 20  # of the timer, in the shorter of the two times
TICK_MAX_S = 1.0


class Pinged(Protocol):
    """A connection. Nothing here waits or raises."""

    def ping(self, payload: bytes) -> None:
        """Ask it for a sign of life."""

    def on_unanswered(self) -> None:
        """It gave none in time."""


class Keepalive:
    """Pings connections every `interval_s`, and reports those that do not answer within `timeout_s`.

    Args:
        interval_s: between an answer, or the beginning, and the next ping; None or 0: nobody is pinged.
        timeout_s: None: nobody is waited for.
    """

    def __init__(self, interval_s: float | None, timeout_s: float | None) -> None:
        self._interval_s = interval_s or 0.0
        self._timeout_s = timeout_s
        self._tick_s = min(TICK_MAX_S, min(self._interval_s, timeout_s or self._interval_s) / TICKS)
        self._due: dict[Pinged, float] = {}  # -> when it is pinged; in this order
        self._asked: dict[Pinged, tuple[float, bytes]] = {}  # -> until when it may answer, and what
        self._round = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due) + len(self._asked)

    def add(self, connection: Pinged) -> None:
        """Ping it from now on."""
        if self._interval_s:
            self._due[connection] = asyncio.get_running_loop().time() + self._interval_s
            self._start()

    def discard(self, connection: Pinged) -> None:
        """Ping it no more; no error when it was not pinged."""
        self._due.pop(connection, None)
        self._asked.pop(connection, None)

    def answered(self, connection: Pinged, payload: bytes) -> None:
        """A pong came in, asked for or not."""
        asked = self._asked.get(connection)
        if asked is not None and asked[1] == payload:
            del self._asked[connection]
            self.add(connection)

    def _start(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._tick_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        self._round += 1
        payload = self._round.to_bytes(8)  # the same for all: it tells an answer from those to earlier pings
        try:
            for connection, at in list(self._due.items()):
                if at > now:
                    break
                del self._due[connection]
                if self._timeout_s is None:
                    self.add(connection)
                else:
                    self._asked[connection] = (now + self._timeout_s, payload)
                connection.ping(payload)
            for connection, (until, _) in list(self._asked.items()):
                if until > now:
                    break
                del self._asked[connection]
                connection.on_unanswered()
        finally:
            if self:
                self._start()
