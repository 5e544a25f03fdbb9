"""What is said and given in the rooms of one platform: the form of it. Each platform has its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

EMOTES: Final = ("🍜", "💖", "😂", "👏", "🎉", "🤩", "🐈", "🔥")
"""Stickers, by the number in their pictures' addresses."""


@dataclass(frozen=True, slots=True)
class Gift:
    """An entry of the gift catalogue. A combo gift can be pressed many times in a row.

    Attributes:
        price: in the coins of the platform.
        weight: how often it is chosen, beside the others.
    """

    id: int
    name: str
    price: int
    picture: str
    combo: bool
    weight: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Words and gifts.

    Attributes:
        chat: what is said, by language.
        cheers: what is said to somebody who gave much; `{0}` is that person.
        shouts: what spammers say.
    """

    chat: Mapping[str, tuple[str, ...]]
    cheers: tuple[str, ...]
    shouts: tuple[str, ...]
    gifts: tuple[Gift, ...]
