"""Hosts and viewers as Douyin has them: a number, a nickname, a level and a fans club. Pure."""

import zlib
from random import Random

from simulator.douyin.content import FLOURISHES, NAMES, SUFFIXES
from simulator.people import Person

MASKED_ID = 111111  # Source: measured by peer clients, 2026: many hidden viewers share it


def make_host(web_rid: str, nickname: str) -> Person:
    """The host of a room, the same in every broadcast."""
    return Person(1_000_000_000_000 + zlib.crc32(web_rid.encode()), f"dy{web_rid}", nickname, "zh")


def make_person(random: Random) -> Person:
    """A viewer."""
    nickname = random.choice(NAMES)
    if random.random() < 0.6:
        nickname += random.choice(SUFFIXES)
    if random.random() < 0.2:
        nickname += random.choice(FLOURISHES)
    follows = random.random() < 0.45
    # Source: ids in captures of 2022 to 2026 have 11 to 19 digits: of older accounts fewer.
    digits = random.choice((11, 12, 15, 16, 16, 19))
    return Person(
        id=random.randrange(10 ** (digits - 1), 8 * 10 ** (digits - 1)),
        handle=f"dy{random.randrange(10**9, 10**10)}",
        nickname=nickname,
        language="zh",
        follows=follows,
        moderator=random.random() < 0.02,
        subscriber=random.random() < 0.05,
        payer_level=min(75, 1 + int(random.expovariate(1 / 12))) if random.random() < 0.6 else 0,
        fans_level=min(50, 1 + int(random.expovariate(1 / 6))) if follows and random.random() < 0.5 else 0,
    )


def masked(nickname: str) -> str:
    """What is left of a nickname that is hidden."""
    return f"{nickname[0]}***"
