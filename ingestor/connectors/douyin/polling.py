"""Polling as a transport, for when the socket is refused: each answer becomes the frame that a socket would have sent.

Nobody takes acks or heartbeats here, so what is sent goes nowhere.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ingestor.connectors.webcast import MAX_FRAME_BYTES, frame, read_response
from protos import webcast_pb2 as pb
from shared.errors import RemoteProtocolError, UpstreamClosed, UpstreamLeft

MAX_ANSWER_BYTES: Final = MAX_FRAME_BYTES - 64
"""Of an answer, unzipped; a larger one would not fit into the frame that it becomes. Whoever fetches sees to it."""

INTERVAL_DEFAULT_S: Final = 1.0  # where the server names none. Source: peer clients, 2024 to 2026.
INTERVAL_MAX_S: Final = 10.0  # longer, and a room would count as silent

Fetch = Callable[[str, str], Awaitable[bytes]]
"""(cursor, internal_ext) -> body of an answer, MAX_ANSWER_BYTES at most. Raises UpstreamError."""


class PollingTransport:
    """See `Transport`. A room that is polled goes back to the socket after a while."""

    def __init__(self, fetch: Fetch, first: bytes, *, least_s: Callable[[], float], life_s: float) -> None:
        """Take over after the first answer; use `open` instead."""
        self._fetch = fetch
        self._next: bytes | None = first
        self._least_s = least_s
        self._ends_s = time.monotonic() + life_s
        self._response = read_response(first)

    @classmethod
    async def open(
        cls, fetch: Fetch, cursor: str, internal_ext: str, *, least_s: Callable[[], float], life_s: float
    ) -> "PollingTransport":
        """Poll for the first time.

        Args:
            fetch: asks once.
            cursor, internal_ext: where to go on, "" to begin now.
            least_s: pause between two polls, at least; asked before each.
            life_s: after it `receive` ends.

        Raises:
            UpstreamError: it cannot be polled.
        """
        first = await fetch(cursor, internal_ext)
        try:
            return cls(fetch, first, least_s=least_s, life_s=life_s)
        except RemoteProtocolError as error:
            raise UpstreamClosed(f"a poll's answer cannot be read: {error}") from None

    async def receive(self) -> list[bytes]:
        """The next answer, as a frame.

        Raises:
            UpstreamLeft: it is time to try the socket again.
            UpstreamClosed: an answer cannot be read.
            UpstreamError: the platform refuses, or is not reachable.
        """
        if self._next is None:
            self._next = await self._poll()
        body, self._next = self._next, None
        return [frame(b"msg", body)]

    async def send(self, frames: Sequence[bytes]) -> None:
        """Nothing: see above."""

    async def aclose(self) -> None:
        """Nothing is open between two polls."""

    async def _poll(self) -> bytes:
        if time.monotonic() >= self._ends_s:
            raise UpstreamLeft("polled for long enough: the socket may open again", close_code=1000)
        await asyncio.sleep(self._pause_s(self._response))
        body = await self._fetch(_text(self._response.cursor), _text(self._response.internal_ext))
        try:
            self._response = read_response(body)
        except RemoteProtocolError as error:
            raise UpstreamClosed(f"a poll's answer cannot be read: {error}") from None
        return body

    def _pause_s(self, response: pb.Response) -> float:
        announced_s = response.fetch_interval / 1000 if response.fetch_interval > 0 else INTERVAL_DEFAULT_S
        return min(max(self._least_s(), announced_s), INTERVAL_MAX_S)


def _text(raw: bytes) -> str:
    return raw.decode("utf8", "replace")
