"""Everything that decides which rooms an ingestor tries to take, and which it hands to others, is in this file.

Nothing here performs I/O.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from shared.platforms import is_name
from shared.room import RoomKey

MAX_CLAIM_DELAY_S = 0.05  # of a full ingestor; an idle one claims at once, so that rooms go to those with most room
EXCESS_MIN = 2  # rooms above the share; one more or less is no imbalance, and would be moved to and fro


@dataclass(frozen=True, slots=True)
class Load:
    """How busy an ingestor says it is.

    Attributes:
        rooms: held.
        max_rooms: it may hold.
        age_s: how long ago it said so.
    """

    rooms: int
    max_rooms: int
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Holding:
    """A room that runs here.

    Attributes:
        held_s: for how long.
        events: it had in that time.
    """

    held_s: float
    events: int


@dataclass(frozen=True, slots=True)
class Relief:
    """When rooms are handed over.

    Attributes:
        rooms: at once, at most.
        excess: by which part of its share an ingestor has to be above it.
        held_s: a room held for less stays.
        fresh_s: who was silent for longer is not counted on.
    """

    rooms: int
    excess: float
    held_s: float
    fresh_s: float


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


def claim_delay_s(own: Load, others: Iterable[Load]) -> float:
    """How long to let less loaded ingestors go first.

    Half of it grows with our load, which is exact; half with how far the lightest of the others, by what was told, is
    below us. So a newcomer is clearly first, also where all are far from full.
    """
    loads = [own, *others]
    load = own.rooms / own.max_rooms
    lightest = min((other.rooms / other.max_rooms for other in loads if other.rooms < other.max_rooms), default=load)
    average = sum(other.rooms for other in loads) / sum(other.max_rooms for other in loads)
    behind = min(1.0, (load - lightest) / average) if load > lightest else 0.0
    return MAX_CLAIM_DELAY_S * (min(1.0, load) + behind) / 2


def relieve(
    held: Mapping[RoomKey, Holding], own: Load, others: Sequence[Load], *, calm_s: float, relief: Relief
) -> list[RoomKey]:
    """The rooms to hand over now, for lighter ingestors to take: the quietest, of which there is least to miss, and
    least to read for who goes on.

    Args:
        held: rooms that run here. Without names: these cost next to nothing where they are.
        own: our load.
        others: what the other ingestors told.
        calm_s: how long ago the last hand-over was over. A load told before does not show it: there is nothing to be
            done until all have told theirs anew.
        relief: when rooms are handed over.
    """
    alive = [other for other in others if other.age_s <= relief.fresh_s]
    if any(other.age_s >= calm_s for other in alive):
        return []
    number = min(relief.rooms, surplus(own, alive, relief.excess))
    settled = [room for room, holding in held.items() if holding.held_s >= relief.held_s]
    return sorted(settled, key=lambda room: held[room].events / held[room].held_s)[:number]


def surplus(own: Load, others: Iterable[Load], excess: float) -> int:
    """Rooms above our share, 0 unless clearly above. The share is of all rooms that are held, by what each may hold.

    If all with a surplus hand it over at once, those below their share have a place for each of these rooms: what some
    have too much is what others have too little, and no share is above what its owner may hold.
    """
    loads = [own, *others]
    rooms, places = sum(load.rooms for load in loads), sum(load.max_rooms for load in loads)
    share = -(-rooms * own.max_rooms // places)  # rounded up
    above = own.rooms - share
    return above if above >= max(EXCESS_MIN, excess * share) else 0
