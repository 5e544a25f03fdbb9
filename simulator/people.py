"""Who sits in a simulated room: a host and a seeded crowd of viewers, some of them regulars. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

CROWD = 400  # people a room knows; the viewer count may be far above it, as most never say anything


@dataclass(frozen=True, slots=True)
class Person:
    """A viewer, or a host.

    Attributes:
        payer_level, fans_level: 0 when the person has none.
    """

    id: int
    handle: str
    nickname: str
    language: str
    follows: bool = False
    mutual: bool = False
    moderator: bool = False
    subscriber: bool = False
    payer_level: int = 0
    fans_level: int = 0


class Crowd:
    """The viewers of one room. A few are there all the time and say most of what is said."""

    def __init__(self, random: Random, make_person: Callable[[Random], Person]) -> None:
        self._random = random
        self._make_person = make_person
        self._people = [make_person(random) for _ in range(CROWD)]

    def anybody(self) -> Person:
        """Somebody, more likely a regular."""
        # Squared: a fifth of the people says half of it.
        return self._people[int(self._random.random() ** 2 * CROWD)]

    def newcomer(self) -> Person:
        """Somebody who comes in, and takes the place of one who has left without a word."""
        if self._random.random() < 0.5:
            return self.anybody()
        person = self._make_person(self._random)
        self._people[self._random.randrange(CROWD // 4, CROWD)] = person
        return person

    def regular(self) -> Person:
        """One of those who always give and always speak."""
        return self._people[self._random.randrange(CROWD // 16)]
