"""What a cluster is given to carry: rooms by their size, and how much is said in them."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

Rate = Callable[[int], float]


class Shape(StrEnum):
    """How clients are spread over rooms."""

    EVEN = "even"
    """All rooms are alike."""
    ZIPF = "zipf"
    """The second room has half as many as the first, the third a third of it, and so on."""
    STAR = "star"
    """One room has half of all clients, the others are alike."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Rooms that are alike.

    Attributes:
        rooms: how many.
        clients: of each.
        rate: events per second in each.
    """

    rooms: int
    clients: int
    rate: float


@dataclass(frozen=True, slots=True)
class Workload:
    """All rooms."""

    kinds: tuple[Kind, ...]

    @property
    def rooms(self) -> int:
        return sum(kind.rooms for kind in self.kinds)

    @property
    def clients(self) -> int:
        return sum(kind.rooms * kind.clients for kind in self.kinds)

    @property
    def events(self) -> float:
        """Per second, in all rooms."""
        return sum(kind.rooms * kind.rate for kind in self.kinds)

    @property
    def deliveries(self) -> float:
        """Per second, to all clients."""
        return sum(kind.rooms * kind.clients * kind.rate for kind in self.kinds)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self.kinds)


def livelier_when_larger(clients: int) -> float:
    """Events per second of a room: an assumption. Whoever has more clients here has more viewers there, who say more.

    1 client: 1 a second, 100: 5, 1,000: 16, 10,000: 50. At 100 a second it ends: platforms thin out what they send.
    """
    return min(100.0, max(1.0, 0.5 * math.sqrt(clients)))


def workload(rooms: int, clients: int, shape: Shape, rate: Rate = livelier_when_larger) -> Workload:
    """So many clients in so many rooms, at least one in each.

    Raises:
        ValueError: there are more rooms than clients.
    """
    if rooms > clients:
        raise ValueError("a room without clients is not held")
    sizes = Counter(_sizes(rooms, clients, shape))
    return Workload(tuple(Kind(count, size, rate(size)) for size, count in sorted(sizes.items(), reverse=True)))


def _sizes(rooms: int, clients: int, shape: Shape) -> list[int]:
    weights = {
        Shape.EVEN: lambda: [1.0] * rooms,
        Shape.ZIPF: lambda: [1 / rank for rank in range(1, rooms + 1)],
        Shape.STAR: lambda: [float(max(1, rooms - 1)), *[1.0] * (rooms - 1)],
    }[shape]()
    scale, total, given = (clients - rooms) / sum(weights), 0.0, 0
    sizes = []
    for weight in weights:  # what is rounded off goes to those that follow
        total += weight * scale
        size = round(total) - given
        given += size
        sizes.append(1 + size)
    return sizes
