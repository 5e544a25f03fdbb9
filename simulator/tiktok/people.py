"""Hosts and viewers as TikTok has them: a handle, a nickname, a language. Pure."""

import zlib
from random import Random

from simulator.people import Person
from simulator.tiktok.content import FLOURISHES, GIVEN_NAMES, LANGUAGES, SURNAMES


def host_user_id(name: str) -> int:
    """The user id of a host, the same in every broadcast."""
    return 6_800_000_000_000_000_000 + zlib.crc32(name.encode())


def make_host(name: str) -> Person:
    """The host of a channel."""
    return Person(host_user_id(name), name, name.capitalize(), "en")


def make_person(random: Random) -> Person:
    """A viewer."""
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
