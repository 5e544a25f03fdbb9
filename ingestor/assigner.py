"""Everything that decides which rooms an ingestor tries to take is in this file; nothing here performs I/O."""

from collections.abc import Iterable, Mapping, Set

from shared.platforms import is_name
from shared.room import RoomKey

MAX_CLAIM_DELAY_S = 0.05  # of a full ingestor; an idle one claims at once, so that rooms go to those with most room


def plan(
    wanted: Iterable[RoomKey], held: Set[RoomKey], *, capacity: int, resting: Mapping[RoomKey, float], now: float
) -> list[RoomKey]:
    """The rooms to try for, in the order of `wanted`.

    Names hold no upstream and do not count against the capacity.

    Args:
        wanted: rooms in demand.
        held: rooms this ingestor runs or is about to.
        capacity: rooms it may run.
        resting: rooms to leave alone, and until when (same clock as `now`).
        now: the time.
    """
    free = capacity - sum(not is_name(room) for room in held)
    chosen: list[RoomKey] = []
    for room in wanted:
        if room in held or resting.get(room, now) > now:
            continue
        if not is_name(room):
            if free <= 0:
                continue
            free -= 1
        chosen.append(room)
    return chosen


def claim_delay_s(held: int, capacity: int) -> float:
    """How long to let less loaded ingestors go first."""
    return MAX_CLAIM_DELAY_S * min(1.0, held / capacity)
