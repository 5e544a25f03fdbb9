"""What every room message has in common, and every event needs. Pure."""

from typing import Protocol, TypedDict

from msgspec import UNSET, UnsetType

from ingestor.connectors.base import Message
from ingestor.connectors.sanitize import decimal, milliseconds
from shared.room import RoomKey


class WireHeader(Protocol):
    """The fields of a message's `common` that are read here."""

    msg_id: int
    room_id: int
    create_time: int


class Head(TypedDict):
    """The common fields of an event, ready to be passed to its class: `Chat(**head, ...)`."""

    platform: str
    room: str
    id: str | UnsetType
    time: int
    history: bool | UnsetType


def head_of(room: RoomKey, message: Message, common: WireHeader | None, received_ms: int) -> Head:
    """The head of a message's event.

    Args:
        room: ours.
        message: its envelope's id is the id, unless it is 0.
        common: its inner header, None when it could not be read.
        received_ms: the time of events whose message tells none.
    """
    return Head(
        platform=room.platform,
        room=room.room,
        id=message.id or (decimal(common.msg_id) if common else "") or UNSET,
        time=milliseconds(common.create_time if common else 0) or message.happened_ms or received_ms,
        history=message.history or UNSET,
    )


def inner_head(head: Head, common: WireHeader) -> Head:
    """The head of an event within another one."""
    return Head(
        platform=head["platform"],
        room=head["room"],
        id=decimal(common.msg_id) or UNSET,
        time=milliseconds(common.create_time) or head["time"],
        history=UNSET,
    )
