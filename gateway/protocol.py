"""Everything a client is told that is no event, and everything a client can say: pure, frames in and out as text.

Field names and their absence are the contract: an optional field that is unknown is absent, never `null`.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from gateway.close_codes import OUTCOMES, Code
from gateway.texts import CLOSING_TEXTS, ERROR_TEXTS, STATUS_TEXTS, Lang, Status
from shared.cursor import Cursor
from shared.events import Gap
from shared.room import RoomKey

CLIENT_FRAME_MAX_BYTES = 4 * 1024  # a ping with a timestamp has 50

STEPS: dict[Status, int] = {
    Status.CONNECTING: 1,
    Status.CREATING_CRAWLER: 2,
    Status.GETTING_TOKEN: 3,
    Status.CHECKING_LIVE: 4,
    Status.CONNECTED: 4,
    Status.RECONNECTING: 4,
    Status.WAITING: 4,
}
TOTAL_STEPS = 4

CommandId = str | int
"""What a client calls a command of its own; the answer repeats it."""


class StatusFrame(Struct, frozen=True, kw_only=True):
    """How far the room is.

    `waiting` is for clients that asked with `wait=1`: the room is not live, or not any more; `code` says why (offline,
    ended, restricted, login_required), `retry_in_ms` when it is looked at next. It is told once, and again when the
    reason is another one; `connected` follows when the room begins. Who asked by name waits for the host: the next
    broadcast may be another room, and is told from its first event on, behind `recovered` where it began before.
    """

    status: Status
    message: str
    step: int
    total_steps: int = TOTAL_STEPS
    platform: str
    room: str
    cursor: str | UnsetType = UNSET
    code: Code | UnsetType = UNSET
    attempt: int | UnsetType = UNSET
    retry_in_ms: int | UnsetType = UNSET


class ErrorFrame(Struct, frozen=True, kw_only=True):
    """Something does not work; `reconnect`: trying again can help.

    On a connection for many rooms: `id` of the command it answers; `cursors`, by `platform:room`, when it is the last
    frame of all.
    """

    error: str
    detail: str
    suggestion: str
    reconnect: bool
    code: Code
    platform: str | UnsetType = UNSET
    room: str | UnsetType = UNSET
    retry_in_ms: int | UnsetType = UNSET
    id: CommandId | UnsetType = UNSET
    cursors: dict[str, str] | UnsetType = UNSET


class RecoveredFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="recovered"):
    """The answer to `since` and `last`: `count` events follow, `cursor` is the last one's."""

    platform: str
    room: str
    recovered: bool
    count: int
    since: str | UnsetType = UNSET
    cursor: str | UnsetType = UNSET


class DroppedFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="dropped"):
    """Shed since the last such frame, because the client reads too slowly."""

    platform: str
    room: str
    count: int
    by_type: dict[str, int]
    cursor: str


class PongFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="pong"):
    """Our clock, and the newest place in the room: it keeps the `since` of a filtered client fresh.

    Of a connection for many rooms these are `cursors`, by `platform:room`.
    """

    timestamp: int
    cursor: str | UnsetType = UNSET
    cursors: dict[str, str] | UnsetType = UNSET


class ClosingFrame(Struct, frozen=True, kw_only=True):
    """The last frame before a close that is no error.

    On a connection for many rooms one with `room` is the end of that room alone; one with `cursors`, by
    `platform:room`, is the last frame of all.
    """

    status: Literal["closing"] = "closing"
    message: str
    code: Code
    reconnect: bool
    platform: str | UnsetType = UNSET
    room: str | UnsetType = UNSET
    cursor: str | UnsetType = UNSET
    cursors: dict[str, str] | UnsetType = UNSET
    retry_in_ms: int | UnsetType = UNSET


class SubscribedFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="subscribed"):
    """The room was taken on, in its normal form; its frames follow, as on a connection of its own."""

    id: CommandId | UnsetType = UNSET
    platform: str
    room: str


class TargetFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="target"):
    """The name points to this room, whose frames follow; told again when it points to another one."""

    platform: str
    room: str
    target: str


class UnsubscribedFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="unsubscribed"):
    """Nothing of the room follows; `cursor`: where it may be resumed."""

    id: CommandId | UnsetType = UNSET
    platform: str
    room: str
    cursor: str | UnsetType = UNSET


class SubscribedRoom(Struct, frozen=True, kw_only=True):
    """A room as it was asked for; `target`: the one its name points to; `status`: the last that was told."""

    platform: str
    room: str
    target: str | UnsetType = UNSET
    cursor: str | UnsetType = UNSET
    status: Status


class SubscriptionsFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="subscriptions"):
    """The rooms of this connection."""

    id: CommandId | UnsetType = UNSET
    rooms: list[SubscribedRoom]


_encoder = msgspec.json.Encoder()


def _encode(frame: Struct) -> str:
    return _encoder.encode(frame).decode()


def _known(cursor: Cursor | None) -> str | UnsetType:
    return UNSET if cursor is None else str(cursor)


def _by_room(cursors: Mapping[RoomKey, Cursor] | None) -> dict[str, str] | UnsetType:
    return UNSET if cursors is None else {str(room): str(cursor) for room, cursor in cursors.items()}


def status_frame(
    status: Status,
    lang: Lang,
    room: RoomKey,
    *,
    cursor: Cursor | None = None,
    code: Code | UnsetType = UNSET,
    attempt: int | UnsetType = UNSET,
    retry_in_ms: int | UnsetType = UNSET,
) -> str:
    """A step of the room's life."""
    return _encode(
        StatusFrame(
            status=status,
            message=STATUS_TEXTS[status][lang],
            step=STEPS[status],
            platform=room.platform,
            room=room.room,
            cursor=_known(cursor),
            code=code,
            attempt=attempt,
            retry_in_ms=retry_in_ms,
        )
    )


def error_frame(
    code: Code,
    lang: Lang,
    room: RoomKey | None = None,
    *,
    detail: str = "",
    retry_in_ms: int | UnsetType = UNSET,
    command_id: CommandId | UnsetType = UNSET,
    cursors: Mapping[RoomKey, Cursor] | None = None,
) -> str:
    """An error; `detail` says more than the table's text does, and stands behind it."""
    text = ERROR_TEXTS[code][lang]
    return _encode(
        ErrorFrame(
            error=text.error,
            detail=f"{text.detail}: {detail}" if detail else text.detail,
            suggestion=text.suggestion,
            reconnect=OUTCOMES[code].reconnect,
            code=code,
            platform=room.platform if room else UNSET,
            room=room.room if room else UNSET,
            retry_in_ms=retry_in_ms,
            id=command_id,
            cursors=_by_room(cursors),
        )
    )


def closing_frame(
    code: Code,
    lang: Lang,
    room: RoomKey | None = None,
    *,
    cursor: Cursor | None = None,
    cursors: Mapping[RoomKey, Cursor] | None = None,
    retry_in_ms: int | UnsetType = UNSET,
) -> str:
    """The frame before a close: why, and where to resume. With a room: that is over, and the connection stays."""
    return _encode(
        ClosingFrame(
            message=CLOSING_TEXTS[code][lang],
            code=code,
            reconnect=OUTCOMES[code].reconnect,
            platform=room.platform if room else UNSET,
            room=room.room if room else UNSET,
            cursor=_known(cursor),
            cursors=_by_room(cursors),
            retry_in_ms=retry_in_ms,
        )
    )


def recovered_frame(room: RoomKey, *, recovered: bool, count: int, since: Cursor | None, cursor: Cursor | None) -> str:
    """What a replay holds."""
    return _encode(
        RecoveredFrame(
            platform=room.platform,
            room=room.room,
            recovered=recovered,
            count=count,
            since=_known(since),
            cursor=_known(cursor),
        )
    )


def gap_frame(room: RoomKey, *, after: Cursor, before: Cursor, reason: str) -> str:
    """Events are missing between two cursors."""
    return _encode(Gap(platform=room.platform, room=room.room, after=str(after), before=str(before), reason=reason))


def dropped_frame(room: RoomKey, by_type: dict[str, int], cursor: Cursor) -> str:
    """How many events were shed, by type."""
    return _encode(
        DroppedFrame(
            platform=room.platform, room=room.room, count=sum(by_type.values()), by_type=by_type, cursor=str(cursor)
        )
    )


def pong_frame(now_ms: int, cursor: Cursor | None, cursors: Mapping[RoomKey, Cursor] | None = None) -> str:
    """The answer to a ping."""
    return _encode(PongFrame(timestamp=now_ms, cursor=_known(cursor), cursors=_by_room(cursors)))


def subscribed_frame(command_id: CommandId | UnsetType, room: RoomKey) -> str:
    """The answer to `subscribe`."""
    return _encode(SubscribedFrame(id=command_id, platform=room.platform, room=room.room))


def target_frame(name: RoomKey, target: RoomKey) -> str:
    """Where a name points."""
    return _encode(TargetFrame(platform=name.platform, room=name.room, target=target.room))


def unsubscribed_frame(command_id: CommandId | UnsetType, room: RoomKey, cursor: Cursor | None) -> str:
    """The answer to `unsubscribe`."""
    return _encode(UnsubscribedFrame(id=command_id, platform=room.platform, room=room.room, cursor=_known(cursor)))


def subscribed_room(asked: RoomKey, target: RoomKey, cursor: Cursor | None, status: Status) -> SubscribedRoom:
    """One of the rooms in the answer to `list`."""
    return SubscribedRoom(
        platform=asked.platform,
        room=asked.room,
        target=UNSET if target == asked else target.room,
        cursor=_known(cursor),
        status=status,
    )


def subscriptions_frame(command_id: CommandId | UnsetType, rooms: list[SubscribedRoom]) -> str:
    """The answer to `list`."""
    return _encode(SubscriptionsFrame(id=command_id, rooms=rooms))


class ClientFrame(Enum):
    """What a client's frame asks for."""

    PING = "ping"
    CLOSE = "close"
    IGNORED = "ignored"
    TOO_LARGE = "too_large"


class _ClientJson(Struct):
    type: Any = None
    action: Any = None


_client_decoder = msgspec.json.Decoder(_ClientJson)


def is_too_large(frame: str | bytes) -> bool:
    """Whether a client's frame is more than it may say at once."""
    size = len(frame if isinstance(frame, bytes) or len(frame) > CLIENT_FRAME_MAX_BYTES else frame.encode())
    return size > CLIENT_FRAME_MAX_BYTES


def parse_client_frame(frame: str | bytes) -> ClientFrame:
    """Read a client's frame; whatever is no command is IGNORED, whatever it holds."""
    if is_too_large(frame):
        return ClientFrame.TOO_LARGE
    if isinstance(frame, bytes):
        return ClientFrame.IGNORED
    try:
        command = _client_decoder.decode(frame)
    except (msgspec.MsgspecError, RecursionError):  # 4 KiB of `[` nest deeper than the decoder goes
        return ClientFrame.IGNORED
    if command.action == "close" or command.type == "close":
        return ClientFrame.CLOSE
    return ClientFrame.PING if command.type == "ping" else ClientFrame.IGNORED
