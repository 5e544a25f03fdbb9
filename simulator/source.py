"""Where a room's messages come from: the interface that a scenario and a playback share, message ids, and what control
messages say about the broadcast itself. Pure.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from random import Random
from typing import Protocol

from protos.webcast_pb2 import Message
from simulator.wire import first_varint

CONTROL = b"WebcastControlMessage"
_ACTION = 2  # field of a control message, on both platforms


class ControlAction(IntEnum):
    """What a control message says. Source: captured control messages, peer libraries agree; the last on one platform
    only, the other gives a reason with the third.
    """

    PAUSED = 1
    RESUMED = 2
    ENDED = 3
    BANNED = 4


_ENDS = frozenset({ControlAction.ENDED, ControlAction.BANNED})


class Source(Protocol):
    """What happens in one room. It has no clock: it is told how much time went by."""

    rate: float
    """Messages a second."""
    viewers: int
    """How many watch, about; what the room tells its clients follows slowly."""
    ids: "MessageIds"
    """Where the ids of this room's messages come from."""
    given: Counter[str]
    """Gifts so far, as `units` and `diamonds`: what clients must come to when they add up."""

    def advance(self, elapsed_s: float, now_ms: int) -> list[Message]:
        """Let time go by; returns what happened in it, in order."""

    def past(self, now_ms: int) -> list[Message]:
        """What was said before anybody listened, oldest first."""

    def greeting(self, now_ms: int) -> list[Message]:
        """What every newcomer is told first; the ids are the same each time."""

    def control(self, action: ControlAction, now_ms: int) -> Message:
        """A control message."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a room and its place there."""

    serial: int
    message: Message


class MessageIds:
    """Unique and rising ids in the platform's manner: seconds in the upper half."""

    def __init__(self, random: Random, taken: Sequence[int] = ()) -> None:
        self._random = random
        self._taken = set(taken)
        self._last = 0

    def next(self, now_ms: int) -> int:
        """An id that was not given before."""
        fresh = (now_ms // 1000 << 32) + self._random.getrandbits(20)
        self._last = max(fresh, self._last + self._random.randrange(1, 1000))
        while self._last in self._taken:
            self._last += 1
        return self._last


def action_of(message: Message) -> ControlAction | None:
    """What a message says about the broadcast; None for nearly all messages."""
    if message.method != CONTROL:
        return None
    try:
        return ControlAction(first_varint(message.payload, _ACTION))
    except ValueError:
        return None


def ends_broadcast(message: Message) -> bool:
    """Whether the broadcast is over with this message."""
    return action_of(message) in _ENDS
