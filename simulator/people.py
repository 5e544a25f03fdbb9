"""Who sits in a simulated room: hosts and a seeded crowd of viewers, some of them regulars. Pure."""

import zlib
from dataclasses import dataclass
from random import Random

from simulator.content import FLOURISHES, GIVEN_NAMES, LANGUAGES, SURNAMES

CROWD = 400  # people a room knows; the viewer count may be far above it, as most never say anything


def host_user_id(name: str) -> int:
    """The user id of a host, the same in every broadcast."""
    return 6_800_000_000_000_000_000 + zlib.crc32(name.encode())


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


def make_host(name: str) -> Person:
    """The host of a channel."""
    return Person(host_user_id(name), name, name.capitalize(), "en")


class Crowd:
    """The viewers of one room. A few are there all the time and say most of what is said."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._people = [self._person() for _ in range(CROWD)]

    def anybody(self) -> Person:
        """Somebody, more likely a regular."""
        # Squared: a fifth of the people says half of it.
        return self._people[int(self._random.random() ** 2 * CROWD)]

    def newcomer(self) -> Person:
        """Somebody who comes in, and takes the place of one who has left without a word."""
        if self._random.random() < 0.5:
            return self.anybody()
        person = self._person()
        self._people[self._random.randrange(CROWD // 4, CROWD)] = person
        return person

    def regular(self) -> Person:
        """One of those who always give and always speak."""
        return self._people[self._random.randrange(CROWD // 16)]

    def _person(self) -> Person:
        random = self._random
        language = random.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
        given = random.choice(GIVEN_NAMES[language])
        latin = given if given.isascii() else random.choice(GIVEN_NAMES["en"])
        surname = random.choice(SURNAMES)
        nickname = f"{given} {surname}" if given.isascii() and random.random() < 0.6 else given
        if random.random() < 0.3:
            nickname += f" {random.choice(FLOURISHES)}"
        follows = random.random() < 0.45
        payer = random.random() < 0.35
        return Person(
            id=6_500_000_000_000_000_000 + random.getrandbits(58),
            handle=f"{latin}{random.choice(('', '.', '_'))}{surname}{random.randrange(1000)}".lower(),
            nickname=nickname,
            language=language,
            follows=follows,
            mutual=follows and random.random() < 0.05,
            moderator=random.random() < 0.02,
            subscriber=random.random() < 0.05,
            payer_level=min(50, 1 + int(random.expovariate(1 / 8))) if payer else 0,
            fans_level=min(50, 1 + int(random.expovariate(1 / 6))) if follows and random.random() < 0.5 else 0,
        )
