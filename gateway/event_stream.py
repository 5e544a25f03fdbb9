"""A client that listens by HTTP: server-sent events, as `EventSource` of browsers and `curl -N` read them.

Each frame is one message, an event's place in the log its id, so that a browser that comes back says by itself, as
`Last-Event-ID`, where it left. Written out here: libraries for it pull events from an iterator that knows no limits of
unsent bytes, and end streams as soon as their server is asked to stop, before the client was told where to go on.
"""

import asyncio
from collections.abc import Sequence
from random import randint

from starlette.types import Message, Receive, Scope, Send

from gateway.frames import Frame
from gateway.sink import QueueSink
from gateway.subscriber import Sink
from shared.transports import STREAM, Stream

RETRY_MS = (1_000, 3_000)  # before a browser comes back: all of a gateway that stopped come at once
KERNEL_MAX_BYTES = 256 * 1024  # unsent bytes in the kernel
LEAVE_S = 12.0  # to take what was written last
GONE_S = 1.0  # for the news of a reset to arrive

COMMENT = Frame("", b":\n", 2)
"""A sign of life, for whatever stands between. No empty line follows: some clients would take that for a message."""

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),  # who comes back asks the balancer anew
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"access-control-allow-origin", b"*"),  # as for sockets, which know no such rule
)


def as_message(frame: Frame) -> bytes:
    """A frame as it stands in the stream. Its JSON has no line ends."""
    if frame is COMMENT:
        return frame.wire
    if frame.cursor is None:
        return b"data: %b\n\n" % frame.payload
    return b"id: %b\ndata: %b\n\n" % (str(frame.cursor).encode(), frame.payload)


class EventStream:
    """The answer to one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope.get("extensions", {}).get(STREAM)
        self._connection: Stream | None = connection() if connection is not None else None
        self._receive = receive
        self._send = send
        self._complete = False

    async def start(self) -> None:
        """Send the head of the answer."""
        if self._connection is not None:
            self._connection.begin_stream(KERNEL_MAX_BYTES)
        await self._send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        await self.send(b"retry: %d\n" % randint(*RETRY_MS))  # a field of the first message

    async def receive(self) -> Message:
        """What the server has to say: that the client is gone, in the end."""
        return await self._receive()

    async def send(self, data: bytes) -> None:
        """Send a part of the body."""
        if self._connection is not None:
            self._connection.announce(len(data))
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        """Send the end of the body."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        self._complete = True

    async def leave(self) -> None:
        """Let go of the connection; one that does not take its end is reset."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._complete:
            connection.end_stream(LEAVE_S)
            return
        connection.reset()
        try:
            async with asyncio.timeout(GONE_S):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            pass


class StreamSink(QueueSink):
    """The queue towards a stream (`gateway.subscriber.Sink`).

    Args:
        stream: started.
        slow: see `QueueSink`.
    """

    batch_bytes = 16 * 1024

    def __init__(self, stream: EventStream, slow: set[Sink]) -> None:
        super().__init__(slow)
        self._stream = stream

    async def _send_frames(self, frames: Sequence[Frame]) -> None:
        await self._stream.send(b"".join(map(as_message, frames)))

    async def _send_close(self, code: int, reason: str) -> None:
        await self._stream.finish()
