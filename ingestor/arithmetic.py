"""A room's sums: what each gift adds to its streak, and likes that never go down. No I/O, no clock, no platform.

The law of streaks: the sum of `delta` over all events of a streak is the highest number of units any of its presses
told, however they are ordered, repeated or lost; the sum of `diamonds` is their value. A streak is the presses of one
sender, gift and group; of a masked sender also of one name, for the id is of many. It is over when a press says so,
when it was silent for a while, or with the room; then it is kept a little longer, so that a late press adds only what
is missing.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from shared.events import Event, Gift, Like
from shared.room import RoomKey

SILENCE_MS: Final = 10_000  # without a press: a sender who left never tells the end
FINISHED_MS: Final = 60_000  # how long a late press is still recognised
STREAKS_MAX: Final = 10_000  # open ones, and as many finished ones
_MAX_INT: Final = 2**53 - 1

_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Streak:
    """The press with the most units so far, how many these are, and when the latest press came."""

    gift: Gift
    units: int
    pressed_ms: int


class RoomArithmetic:
    """The sums of one room; lives as long as its lease."""

    def __init__(self, room: RoomKey) -> None:
        self._room = room
        self._open: OrderedDict[_Key, _Streak] = OrderedDict()  # the longest silent first
        self._finished: OrderedDict[_Key, _Streak] = OrderedDict()
        self._likes = 0

    def __repr__(self) -> str:
        return f"<RoomArithmetic {self._room} open={len(self._open)} finished={len(self._finished)}>"

    def apply(self, event: Event, now_ms: int) -> list[Event]:
        """The event with its sums filled in, last of the list; before it, the end of a streak that had to make room."""
        if isinstance(event, Gift):
            return self._apply_gift(event, now_ms)
        if isinstance(event, Like):
            self._likes = max(self._likes, event.total_like_count)
            return [replace(event, total_like_count=self._likes)]
        return [event]

    def due(self, now_ms: int) -> list[Gift]:
        """End the streaks that have been silent for too long: one event each, made here."""
        ended = []
        while self._open and (over_ms := next(iter(self._open.values())).pressed_ms + SILENCE_MS) <= now_ms:
            ended.append(self._end_oldest(over_ms))  # not now: however late it is looked at, the end is the same
        self._forget(now_ms)
        return ended

    def close(self, now_ms: int) -> list[Gift]:
        """End all streaks, with the room."""
        return [self._end_oldest(now_ms) for _ in range(len(self._open))]

    def restore(self, told: Iterable[Event]) -> None:
        """Go on where another holder stopped.

        Args:
            told: the latest events of the room's log, in order.
        """
        for event in told:
            if isinstance(event, Like):
                self._likes = max(self._likes, event.total_like_count)
            elif isinstance(event, Gift) and _is_streak(event):
                key = _key(event)
                home = self._finished if event.final else self._open
                self._open.pop(key, None)
                self._put(home, key, _Streak(event, event.total, event.time))

    def _apply_gift(self, gift: Gift, now_ms: int) -> list[Event]:
        if not _is_streak(gift):
            units = min(max(gift.repeat_count, 1) * gift.group_count, _MAX_INT)
            return [_filled(gift, units, units, final=True)]
        self._forget(now_ms)
        key = _key(gift)
        units = min(gift.repeat_count * gift.group_count, _MAX_INT)
        finished = self._finished.get(key)
        known = finished or self._open.pop(key, None)
        highest = max(units, known.units) if known else units
        top = gift if known is None or units > known.units else known.gift
        final = finished is not None or gift.repeat_end == 1
        self._put(self._finished if final else self._open, key, _Streak(top, highest, now_ms))
        ended = [self._end_oldest(now_ms)] if len(self._open) > STREAKS_MAX else []
        return [*ended, _filled(gift, highest - (known.units if known else 0), highest, final=final)]

    def _end_oldest(self, now_ms: int) -> Gift:
        key, streak = self._open.popitem(last=False)
        self._put(self._finished, key, _Streak(streak.gift, streak.units, now_ms))
        end = replace(streak.gift, id=UNSET, cursor=UNSET, time=now_ms, history=UNSET, repeat_end=1)
        return _filled(end, 0, streak.units, final=True)

    def _put(self, streaks: OrderedDict[_Key, _Streak], key: _Key, streak: _Streak) -> None:
        streaks[key] = streak
        streaks.move_to_end(key)

    def _forget(self, now_ms: int) -> None:
        """Drop finished streaks that are old, or too many."""
        while self._finished and (
            len(self._finished) > STREAKS_MAX or next(iter(self._finished.values())).pressed_ms + FINISHED_MS <= now_ms
        ):
            self._finished.popitem(last=False)


def _is_streak(gift: Gift) -> bool:
    return gift.gift.combo and gift.group_id not in ("", "0")


def _key(gift: Gift) -> _Key:
    # A group may be no more than the second of its first press: two strangers behind one id would be one sender.
    return gift.user.id, gift.user.nickname if gift.user.masked else "", gift.gift_id, gift.group_id


def _filled(gift: Gift, delta: int, total: int, *, final: bool) -> Gift:
    """A gift with its sums. What happened before we listened adds nothing, but counts as seen."""
    if gift.history is True:
        delta = 0
    diamonds = min(delta * gift.gift.diamond_count, _MAX_INT)
    return replace(gift, delta=delta, total=total, diamonds=diamonds, final=final)
