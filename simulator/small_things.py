"""What people do in every room, in a moment: one function for each kind of thing. Pure."""

from typing import Any

from simulator.stage import Stage, Story


def chat(stage: Stage[Any]) -> None:
    """Somebody says something."""
    person = stage.crowd.anybody()
    stage.say(person, stage.random.choice(stage.programme.catalogue.chat[person.language]))


def like(stage: Stage[Any]) -> None:
    """Somebody presses the heart, several times in a row."""
    count = stage.random.randint(1, 15)
    stage.likes += count
    # Two servers count, and one lags behind: in a recording 200 of 473 totals went backwards.
    total = stage.likes - (stage.random.randrange(40) if stage.random.random() < 0.4 else 0)
    stage.tell(stage.write.like(stage.crowd.anybody(), count=count, total=total))


def enter(stage: Stage[Any]) -> None:
    """Somebody comes in."""
    stage.entered += 1
    stage.tell(stage.write.enter(stage.crowd.newcomer(), viewers=max(1, stage.viewers)))


def follow(stage: Stage[Any]) -> None:
    """Somebody follows the host."""
    stage.followers += 1
    stage.tell(stage.write.follow(stage.crowd.newcomer(), followers=stage.followers))


def share(stage: Stage[Any]) -> None:
    """Somebody passes the room on."""
    stage.tell(stage.write.share(stage.crowd.anybody()))


def spam(stage: Stage[Any]) -> Story:
    """Somebody shouts, and is taken back."""
    msg_id = stage.say(stage.crowd.anybody(), stage.random.choice(stage.programme.catalogue.shouts))
    yield 3.0
    stage.tell(stage.write.delete(msg_id))
