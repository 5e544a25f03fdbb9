"""What a room shows of itself to somebody who comes in the middle: a `live_status` frame, made once for all of them.

Who is there before the room runs gets it as the event of that type, which the holder publishes when a broadcast begins;
but none comes when a room is taken up again while its log still has the broadcast. Those who came between are owed it.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec import UNSET, UnsetType

from gateway.subscriber import Subscriber
from shared.broker import Broker, RoomState
from shared.events import LiveStatus, LiveStatusDetail, User
from shared.room import RoomKey

CHANGED_BY = frozenset({"live_status", "room_update"})
"""Types of event after which it has to be made anew."""

TOLD_BY = "live_status"
"""The type of event after which nobody is owed it."""
EVENT_WITHIN_S = 1.0  # of the connection of a room whose broadcast begins

_encoder = msgspec.json.Encoder()


class Front:
    """The frame of one room."""

    def __init__(self, key: RoomKey) -> None:
        self._key = key
        self._frame: str | None = None
        self._owed: dict[Subscriber, Callable[[str], None]] = {}
        self._due = float("inf")

    def owe(self, subscriber: Subscriber, tell: Callable[[str], None]) -> None:
        """This one came before the room runs."""
        self._owed[subscriber] = tell

    def forgive(self, subscriber: Subscriber) -> None:
        """This one left; no error when it was owed nothing."""
        self._owed.pop(subscriber, None)

    def told(self) -> None:
        """All who are here were told by an event."""
        self._owed.clear()

    def runs_from(self, now: float) -> None:
        """The room was connected; inf: it does not run any more."""
        self._due = now + EVENT_WITHIN_S

    def take_owed(self, now: float) -> Mapping[Subscriber, Callable[[str], None]]:
        """Those who have to be told now, as no event came in time; each is returned once."""
        if now < self._due or not self._owed:
            return {}
        owed, self._owed = self._owed, {}
        return owed

    def forget(self) -> None:
        """Something of it changed."""
        self._frame = None

    async def frame(self, broker: Broker, now_ms: int) -> str:
        """The frame, without cursor: it is no place in the log.

        Raises:
            BrokerUnavailable: it has to be made, and Redis cannot be asked.
        """
        if self._frame is None:
            state = await broker.state(self._key)
            self._frame = _encoder.encode(live_status(self._key, state, now_ms)).decode()
        return self._frame


def live_status(key: RoomKey, state: RoomState, now_ms: int) -> LiveStatus:
    """The event that a room's state stands for."""
    return LiveStatus(
        platform=key.platform,
        room=key.room,
        time=now_ms,
        live_status=LiveStatusDetail(
            state="paused" if state.paused else "live",
            title=state.title or UNSET,
            owner=owner_of(state),
            gifts=state.gifts is not False,
        ),
    )


def owner_of(state: RoomState) -> User | UnsetType:
    """The host, where that can be read: it may be written by another version."""
    try:
        return msgspec.json.decode(state.owner, type=User) if state.owner else UNSET
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return UNSET
