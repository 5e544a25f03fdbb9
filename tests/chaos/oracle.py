"""What each client should have got, and what it got. Pure.

The simulator knows what it sent in a room, in order. Of all messages between the first and the last mark a client must
have each once, in the order of cursors; what it has not must lie beside a gap that it was told of.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ANNOUNCING: Final = frozenset({"gap", "rewound", "bad_cursor"})
_MISSING: Final = -1
_HISTORY: Final = -2


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame, as far as it matters here.

    Attributes:
        kind: `event`, or `history`: told by the platform on connecting; what announces a loss: `gap`, `bad_cursor`, or
            `rewound`, a gap after which events may repeat; `complete` or `incomplete`, the answer to a return.
        id: the platform's, of an event.
        cursor: (epoch, offset), of an event; (0, 0) of what has none.
    """

    kind: str
    id: str = ""
    cursor: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Verdict:
    """What the frames of one client come to, by ids of messages between the marks.

    Attributes:
        room: of the client.
        delivered: messages it got.
        announced: messages missing beside a gap.
        lost: messages missing without a word.
        doubled: messages that came twice, other than after a rewind; told as history again, other than after a gap.
        repeated: messages that came again after one.
        disordered: messages whose cursors went back, other than after a rewind.
        gaps: for each loss it was told of, the message before it, "" where there is none.
        returns: for each return with a cursor, the message before it, and whether nothing was missing.
    """

    room: str
    delivered: list[str] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    returns: list[tuple[str, bool]] = field(default_factory=list)

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
    if frame.get("type") == "recovered":
        return Seen("complete" if frame["recovered"] else "incomplete")
    if frame.get("code") == "bad_cursor":
        return Seen("bad_cursor")
    if "id" in frame and "cursor" in frame:
        epoch, _, offset = frame["cursor"].partition("-")
        return Seen("history" if frame.get("history") else "event", frame["id"], (int(epoch), int(offset)))
    return None


def judge(room: str, sent: Sequence[str], frames: Sequence[Seen]) -> Verdict:
    """Compare what was sent in a room with what one client saw.

    Args:
        room: of the client.
        sent: ids in order, from the first mark to the last.
        frames: of the client, in order; may begin before the first mark, and end behind the last.
    """
    verdict = Verdict(room)
    places = {message: place for place, message in enumerate(sent)}
    gaps_before = [_MISSING] * len(sent)  # how many losses had been announced when it came
    came_at: dict[str, tuple[int, int]] = {}  # rewinds and losses announced, when it came last
    highest, rewinds, before = (0, 0), 0, ""
    for frame in frames:
        if frame.kind in ANNOUNCING:
            verdict.gaps.append(before)
            if frame.kind == "rewound":
                rewinds += 1
                highest = (0, 0)
            continue
        if frame.kind in ("complete", "incomplete"):
            verdict.returns.append((before, frame.kind == "complete"))
            continue
        if frame.cursor <= highest:
            verdict.disordered.append(frame.id)
        highest = max(highest, frame.cursor)
        if frame.id not in places:
            continue
        if frame.id not in came_at:
            verdict.delivered.append(frame.id)
            gaps_before[places[frame.id]] = len(verdict.gaps) if frame.kind == "event" else _HISTORY
        else:
            rewinds_then, gaps_then = came_at[frame.id]
            excused = rewinds > rewinds_then or (frame.kind == "history" and len(verdict.gaps) > gaps_then)
            (verdict.repeated if excused else verdict.doubled).append(frame.id)
        came_at[frame.id] = rewinds, len(verdict.gaps)
        before = frame.id
    _account_for_missing(verdict, sent, gaps_before)
    return verdict


def _account_for_missing(verdict: Verdict, sent: Sequence[str], gaps_before: Sequence[int]) -> None:
    """A run of missing messages is announced when more losses had been told behind it than before it.

    Between events, that is: history has holes of its own, and stands behind the gap that it fills a little.
    """
    before, missing = 0, list[str]()
    for message, gaps in zip((*sent, ""), (*gaps_before, len(verdict.gaps)), strict=True):
        if gaps == _MISSING:
            missing.append(message)
        elif gaps != _HISTORY:
            (verdict.announced if gaps > before else verdict.lost).extend(missing)
            before, missing = gaps, []
