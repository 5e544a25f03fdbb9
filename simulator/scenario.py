"""Who says and does what in a simulated room, and when. Seeded and pure: it is told how much time goes by.

Small things come by chance, in swarms, as in recorded rooms: likes, people coming in, chat. Larger ones are stories:
a generator that tells its messages one by one and yields the seconds until it goes on, so that a battle has scores
only after it began and a streak of gifts grows press by press.

Source of the mix: two recordings of 10 minutes of April 2026 (2385 and 2569 messages: likes 604 and 473, members 532
and 1229, chats 459 and 211, room stats every 2 s, captions 213 and 210, social 90 and 25, gifts 24 and 25). Gifts are
more frequent here: whoever watches a demo wants to see one.
"""

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping
from random import Random
from types import MappingProxyType

from protos.tiktok_pb2 import (
    BarrageGrade,
    BarrageMessage,
    BattleAnchorEntry,
    BattleArmiesEntry,
    BattleBaseUserInfo,
    BattleResult,
    BattleResultEntry,
    BattleSetting,
    BattleUserArmies,
    BattleUserInfo,
    CaptionContent,
    CaptionMessage,
    ChatMessage,
    Contributor,
    EmoteChatMessage,
    EmoteModel,
    EmoteWithIndex,
    EnvelopeInfo,
    EnvelopeMessage,
    GoalUpdateMessage,
    ImDeleteMessage,
    LikeMessage,
    LinkMicArmies,
    LinkMicBattle,
    LinkMicBattlePunishFinish,
    LiveStreamGoal,
    LiveStreamSubGoal,
    LiveStreamSubGoalGift,
    MemberMessage,
    OecLiveShoppingMessage,
    PollEndContent,
    PollMessage,
    PollOption,
    PollStartContent,
    PollUpdateVotesContent,
    PopProduct,
    Question,
    QuestionNewMessage,
    RankUpdate,
    RankUpdateMessage,
    RoomMessage,
    RoomPinMessage,
    RoomUserSeqMessage,
    SocialMessage,
    SubNotifyMessage,
    UnauthorizedMemberMessage,
)
from protos.webcast_pb2 import Message
from simulator import content
from simulator.messages import TikTokMessage, Writer, plain_text
from simulator.people import Crowd, Person, make_host
from simulator.source import ControlAction, MessageIds, control_message

Story = Generator[float, None, None]

LIVELY_RATE = 4.0  # messages a second in the recordings; slower rooms do everything more rarely
STEADY_RATE = 1.1  # of these, what the steady stories tell: stats, captions and shows
GIFT_GROWTH = 1.25  # messages that follow from one small thing, on average, because some begin a streak
SWARM = (1, 1, 2, 2, 3, 5)  # small things at the same moment
PAST_CHATS = 6
PAST_S = 40.0
STREAKS_MAX = 40  # at the same time

# Factor and mean length in seconds; over a long time the factor is 1.
_MOODS = ((0.6, 15.0), (1.0, 15.0), (2.5, 4.0))

# Methods without a public schema, and one that this project does not read.
_UNKNOWN_METHODS = (
    "WebcastGiftPanelUpdateMessage",
    "WebcastCommentTrayMessage",
    "WebcastAISummaryMessage",
    "WebcastLinkLayerMessage",
)


class Scenario:
    """What happens in one room."""

    def __init__(
        self, room_id: int, name: str, title: str, random: Random, *, rate: float, viewers: int, pictures: str
    ) -> None:
        self.rate = rate
        self.viewers = viewers
        self.ids = MessageIds(random)
        self.given: Counter[str] = Counter()
        self._room_id = room_id
        self._random = random
        self._title = title
        self._host = make_host(name)
        self._crowd = Crowd(random)
        self._write = Writer(room_id, random, self.ids, pictures)
        self._started_ms = 0
        self._now_s = 0.0
        self._now_ms = 0
        self._told: list[Message] = []
        self._agenda: list[tuple[float, int, Story]] = []
        self._order = itertools.count()
        self._entered = viewers * 9
        self._likes = random.randrange(2_000, 90_000)
        self._followers = random.randrange(800, 60_000)
        self._roses = 0
        self._streaks = 0
        self._spenders: Counter[Person] = Counter()
        self._chats: deque[tuple[Person, ChatMessage]] = deque(maxlen=8)
        self._begin(self._small_things())
        for story in (self._stats, self._captions, self._shows):
            self._begin(story(), random.uniform(0.2, 2.0))

    # What the room asks for

    def advance(self, elapsed_s: float, now_ms: int) -> list[Message]:
        """Let time go by; returns what happened in it, in order."""
        until_s = self._now_s + elapsed_s
        while self._agenda and self._agenda[0][0] <= until_s:
            self._now_s, _, story = heapq.heappop(self._agenda)
            self._now_ms = now_ms - int((until_s - self._now_s) * 1000)
            pause_s = next(story, None)
            if pause_s is not None:
                self._begin(story, pause_s)
        self._now_s = until_s
        told, self._told = self._told, []
        return told

    def past(self, now_ms: int) -> list[Message]:
        """A few chats that were said just before."""
        self._started_ms = now_ms
        for number in range(PAST_CHATS):
            self._now_ms = now_ms - int(PAST_S * 1000 * (PAST_CHATS - number) / PAST_CHATS)
            self._chat()
        told, self._told = self._told, []
        return told

    def greeting(self, now_ms: int) -> list[Message]:
        """The platform's welcome and the host's words."""
        return [self._write.welcome(self._started_ms), self._write.intro(self._host, self._title, self._started_ms)]

    def control(self, action: ControlAction, now_ms: int) -> Message:
        """A control message."""
        return control_message(action, self._room_id, self.ids.next(now_ms), now_ms)

    # Telling

    def _begin(self, story: Story, after_s: float = 0.0) -> None:
        heapq.heappush(self._agenda, (self._now_s + after_s, next(self._order), story))

    def _tell(
        self,
        message: TikTokMessage,
        *,
        describe: str = "",
        key: str = "",
        pattern: str = "",
        person: Person | None = None,
        method: str = "",
    ) -> int:
        envelope = self._write.envelope(
            message, self._now_ms, describe=describe, key=key, pattern=pattern, person=person, method=method
        )
        self._told.append(envelope)
        return envelope.msg_id

    @property
    def _slowness(self) -> float:
        """How much longer everything steady takes than in a lively room."""
        return max(1.0, LIVELY_RATE / max(self.rate, 0.001))

    # Small things

    def _small_things(self) -> Story:
        kinds, weights = list(SMALL_THINGS), list(SMALL_THINGS.values())
        mood, mood_ends_s = 1.0, 0.0
        while True:
            if self._now_s >= mood_ends_s:
                mood, mean_s = self._random.choice(_MOODS)
                mood_ends_s = self._now_s + self._random.expovariate(1 / mean_s)
            size = self._random.choice(SWARM)
            for kind in self._random.choices(kinds, weights, k=size):
                kind(self)
            swarms = (self.rate - STEADY_RATE / self._slowness) / GIFT_GROWTH / (sum(SWARM) / len(SWARM))
            # A room without a rate looks again in a second: the rate may be changed at any time.
            yield self._random.expovariate(swarms * mood) if swarms > 0 else 1.0

    def _chat(self) -> None:
        person = self._crowd.anybody()
        self._say(person, self._random.choice(content.CHAT[person.language]))

    def _say(self, person: Person, text: str) -> int:
        message = self._write.chat(person, text)
        chance = self._random.random()
        if chance < 0.05:
            number = self._random.randrange(len(content.EMOTES))
            emote = EmoteModel(emote_id=str(7000 + number).encode(), image=self._write.image("emote", number))
            message.emotes.append(EmoteWithIndex(index=len(text), emote=emote))
        elif chance < 0.09 and self._chats:
            other = self._chats[-1][0]
            message.content = f"@{other.nickname} {text}".encode()
            message.at_user.CopyFrom(self._write.user(other))
            message.mention_users.append(self._write.user(other))
        self._chats.append((person, message))
        return self._tell(message)

    def _like(self) -> None:
        count = self._random.randint(1, 15)
        self._likes += count
        # Two servers count, and one lags behind: in a recording 200 of 473 totals went backwards.
        total = self._likes - (self._random.randrange(40) if self._random.random() < 0.4 else 0)
        person = self._crowd.anybody()
        self._tell(
            LikeMessage(count=count, total=total, user=self._write.user(person)),
            describe=f"{person.nickname} liked the LIVE",
            key="pm_mt_msg_viewer",
            pattern="{0:user} liked the LIVE",
            person=person,
        )

    def _member(self) -> None:
        self._entered += 1
        person = self._crowd.newcomer()
        self._tell(
            MemberMessage(user=self._write.user(person), member_count=max(1, self.viewers), action=1),
            describe=f"{person.nickname} joined",
            key="live_room_enter_toast",
            pattern="{0:user} joined",
            person=person,
        )

    def _anonymous_member(self) -> None:
        self._entered += 1
        number = self._random.randrange(100_000, 1_000_000)
        prefix = plain_text("Viewer%s", "web_nonlogin_im_1")
        self._tell(UnauthorizedMemberMessage(action=1, nick_name_prefix=prefix, nick_name=str(number).encode()))

    def _follow(self) -> None:
        self._followers += 1
        person = self._crowd.newcomer()
        self._tell(
            SocialMessage(user=self._write.user(person), action=1, follow_count=self._followers),
            describe=f"{person.nickname} followed the host",
            key="pm_main_follow_message_viewer_2",
            pattern="{0:user} followed the host",
            person=person,
        )

    def _share(self) -> None:
        person = self._crowd.anybody()
        self._tell(
            SocialMessage(user=self._write.user(person), action=3, share_type=1, share_target=b"112"),
            describe=f"{person.nickname} shared the LIVE",
            key="pm_mt_guidance_share",
            pattern="{0:user} shared the LIVE",
            person=person,
        )

    def _emote(self) -> None:
        person = self._crowd.regular()
        number = self._random.randrange(len(content.EMOTES))
        emote = EmoteModel(emote_id=str(7000 + number).encode(), image=self._write.image("emote", number))
        identity = self._write.identity(person)
        self._tell(EmoteChatMessage(user=self._write.user(person), emote_list=[emote], user_identity=identity))

    def _gift(self) -> None:
        gift = self._random.choices(content.GIFTS, [gift.weight for gift in content.GIFTS])[0]
        person = self._crowd.regular()
        if not gift.combo:
            self._press(person, gift, repeat_count=1, group_id=0, group_count=1, new_units=1)
            self._begin(self._cheers(person), 1.0)
        elif self._streaks < STREAKS_MAX:
            self._begin(self._streak(person, gift))

    def _question(self) -> None:
        person = self._crowd.anybody()
        text = self._random.choice(content.QUESTIONS)
        question = Question(question_id=self._now_ms, content=text.encode(), user=self._write.user(person))
        self._tell(QuestionNewMessage(data=question))

    def _subscription(self) -> None:
        person = self._crowd.regular()
        months = self._random.randint(1, 14)
        self._tell(
            SubNotifyMessage(
                user=self._write.user(person),
                sub_month=months,
                old_subscribe_status=int(months > 1),
                subscribing_status=2,
            )
        )

    def _level_up(self) -> None:
        person = self._crowd.regular()
        level = person.payer_level + 1
        self._tell(
            BarrageMessage(
                msg_type=8,
                content=plain_text(f"{person.nickname} reached level {level}", "ttlive_gradeInRoom_levelUp"),
                user=self._write.user(person),
                user_grade_param=BarrageGrade(current_grade=level, user=self._write.user(person)),
            )
        )

    def _rank(self) -> None:
        place = self._random.randint(1, 99)
        update = RankUpdate(
            rank_type=1,
            own_rank=place,
            default_content=plain_text(f"Top {place}"),
            countdown=self._random.randint(60, 3600),
        )
        self._tell(RankUpdateMessage(updates=[update]))

    def _notice(self) -> None:
        text = "The host is a little behind with your comments, be patient."
        self._tell(RoomMessage(content=text.encode(), scene=b"room_notice"))

    def _product(self) -> None:
        picture = f"{self._write.image('gift', 5655).url_list[0].decode()}"
        product = PopProduct(
            title=b"Noodle bowl, blue glaze", price=b"$24.00", image_url=picture.encode(), product_id=17
        )
        self._tell(OecLiveShoppingMessage(action_type=1, live_product_number=4, pop_product=product))

    def _unknown(self) -> None:
        method = self._random.choice(_UNKNOWN_METHODS)
        self._tell(RoomMessage(scene=self._random.randbytes(12).hex().encode()), method=method)

    # Gifts

    def _streak(self, person: Person, gift: content.Gift) -> Story:
        self._streaks += 1
        group_id, group_count = self._now_ms, 10 if self._random.random() < 0.03 else 1
        presses = min(60, 1 + int(self._random.expovariate(1 / 4 if gift.diamonds < 50 else 1)))
        repeat_count = 0
        for _ in range(presses):
            # A quick thumb is told in steps of several.
            step = self._random.choice((1, 1, 1, 2, 3))
            repeat_count += step
            self._press(
                person,
                gift,
                repeat_count=repeat_count,
                group_id=group_id,
                group_count=group_count,
                new_units=step * group_count,
            )
            yield self._random.uniform(0.25, 1.1)
        if self._random.random() > 0.03:  # some leave in the middle, and their streak has no end
            yield self._random.uniform(0.8, 2.0)
            end = self._write.gift(
                person, gift, repeat_count=repeat_count, group_id=group_id, group_count=group_count, end=True
            )
            self._tell(end, describe=f"{person.nickname} sent {gift.name} x{repeat_count}")
        self._streaks -= 1
        if gift.name == "Rose":
            self._goal(person, repeat_count * group_count)
        if repeat_count * gift.diamonds > 60:
            self._begin(self._cheers(person), 0.5)

    def _press(
        self, person: Person, gift: content.Gift, *, repeat_count: int, group_id: int, group_count: int, new_units: int
    ) -> None:
        self.given["units"] += new_units
        self.given["diamonds"] += new_units * gift.diamonds
        self._spenders[person] += new_units * gift.diamonds
        message = self._write.gift(
            person, gift, repeat_count=repeat_count, group_id=group_id, group_count=group_count, end=False
        )
        self._tell(
            message,
            describe=f"{person.nickname} sent {gift.name} x{repeat_count}",
            key="pm_mt_gift_send",
            pattern="{0:user} sent a gift",
            person=person,
        )

    def _cheers(self, giver: Person) -> Story:
        for _ in range(self._random.randint(2, 5)):
            person = self._crowd.anybody()
            lines = ("🔥🔥🔥", "wow", "👏👏", f"{giver.nickname} 👑", "legend!", "😮", "❤️❤️", "thank you {0}!")
            self._say(person, self._random.choice(lines).replace("{0}", giver.nickname))
            yield self._random.uniform(0.2, 0.9)

    def _goal(self, person: Person, roses: int) -> None:
        self._roses += roses
        target = 100 * (1 + self._roses // 100)
        part = LiveStreamSubGoal(id=1, progress=self._roses, target=target, gift=LiveStreamSubGoalGift(name=b"Rose"))
        goal = LiveStreamGoal(
            id=self._room_id % 1_000_000, type=1, status=1, sub_goals=[part], description=b"Roses for the second pot"
        )
        self._tell(
            GoalUpdateMessage(
                goal=goal,
                contributor_id=person.id,
                contributor_avatar=self._write.image("avatar", person.id),
                contributor_display_id=person.handle.encode(),
            )
        )

    # Steady stories

    def _stats(self) -> Story:
        while True:
            drift = max(1, int(self.viewers * self._random.gauss(1.0, 0.02)))
            self._entered = max(self._entered, drift)
            ranks = [
                Contributor(score=score, user=self._write.user(person), rank=rank)
                for rank, (person, score) in enumerate(self._spenders.most_common(3), 1)
            ]
            self._tell(RoomUserSeqMessage(ranks=ranks, total=drift, total_user=self._entered))
            yield 2.0 * self._slowness

    def _captions(self) -> Story:
        for number in itertools.count():
            text = content.CAPTIONS[number % len(content.CAPTIONS)]
            said = CaptionContent(lang=b"en", content=text.encode())
            length_ms = 60 * len(text)
            self._tell(CaptionMessage(timestamp_ms=self._now_ms, duration_ms=length_ms, content=[said], definite=True))
            yield (length_ms / 1000 + self._random.uniform(0.3, 4.0)) * self._slowness

    def _shows(self) -> Story:
        shows = [self._poll, self._battle, self._envelope, self._pin, self._spam]
        yield 6.0 * self._slowness
        while True:
            self._random.shuffle(shows)
            for show in shows:
                yield from show()
                yield self._random.uniform(8.0, 20.0) * self._slowness

    def _battle(self) -> Story:
        rival = make_host(self._random.choice(("tidepool", "clayandkiln", "bikeatlas", "nightbaker")))
        hosts = (self._host, rival)
        battle_id = self._now_ms
        seconds = 75
        setting = BattleSetting(battle_id=battle_id, start_time_ms=self._now_ms, duration=seconds)
        anchors = [
            BattleAnchorEntry(
                key=host.id,
                value=BattleUserInfo(
                    user=BattleBaseUserInfo(
                        user_id=host.id,
                        nick_name=host.nickname.encode(),
                        avatar_thumb=self._write.image("avatar", host.id),
                        display_id=host.handle.encode(),
                    )
                ),
            )
            for host in hosts
        ]
        scores = dict.fromkeys(hosts, 0)
        helpers = {host: [self._crowd.regular() for _ in range(3)] for host in hosts}

        def armies() -> list[BattleArmiesEntry]:
            return [
                BattleArmiesEntry(
                    key=host.id,
                    value=BattleUserArmies(
                        hostscore=scores[host],
                        user_armies=[
                            self._write.army(person, scores[host] * share // 100)
                            for person, share in zip(helpers[host], (50, 20, 10), strict=True)
                        ],
                    ),
                )
                for host in hosts
            ]

        self._tell(
            LinkMicBattle(battle_id=battle_id, battle_settings=setting, action=4, anchors_info=anchors, armies=armies())
        )
        ends_s = self._now_s + seconds
        while self._now_s < ends_s:
            yield self._random.uniform(2.0, 5.0)
            for host in hosts:
                scores[host] += int(self._random.expovariate(1 / 60))
            self._tell(LinkMicArmies(battle_id=battle_id, armies=armies(), battle_settings=setting))
        best = max(scores.values())
        tied = scores[self._host] == scores[rival]
        results = [
            BattleResultEntry(
                key=host.id,
                value=BattleResult(user_id=host.id, result=0 if tied else 1 if score == best else 2, score=score),
            )
            for host, score in scores.items()
        ]
        self._tell(
            LinkMicBattle(
                battle_id=battle_id,
                battle_settings=setting,
                action=5,
                anchors_info=anchors,
                armies=armies(),
                battle_result=results,
            )
        )
        yield 8.0
        self._tell(LinkMicBattlePunishFinish(battle_id=battle_id, battle_settings=setting))

    def _poll(self) -> Story:
        title, answers = self._random.choice(content.POLLS)
        poll_id = self._now_ms
        votes = [0] * len(answers)

        def options() -> list[PollOption]:
            return [
                PollOption(votes=count, display_content=text.encode(), option_idx=index)
                for index, (text, count) in enumerate(zip(answers, votes, strict=True))
            ]

        start = PollStartContent(end_time=self._now_ms + 30_000, option_list=options(), title=title.encode())
        self._tell(PollMessage(message_type=0, poll_id=poll_id, start_content=start))
        ends_s = self._now_s + 30
        while self._now_s < ends_s:
            yield self._random.uniform(1.5, 4.0)
            for index in range(len(votes)):
                votes[index] += self._random.randrange(12)
            update = PollUpdateVotesContent(option_list=options())
            self._tell(PollMessage(message_type=2, poll_id=poll_id, update_votes_content=update))
        self._tell(PollMessage(message_type=1, poll_id=poll_id, end_content=PollEndContent(option_list=options())))

    def _envelope(self) -> Story:
        person = self._crowd.regular()
        box = EnvelopeInfo(
            envelope_id=str(self._now_ms).encode(),
            business_type=1,
            send_user_name=person.nickname.encode(),
            diamond_count=self._random.choice((100, 200, 500)),
            people_count=self._random.choice((10, 20, 50)),
            unpack_at=self._now_ms // 1000 + 20,
            send_user_id=str(person.id).encode(),
            send_user_avatar=self._write.image("avatar", person.id),
        )
        self._tell(EnvelopeMessage(envelope_info=box, display=1))
        yield 20.0
        self._tell(EnvelopeMessage(envelope_info=box, display=2))

    def _pin(self) -> Story:
        if not self._chats:
            return
        _, chat = self._chats[-1]
        for action in (1, 2):
            self._tell(
                RoomPinMessage(
                    chat_message=chat,
                    method=b"WebcastChatMessage",
                    operator=self._write.user(self._host),
                    action=action,
                    display_duration=15,
                )
            )
            if action == 1:
                yield 15.0

    def _spam(self) -> Story:
        person = self._crowd.anybody()
        msg_id = self._say(person, "BEST PRICES!!! visit shop dot example NOW")
        yield 3.0
        self._tell(ImDeleteMessage(delete_msg_ids=[msg_id]))


SMALL_THINGS: Mapping[Callable[[Scenario], None], float] = MappingProxyType(
    {
        Scenario._like: 30,
        Scenario._member: 26,
        Scenario._anonymous_member: 2,
        Scenario._chat: 28,
        Scenario._follow: 3,
        Scenario._share: 1.5,
        Scenario._gift: 4,
        Scenario._emote: 1.2,
        Scenario._question: 0.4,
        Scenario._subscription: 0.3,
        Scenario._level_up: 0.4,
        Scenario._rank: 0.6,
        Scenario._notice: 0.2,
        Scenario._product: 0.2,
        Scenario._unknown: 1.2,
    }
)
"""What comes by chance, and how often in a hundred."""
