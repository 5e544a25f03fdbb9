"""What is known of gifts, by id: messages often leave out a gift's name and price. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

GIFTS_MAX: Final = 5000  # the platform has some hundred on sale at a time


@dataclass(frozen=True, slots=True)
class KnownGift:
    """One gift. `diamonds` is the price of one; `combo` says whether presses add up to a streak."""

    name: str
    diamonds: int
    image: str
    combo: bool


class GiftTable:
    """The gifts that were last told. One for a process: gifts are the same in all rooms."""

    def __init__(self) -> None:
        self._gifts: OrderedDict[str, KnownGift] = OrderedDict()

    def learn(self, gift_id: str, name: str, diamonds: int, image: str, combo: bool) -> None:
        """Remember a gift; what is told later is right."""
        self._gifts[gift_id] = KnownGift(name, diamonds, image, combo)
        self._gifts.move_to_end(gift_id)
        if len(self._gifts) > GIFTS_MAX:
            self._gifts.popitem(last=False)

    def get(self, gift_id: str) -> KnownGift | None:
        """The gift, None when nobody has told of it."""
        return self._gifts.get(gift_id)
