"""What arrives on the channels of rooms and on the wake channel, parsed, and handed to whoever asked for it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import msgspec

from shared import metrics
from shared.broker import Entry
from shared.cursor import Cursor
from shared.errors import BadCursor, BadRoom, RemoteProtocolError
from shared.events import ENTRY_MAX_BYTES
from shared.keys import WAKE, RoomKeys
from shared.phases import RoomPhase, decode_phase
from shared.pubsub_link import DEFAULT_LIMITS, LinkLimits, PubSubLink
from shared.redis_client import RedisClient
from shared.room import RoomKey

logger = logging.getLogger(__name__)

_MESSAGE_MAX_BYTES = ENTRY_MAX_BYTES + 128  # an entry, and what stands before it
_NO_ENTRIES = (b"phase", b"alive")


@dataclass(frozen=True, slots=True)
class Alive:
    """The holder's heartbeat: nothing newer than `last` is in the log."""

    last: Cursor


def parse_message(message: bytes) -> Entry | Alive | RoomPhase:
    """Read `<id> <type> <received_ms> <data>`.

    Raises:
        RemoteProtocolError: it is nothing that a holder publishes.
    """
    parts = message.split(b" ", 3) if len(message) <= _MESSAGE_MAX_BYTES else []
    if len(parts) != 4:
        raise RemoteProtocolError("not of four parts")
    cursor, kind, received_ms, data = parts
    if kind not in _NO_ENTRIES:
        return Entry.parse(cursor, kind, received_ms, data)
    try:
        return decode_phase(data) if kind == b"phase" else Alive(Cursor.parse(cursor))
    except (msgspec.DecodeError, BadCursor) as error:
        raise RemoteProtocolError(f"bad {kind.decode()}") from error


class Deliveries(Protocol):
    """Who is told what arrives. Calls are quick and do not wait; what one raises is logged and ends nothing."""

    def on_entry(self, room: RoomKey, entry: Entry) -> None:
        """An event, a gap or a marker; may be one that was delivered before."""

    def on_alive(self, room: RoomKey, last: Cursor) -> None:
        """The holder says that `last` is the end of the log."""

    def on_phase(self, room: RoomKey, phase: RoomPhase) -> None:
        """The room's phase changed."""

    def on_resubscribed(self, room: RoomKey) -> None:
        """Messages may have been missed: the log has to be read."""

    def on_link(self, up: bool) -> None:
        """Whether messages of all rooms arrive."""


class Channels(PubSubLink):
    """The channels of rooms. Lives as an `async with` block.

    Args:
        redis: where.
        deliveries: who is told.
        limits: how long a silent link is believed.
    """

    def __init__(self, redis: RedisClient, deliveries: Deliveries, limits: LinkLimits = DEFAULT_LIMITS) -> None:
        super().__init__(redis, limits)
        self._deliveries = deliveries
        self._rooms: dict[bytes, RoomKey] = {}  # by channel, as they were given: the very keys find quickest in dicts

    async def subscribe(self, room: RoomKey) -> None:
        """Return when Redis confirmed: every entry that is not in the log by then will be delivered.

        Raises:
            BrokerUnavailable: it did not, for a while. The room stays wanted; `on_resubscribed` tells when it is there.
        """
        name = RoomKeys.of(room).events
        self._rooms[name.encode()] = room
        await self._confirmation(self._want(name, sharded=True))

    async def unsubscribe(self, room: RoomKey) -> None:
        """Deliver nothing of the room any more."""
        name = RoomKeys.of(room).events
        self._rooms.pop(name.encode(), None)
        self._unwant(name)

    def _on_message(self, name: bytes, message: bytes) -> None:
        room = self._rooms[name]
        try:
            parsed = parse_message(message)
        except RemoteProtocolError:
            metrics.REDIS_MALFORMED.labels("channel").inc()
            logger.debug("foreign message dropped room=%s bytes=%d", room, len(message))
            return
        if isinstance(parsed, Entry):
            try:
                self._deliveries.on_entry(room, parsed)
            except Exception:
                logger.exception("delivery failed room=%s", room)
        elif isinstance(parsed, Alive):
            _hand_over(self._deliveries.on_alive, room, parsed.last)
        else:
            _hand_over(self._deliveries.on_phase, room, parsed)

    def _on_resubscribed(self, name: bytes) -> None:
        _hand_over(self._deliveries.on_resubscribed, self._rooms[name])

    def _on_link(self, up: bool) -> None:
        _hand_over(self._deliveries.on_link, up)


class WakeChannel(PubSubLink):
    """The channel that tells ingestors which room is wanted now. Lives as an `async with` block.

    What is told while the link is down is lost; `Demand.wanted` finds it.

    Args:
        redis: where.
        on_wake: called with the room; what it raises is logged and ends nothing.
        on_up: called whenever wakes arrive (again), with what it raises likewise.
        limits: how long a silent link is believed.
    """

    def __init__(
        self,
        redis: RedisClient,
        on_wake: Callable[[RoomKey], None],
        on_up: Callable[[], None],
        limits: LinkLimits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(redis, limits)
        self._on_wake = on_wake
        self._on_up = on_up

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._want(WAKE, sharded=False)
        return self

    def _on_message(self, name: bytes, message: bytes) -> None:
        try:
            room = RoomKey.parse(message.decode("utf8", "replace"))
        except BadRoom:
            metrics.REDIS_MALFORMED.labels("wake").inc()
            return
        _hand_over(self._on_wake, room)

    def _on_link(self, up: bool) -> None:
        if up:
            _hand_over(self._on_up)


def _hand_over(callback: Callable[..., None], *what: object) -> None:
    """Call somebody whose faults must not end the link."""
    try:
        callback(*what)
    except Exception:
        logger.exception("delivery failed to=%r", callback)
