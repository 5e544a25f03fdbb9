"""What a room shows of itself to somebody who comes in the middle: a `live_status` frame, made once for all of them."""

import msgspec
from msgspec import UNSET, UnsetType

from shared.broker import Broker, RoomState
from shared.events import LiveStatus, LiveStatusDetail, User
from shared.room import RoomKey

CHANGED_BY = frozenset({"live_status", "room_update"})
"""Types of event after which it has to be made anew."""

_encoder = msgspec.json.Encoder()


class Front:
    """The frame of one room."""

    def __init__(self, key: RoomKey) -> None:
        self._key = key
        self._frame: str | None = None

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
