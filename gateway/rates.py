"""How much is said in a room, told by the end of its log. No I/O."""

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

from shared.broker import Entry

WINDOWS_S = (10, 60)


class Rate(TypedDict):
    """Events per second over the last `seconds`: of a window, or less where the log does not reach back so far."""

    seconds: float
    events_per_s: float
    by_type: dict[str, float]


def rates(tail: Sequence[Entry], now_ms: int) -> list[Rate]:
    """How much was said within each window.

    Args:
        tail: the newest entries of the log, oldest first.
        now_ms: the time; that of entries is their ingestor's.
    """
    told = [entry for entry in tail if not entry.is_marker]
    is_whole = not tail or (tail[0].is_marker and tail[0].marker_prev is None)
    known_ms = now_ms if not told else now_ms - told[0].received_ms
    return [_rate(told, now_ms, window_s if is_whole else min(window_s, known_ms / 1000)) for window_s in WINDOWS_S]


def _rate(told: Sequence[Entry], now_ms: int, seconds: float) -> Rate:
    seconds = max(seconds, 1.0)  # less tells nothing
    counts = Counter(entry.type for entry in told if entry.received_ms > now_ms - seconds * 1000)
    by_type = {kind: round(count / seconds, 2) for kind, count in counts.most_common()}
    return Rate(seconds=round(seconds, 1), events_per_s=round(counts.total() / seconds, 2), by_type=by_type)
