"""What messages of a room leave out because earlier ones told it. No I/O, no clock.

An event is completed, or it is none: a number that nobody has told is never made up.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from ingestor.connectors.douyin.gift_table import GiftTable
from shared import events

UNTOLD: Final = -1
"""Stands for a count that a message does not tell, until it is completed."""

SIDES_MAX: Final = 8  # of a battle


class Memory:
    """Completes the events of one room."""

    def __init__(self, *, gifts: bool, table: GiftTable) -> None:
        """Begin.

        Args:
            gifts: whether our session is told gifts.
            table: of gifts; read and added to.
        """
        self._gifts = gifts
        self._table = table
        self._stats: events.RoomStats | None = None
        self._battle: events.BattleDetail | None = None

    def complete(self, event: events.Event) -> events.Event | None:
        """The whole event, None when too little was told so far."""
        match event:
            case events.Gift():
                return self._gift(event)
            case events.RoomStats():
                self._stats = self._room_stats(event)
                return self._stats
            case events.Battle():
                return self._battle_event(event)
            case events.LiveStatus(live_status=detail):
                return replace(event, live_status=replace(detail, gifts=self._gifts))
        return event

    def _gift(self, event: events.Gift) -> events.Gift:
        gift, known = event.gift, self._table.get(event.gift_id)
        if known is not None:
            price = gift.diamond_count or known.diamonds
            combo = gift.combo if gift.name else known.combo
            picture = gift.image or known.image
            gift = replace(
                gift, name=gift.name or known.name, diamond_count=price, diamondCount=price, combo=combo, image=picture
            )
        elif not gift.name:
            # Counted as a streak it is right either way: the highest press of a group is its sum.
            gift = replace(gift, combo=gift.combo or event.group_id != "0")
        if gift.name and event.gift_id:
            self._table.learn(event.gift_id, gift.name, gift.diamond_count, gift.image, gift.combo)
        return replace(event, gift=gift)

    def _room_stats(self, event: events.RoomStats) -> events.RoomStats | None:
        if UNTOLD not in (event.viewer_count, event.total_user):
            return event
        last = self._stats
        if last is None:
            return None
        viewers = last.viewer_count if event.viewer_count == UNTOLD else event.viewer_count
        return replace(
            event,
            viewer_count=viewers,
            total=viewers,
            total_user=last.total_user if event.total_user == UNTOLD else event.total_user,
            viewers_text=last.viewers_text if event.viewer_count == UNTOLD else UNSET,
            top=last.top,
        )

    def _battle_event(self, event: events.Battle) -> events.Battle | None:
        told, last = event.battle, self._battle
        if last is None or told.id not in ("", last.id):
            last = events.BattleDetail(id=told.id, state=told.state, sides=[])
        detail = replace(
            told,
            id=last.id,
            started_at=told.started_at or last.started_at,
            duration_ms=told.duration_ms or last.duration_ms,
            sides=_sides(told.sides, last.sides),
        )
        if told.state == "started":
            detail = replace(detail, sides=[replace(side, score=max(0, side.score)) for side in detail.sides])
        if any(side.score == UNTOLD for side in detail.sides):
            return None
        self._battle = None if told.state == "finished" else detail
        return replace(event, battle=detail)


def _sides(told: Sequence[events.BattleSide], last: Sequence[events.BattleSide]) -> list[events.BattleSide]:
    """All sides that were told of, in the order of the first time, each with what was told last."""
    sides = {side.anchor.id: side for side in last}
    for side in told:
        known = sides.get(side.anchor.id, side)
        sides[side.anchor.id] = replace(
            side,
            anchor=side.anchor if side.anchor.nickname else known.anchor,
            score=known.score if side.score == UNTOLD else side.score,
            top=side.top or known.top,
        )
    return list(sides.values())[:SIDES_MAX]
