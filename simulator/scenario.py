"""Who says and does what in a simulated room, and when. Seeded and pure: it is told how much time goes by.

Small things come by chance, in swarms, as in recorded rooms: likes, people coming in, chat. Beside them run the steady
stories: room stats, captions, and one show after the other.

Source of the mix: two recordings of 10 minutes of April 2026 (2385 and 2569 messages: likes 604 and 473, members 532
and 1229, chats 459 and 211, room stats every 2 s, captions 213 and 210, social 90 and 25, gifts 24 and 25). Gifts are
more frequent here: whoever watches a demo wants to see one.
"""

import itertools
from random import Random

from protos.tiktok_pb2 import CaptionContent, CaptionMessage, Contributor, RoomUserSeqMessage
from protos.webcast_pb2 import Message
from simulator import content
from simulator.shows import SHOWS
from simulator.small_things import SMALL_THINGS, chat
from simulator.source import ControlAction, control_message
from simulator.stage import Stage, Story

STEADY_RATE = 1.1  # of the messages a second of a lively room, what the steady stories tell
GIFT_GROWTH = 1.25  # messages that follow from one small thing, on average, because some begin a streak
SWARM = (1, 1, 2, 2, 3, 5)  # small things at the same moment
PAST_CHATS = 6
PAST_S = 40.0

# Factor and mean length in seconds; over a long time the factor is 1.
_MOODS = ((0.6, 15.0), (1.0, 15.0), (2.5, 4.0))


class Scenario(Stage):
    """What happens in one room: the `Source` of a made-up broadcast."""

    def __init__(
        self, room_id: int, name: str, title: str, random: Random, *, rate: float, viewers: int, pictures: str
    ) -> None:
        super().__init__(room_id, name, random, rate=rate, viewers=viewers, pictures=pictures)
        self._title = title
        self._started_ms = 0
        self.begin(self._small_things())
        for story in (self._stats, self._captions, self._shows):
            self.begin(story(), random.uniform(0.2, 2.0))

    # What the room asks for

    def advance(self, elapsed_s: float, now_ms: int) -> list[Message]:
        """Let time go by; returns what happened in it, in order."""
        self.pass_time(elapsed_s, now_ms)
        return self.take_told()

    def past(self, now_ms: int) -> list[Message]:
        """A few chats that were said just before."""
        self._started_ms = now_ms
        for number in range(PAST_CHATS):
            self.now_ms = now_ms - int(PAST_S * 1000 * (PAST_CHATS - number) / PAST_CHATS)
            chat(self)
        return self.take_told()

    def greeting(self, now_ms: int) -> list[Message]:
        """The platform's welcome and the host's words."""
        return [self.write.welcome(self._started_ms), self.write.intro(self.host, self._title, self._started_ms)]

    def control(self, action: ControlAction, now_ms: int) -> Message:
        """A control message."""
        return control_message(action, self.room_id, self.ids.next(now_ms), now_ms)

    # Stories without an end

    def _small_things(self) -> Story:
        kinds, weights = list(SMALL_THINGS), list(SMALL_THINGS.values())
        mood, mood_ends_s = 1.0, 0.0
        while True:
            if self.now_s >= mood_ends_s:
                mood, mean_s = self.random.choice(_MOODS)
                mood_ends_s = self.now_s + self.random.expovariate(1 / mean_s)
            size = self.random.choice(SWARM)
            for kind in self.random.choices(kinds, weights, k=size):
                kind(self)
            swarms = (self.rate - STEADY_RATE / self.slowness) / GIFT_GROWTH / (sum(SWARM) / len(SWARM))
            # A room without a rate looks again in a second: the rate may be changed at any time.
            yield self.random.expovariate(swarms * mood) if swarms > 0 else 1.0

    def _stats(self) -> Story:
        while True:
            drift = max(1, int(self.viewers * self.random.gauss(1.0, 0.02)))
            self.entered = max(self.entered, drift)
            ranks = [
                Contributor(score=score, user=self.write.user(person), rank=rank)
                for rank, (person, score) in enumerate(self.spenders.most_common(3), 1)
            ]
            self.tell(RoomUserSeqMessage(ranks=ranks, total=drift, total_user=self.entered))
            yield 2.0 * self.slowness

    def _captions(self) -> Story:
        for number in itertools.count():
            text = content.CAPTIONS[number % len(content.CAPTIONS)]
            said = CaptionContent(lang=b"en", content=text.encode())
            length_ms = 60 * len(text)
            self.tell(CaptionMessage(timestamp_ms=self.now_ms, duration_ms=length_ms, content=[said], definite=True))
            yield (length_ms / 1000 + self.random.uniform(0.3, 4.0)) * self.slowness

    def _shows(self) -> Story:
        shows = list(SHOWS)
        yield 6.0 * self.slowness
        while True:
            self.random.shuffle(shows)
            for show in shows:
                yield from show(self)
                yield self.random.uniform(8.0, 20.0) * self.slowness
