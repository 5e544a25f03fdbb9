"""Who says and does what in a simulated room, and when. Seeded and pure: it is told how much time goes by.

Small things come by chance, in swarms, as in recorded rooms: likes, people coming in, chat. Beside them run the steady
stories of the platform, and one show after the other.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Generic

from protos.webcast_pb2 import Message
from simulator.people import Crowd, Person
from simulator.small_things import chat
from simulator.source import ControlAction, MessageIds
from simulator.stage import Programme, Stage, Story, W

GIFT_GROWTH = 1.25  # messages that follow from one small thing, on average, because some begin a streak
SWARM = (1, 1, 2, 2, 3, 5)  # small things at the same moment
PAST_CHATS = 6
PAST_S = 40.0

# Factor and mean length in seconds; over a long time the factor is 1.
_MOODS = ((0.6, 15.0), (1.0, 15.0), (2.5, 4.0))


class Scenario(Stage[W], Generic[W]):
    """What happens in one room: the `Source` of a made-up broadcast."""

    def __init__(
        self,
        room_id: int,
        host: Person,
        title: str,
        crowd: Crowd,
        write: W,
        programme: Programme[W],
        random: Random,
        ids: MessageIds,
        *,
        rate: float,
        viewers: int,
    ) -> None:
        super().__init__(room_id, host, crowd, write, programme, random, ids, rate=rate, viewers=viewers)
        self._title = title
        self._started_ms = 0
        self.begin(self._small_things(programme.small_things))
        for story in programme.steady:
            self.begin(story(self), random.uniform(0.2, 2.0))
        self.begin(self._shows(), random.uniform(0.2, 2.0))

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
        """What the platform says to newcomers."""
        return self.programme.greeting(self, self._title, self._started_ms)

    def control(self, action: ControlAction, now_ms: int) -> Message:
        """A control message."""
        return self.write.control(action, now_ms)

    # Stories without an end

    def _small_things(self, things: Mapping[Callable[[Stage[W]], None], float]) -> Story:
        kinds, weights = list(things), list(things.values())
        mood, mood_ends_s = 1.0, 0.0
        while True:
            if self.now_s >= mood_ends_s:
                mood, mean_s = self.random.choice(_MOODS)
                mood_ends_s = self.now_s + self.random.expovariate(1 / mean_s)
            size = self.random.choice(SWARM)
            for kind in self.random.choices(kinds, weights, k=size):
                kind(self)
            steady = self.programme.steady_rate / self.slowness
            swarms = (self.rate - steady) / GIFT_GROWTH / (sum(SWARM) / len(SWARM))
            # A room without a rate looks again in a second: the rate may be changed at any time.
            yield self.random.expovariate(swarms * mood) if swarms > 0 else 1.0

    def _shows(self) -> Story:
        shows = list(self.programme.shows)
        yield 6.0 * self.slowness
        while True:
            self.random.shuffle(shows)
            for show in shows:
                yield from show(self)
                yield self.random.uniform(8.0, 20.0) * self.slowness
