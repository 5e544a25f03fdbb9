"""Gifts in a simulated room: single ones, streaks that grow press by press, and what they lead to. Pure."""

from typing import Any

from simulator.catalogue import Gift
from simulator.people import Person
from simulator.stage import Stage, Story
from simulator.writer import Press

STREAKS_MAX = 40  # at the same time


def gift(stage: Stage[Any]) -> None:
    """Somebody gives: once, or in a streak that begins now."""
    gifts = stage.programme.catalogue.gifts
    chosen = stage.random.choices(gifts, [gift.weight for gift in gifts])[0]
    person = stage.crowd.regular()
    if not chosen.combo:
        _press(stage, person, Press(chosen), new_units=1)
        stage.programme.after_gift(stage, person, chosen, 1)
        stage.begin(_cheers(stage, person), 1.0)
    elif stage.streaks < STREAKS_MAX:
        stage.begin(_streak(stage, person, chosen))


def _streak(stage: Stage[Any], person: Person, gift: Gift) -> Story:
    stage.streaks += 1
    group_id, group_count = stage.now_ms, 10 if stage.random.random() < 0.03 else 1
    presses = min(60, 1 + int(stage.random.expovariate(1 / 4 if gift.price < 50 else 1)))
    repeat_count = 0
    for _ in range(presses):
        # A quick thumb is told in steps of several.
        step = stage.random.choice((1, 1, 1, 2, 3))
        repeat_count += step
        _press(stage, person, Press(gift, repeat_count, group_id, group_count), new_units=step * group_count)
        yield stage.random.uniform(0.25, 1.1)
    if stage.random.random() > 0.03:  # some leave in the middle, and their streak has no end
        yield stage.random.uniform(0.8, 2.0)
        stage.tell(stage.write.gift(person, Press(gift, repeat_count, group_id, group_count, end=True)))
    stage.streaks -= 1
    stage.programme.after_gift(stage, person, gift, repeat_count * group_count)
    if repeat_count * gift.price > 60:
        stage.begin(_cheers(stage, person), 0.5)


def _press(stage: Stage[Any], person: Person, press: Press, *, new_units: int) -> None:
    value = new_units * press.gift.price
    stage.given["units"] += new_units
    stage.given["diamonds"] += value
    stage.units[press.gift.id] += new_units
    stage.spenders[person] += value
    stage.tell(stage.write.gift(person, press))


def _cheers(stage: Stage[Any], giver: Person) -> Story:
    for _ in range(stage.random.randint(2, 5)):
        line = stage.random.choice(stage.programme.catalogue.cheers)
        stage.say(stage.crowd.anybody(), line.replace("{0}", giver.nickname))
        yield stage.random.uniform(0.2, 0.9)
