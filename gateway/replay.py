"""Sending one client what it asked for of the past (`since`, `last`), no faster than it reads.

While a client reads what it was sent, nothing more is held for it than that: it is a place in the log, and what lies
behind the place is read when there is room for it. So those who do not read keep nobody from the log.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from typing import Protocol

from gateway.close_codes import Code
from gateway.frames import Delivery, Frame, control
from gateway.hub import wanted_frames
from gateway.options import Options
from gateway.protocol import recovered_frame
from gateway.recovery import Recovery
from gateway.room import Room
from gateway.subscriber import Sink
from shared import metrics
from shared.broker import Broker
from shared.errors import BadCursor, BrokerUnavailable

RETRY_S = 0.5  # between two tries to read the log


class Client(Protocol):
    """Who is told when it does not go well."""

    def tell_error(self, code: Code, *, detail: str = "") -> None:
        """The option is no good; the client goes on without it."""

    def on_unavailable(self) -> None:
        """Redis is away; it is tried again."""

    def on_nothing_more(self) -> None:
        """A client that is ahead was sent all there is: the room's phase comes behind that."""

    def dismiss(self, code: Code) -> None:
        """The client is to be closed."""


class Replay:
    """One client's past in one room.

    Args:
        room: started.
        broker: where its log is read.
        log_readers: those of all rooms; one is taken while the log is read for the client.
        options: what the client asked for.
        sink: where its frames go.
        client: who is told what goes wrong.
    """

    def __init__(
        self,
        room: Room,
        broker: Broker,
        log_readers: asyncio.Semaphore,
        options: Options,
        sink: Sink,
        client: Client,
    ) -> None:
        self._room = room
        self._log_readers = log_readers
        self._options = options
        self._sink = sink
        self._client = client
        self._settings = room.settings
        self._recovery = Recovery(room, broker, options.since)
        self._news = room.news  # as of the last look at the room

    @property
    def ahead(self) -> bool:
        """Whether the client cannot join the fan-out yet: it was given more than this gateway has."""
        return self._recovery.ahead

    async def send(self) -> None:
        """Send all up to the live end; whoever joins the fan-out before awaiting anything else has missed nothing.

        A client that is `ahead` then is not at the live end, and has to `be_overtaken` first.
        """
        await self._send(self._answer)

    async def be_overtaken(self) -> None:
        """Wait, while the client is ahead of this gateway, until it is not; then it is as after `send`."""
        while self.ahead and not self._sink.closing:
            if not self._news.is_set():
                self._client.on_nothing_more()
                await self._news.wait()
            await self._send(self._pull)

    async def _send(self, read: Callable[[], Awaitable[Sequence[Delivery]]]) -> None:
        """Send what can be read, and then what came meanwhile, until nothing did; or until nobody reads it."""
        while await self._has_room():
            self._news = self._room.news
            try:
                async with self._log_readers if self._recovery.needs_log else nullcontext():
                    at_end = self._write(await read())
                if at_end:
                    return
                read = self._pull
            except BrokerUnavailable:
                self._client.on_unavailable()
                await asyncio.sleep(RETRY_S)

    async def _pull(self) -> Sequence[Delivery]:
        return await self._recovery.pull(by_page=True)

    async def _answer(self) -> Sequence[Delivery]:
        """Read what was asked for, and tell what that is."""
        options, recovery = self._options, self._recovery
        try:
            if options.since is None:
                deliveries = await recovery.newest(options.last, options.wanted, self._settings.history_len)
            else:
                await recovery.prove()
                deliveries = await recovery.pull()
        except BadCursor as error:
            self._client.tell_error(Code.BAD_CURSOR, detail=str(error))
            return ()
        self._tell_recovered(deliveries)
        return deliveries

    def _tell_recovered(self, deliveries: Sequence[Delivery]) -> None:
        since = self._options.since
        events = [frame for frame in wanted_frames(deliveries, self._options.wanted) if frame.type]
        cursor = events[-1].cursor if events else self._recovery.place or since
        recovered = since is None or self._recovery.complete
        metrics.RECOVERIES.labels(str(recovered).lower()).inc()
        frame = recovered_frame(self._room.key, recovered=recovered, count=len(events), since=since, cursor=cursor)
        self._sink.write([control(frame)])

    @property
    def _room_bytes(self) -> int:
        """How much the client can be sent before it has read something; negative: it has to read first.

        From `soft_bytes` on events are shed, also those of its other rooms: the past leaves them half of that.
        """
        return self._settings.send_limits.soft_bytes // 2 - self._sink.unsent_bytes

    async def _has_room(self) -> bool:
        """Wait until there is room for more; False: nobody reads it."""
        limits = self._settings.send_limits
        while self._room_bytes < 0 and not self._sink.closing:
            try:
                async with asyncio.timeout(limits.age_s):
                    await self._sink.drained()
            except TimeoutError:
                if limits.exceeded_by(self._sink, time.monotonic()):  # else it reads, and other rooms have much for it
                    self._client.dismiss(Code.SLOW_CONSUMER)
                    return False
        return not self._sink.closing

    def _write(self, deliveries: Sequence[Delivery]) -> bool:
        """Write as much as there is room for, an event at least. True: that was all there is, as yet."""
        frames: list[Frame] = []
        size, room_bytes = 0, self._room_bytes
        for delivery in deliveries:
            wanted = wanted_frames((delivery,), self._options.wanted)
            frames += wanted
            size += sum(frame.size for frame in wanted)
            if size <= room_bytes or delivery is deliveries[-1] or not any(frame.type for frame in delivery.frames):
                continue  # nobody steps back to a gap: the place of one that has no event is not where it was found
            self._sink.write(frames)
            frames, size, room_bytes = [], 0, self._room_bytes
            if room_bytes < 0:
                self._recovery.step_back(delivery.cursor)
                return False
        self._sink.write(frames)
        return self._recovery.reached
