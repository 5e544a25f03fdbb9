"""One room on a client's connection: the way into it, and what the client is told of it."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from msgspec import UNSET, UnsetType

from gateway.admission import Admission
from gateway.close_codes import Code
from gateway.feed import RETRY
from gateway.frames import control
from gateway.options import Options
from gateway.progress import Progress
from gateway.protocol import CommandId, error_frame, status_frame, target_frame
from gateway.relay import Relay
from gateway.replay import Replay
from gateway.room import Room
from gateway.subscriber import Sink, Subscriber
from gateway.texts import Lang, Status
from shared import metrics
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable
from shared.phases import RESTING, Phase
from shared.platforms import is_name, is_one_broadcast
from shared.room import RoomKey

logger = logging.getLogger(__name__)

ANSWERS = frozenset({Code.BAD_OPTION, Code.BAD_CURSOR, Code.ALREADY_SUBSCRIBED, Code.TOO_MANY_ROOMS})
"""Errors about what was asked for: they carry the id of the command."""


class Host(Protocol):
    """The connection it is on (`gateway.session.Session`)."""

    number: int
    relay: Relay
    admission: Admission
    origin: str
    lang: Lang

    @property
    def many(self) -> bool:
        """Whether the client can be in other rooms too."""

    def share(self) -> Sink:
        """The way to the client, for one room."""

    def holds(self, room: RoomKey, but: "Subscription") -> bool:
        """Whether the client is in this room already."""

    def spawn(self, work: Callable[[], Awaitable[None]], failed: Callable[[Code], None]) -> asyncio.Task[None]:
        """Do something beside."""

    def give_up(self) -> None:
        """The client reads too slowly."""

    def on_joined(self, subscription: "Subscription") -> None:
        """The client gets the room's events as they come from here on."""

    def on_end(self, subscription: "Subscription", code: Code, since: Cursor | None = None) -> None:
        """The room is over for the client."""


class Subscription:
    """A room, or a name that points to one, as one client gets it. It is the member that rooms know.

    Args:
        host: the client's connection.
        asked: what the client asked for.
        options: how.
        answers: the id of the command it asked with.

    Attributes:
        asked: what the client asked for.
        answers: see above.
        sink: the way to the client.
        subscriber: its place in the fan-out.
        room: the canonical one, when the way has come so far.
    """

    __slots__ = (
        *("_ahead", "_host", "_joining", "_left", "_name", "_options", "_paid", "_progress", "_resumed", "_shown"),
        *("_unavailable_told", "_untaken_told", "_waited", "answers", "asked", "room", "sink", "subscriber"),
    )

    def __init__(self, host: Host, asked: RoomKey, options: Options, answers: CommandId | UnsetType = UNSET) -> None:
        self.asked = asked
        self.answers = answers
        self.sink = host.share()
        self.subscriber = Subscriber(self.sink, host.relay.settings.send_limits, options.wanted)
        self.room: Room | None = None
        self._host = host
        self._options = options
        self._progress = Progress(host.lang, many=host.many, wait=options.wait)
        self._name: Room | None = None
        self._shown: Room | None = None  # whose phases the client is told
        self._resumed = False
        self._waited = False  # at its name, for the broadcast it joins next
        self._left: tuple[RoomKey, Cursor | None] | None = None  # the broadcast before that, and the place in it
        self._ahead = False  # of this gateway: it may get entries yet that the present phase comes behind
        self._paid = False
        self._unavailable_told = False
        self._untaken_told: Code | None = None
        self._joining: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Tell the first frames, and go into the room."""
        self._tell(status_frame(Status.CONNECTING, self._host.lang, self.asked))
        for code, detail in self._options.problems:
            self.tell_error(code, detail=detail)
        self._join(self.asked)

    def leave(self) -> None:
        """Be in no room from here on."""
        if self._joining is not None:
            self._joining.cancel()
            self._joining = None  # what cancelled it knows this object: the garbage collector would have to find them
        for room in (self._name, self.room):
            if room is not None:
                room.detach(self)
        self._name = self.room = self._shown = None

    @property
    def key(self) -> RoomKey:
        """The canonical room as far as it is known, or the name."""
        return self.asked if self.room is None else self.room.key

    @property
    def position(self) -> Cursor | None:
        """Where the client may resume: only who gets the room's events as they come has got all of them."""
        room = self.room
        return room.tail.position if room is not None and self.subscriber in room.hub else None

    @property
    def waits(self) -> bool:
        """Whether it stays while its room is not live."""
        return self._options.wait

    @property
    def status(self) -> Status:
        """The last step the client was told."""
        return self._progress.status

    # --- into the room -----------------------------------------------------------------------------------------------

    def _join(self, key: RoomKey, *, moved: bool = False) -> None:
        if self._joining is not None:
            self._joining.cancel()
        if not self.sink.closing:
            self._joining = self._host.spawn(partial(self._go_to, key, moved=moved), self.dismiss)

    async def _go_to(self, key: RoomKey, *, moved: bool) -> None:
        if self._host.holds(key, self):
            return self.end(Code.ALREADY_SUBSCRIBED)
        if self._host.many and key != self.asked:
            self._tell(target_frame(self.asked, key))
        relay = self._host.relay
        if not (self._paid or key in relay.rooms or await self._runs_elsewhere(key)) and not await self._pay(key):
            return None  # the room was not opened, which takes memory here and a channel of Redis
        if self._host.holds(key, self):  # it came there by another name meanwhile
            return self.end(Code.ALREADY_SUBSCRIBED)
        room = relay.attach(self, key)
        if room.is_name:
            self._name = room
        else:
            self.room = room
        await room.feed.started.wait()
        if room.is_name and room.target is not None:
            room.want()
            return self.on_target(room)
        if not await self._pay(key):
            return None
        room.want()
        if room.is_name:
            return self._show(room)
        if self._options.wanted.wants_raw:
            room.demand.ask_raw()
        waited, past = self._waited, self._past_of(room)
        if past is not None:
            replay = Replay(room, relay.broker, relay.log_readers, past, self.sink, self)
            await replay.send()
            self._resumed = True
            self._shown, self._ahead = room, True
            try:
                await replay.be_overtaken()
            finally:
                self._ahead = False
            if self.sink.closing:
                return None
        room.hub.add(self.subscriber)
        self._waited, self._left = False, None
        logger.debug("client joined client=%012x room=%s since=%s", self._host.number, room.key, self._options.since)
        runs = room.phase is not None and room.phase.phase is Phase.CONNECTED
        self._show(room)
        self._host.on_joined(self)
        if not waited and (moved or self._options.since is None):
            if runs:
                await self._tell_front(room)
            else:
                room.front.owe(self.subscriber, self._tell)
        return None

    def _past_of(self, room: Room) -> Options | None:
        """What the client is owed of a room's past: what it asked for, or all of the broadcast it waited for."""
        options = self._options
        if not self._resumed and (options.since is not None or (options.last and not self._waited)):
            return options
        if not self._waited or not any(delivery.frames for delivery in room.tail.held()):
            return None
        if self._left is None or self._left[0] != room.key:
            return replace(options, since=None, last=room.settings.history_len)
        place = self._left[1]
        return None if place in (None, room.tail.position) else replace(options, since=place, last=0)

    async def _runs_elsewhere(self, key: RoomKey) -> bool:
        """Whether a room that is not open here need not be started; waits for Redis to tell."""
        failures = 0
        while (runs := await self._host.relay.runs_elsewhere(key)) is None:
            self.on_unavailable()
            await asyncio.sleep(RETRY.delay_s(failures, random.random))
            failures += 1
        return runs

    def _runs_here(self, key: RoomKey) -> bool:
        room = self._host.relay.rooms.get(key)
        return room is not None and (room.demand.wanted or room.taken or room.rests)

    async def _pay(self, key: RoomKey) -> bool:
        """Wait until this client may start a room, if the room has to be started for it; False: too many wait."""
        admission, origin = self._host.admission, self._host.origin
        queued = False
        try:
            while not (self._paid or self._runs_here(key)):
                wait_s = admission.new_room(origin, time.monotonic())
                if not wait_s:
                    self._paid = True
                    break
                if not queued:
                    if not admission.queue_room(origin):
                        self.end(Code.TOO_MANY_ROOMS if self._host.many else Code.OVERLOADED)
                        return False
                    queued = True
                    self.tell_error(Code.RATE_LIMITED, retry_in_ms=int(wait_s * 1000))
                await asyncio.sleep(wait_s)
        finally:
            if queued:
                admission.unqueue_room(origin)
        return True

    async def _tell_front(self, room: Room) -> None:
        """Who comes in the middle is told what runs here, as those were who saw it begin."""
        try:
            self._tell(await room.front.frame(self._host.relay.broker, now_ms()))
        except BrokerUnavailable as error:
            logger.debug("newcomer not told what runs client=%012x room=%s: %s", self._host.number, room.key, error)

    # --- what rooms say ----------------------------------------------------------------------------------------------

    def _show(self, room: Room) -> None:
        """From here on the client is told this room's phases, beginning with the present one."""
        self._shown = room
        self._tell_phase(room)

    def on_phase(self, room: Room) -> None:
        if room is self._shown and not self._ahead:
            self._tell_phase(room)

    def on_nothing_more(self) -> None:
        if self._shown is not None:
            self._tell_phase(self._shown)

    def _tell_phase(self, room: Room) -> None:
        self._unavailable_told = False
        self._untaken_told = None
        phase = room.phase
        if phase is None or (phase.phase in RESTING and not room.rests):
            return  # nobody runs it; or its rest is over, and it is asked for anew
        told = self._progress.advance(room.key, phase, position=self.position, now_ms=now_ms())
        for frame in told.frames:
            self._tell(frame)
        if told.waits and self._name is not None and is_one_broadcast(self._name.key):
            self._wait_at(self._name)
        if told.code is not None:
            metrics.CLIENT_ERRORS.labels(told.code).inc()
            if told.closes:
                self._host.on_end(self, told.code, told.since)

    def _wait_at(self, name: Room) -> None:
        """The next broadcast is another room, which the name will point to: the client leaves the one that is over."""
        self._waited = self._paid = True
        room, position = self.room, self.position
        if room is not None and self._leave_for_another(room):
            self._left = room.key, position
            self._show(name)

    def on_target(self, name: Room) -> None:
        target, room = name.target, self.room
        if target is None or is_name(target) or (room is not None and room.key == target):
            return
        if room is not None:
            if not self._leave_for_another(room):
                return
            self._progress.interrupted()
        self._join(target, moved=room is not None)

    def _leave_for_another(self, room: Room) -> bool:
        """Leave the room, with all that the client is owed of it; False: it is given up."""
        if not self.subscriber.catch_up(time.monotonic()):
            self._host.give_up()
        if self.sink.closing:
            return False
        if self._joining is not None:
            self._joining.cancel()  # it may be on its way into the one that is left
        self._ahead = False
        room.detach(self)
        self.room = self._shown = None
        return True

    def on_unavailable(self) -> None:
        if not self._unavailable_told:
            self._unavailable_told = True
            self._progress.interrupted()
            self.tell_error(Code.UNAVAILABLE)

    def on_untaken(self, room: Room, code: Code) -> None:
        if room is self._shown and code != self._untaken_told:
            self._untaken_told = code
            self._progress.interrupted()
            self.tell_error(code)

    def dismiss(self, code: Code) -> None:
        if self.sink.closing:
            return
        if code is Code.SLOW_CONSUMER:
            self._host.give_up()
        else:
            self.end(code)

    def end(self, code: Code) -> None:
        """Tell an error, and be over."""
        self.tell_error(code)
        self._host.on_end(self, code)

    # --- telling -----------------------------------------------------------------------------------------------------

    def _tell(self, frame: str) -> None:
        if not self.subscriber.tell(control(frame), time.monotonic()):
            self.dismiss(Code.SLOW_CONSUMER)

    def tell_error(self, code: Code, *, detail: str = "", retry_in_ms: int | UnsetType = UNSET) -> None:
        """Tell an error; it ends nothing."""
        metrics.CLIENT_ERRORS.labels(code).inc()
        answers = self.answers if code in ANSWERS else UNSET
        frame = error_frame(code, self._host.lang, self.key, detail=detail, retry_in_ms=retry_in_ms, command_id=answers)
        self._tell(frame)
