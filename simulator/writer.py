"""How a platform writes down what happens: the interface for the stories that are the same on all of them. Pure."""

from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from protos.webcast_pb2 import Message
from simulator.catalogue import Gift
from simulator.people import Person
from simulator.source import ControlAction
from simulator.wire import length_delimited

# Real messages are 1 to 6 KB, mostly fields nobody reads. Ours get a field of text that no schema has, and it comes
# first: neither unknown fields nor their place may bother a client.
_FILLER_FIELD = 1900
_FILLER = b"https://p16-sign.example/tos-avt/~tplv-cropcenter:100:100.webp?refresh_token=" * 80


class AnyMessage(Protocol):
    """What all generated classes of room messages have in common."""

    common: Any

    def SerializeToString(self) -> bytes:  # noqa: N802 - protobuf's name
        """Its bytes."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message, and what its header says beside it.

    Attributes:
        describe: the summary for people.
        key, pattern: of the header's display text, with `person` for its first place.
        method: where it is not `Webcast` and the name of the type.
    """

    message: AnyMessage
    describe: str = ""
    key: str = ""
    pattern: str = ""
    person: Person | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """A press of a gift, or with `end` the end of a streak of them. `group_id` 0: there is no streak."""

    gift: Gift
    repeat_count: int = 1
    group_id: int = 0
    group_count: int = 1
    end: bool = False


class Writer(Protocol):
    """Puts what happens into the messages of one room."""

    def envelope(self, told: Told, now_ms: int) -> Message:
        """The message with header, id and time, ready to be sent."""

    def control(self, action: ControlAction, now_ms: int) -> Message:
        """The broadcast is paused, resumed or over."""

    def chat(self, person: Person, text: str, last: Person | None) -> Told:
        """Somebody says something, perhaps to the one who spoke last."""

    def like(self, person: Person, *, count: int, total: int) -> Told:
        """Somebody likes the room `count` times."""

    def enter(self, person: Person, *, viewers: int) -> Told:
        """Somebody comes in."""

    def follow(self, person: Person, *, followers: int) -> Told:
        """Somebody follows the host, and is one of so many."""

    def share(self, person: Person) -> Told:
        """Somebody passes the room on."""

    def delete(self, msg_id: int) -> Told:
        """A message is taken back."""

    def gift(self, person: Person, press: Press) -> Told:
        """Somebody gives."""


def padded(payload: bytes, random: Random) -> bytes:
    """A message's bytes, as long as real ones are."""
    size = min(len(_FILLER), int(random.lognormvariate(6.6, 0.7)))
    return length_delimited(_FILLER_FIELD, _FILLER[:size]) + payload
