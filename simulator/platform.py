"""What the simulator has to know of a platform: the interface to the platforms' folders. Pure.

Their doors, which need a world to open, are in the table of `platforms.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from protos.webcast_pb2 import Message
from simulator.catalogue import Catalogue
from simulator.source import ControlAction, Sent, Source


@dataclass(frozen=True, slots=True)
class HostProfile:
    """A host everybody can count on.

    Attributes:
        nickname: where it does not follow from the name.
        number: which room ids are made of, where they do not come from the time.
        pace: share of the configured rate.
        live: whether a broadcast runs at the start.
        restricted: the broadcast is not for everybody.
        masked: viewers are hidden behind a placeholder.
        comes_and_goes: the broadcast ends a while after its first viewer came, and there is another one after a break.
        pauses: it is also paused in its middle third.
    """

    title: str
    nickname: str = ""
    number: int = 0
    pace: float = 1.0
    viewers: int = 0
    live: bool = True
    restricted: bool = False
    masked: bool = False
    comes_and_goes: bool = False
    pauses: bool = False


class Cursors(Protocol):
    """How a platform writes down a place in a room."""

    def write(self, room_id: int, serial: int, msg_id: int, now_ms: int) -> str:
        """The place behind a message; `serial` and `msg_id` 0 when none was told yet."""

    def read(self, cursor: str, room_id: int, backlog: Sequence[Sent]) -> int | None:
        """The serial of the last message before the place; None when the cursor names no place of this room."""


class Platform(Protocol):
    """One platform."""

    name: str
    hosts: Mapping[str, HostProfile]
    """Who is always there."""
    player: tuple[str, HostProfile]
    """The host whose room consists of recorded payloads, if there are any."""
    catalogue: Catalogue
    cursors: Cursors

    def generated(self, number: int) -> tuple[str, HostProfile]:
        """The name of the n-th generated host, and its profile."""

    def number_of(self, name: str) -> int | None:
        """Which generated host has this name."""

    def number_of_room(self, room_id: int) -> int | None:
        """Which generated host's first room has this id, where that can be told."""

    def room_id(self, profile: HostProfile, *, previous: int, now_ms: int, random: Random) -> int:
        """A new broadcast's id.

        Args:
            profile: of the host.
            previous: the id of the host's last broadcast, or one that turned out to be taken; 0 for none.
        """

    def scenario(
        self, room_id: int, name: str, profile: HostProfile, random: Random, *, rate: float, pictures: str
    ) -> Source:
        """What happens in a room."""

    def control(self, action: ControlAction, room_id: int, msg_id: int, now_ms: int) -> Message:
        """A control message."""

    def in_order(self, messages: Iterable[Message]) -> list[Message]:
        """What happened at one moment, in the order in which it is told."""

    def is_replayed(self, message: Message) -> bool:
        """Whether newcomers are told this message again, as history."""
