"""What each client should have got, and what it got. Pure.

The simulator knows what it sent in a room, in order. Of all messages between the first and the last mark a client must
have each once, in the order of cursors; what it has not must lie beside a gap that it was told of.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ANNOUNCING: Final = frozenset({"gap", "bad_cursor"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame, as far as it matters here.

    Attributes:
        kind: `event`, or what announces a loss: `gap`, `bad_cursor`; `rewound` is a gap after which events may repeat.
        id: the platform's, of an event.
        cursor: (epoch, offset), of an event; (0, 0) of what has none.
    """

    kind: str
    id: str = ""
    cursor: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Verdict:
    """What the frames of one client come to.

    Attributes:
        room: of the client.
        delivered: messages between the marks.
        gaps: losses it was told of.
        announced: messages missing beside a gap.
        lost: ids missing without a word.
        doubled: ids that came twice, other than after a rewind.
        repeated: ids that came again after a rewind.
        disordered: cursors that went back, other than after a rewind.
    """

    room: str
    delivered: int = 0
    gaps: int = 0
    announced: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    repeated: int = 0
    disordered: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing lost without a word, doubled or out of order."""
        return not self.faults()

    def faults(self) -> dict[str, list[str]]:
        """What must not be, by its name; empty when there is nothing."""
        found = {"lost": self.lost, "doubled": self.doubled, "out of order": self.disordered}
        return {what: ids for what, ids in found.items() if ids}


def seen(frame: dict[str, Any]) -> Seen | None:
    """What matters of a frame, None when nothing does."""
    if frame.get("type") == "gap":
        return Seen("rewound" if frame["reason"] == "rewound" else "gap")
    if frame.get("code") == "bad_cursor":
        return Seen("bad_cursor")
    if "id" in frame and "cursor" in frame and not frame.get("history"):
        epoch, _, offset = frame["cursor"].partition("-")
        return Seen("event", frame["id"], (int(epoch), int(offset)))
    return None


def judge(room: str, sent: Sequence[str], frames: Sequence[Seen], first: str, last: str) -> Verdict:
    """Compare what was sent in a room with what one client saw.

    Args:
        room: of the client.
        sent: ids in order.
        frames: of the client, in order.
        first, last: the marks; both are among `sent`.
    """
    verdict = Verdict(room)
    expected = sent[sent.index(first) : sent.index(last) + 1]
    places = {message: place for place, message in enumerate(expected)}
    told: Counter[str] = Counter()
    gaps_before = [-1] * len(expected)  # how many losses had been announced when it came; -1 for never
    highest, rewinds = (0, 0), 0
    rewinds_at: dict[str, int] = {}
    for frame in frames:
        if frame.kind != "event":
            verdict.gaps += 1
            if frame.kind == "rewound":
                rewinds += 1
                highest = (0, 0)
            continue
        if frame.cursor <= highest:
            verdict.disordered.append(frame.id)
        highest = max(highest, frame.cursor)
        if frame.id not in places:
            continue
        told[frame.id] += 1
        if told[frame.id] == 1:
            verdict.delivered += 1
            gaps_before[places[frame.id]] = verdict.gaps
        elif rewinds > rewinds_at[frame.id]:
            verdict.repeated += 1
        else:
            verdict.doubled.append(frame.id)
        rewinds_at[frame.id] = rewinds
    _account_for_missing(verdict, expected, gaps_before)
    return verdict


def _account_for_missing(verdict: Verdict, expected: Sequence[str], gaps_before: Sequence[int]) -> None:
    """A run of missing messages is announced when more losses had been told behind it than before it."""
    start = 0
    while start < len(expected):
        if gaps_before[start] >= 0:
            start += 1
            continue
        end = start
        while end < len(expected) and gaps_before[end] < 0:
            end += 1
        before = gaps_before[start - 1] if start else 0
        behind = gaps_before[end] if end < len(expected) else verdict.gaps
        if behind > before:
            verdict.announced += end - start
        else:
            verdict.lost += expected[start:end]
        start = end
