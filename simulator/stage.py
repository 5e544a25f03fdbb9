"""What the tellers of a simulated room share: its people, its clock, its counters, and the way to tell something. Pure.

Larger things are stories: a generator that tells its messages one by one and yields the seconds until it goes on, so
that a battle has scores only after it began and a streak of gifts grows press by press.
"""

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Generator
from random import Random

from protos.tiktok_pb2 import ChatMessage, EmoteModel, EmoteWithIndex
from protos.webcast_pb2 import Message
from simulator import content
from simulator.messages import TikTokMessage, Writer
from simulator.people import Crowd, Person, make_host
from simulator.source import MessageIds

Story = Generator[float, None, None]

LIVELY_RATE = 4.0  # messages a second in the recordings; slower rooms do everything more rarely


class Stage:
    """One room, as those see it who make things happen there.

    Attributes:
        rate: messages a second.
        viewers: how many watch, about.
        given: gifts so far, as `units` and `diamonds`.
        now_s, now_ms: the room's own clock, and the one people see.
        entered, likes, followers, roses: totals that messages tell.
        streaks: of gifts, going on now.
        spenders: diamonds by person.
        chats: the latest, with who said them.
    """

    def __init__(self, room_id: int, name: str, random: Random, *, rate: float, viewers: int, pictures: str) -> None:
        self.rate = rate
        self.viewers = viewers
        self.ids = MessageIds(random)
        self.given: Counter[str] = Counter()
        self.room_id = room_id
        self.random = random
        self.host = make_host(name)
        self.crowd = Crowd(random)
        self.write = Writer(room_id, random, self.ids, pictures)
        self.now_s = 0.0
        self.now_ms = 0
        self.entered = viewers * 9
        self.likes = random.randrange(2_000, 90_000)
        self.followers = random.randrange(800, 60_000)
        self.roses = 0
        self.streaks = 0
        self.spenders: Counter[Person] = Counter()
        self.chats: deque[tuple[Person, ChatMessage]] = deque(maxlen=8)
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

    def tell(
        self,
        message: TikTokMessage,
        *,
        describe: str = "",
        key: str = "",
        pattern: str = "",
        person: Person | None = None,
        method: str = "",
    ) -> int:
        """Let something happen now; returns the message's id. Arguments are those of `Writer.envelope`."""
        envelope = self.write.envelope(
            message, self.now_ms, describe=describe, key=key, pattern=pattern, person=person, method=method
        )
        self._told.append(envelope)
        return envelope.msg_id

    def say(self, person: Person, text: str) -> int:
        """Somebody says something, now and then with an emote or to the one who spoke last; returns its id."""
        message = self.write.chat(person, text)
        chance = self.random.random()
        if chance < 0.05:
            number = self.random.randrange(len(content.EMOTES))
            emote = EmoteModel(emote_id=str(7000 + number).encode(), image=self.write.image("emote", number))
            message.emotes.append(EmoteWithIndex(index=len(text), emote=emote))
        elif chance < 0.09 and self.chats:
            other = self.chats[-1][0]
            message.content = f"@{other.nickname} {text}".encode()
            message.at_user.CopyFrom(self.write.user(other))
            message.mention_users.append(self.write.user(other))
        self.chats.append((person, message))
        return self.tell(message)
