"""Presses of gifts, which all platforms write alike. Pure."""

from typing import Protocol

from msgspec import UNSET, UnsetType

from ingestor.connectors.composed import Picture, image
from ingestor.connectors.header import Head
from ingestor.connectors.sanitize import count, decimal, text
from shared import events


class WireGift(Protocol):
    """The fields of a gift that are read here."""

    id: int
    name: bytes
    describe: bytes
    type: int
    combo: bool
    diamond_count: int

    @property
    def image(self) -> Picture: ...

    @property
    def icon(self) -> Picture: ...


class WirePress(Protocol):
    """The fields of a gift message that are read here."""

    gift_id: int
    group_id: int
    group_count: int
    repeat_count: int
    combo_count: int
    repeat_end: int

    @property
    def gift(self) -> WireGift: ...


def press(message: WirePress, head: Head, user: events.User, to_user: events.User | UnsetType = UNSET) -> events.Gift:
    """One press of a gift; what it adds to its streak is computed where it is published."""
    gift_id = decimal(message.gift_id or message.gift.id)
    return events.Gift(
        **head,
        user=user,
        gift=gift_info(message.gift, gift_id),
        gift_id=gift_id,
        repeat_count=count(message.repeat_count),
        combo_count=count(message.combo_count),
        repeat_end=1 if message.repeat_end else 0,
        group_id=str(message.group_id),
        group_count=max(1, count(message.group_count)),
        to_user=to_user,
    )


def gift_info(kind: WireGift, gift_id: str, *, price: int = 0, picture: str = "") -> events.GiftInfo:
    """What was given; the message's own id, price and picture stand in for those that the gift itself leaves out."""
    price = count(kind.diamond_count or price)
    return events.GiftInfo(
        id=decimal(kind.id) or gift_id,
        name=text(kind.name),
        describe=text(kind.describe),
        diamond_count=price,
        diamondCount=price,
        type=count(kind.type),
        combo=kind.combo,
        image=image(kind.image) or image(kind.icon) or picture,
    )
