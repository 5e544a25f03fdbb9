"""Everything a client is told that is no event, and everything a client can say: pure, frames in and out as text.

Field names and their absence are the contract: an optional field that is unknown is absent, never `null`.
"""

from enum import Enum
from typing import Any

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


class StatusFrame(Struct, frozen=True, kw_only=True):
    """How far the room is.

    `waiting` is for clients that asked with `wait=1`: the room is not live, or not any more; `code` says why (offline,
    ended, restricted, login_required), `retry_in_ms` when it is looked at next. It is told once, and again when the
    reason is another one; `connected` follows when the room begins. Who asked by name waits for the host: the next
    broadcast may be another room, and is told from its first event on, behind `recovered` where it began before.
    """

    status: str
    message: str
    step: int
    total_steps: int = TOTAL_STEPS
    platform: str
    room: str
    cursor: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    attempt: int | UnsetType = UNSET
    retry_in_ms: int | UnsetType = UNSET


class ErrorFrame(Struct, frozen=True, kw_only=True):
    """Something does not work; `reconnect`: trying again can help."""

    error: str
    detail: str
    suggestion: str
    reconnect: bool
    code: str
    platform: str | UnsetType = UNSET
    room: str | UnsetType = UNSET
    retry_in_ms: int | UnsetType = UNSET


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
    """Our clock, and the newest place in the room: it keeps the `since` of a filtered client fresh."""

    timestamp: int
    cursor: str | UnsetType = UNSET


class ClosingFrame(Struct, frozen=True, kw_only=True):
    """The last frame before a close that is no error."""

    status: str = "closing"
    message: str
    code: str
    reconnect: bool
    cursor: str | UnsetType = UNSET
    retry_in_ms: int | UnsetType = UNSET


_encoder = msgspec.json.Encoder()


def _encode(frame: Struct) -> str:
    return _encoder.encode(frame).decode()


def _known(cursor: Cursor | None) -> str | UnsetType:
    return UNSET if cursor is None else str(cursor)


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
    code: Code, lang: Lang, room: RoomKey | None = None, *, detail: str = "", retry_in_ms: int | UnsetType = UNSET
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
        )
    )


def closing_frame(code: Code, lang: Lang, *, cursor: Cursor | None = None, retry_in_ms: int | UnsetType = UNSET) -> str:
    """The frame before a close: why, and where to resume."""
    return _encode(
        ClosingFrame(
            message=CLOSING_TEXTS[code][lang],
            code=code,
            reconnect=OUTCOMES[code].reconnect,
            cursor=_known(cursor),
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


def pong_frame(now_ms: int, cursor: Cursor | None) -> str:
    """The answer to a ping."""
    return _encode(PongFrame(timestamp=now_ms, cursor=_known(cursor)))


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


def parse_client_frame(frame: str | bytes) -> ClientFrame:
    """Read a client's frame; whatever is no command is IGNORED, whatever it holds."""
    size = len(frame if isinstance(frame, bytes) or len(frame) > CLIENT_FRAME_MAX_BYTES else frame.encode())
    if size > CLIENT_FRAME_MAX_BYTES:
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
