"""One room on its way to a target: nothing is shed, and what is lost is said.

A follower is a member of the room like any client, but never of its fan-out: it pulls from its place in the log, at the
pace of the target. So the queue of a slow target is the log itself: past its length the oldest events are gone, and the
target gets a `gap` in their place.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import nullcontext
from math import inf
from time import monotonic
from typing import Final

from gateway.close_codes import Code
from gateway.forward.target import Places, Target
from gateway.frames import Encoding, Frame, plain
from gateway.hub import wanted_frames
from gateway.options import EventFilter
from gateway.recovery import Recovery
from gateway.relay import Relay
from gateway.room import Room
from gateway.subscriber import Subscriber
from shared.cursor import Cursor
from shared.errors import BadCursor, BrokerUnavailable
from shared.platforms import is_name
from shared.room import RoomKey

logger = logging.getLogger(__name__)

RETRY_S: Final = 0.5  # between two tries to read the log
NOTED_EVERY_S: Final = 1.0  # a place that is reached without an event for the target


class _Nowhere:
    """The sink of a member that is never in a fan-out."""

    sent: Cursor | None = None
    outlet = None
    encoding: Encoding = staticmethod(plain)
    unsent_bytes = 0
    closing = False

    def unsent_for_s(self, now: float) -> float:
        return 0.0

    def write(self, frames: Iterable[Frame]) -> None:
        """Nothing."""

    async def drained(self) -> None:
        """There is nothing."""


class Follower:
    """A room, or a name that points to one, as a target gets it. It is the member that rooms know.

    Attributes:
        waits: it stays while its room is not live.
    """

    waits = True

    def __init__(
        self, relay: Relay, asked: RoomKey, wanted: EventFilter, target: Target, places: Places, *, linger_s: float
    ) -> None:
        """Follow from when `run`.

        Args:
            relay: running.
            asked: room or name.
            wanted: types of event.
            target: where they go.
            places: how far rooms are there already.
            linger_s: how long events may wait for others.
        """
        self.subscriber = Subscriber(_Nowhere(), relay.settings.send_limits, wanted)
        self._relay = relay
        self._asked = asked
        self._target = target
        self._places = places
        self._linger_s = linger_s
        self._pointed = asyncio.Event()
        self._pointed_to: RoomKey | None = None
        self._untaken: Code | None = None

    async def run(self) -> None:
        """Until cancelled."""
        room = await self._enter(self._asked)
        try:
            if not room.is_name:
                await self._follow(room)
            while True:
                self._pointed.clear()
                self._pointed_to = room.target
                async with asyncio.TaskGroup() as tasks:
                    following = tasks.create_task(self._go_to(room.target)) if room.target else None
                    await self._pointed.wait()
                    if following is not None:
                        following.cancel()
        finally:
            room.detach(self)

    async def _go_to(self, key: RoomKey) -> None:
        room = await self._enter(key)
        try:
            await self._follow(room)
        finally:
            room.detach(self)

    async def _enter(self, key: RoomKey) -> Room:
        room = self._relay.attach(self, key)
        try:
            await room.feed.started.wait()
        except asyncio.CancelledError:
            room.detach(self)
            raise
        room.want()
        return room

    async def _follow(self, room: Room) -> None:
        wanted = self.subscriber.wanted
        if wanted.wants_raw:
            room.demand.ask_raw()
        recovery = await self._begin(room)
        noted_s = -inf
        while True:
            news = room.news
            try:
                async with self._relay.log_readers if recovery.needs_log else nullcontext():
                    deliveries = await recovery.pull()
            except BrokerUnavailable:
                await asyncio.sleep(RETRY_S)
                continue
            if frames := wanted_frames(deliveries, wanted):
                await self._target.put(str(room.key), frames, recovery.place)
            elif deliveries and monotonic() - noted_s >= NOTED_EVERY_S:
                # Else a room of which nothing is wanted for longer than its log reaches would begin with a gap.
                await self._target.put(str(room.key), (), recovery.place)
                noted_s = monotonic()
            elif not deliveries:
                await news.wait()
                await asyncio.sleep(self._linger_s)

    async def _begin(self, room: Room) -> Recovery:
        place = self._places.of(str(room.key))
        recovery = Recovery(room, self._relay.broker, place or room.tail.position)
        logger.info("forwarding begun room=%s since=%s", room.key, place or "now")
        while place is not None:
            try:
                await recovery.prove()
                break
            except BrokerUnavailable:
                await asyncio.sleep(RETRY_S)
            except BadCursor as error:
                logger.warning("place forgotten room=%s since=%s: %s", room.key, place, error)
                break
        return recovery

    # --- what rooms say ----------------------------------------------------------------------------------------------

    def on_phase(self, room: Room) -> None:
        """Phases are no events."""
        self._untaken = None

    def on_target(self, name: Room) -> None:
        """Go to where the name points now."""
        if name.target != self._pointed_to and name.target is not None and not is_name(name.target):
            self._pointed.set()

    def on_unavailable(self) -> None:
        """It is read when it is there again."""

    def on_untaken(self, room: Room, code: Code) -> None:
        """Say it, once."""
        if code is not self._untaken:
            self._untaken = code
            logger.warning("room not taken room=%s code=%s", room.key, code)

    def dismiss(self, code: Code) -> None:
        """Only members of the fan-out are."""
