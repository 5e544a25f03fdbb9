"""The hosts of a room's battle: named when it begins, by id alone in the scores that follow. No I/O, no platform.

So that somebody who comes in the middle sees names, each score is completed from what was told before.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from shared.events import Battle, Event, User

ANCHORS_MAX: Final = 64  # a battle has a few hosts; the longest unseen is forgotten first


class Anchors:
    """The hosts met in the battles of one room; lives as long as its lease."""

    def __init__(self) -> None:
        self._known: dict[str, User] = {}

    def complete(self, event: Event) -> Event:
        """The event, with the hosts that it names by id alone filled in where they are known."""
        if not isinstance(event, Battle):
            return event
        sides = [replace(side, anchor=self._person(side.anchor)) for side in event.battle.sides]
        return replace(event, battle=replace(event.battle, sides=sides))

    def restore(self, told: Iterable[Event]) -> None:
        """Go on where another holder stopped.

        Args:
            told: the latest events of the room's log, in order.
        """
        for event in told:
            self.complete(event)

    def _person(self, anchor: User) -> User:
        known = self._known.pop(anchor.id, anchor)
        person = anchor if anchor.nickname or anchor.unique_id else known
        if anchor.id:
            self._known[anchor.id] = person
            if len(self._known) > ANCHORS_MAX:
                del self._known[next(iter(self._known))]
        return person
