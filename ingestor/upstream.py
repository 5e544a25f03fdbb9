"""The thin shell around one open connection: it moves frames between transport and protocol, and beats the heart."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ingestor.connectors.base import Message, Upstream
from shared.errors import UpstreamClosed


@contextlib.asynccontextmanager
async def running(upstream: Upstream, *, silence_s: float) -> AsyncIterator[AsyncIterator[list[Message]]]:
    """Run a connection; the value iterates over the new messages of each frame (the list may be empty).

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


async def _frames(upstream: Upstream, silence_s: float) -> AsyncIterator[list[Message]]:
    await _send_waiting(upstream)
    if upstream.first:
        yield list(upstream.first)
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
            messages = protocol.receive_frame(frame)
            if number == last or protocol.closing:
                try:
                    await _send_waiting(upstream)
                except UpstreamClosed:
                    yield messages  # what came before a close counts, acknowledged or not
                    raise
            yield messages
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
