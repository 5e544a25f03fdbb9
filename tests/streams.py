"""Clients of event streams, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.frames import Frame, read
from tests.gateways import DEADLINE_S, Gateway


class Listener:
    """One client; it reads as `EventSource` does.

    Attributes:
        frames: the data of every message.
        ids: the id each of them had, or "".
        last_event_id: what it would come back with.
        comments: lines that are no part of a message.
    """

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.frames: list[Frame] = []
        self.ids: list[str] = []
        self.last_event_id = ""
        self.retry_ms = 0
        self.comments = 0
        self._lines = response.aiter_lines()

    async def next(self) -> Frame | None:
        """The next message; None: the stream is over."""
        data, own_id = None, ""
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                match name:
                    case "data":
                        data = value
                    case "id":
                        self.last_event_id = own_id = value
                    case "retry":
                        self.retry_ms = int(value)
                    case ":":
                        self.comments += 1
                        return {"comment": True}
                    case "" if data is not None:
                        frame = read(data)
                        self.frames.append(frame)
                        self.ids.append(own_id)
                        return frame
                    case _:
                        raise AssertionError(line)
        return None

    async def until(self, **fields: object) -> Frame:
        """Read on to the first message with these fields."""
        while (frame := await self.next()) is not None:
            if fields.items() <= frame.items():
                return frame
        raise AssertionError(f"the stream ended after {self.frames[-3:]}")

    async def rest(self) -> None:
        """Read to the end of the stream."""
        while await self.next() is not None:
            pass

    @property
    def words(self) -> list[str]:
        """The frames made short, but for those about places and what runs."""
        return [
            str(frame.get("content") or frame.get("status") or frame.get("type") or frame["code"])
            for frame in self.frames
            if frame.get("type") not in ("pong", "live_status")
        ]


@asynccontextmanager
async def listening(
    gateway: Gateway, path: str, headers: Mapping[str, str] | None = None, **options: Any
) -> AsyncIterator[Listener]:
    """A client at `/sse/<path>`."""
    async with gateway.http.stream("GET", f"/sse/{path}", headers=headers, **options) as response:
        yield Listener(response)
