"""What the tellers of a simulated room share: its people, its clock, its counters, and the way to tell something. Pure.

Larger things are stories: a generator that tells its messages one by one and yields the seconds until it goes on, so
that a battle has scores only after it began and a streak of gifts grows press by press.
"""

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Generic, TypeVar

from protos.webcast_pb2 import Message
from simulator.catalogue import Catalogue, Gift
from simulator.people import Crowd, Person
from simulator.source import MessageIds
from simulator.writer import Told, Writer

Story = Generator[float, None, None]
W = TypeVar("W", bound=Writer)

LIVELY_RATE = 4.0  # messages a second in recordings of 2026; slower rooms do everything more rarely


class Stage(Generic[W]):
    """One room, as those see it who make things happen there.

    Attributes:
        rate: messages a second.
        viewers: how many watch, about.
        given: gifts so far, as `units` and `diamonds`.
        host, crowd, write, catalogue, programme: who is there, what is told how, and what there is to tell.
        now_s, now_ms: the room's own clock, and the one people see.
        entered, likes, followers: totals that messages tell.
        units: gifts so far, by the gift's id.
        streaks: of gifts, going on now.
        spenders: coins by person.
        chats: the latest messages, with who said them.
    """

    def __init__(
        self,
        room_id: int,
        host: Person,
        crowd: Crowd,
        write: W,
        programme: "Programme[W]",
        random: Random,
        ids: MessageIds,
        *,
        rate: float,
        viewers: int,
    ) -> None:
        self.rate = rate
        self.viewers = viewers
        self.ids = ids
        self.given: Counter[str] = Counter()
        self.room_id = room_id
        self.random = random
        self.host = host
        self.crowd = crowd
        self.write = write
        self.programme = programme
        self.now_s = 0.0
        self.now_ms = 0
        self.entered = viewers * 9
        self.likes = random.randrange(2_000, 90_000)
        self.followers = random.randrange(800, 60_000)
        self.units: Counter[int] = Counter()
        self.streaks = 0
        self.spenders: Counter[Person] = Counter()
        self.chats: deque[tuple[Person, Any]] = deque(maxlen=8)
        self._told: list[Message] = []
        self._agenda: list[tuple[float, int, Story]] = []
        self._order = itertools.count()

    @property
    def slowness(self) -> float:
        """How much longer everything steady takes than in a lively room."""
        return max(1.0, LIVELY_RATE / max(self.rate, 0.001))

    def pass_time(self, elapsed_s: float, now_ms: int) -> None:
        """Let the stories go on up to now."""
        until_s = self.now_s + elapsed_s
        while self._agenda and self._agenda[0][0] <= until_s:
            self.now_s, _, story = heapq.heappop(self._agenda)
            self.now_ms = now_ms - int((until_s - self.now_s) * 1000)
            pause_s = next(story, None)
            if pause_s is not None:
                self.begin(story, pause_s)
        self.now_s = until_s

    def take_told(self) -> list[Message]:
        """What was told since this was last called, in order."""
        told, self._told = self._told, []
        return told

    def begin(self, story: Story, after_s: float = 0.0) -> None:
        """Put a story on the agenda."""
        heapq.heappush(self._agenda, (self.now_s + after_s, next(self._order), story))

    def tell(self, told: Told) -> int:
        """Let something happen now; returns the message's id."""
        envelope = self.write.envelope(told, self.now_ms)
        self._told.append(envelope)
        return envelope.msg_id

    def say(self, person: Person, text: str) -> int:
        """Somebody says something; returns the message's id."""
        told = self.write.chat(person, text, self.chats[-1][0] if self.chats else None)
        self.chats.append((person, told.message))
        return self.tell(told)


@dataclass(frozen=True, slots=True)
class Programme(Generic[W]):
    """What there is to tell in the rooms of one platform.

    Attributes:
        catalogue: what is said and given.
        small_things: what comes by chance, and how often in a hundred.
        steady: stories without an end.
        steady_rate: of the messages a second of a lively room, what the steady stories tell.
        shows: stories of a minute, one after the other.
        greeting: what a newcomer is told first; the ids are the same each time.
        after_gift: what follows, when somebody gave so many of a gift.
    """

    catalogue: Catalogue
    small_things: Mapping[Callable[[Stage[W]], None], float]
    steady: Sequence[Callable[[Stage[W]], Story]]
    steady_rate: float
    shows: Sequence[Callable[[Stage[W]], Story]]
    greeting: Callable[[Stage[W], str, int], list[Message]]
    after_gift: Callable[[Stage[W], Person, Gift, int], None]
