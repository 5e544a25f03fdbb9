"""What came of a drill: sums over all clients, a table for people and a dictionary for programs."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.drill.judge import Track, judge, log_of
from tests.drill.viewer import Viewer

HOLES_SHOWN = 20


@dataclass(slots=True)
class Report:
    """Sums.

    Attributes:
        seconds: how long it took.
        clients: how many there were.
        connected: of those, at the end.
        late: of those, away at the end, never told anything, or not as far as others of their room.
        events: that came.
        owed: that had to come, between each client's first and last.
        lost: of those, missing without a word.
        announced: of those, missing and told.
        doubled: that came twice.
        disordered: that came behind later ones.
        connects: connections that came about.
        refused: connections that did not.
        closes: connections that ended, by code and word.
        resumes: returns with a cursor, by whether nothing was missing.
        gaps: losses told to clients, by reason.
        shed: events that were told to be left out for who reads too slowly.
        silence_s: between two frames of one client, the longest of all and that of one client in a hundred.
        absence_s: from a close until the client was served again, the same.
        holes: the first of what was lost, as `client room epoch-first..last`.
    """

    seconds: float
    clients: int
    connected: int
    late: int
    events: int = 0
    owed: int = 0
    lost: int = 0
    announced: int = 0
    doubled: int = 0
    disordered: int = 0
    connects: int = 0
    refused: int = 0
    closes: dict[str, int] = field(default_factory=dict)
    resumes: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, int] = field(default_factory=dict)
    shed: int = 0
    silence_s: dict[str, float] = field(default_factory=dict)
    absence_s: dict[str, float] = field(default_factory=dict)
    holes: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing lost without a word, doubled or out of order, and nobody left behind."""
        return not (self.lost or self.doubled or self.disordered or self.late)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"clean": self.is_clean, **asdict(self)}

    def table(self) -> str:
        """A line for each figure."""
        rows = [(name, _shown(value)) for name, value in self.as_dict().items() if name != "holes"]
        width = max(len(name) for name, _ in rows)
        return "\n".join([*(f"{name:{width}}  {value}" for name, value in rows), *self.holes])


def report(viewers: Sequence[Viewer], late: Sequence[Viewer], seconds: float) -> Report:
    """Judge everybody.

    Args:
        viewers: all clients.
        late: those of them that are not where they should be.
        seconds: how long it took.
    """
    made = Report(round(seconds, 1), len(viewers), sum(viewer.connected for viewer in viewers), len(late))
    closes, resumes, gaps = Counter[str](), Counter[str](), Counter[str]()
    by_room: dict[str, list[Track]] = {}
    for viewer in viewers:
        for room, track in viewer.tracks.items():
            by_room.setdefault(room, []).append(track)
    logs = {room: log_of(tracks) for room, tracks in by_room.items()}
    for number, viewer in enumerate(viewers):
        made.events += viewer.counts["events"]
        made.connects += viewer.counts["connects"]
        made.refused += viewer.refused
        closes.update(f"{close.code} {close.reason.partition(' ')[0]}".strip() for close in viewer.closes)
        resumes.update({word: viewer.counts[word] for word in ("complete", "incomplete")})
        gaps.update(viewer.gaps)
        for room, track in viewer.tracks.items():
            verdict = judge(track, logs[room])
            made.owed += verdict.owed
            made.lost += verdict.lost
            made.announced += verdict.announced
            made.doubled += track.doubled
            made.disordered += track.disordered
            made.shed += track.shed
            if verdict.lost:
                made.holes += [f"{number} {room} {run.epoch}-{run.first}..{run.last}" for run in verdict.holes]
    made.holes = made.holes[:HOLES_SHOWN]
    made.closes, made.resumes, made.gaps = dict(closes), dict(resumes), dict(gaps)
    made.silence_s = _highest([viewer.silence_s for viewer in viewers])
    made.absence_s = _highest([viewer.absence_s for viewer in viewers])
    return made


def _highest(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"max": round(ordered[-1], 2), "p99": round(ordered[math.ceil(len(ordered) * 0.99) - 1], 2)}


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in sorted(value.items())) or "none"
    return str(value)
