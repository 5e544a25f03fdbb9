"""What there is to tell in TikTok's rooms. Pure.

Source of the mix: two recordings of 10 minutes of April 2026 (2385 and 2569 messages: likes 604 and 473, members 532
and 1229, chats 459 and 211, room stats every 2 s, captions 213 and 210, social 90 and 25, gifts 24 and 25). Gifts are
more frequent here: whoever watches a demo wants to see one.
"""

import itertools

from protos.tiktok_pb2 import (
    CaptionContent,
    CaptionMessage,
    Contributor,
    GoalUpdateMessage,
    LiveStreamGoal,
    LiveStreamSubGoal,
    LiveStreamSubGoalGift,
    RoomUserSeqMessage,
)
from protos.webcast_pb2 import Message
from simulator.catalogue import Gift
from simulator.people import Person
from simulator.stage import Programme, Story
from simulator.tiktok.content import CAPTIONS, CATALOGUE, ROSE
from simulator.tiktok.shows import SHOWS
from simulator.tiktok.small_things import SMALL_THINGS
from simulator.tiktok.writer import TikTokStage
from simulator.writer import Told


def _stats(stage: TikTokStage) -> Story:
    while True:
        drift = max(1, int(stage.viewers * stage.random.gauss(1.0, 0.02)))
        stage.entered = max(stage.entered, drift)
        ranks = [
            Contributor(score=score, user=stage.write.user(person), rank=rank)
            for rank, (person, score) in enumerate(stage.spenders.most_common(3), 1)
        ]
        stage.tell(Told(RoomUserSeqMessage(ranks=ranks, total=drift, total_user=stage.entered)))
        yield 2.0 * stage.slowness


def _captions(stage: TikTokStage) -> Story:
    for number in itertools.count():
        text = CAPTIONS[number % len(CAPTIONS)]
        said = CaptionContent(lang=b"en", content=text.encode())
        length_ms = 60 * len(text)
        caption = CaptionMessage(timestamp_ms=stage.now_ms, duration_ms=length_ms, content=[said], definite=True)
        stage.tell(Told(caption))
        yield (length_ms / 1000 + stage.random.uniform(0.3, 4.0)) * stage.slowness


def _greeting(stage: TikTokStage, title: str, started_ms: int) -> list[Message]:
    """The platform's welcome and the host's words."""
    return [stage.write.welcome(started_ms), stage.write.intro(stage.host, title, started_ms)]


def _goal(stage: TikTokStage, person: Person, gift: Gift, units: int) -> None:
    """Roses count towards the host's goal."""
    if gift.id != ROSE:
        return
    roses = stage.units[ROSE]
    target = 100 * (1 + roses // 100)
    part = LiveStreamSubGoal(id=1, progress=roses, target=target, gift=LiveStreamSubGoalGift(name=b"Rose"))
    goal = LiveStreamGoal(
        id=stage.room_id % 1_000_000, type=1, status=1, sub_goals=[part], description=b"Roses for the second pot"
    )
    stage.tell(
        Told(
            GoalUpdateMessage(
                goal=goal,
                contributor_id=person.id,
                contributor_avatar=stage.write.image("avatar", person.id),
                contributor_display_id=person.handle.encode(),
            )
        )
    )


PROGRAMME = Programme(
    catalogue=CATALOGUE,
    small_things=SMALL_THINGS,
    steady=(_stats, _captions),
    steady_rate=1.1,
    shows=SHOWS,
    greeting=_greeting,
    after_gift=_goal,
)
