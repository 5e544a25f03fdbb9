"""What was ever stored, and what one client got of it: the ghost that tells whether the log keeps its word.

The model and the test of the real code keep the same books. `Violation` is raised when an entry breaks an invariant:

| | |
|---|---|
| I1 | one id, one content |
| I2 | a client's sequence is the log's, each omission is announced, and no tail is quietly lost |
| I3 | nothing is stored by an older epoch after a newer acquire |
| I4 | nothing comes twice, and no client's place goes back, unless the log was set back, which is said before |
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from gateway.tail import REWOUND
from shared.cursor import Cursor
from tests.model.server_model import GAP, Entry


class Violation(Exception):
    """The log broke its word."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant


class Birth(NamedTuple):
    """An entry that was stored once, or numbered and given up. `covers`: what a gap entry stands for."""

    entry: Entry
    covers: frozenset[Cursor] = frozenset()


class Ledger(NamedTuple):
    """The books of a room with one client.

    Attributes:
        births: in their order.
        joined: the client was in the room, and has not begun anew since.
        last: the place it would resume from.
        begun_anew: it was told that the log was set back, and what comes next may have a smaller id.
        owed: what it has to get or be told of, in the order of birth.
        got: what its present gateway told it when that came in: it never does so again.
        had: all else it got, from other gateways or out of the log; a log that was set back may bring that again.
    """

    births: tuple[Birth, ...] = ()
    joined: bool = False
    last: Cursor | None = None
    begun_anew: bool = False
    owed: tuple[Cursor, ...] = ()
    got: frozenset[Cursor | str] = frozenset()
    had: frozenset[Cursor | str] = frozenset()

    def _born(self, cursor: Cursor) -> int:
        return next(index for index, birth in enumerate(self.births) if birth.entry.cursor == cursor)

    # --- the log -----------------------------------------------------------------------------------------------------

    def store(self, entries: Iterable[Entry], line: Collection[Cursor], reign: int) -> "Ledger":
        """Entries came into the log, whose ids are `line` now.

        Raises:
            Violation: I1 or I3.
        """
        births, owed = self.births, self.owed
        for entry in entries:
            if not entry.is_marker and entry.cursor.epoch != reign:
                raise Violation("I3", f"{entry.cursor} is stored in the reign of {reign}")
            known = next((birth.entry for birth in births if birth.entry.cursor == entry.cursor), None)
            if known is None:
                lost = (birth.entry.cursor for birth in births if birth.entry.cursor not in line)
                births = (*births, Birth(entry, frozenset(lost) if entry.text == GAP else frozenset()))
                owed = owed if entry.is_marker else (*owed, entry.cursor)
            elif known != entry:
                raise Violation("I1", f"{entry.cursor} is {known.text} and {entry.text}")
        return self._replace(births=births, owed=owed if self.joined else ())

    def give_up(self, entries: Iterable[Entry]) -> "Ledger":
        """Events that had their ids will not be stored: they are owed as if they had been."""
        known = {birth.entry.cursor for birth in self.births}
        born = [Birth(entry) for entry in entries if entry.cursor not in known]
        owed = (*self.owed, *(birth.entry.cursor for birth in born)) if self.joined else ()
        return self._replace(births=(*self.births, *born), owed=owed)

    def waive(self, epochs: Collection[int]) -> "Ledger":
        """Only what belongs to these epochs is still owed."""
        return self._replace(owed=tuple(cursor for cursor in self.owed if cursor.epoch in epochs))

    # --- the client --------------------------------------------------------------------------------------------------

    def join(self, last: Cursor | None, end: Cursor, line: Collection[Cursor]) -> "Ledger":
        """A client comes for the first time; what the log holds beyond `end` is owed to it."""
        entries = (birth.entry for birth in self.births)
        owed = [
            entry.cursor for entry in entries if not entry.is_marker and entry.cursor in line and entry.cursor > end
        ]
        return Ledger(self.births, True, last, owed=tuple(owed))

    def forget_client(self) -> "Ledger":
        """It has no place to come back to, and begins anew."""
        return Ledger(self.births)

    def at(self, place: Cursor | None) -> "Ledger":
        """It is told a place to resume from.

        Raises:
            Violation: I4.
        """
        if self.last is not None and not self.begun_anew and (place is None or place < self.last):
            raise Violation("I4", f"it had come to {self.last}, and is set back to {place}")
        return self._replace(last=place)

    def hop(self) -> "Ledger":
        """It will come to another gateway."""
        return self._replace(got=frozenset(), had=self.had | self.got)

    def receive(self, cursor: Cursor, text: str, *, live: bool) -> "Ledger":
        """It gets an event, or an entry that announces a gap: as it comes in, or while catching up.

        Raises:
            Violation: I2 or I4.
        """
        birth = self._born(cursor)
        content = cursor if text == GAP else text
        if content in self.got or content in self.had:
            raise Violation("I4", f"{text} comes twice, now as {cursor}")
        if self.last is not None and cursor <= self.last and not self.begun_anew:
            raise Violation("I2", f"{cursor} comes after {self.last}")
        older = [owed for owed in self.owed if self._born(owed) < birth]
        hidden = [owed for owed in older if owed not in self.births[birth].covers]
        if hidden:
            raise Violation("I2", f"{cursor} comes without {hidden[0]}")
        owed = tuple(owed for owed in self.owed if owed != cursor and owed not in older)
        got, had = (self.got | {content}, self.had) if live else (self.got, self.had | {content})
        return self._replace(last=cursor, begun_anew=False, owed=owed, got=got, had=had)

    def tell_gap(self, reason: str, before: Cursor) -> "Ledger":
        """It is told of a gap before an entry, which stands for all that is older."""
        birth = self._born(before)
        return self._told(reason, tuple(cursor for cursor in self.owed if self._born(cursor) >= birth))

    def tell_gap_at_end(self, reason: str, end: Cursor, line: Collection[Cursor]) -> "Ledger":
        """It is told of a gap with nothing behind it: only what the log holds beyond `end` is still owed."""
        return self._told(reason, tuple(cursor for cursor in self.owed if cursor in line and cursor > end))

    def _told(self, reason: str, owed: tuple[Cursor, ...]) -> "Ledger":
        if reason == REWOUND:
            return self._replace(owed=owed, begun_anew=True, had=frozenset())
        return self._replace(owed=owed)

    def check_tail(self, line: Collection[Cursor]) -> None:
        """It should have everything.

        Raises:
            Violation: I2.
        """
        for cursor in self.owed:
            if cursor in line:
                raise Violation("I2", f"{cursor} is lost at the end of the log, and nobody will know")
