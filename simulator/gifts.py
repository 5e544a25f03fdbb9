"""Gifts in a simulated room: single ones, streaks that grow press by press, and what they lead to. Pure."""

from protos.tiktok_pb2 import (
    GoalUpdateMessage,
    LiveStreamGoal,
    LiveStreamSubGoal,
    LiveStreamSubGoalGift,
)
from simulator import content
from simulator.people import Person
from simulator.stage import Stage, Story

STREAKS_MAX = 40  # at the same time


def gift(stage: Stage) -> None:
    """Somebody gives: once, or in a streak that begins now."""
    chosen = stage.random.choices(content.GIFTS, [gift.weight for gift in content.GIFTS])[0]
    person = stage.crowd.regular()
    if not chosen.combo:
        _press(stage, person, chosen, repeat_count=1, group_id=0, group_count=1, new_units=1)
        stage.begin(_cheers(stage, person), 1.0)
    elif stage.streaks < STREAKS_MAX:
        stage.begin(_streak(stage, person, chosen))


def _streak(stage: Stage, person: Person, gift: content.Gift) -> Story:
    stage.streaks += 1
    group_id, group_count = stage.now_ms, 10 if stage.random.random() < 0.03 else 1
    presses = min(60, 1 + int(stage.random.expovariate(1 / 4 if gift.diamonds < 50 else 1)))
    repeat_count = 0
    for _ in range(presses):
        # A quick thumb is told in steps of several.
        step = stage.random.choice((1, 1, 1, 2, 3))
        repeat_count += step
        _press(
            stage,
            person,
            gift,
            repeat_count=repeat_count,
            group_id=group_id,
            group_count=group_count,
            new_units=step * group_count,
        )
        yield stage.random.uniform(0.25, 1.1)
    if stage.random.random() > 0.03:  # some leave in the middle, and their streak has no end
        yield stage.random.uniform(0.8, 2.0)
        end = stage.write.gift(
            person, gift, repeat_count=repeat_count, group_id=group_id, group_count=group_count, end=True
        )
        stage.tell(end, describe=f"{person.nickname} sent {gift.name} x{repeat_count}")
    stage.streaks -= 1
    if gift.name == "Rose":
        _goal(stage, person, repeat_count * group_count)
    if repeat_count * gift.diamonds > 60:
        stage.begin(_cheers(stage, person), 0.5)


def _press(
    stage: Stage,
    person: Person,
    gift: content.Gift,
    *,
    repeat_count: int,
    group_id: int,
    group_count: int,
    new_units: int,
) -> None:
    stage.given["units"] += new_units
    stage.given["diamonds"] += new_units * gift.diamonds
    stage.spenders[person] += new_units * gift.diamonds
    message = stage.write.gift(
        person, gift, repeat_count=repeat_count, group_id=group_id, group_count=group_count, end=False
    )
    stage.tell(
        message,
        describe=f"{person.nickname} sent {gift.name} x{repeat_count}",
        key="pm_mt_gift_send",
        pattern="{0:user} sent a gift",
        person=person,
    )


def _cheers(stage: Stage, giver: Person) -> Story:
    for _ in range(stage.random.randint(2, 5)):
        person = stage.crowd.anybody()
        lines = ("🔥🔥🔥", "wow", "👏👏", f"{giver.nickname} 👑", "legend!", "😮", "❤️❤️", "thank you {0}!")
        stage.say(person, stage.random.choice(lines).replace("{0}", giver.nickname))
        yield stage.random.uniform(0.2, 0.9)


def _goal(stage: Stage, person: Person, roses: int) -> None:
    stage.roses += roses
    target = 100 * (1 + stage.roses // 100)
    part = LiveStreamSubGoal(id=1, progress=stage.roses, target=target, gift=LiveStreamSubGoalGift(name=b"Rose"))
    goal = LiveStreamGoal(
        id=stage.room_id % 1_000_000, type=1, status=1, sub_goals=[part], description=b"Roses for the second pot"
    )
    stage.tell(
        GoalUpdateMessage(
            goal=goal,
            contributor_id=person.id,
            contributor_avatar=stage.write.image("avatar", person.id),
            contributor_display_id=person.handle.encode(),
        )
    )
