"""What each client should have seen, told from what all of them saw. Pure.

Nobody outside knows what was sent. But cursors count 1, 2, 3 ... within an epoch, so a hole shows even when everybody
has it; and what one client of a room saw, every other one that was there before and after must have seen too. What
stays hidden is the end of an epoch that reached no client at all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.cursor import Cursor


class Run(NamedTuple):
    """Consecutive places of one epoch, both ends included."""

    epoch: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many places these are."""
        return self.last - self.first + 1


@dataclass(slots=True)
class Sight:
    """What a client saw between two rewinds: cursors only rise."""

    runs: list[Run] = field(default_factory=list)

    @property
    def last(self) -> Cursor | None:
        """The newest place."""
        return Cursor(self.runs[-1].epoch, self.runs[-1].last) if self.runs else None

    def holds(self, cursor: Cursor) -> bool:
        """Whether that place was seen."""
        return any(run.epoch == cursor.epoch and run.first <= cursor.offset <= run.last for run in self.runs)

    def add(self, cursor: Cursor) -> None:
        """A place behind all others."""
        run = self.runs[-1] if self.runs else None
        if run is not None and (run.epoch, run.last + 1) == cursor:
            self.runs[-1] = run._replace(last=cursor.offset)
        else:
            self.runs.append(Run(cursor.epoch, cursor.offset, cursor.offset))


@dataclass(slots=True)
class Track:
    """What one client saw of one room.

    Attributes:
        sights: one more than rewinds that it was told of.
        doubled: events that came again, other than after a rewind.
        disordered: events that came behind later ones.
        excused: what is missing between two cursors, the client was told.
        shed: events that it was told were left out because it reads too slowly.
    """

    sights: list[Sight] = field(default_factory=lambda: [Sight()])
    doubled: int = 0
    disordered: int = 0
    excused: list[tuple[Cursor, Cursor]] = field(default_factory=list)
    shed: int = 0
    _restarts_after: Cursor | None = None

    @property
    def last(self) -> Cursor | None:
        """The newest place since the last rewind."""
        return self.sights[-1].last

    def see(self, cursor: Cursor) -> None:
        """An event came."""
        sight = self.sights[-1]
        if self._restarts_after is not None:
            self.excused.append((self._restarts_after, cursor))
            self._restarts_after = None
        if sight.last is None or cursor > sight.last:
            sight.add(cursor)
        elif sight.holds(cursor):
            self.doubled += 1
        else:
            self.disordered += 1

    def miss(self, after: Cursor, before: Cursor, at: Cursor | None = None) -> None:
        """The client was told of a gap; of one that has a place `at` in the log again whenever it comes by there."""
        self.excused.append((after, before))
        if at is not None and (self.last is None or at > self.last):
            self.sights[-1].add(at)

    def rewind(self) -> None:
        """What comes from here on may have come already, under other cursors."""
        self.sights.append(Sight())

    def start_over(self) -> None:
        """The client's cursor was refused: what comes next comes from anywhere."""
        self._restarts_after = self.last


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one client fared in one room, in events.

    Attributes:
        owed: between the first and the last that it saw.
        lost: of those, missing without a word.
        announced: of those, missing and told: as a gap, or as shed.
        holes: what is missing outside of gaps. Which events were shed nobody says, only how many.
    """

    owed: int
    lost: int
    announced: int
    holes: tuple[Run, ...]


def log_of(tracks: Iterable[Track]) -> list[Run]:
    """The log of a room as far as its clients show it: an epoch begins with 1, but for the one they came in."""
    seen: dict[int, tuple[int, int]] = {}
    for track in tracks:
        for run in (run for sight in track.sights for run in sight.runs):
            first, last = seen.get(run.epoch, (run.first, run.last))
            seen[run.epoch] = min(first, run.first), max(last, run.last)
    epochs = sorted(seen)
    return [Run(epoch, seen[epoch][0] if epoch == epochs[0] else 1, seen[epoch][1]) for epoch in epochs]


def judge(track: Track, log: Sequence[Run]) -> Verdict:
    """Compare what a client saw of a room with the room's log."""
    owed = in_gaps = 0
    holes: list[Run] = []
    seen: list[Run] = []  # before a rewind too: it may have taken away for good what it took away
    for sight in track.sights:
        seen += sight.runs
        for entries in _between(log, sight):
            owed += entries.size
            for missing in without(entries, seen):
                silent = list(without(missing, _as_runs(track.excused, missing)))
                holes += silent
                in_gaps += missing.size - sum(run.size for run in silent)
    unexplained = sum(run.size for run in holes)
    shed = min(track.shed, unexplained)
    return Verdict(owed, unexplained - shed, in_gaps + shed, tuple(holes))


def without(run: Run, others: Iterable[Run]) -> Iterator[Run]:
    """What is left of a run, in order."""
    first = run.first
    for other in sorted(others):
        if other.epoch != run.epoch or other.last < first:
            continue
        if other.first > run.last:
            break
        if other.first > first:
            yield Run(run.epoch, first, other.first - 1)
        first = other.last + 1
    if first <= run.last:
        yield Run(run.epoch, first, run.last)


def _between(log: Sequence[Run], sight: Sight) -> Iterator[Run]:
    """The part of a log from the first to the last that was seen."""
    if not sight.runs:
        return
    begin, end = sight.runs[0], sight.runs[-1]
    for run in log:
        if begin.epoch <= run.epoch <= end.epoch:
            first = begin.first if run.epoch == begin.epoch else run.first
            yield Run(run.epoch, first, end.last if run.epoch == end.epoch else run.last)


def _as_runs(excused: Iterable[tuple[Cursor, Cursor]], run: Run) -> Iterator[Run]:
    """What lies strictly between two cursors, as far as it is of a run's epoch."""
    for after, before in excused:
        if after.epoch <= run.epoch <= before.epoch:
            first = after.offset + 1 if after.epoch == run.epoch else run.first
            last = before.offset - 1 if before.epoch == run.epoch else run.last
            if first <= last:
                yield Run(run.epoch, first, last)
