"""The whole table of what can go wrong for a client: the word, whether trying again can help, and the close code.

A frame carries the word as `code`; a close carries it in its reason. 1000 stands wherever asking again would give the
same answer: clients of tkLiveWebSocket reconnect after every other code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from shared.cursor import Cursor

REASON_MAX_BYTES = 123  # RFC 6455: a close frame's payload is at most 125 bytes, two of them the code


class Code(StrEnum):
    """Words of error and closing frames."""

    BAD_ROOM = "bad_room"
    NOT_FOUND = "not_found"
    OFFLINE = "offline"
    RESTRICTED = "restricted"
    LOGIN_REQUIRED = "login_required"
    ENDED = "ended"
    BAD_OPTION = "bad_option"
    BAD_CURSOR = "bad_cursor"
    BAD_COMMAND = "bad_command"
    TOO_MANY_ROOMS = "too_many_rooms"
    ALREADY_SUBSCRIBED = "already_subscribed"
    NOT_SUBSCRIBED = "not_subscribed"
    UPSTREAM_LOST = "upstream_lost"
    BLOCKED = "blocked"
    RATE_LIMITED = "rate_limited"
    KEY_REFUSED = "key_refused"
    NO_INGESTOR = "no_ingestor"
    NO_CAPACITY = "no_capacity"
    UNAVAILABLE = "unavailable"
    REQUESTED = "requested"
    DRAINING = "draining"
    OVERLOADED = "overloaded"
    SLOW_CONSUMER = "slow_consumer"
    TOO_LARGE = "too_large"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows a code: may trying again help, and the close code; None leaves the socket open."""

    reconnect: bool
    close: int | None


OUTCOMES: Mapping[Code, Outcome] = MappingProxyType(
    {
        Code.BAD_ROOM: Outcome(reconnect=False, close=1000),
        Code.NOT_FOUND: Outcome(reconnect=False, close=1000),
        Code.OFFLINE: Outcome(reconnect=False, close=1000),
        Code.RESTRICTED: Outcome(reconnect=False, close=1000),
        Code.LOGIN_REQUIRED: Outcome(reconnect=False, close=1000),
        Code.ENDED: Outcome(reconnect=False, close=1000),
        Code.BAD_OPTION: Outcome(reconnect=False, close=None),
        Code.BAD_CURSOR: Outcome(reconnect=False, close=None),
        Code.BAD_COMMAND: Outcome(reconnect=False, close=None),
        Code.TOO_MANY_ROOMS: Outcome(reconnect=False, close=None),
        Code.ALREADY_SUBSCRIBED: Outcome(reconnect=False, close=None),
        Code.NOT_SUBSCRIBED: Outcome(reconnect=False, close=None),
        Code.UPSTREAM_LOST: Outcome(reconnect=True, close=None),
        Code.BLOCKED: Outcome(reconnect=True, close=None),
        Code.RATE_LIMITED: Outcome(reconnect=True, close=None),
        Code.KEY_REFUSED: Outcome(reconnect=True, close=None),
        Code.NO_INGESTOR: Outcome(reconnect=True, close=None),
        Code.NO_CAPACITY: Outcome(reconnect=True, close=None),
        Code.UNAVAILABLE: Outcome(reconnect=True, close=None),
        Code.REQUESTED: Outcome(reconnect=False, close=1000),
        Code.DRAINING: Outcome(reconnect=True, close=1012),
        Code.OVERLOADED: Outcome(reconnect=True, close=1013),
        Code.SLOW_CONSUMER: Outcome(reconnect=True, close=1013),
        Code.TOO_LARGE: Outcome(reconnect=False, close=1009),
        Code.INTERNAL: Outcome(reconnect=True, close=1011),
    }
)


def close_reason(code: Code, since: Cursor | None = None) -> str:
    """Text of a close frame: the word, and where to resume. Two 16-digit numbers leave it far below the limit."""
    return f"{code} since={since}" if since is not None else str(code)
