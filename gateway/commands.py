"""What a client says on a connection for many rooms: pure, text in, a command out."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.protocol import CommandId, is_too_large
from shared.platforms import DEFAULT_PLATFORM

ID_MAX_CHARS = 64
_ID_INTEGER_MAX = 2**53 - 1  # what every client can write and read

_Id = Annotated[str, Meta(max_length=ID_MAX_CHARS)] | Annotated[int, Meta(ge=-_ID_INTEGER_MAX, le=_ID_INTEGER_MAX)]


class Subscribe(Struct, frozen=True, kw_only=True, tag_field="action", tag="subscribe"):
    """Send this room's events too. `room` is whatever the address of a room takes; `platform` may be left out as there.

    The rest are its options, as in an address: `since` a cursor, `last` a number, `wait` true or false, and `events` a
    list of names, or one text with commas between them.
    """

    id: _Id | UnsetType = UNSET
    platform: str = DEFAULT_PLATFORM
    room: str
    since: Any = UNSET
    last: Any = UNSET
    events: Any = UNSET
    wait: Any = UNSET

    @property
    def options(self) -> Mapping[str, str]:
        """The options as the query of an address has them; what is no value of one is left for its reader to name."""
        given = {"since": self.since, "last": self.last, "events": self.events, "wait": self.wait}
        return {name: _as_in_a_query(value) for name, value in given.items() if value is not UNSET}


class Unsubscribe(Struct, frozen=True, kw_only=True, tag_field="action", tag="unsubscribe"):
    """Send no more of this room, which may be called as it was asked for or as its events call it."""

    id: _Id | UnsetType = UNSET
    platform: str = DEFAULT_PLATFORM
    room: str


class ListRooms(Struct, frozen=True, kw_only=True, tag_field="action", tag="list"):
    """Say which rooms this connection has."""

    id: _Id | UnsetType = UNSET


class Close(Struct, frozen=True, kw_only=True, tag_field="action", tag="close"):
    """End the connection; `{"type":"close"}` does the same."""


class Ping(Struct, frozen=True, kw_only=True, tag_field="type", tag="ping"):
    """Say where each room is."""


class BadCommand(Struct, frozen=True, kw_only=True):
    """None of these; the id, if that could be read."""

    id: CommandId | UnsetType = UNSET
    detail: str


class TooLarge(Struct, frozen=True):
    """More than a client may say at once."""


Command = Subscribe | Unsubscribe | ListRooms | Close | Ping
_ACTIONS = Subscribe | Unsubscribe | ListRooms | Close


def parse_command(frame: str | bytes) -> Command | BadCommand | TooLarge:
    """Read what a client says, whatever it holds."""
    if is_too_large(frame):
        return TooLarge()
    if isinstance(frame, bytes):
        return BadCommand(detail="a command is text")
    try:
        said = msgspec.json.decode(frame)
    except (msgspec.MsgspecError, RecursionError):  # 4 KiB of `[` nest deeper than the decoder goes
        return BadCommand(detail="this is no JSON")
    if not isinstance(said, dict):
        return BadCommand(detail="a command is an object")
    if said.get("action") == "close" or said.get("type") == "close":
        return Close()
    if "action" not in said and said.get("type") == "ping":
        return Ping()
    try:
        command: Command = msgspec.convert(said, _ACTIONS)
    except msgspec.ValidationError as error:
        return BadCommand(id=_id_of(said), detail=str(error))
    return command


def _id_of(said: dict[str, Any]) -> CommandId | UnsetType:
    try:
        found: CommandId = msgspec.convert(said.get("id"), _Id)
    except msgspec.ValidationError:
        return UNSET
    return found


def _as_in_a_query(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case list() if all(isinstance(word, str) for word in value):
            return ",".join(value)
    return ""
