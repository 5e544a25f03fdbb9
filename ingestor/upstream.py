"""The thin shell around one open connection: it moves frames between transport and protocol, and beats the heart."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

from ingestor.connectors.base import Message, Upstream
from shared.errors import RemoteProtocolError, UpstreamClosed


class Arrival(NamedTuple):
    """A frame, empty for what came with the opening, and the new messages in it, of which there may be none."""

    frame: bytes
    messages: list[Message]


@contextlib.asynccontextmanager
async def running(upstream: Upstream, *, silence_s: float) -> AsyncIterator[AsyncIterator[Arrival]]:
    """Run a connection; the value iterates over what comes.

    Args:
        upstream: just opened. Its transport is closed at the end.
        silence_s: no frame for this long ends the iteration with UpstreamClosed: a silent upstream is a dead one,
            whatever the socket says.
    """
    heart = asyncio.create_task(_beat(upstream))
    try:
        yield _frames(upstream, silence_s)
    finally:
        heart.cancel()
        # A heartbeat that could not be sent is no news: the reader sees the same closed socket.
        with contextlib.suppress(asyncio.CancelledError, UpstreamClosed):
            await heart
        await upstream.transport.aclose()


async def _frames(upstream: Upstream, silence_s: float) -> AsyncIterator[Arrival]:
    await _send_waiting(upstream)
    if upstream.first:
        yield Arrival(b"", list(upstream.first))
    protocol = upstream.protocol
    while not protocol.closing:
        try:
            async with asyncio.timeout(silence_s):
                frames = await upstream.transport.receive()
        except TimeoutError:
            raise UpstreamClosed(f"silent for {silence_s:g} s") from None
        last = len(frames) - 1
        for number, frame in enumerate(frames):
            # One by one: the protocol's position has to be that of the messages that are passed on.
            try:
                messages = protocol.receive_frame(frame)
            except RemoteProtocolError:
                yield Arrival(frame, [])
                raise
            if number == last or protocol.closing:
                try:
                    await _send_waiting(upstream)
                except UpstreamClosed:
                    yield Arrival(frame, messages)  # what came before a close counts, acknowledged or not
                    raise
            yield Arrival(frame, messages)
            if protocol.closing:
                break
    raise UpstreamClosed("the platform asked us to leave", close_code=1000)


async def _beat(upstream: Upstream) -> None:
    while True:
        await asyncio.sleep(upstream.protocol.heartbeat_s)
        upstream.protocol.heartbeat()
        await _send_waiting(upstream)


async def _send_waiting(upstream: Upstream) -> None:
    if frames := upstream.protocol.frames_to_send():
        await upstream.transport.send(frames)
