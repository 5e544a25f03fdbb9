import itertools
from collections import defaultdict
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest

from protos import douyin_pb2, tiktok_pb2
from protos.webcast_pb2 import AnyMessage, Message
from simulator.douyin.people import MASKED_ID
from simulator.douyin.platform import Douyin
from simulator.douyin.writer import STATE
from simulator.platform import HostProfile, Platform
from simulator.source import ControlAction, Source, action_of
from simulator.tiktok.platform import TikTok

pb = tiktok_pb2

START_MS = 1_765_432_100_000
STEP_S = 0.8
ON_BOTH = pytest.mark.parametrize("platform", [TikTok(), Douyin()], ids=lambda platform: platform.name)


def play(
    platform: Platform, seconds: float, *, seed: int = 1, rate: float = 4.0, masked: bool = False
) -> tuple[Source, list[Message]]:
    profile = HostProfile("a title", "a host", viewers=500, masked=masked)
    source = platform.scenario(77, "demo", profile, Random(seed), rate=rate, pictures="http://pictures.example")
    messages = source.past(START_MS)
    for step in range(1, int(seconds / STEP_S) + 1):
        messages += source.advance(STEP_S, START_MS + int(step * STEP_S * 1000))
    return source, messages


def of_type(messages: list[Message], name: str) -> list[bytes]:
    return [message.payload for message in messages if message.method == f"Webcast{name}".encode()]


Story = tuple[Source, list[Message]]


@pytest.fixture(scope="module")
def half_an_hour() -> Story:
    return play(TikTok(), 1800)


@pytest.fixture(scope="module")
def half_an_hour_of_douyin() -> Story:
    return play(Douyin(), 1800)


# Both platforms


@ON_BOTH
def test_same_seed_tells_the_same_story(platform: Platform) -> None:
    assert play(platform, 60)[1] == play(platform, 60)[1]


@ON_BOTH
def test_another_seed_tells_another_story(platform: Platform) -> None:
    assert play(platform, 60, seed=1)[1] != play(platform, 60, seed=2)[1]


@pytest.mark.parametrize(
    ("platform", "rate"),
    # The smallest room of Douyin is not silent for more than some seconds.
    [(TikTok(), 0.1), *itertools.product((TikTok(), Douyin()), (0.3, 1.0, 4.0, 40.0))],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_room_is_about_as_lively_as_its_rate(platform: Platform, rate: float) -> None:
    seconds = 4000 / rate**0.5
    count = len(play(platform, seconds, rate=rate)[1])
    assert 0.75 * rate < count / seconds < 1.35 * rate


@ON_BOTH
def test_a_room_without_a_rate_wakes_up_when_it_gets_one(platform: Platform) -> None:
    source, _ = play(platform, 30, rate=0.0)
    source.rate = 40.0
    assert len(source.advance(30.0, START_MS + 60_000)) > 300


@ON_BOTH
def test_streaks_grow_press_by_press_and_end_with_their_last_count(platform: Platform) -> None:
    source, messages = play(platform, 1800)
    streaks: dict[tuple[int, int, int], list[Any]] = defaultdict(list)
    units = diamonds = 0
    for gift in gifts(platform, messages):
        if gift.gift.combo:
            streaks[gift.user.id, gift.gift_id, gift.group_id].append(gift)
        else:
            assert (gift.gift.type, gift.group_id, gift.repeat_end, gift.repeat_count) == (2, 0, 0, 1)
            units, diamonds = units + 1, diamonds + gift.gift.diamond_count
    assert len(streaks) > 50
    for presses in streaks.values():
        counts = [press.repeat_count for press in presses]
        ends = [press.repeat_end for press in presses]
        assert counts == sorted(counts)
        assert ends[:-1] == [0] * (len(ends) - 1)
        if ends[-1]:
            assert counts[-1] == counts[-2]
        total = counts[-1] * presses[0].group_count
        units, diamonds = units + total, diamonds + total * presses[0].gift.diamond_count
    assert source.given == {"units": units, "diamonds": diamonds}
    begun = {key for key in streaks if key[2]}
    ended = {key for key, presses in streaks.items() if presses[-1].repeat_end}
    assert ended < begun  # some never end


@ON_BOTH
def test_like_totals_go_backwards_now_and_then(platform: Platform) -> None:
    schema = douyin_pb2.LikeMessage if platform.name == "douyin" else tiktok_pb2.LikeMessage
    _, messages = play(platform, 900)
    totals = [schema.FromString(payload).total for payload in of_type(messages, "LikeMessage")]
    backwards = sum(later < earlier for earlier, later in itertools.pairwise(totals))
    assert 0 < backwards < len(totals) / 2


@ON_BOTH
def test_newcomers_find_six_chats_from_before_and_a_welcome_that_stays_the_same(platform: Platform) -> None:
    source, messages = play(platform, 0)
    assert [message.method for message in messages] == [b"WebcastChatMessage"] * 6
    assert all(message.msg_id >> 32 < START_MS // 1000 for message in messages)
    assert source.greeting(START_MS) == source.greeting(START_MS + 9000)


def test_every_gift_has_an_id_and_a_picture_of_its_own() -> None:
    everything = [gift for platform in (TikTok(), Douyin()) for gift in platform.catalogue.gifts]
    assert len({gift.id for gift in everything}) == len({gift.name for gift in everything}) == len(everything)


def gifts(platform: Platform, messages: list[Message]) -> Iterable[Any]:
    schema = douyin_pb2.GiftMessage if platform.name == "douyin" else tiktok_pb2.GiftMessage
    return [schema.FromString(payload) for payload in of_type(messages, "GiftMessage")]


# TikTok


def test_message_ids_are_unique_and_rising_and_stand_in_the_header_too(half_an_hour: Story) -> None:
    ids = [message.msg_id for message in half_an_hour[1]]
    assert ids == sorted(set(ids))
    for message in half_an_hour[1]:
        header = AnyMessage.FromString(message.payload).common
        assert (header.msg_id, header.room_id) == (message.msg_id, 77)


def test_everything_there_is_happens_within_half_an_hour(half_an_hour: Story) -> None:
    methods = {message.method.decode().removeprefix("Webcast") for message in half_an_hour[1]}
    expected = (
        "ChatMessage GiftMessage LikeMessage MemberMessage SocialMessage RoomUserSeqMessage CaptionMessage"
        " QuestionNewMessage EnvelopeMessage LinkMicBattle LinkMicArmies LinkMicBattlePunishFinish PollMessage"
        " GoalUpdateMessage RankUpdateMessage RoomMessage EmoteChatMessage SubNotifyMessage BarrageMessage"
        " RoomPinMessage ImDeleteMessage OecLiveShoppingMessage UnauthorizedMemberMessage AISummaryMessage"
    )
    assert set(expected.split()) <= methods


def test_a_battle_opens_before_it_has_scores_and_scores_never_fall(half_an_hour: Story) -> None:
    scores: dict[int, list[int]] = {}
    finished: set[int] = set()
    for message in half_an_hour[1]:
        if message.method == b"WebcastLinkMicBattle":
            battle = pb.LinkMicBattle.FromString(message.payload)
            assert (battle.action == 4) == (battle.battle_id not in scores)
            if battle.action == 4:
                scores[battle.battle_id] = [0, 0]
            else:
                assert [entry.value.score for entry in battle.battle_result] == scores[battle.battle_id]
                finished.add(battle.battle_id)
        if message.method == b"WebcastLinkMicArmies":
            armies = pb.LinkMicArmies.FromString(message.payload)
            now = [entry.value.hostscore for entry in armies.armies]
            before = scores[armies.battle_id]
            assert armies.battle_id not in finished
            assert all(new >= old for new, old in zip(now, before, strict=True))
            scores[armies.battle_id] = now
    assert len(finished) > 2


def test_polls_start_count_and_end(half_an_hour: Story) -> None:
    kinds: dict[int, list[int]] = defaultdict(list)
    for payload in of_type(half_an_hour[1], "PollMessage"):
        poll = pb.PollMessage.FromString(payload)
        kinds[poll.poll_id].append(poll.message_type)
    complete = [poll for poll in kinds.values() if poll[-1] == 1]
    assert complete
    assert all(poll[0] == 0 and set(poll[1:-1]) == {2} for poll in complete)


def test_a_control_message_says_what_it_does() -> None:
    source, _ = play(TikTok(), 0)
    assert [action_of(source.control(action, START_MS)) for action in ControlAction] == list(ControlAction)


# Douyin


def test_ids_are_rising_and_a_chat_has_an_older_one_in_its_header(half_an_hour_of_douyin: Story) -> None:
    messages = half_an_hour_of_douyin[1]
    ids = [message.msg_id for message in messages]
    assert ids == sorted(set(ids))
    headers = [(message, AnyMessage.FromString(message.payload).common) for message in messages]
    assert {header.room_id for _, header in headers} == {77}
    early = {message.method for message, header in headers if header.msg_id >> 32 < message.msg_id >> 32}
    assert early == {b"WebcastChatMessage", b"WebcastScreenChatMessage"}
    assert all(header.msg_id == message.msg_id for message, header in headers if message.method not in early)


def test_chats_and_people_coming_have_no_time_but_that_of_a_chats_event(half_an_hour_of_douyin: Story) -> None:
    messages = half_an_hour_of_douyin[1]
    timeless = {message.method for message in messages if not AnyMessage.FromString(message.payload).common.create_time}
    assert timeless == {b"WebcastChatMessage", b"WebcastScreenChatMessage", b"WebcastMemberMessage"}
    for message in messages:
        if message.method == b"WebcastChatMessage":
            chat = douyin_pb2.ChatMessage.FromString(message.payload)
            assert abs(chat.event_time - (message.msg_id >> 32)) <= 1


def test_everything_there_is_on_douyin_happens_within_half_an_hour(half_an_hour_of_douyin: Story) -> None:
    methods = {message.method.decode().removeprefix("Webcast") for message in half_an_hour_of_douyin[1]}
    expected = (
        "ChatMessage GiftMessage LikeMessage MemberMessage SocialMessage RoomUserSeqMessage RoomStatsMessage"
        " RoomRankMessage RanklistHourEntranceMessage FansclubMessage EmojiChatMessage ScreenChatMessage"
        " LuckyBoxMessage LuckyBoxEndMessage LinkMicBattleMethod LinkMicMethod LinkMicArmiesMethod"
        " LinkMicBattleFinishMethod LiveShoppingMessage RoomMessage NotifyEffectMessage ImDeleteMessage"
        " GiftSortMessage"
    )
    assert set(expected.split()) <= methods


def test_only_what_tells_how_things_stand_asks_to_be_kept(half_an_hour_of_douyin: Story) -> None:
    source, messages = half_an_hour_of_douyin
    kept = {message.method.decode(): message for message in messages if message.is_history}
    assert kept.keys() == {"WebcastRoomStatsMessage", "WebcastRoomRankMessage"}
    assert all(message.wrds_version for message in kept.values())
    greeting = {message.method.decode(): message for message in source.greeting(START_MS)}
    assert greeting.keys() == STATE.keys() & greeting.keys()
    assert kept.items() <= greeting.items()  # newcomers are told the latest of each


def test_pk_scores_never_fall_and_end_as_they_were(half_an_hour_of_douyin: Story) -> None:
    scores: dict[int, dict[int, int]] = {}
    finished = 0
    for message in half_an_hour_of_douyin[1]:
        if message.method == b"WebcastLinkMicBattleMethod":
            battle = douyin_pb2.LinkMicBattle.FromString(message.payload)
            scores[battle.battle_settings.battle_id] = {entry.key: 0 for entry in battle.user_infos}
        if message.method == b"LinkMicMethod":
            update = douyin_pb2.LinkMicMethod.FromString(message.payload)
            assert update.message_type == 202
            now = {score.user_id: score.score for score in update.user_scores}
            before = scores[update.battle_id]
            assert now.keys() == before.keys()
            assert all(now[host] >= before[host] for host in now)
            assert [score.battle_rank for score in update.user_scores] == [1, 2]
            scores[update.battle_id] = now
        if message.method == b"WebcastLinkMicBattleFinishMethod":
            finish = douyin_pb2.LinkMicBattleFinish.FromString(message.payload)
            ended = {score.user_id: score.score for score in finish.battle_scores}
            assert ended == scores[finish.battle_settings.battle_id]
            finished += 1
    assert finished > 2


def test_a_masked_room_tells_nobody_apart() -> None:
    _, messages = play(Douyin(), 600, masked=True)
    people = [user for message in messages for user in people_in(message)]
    assert len(people) > 200
    assert {user.id for user in people} == {MASKED_ID}
    assert all(user.nickname.decode()[1:] == "***" for user in people)


def people_in(message: Message) -> list[Any]:
    schemas: dict[bytes, Any] = {
        b"WebcastChatMessage": douyin_pb2.ChatMessage,
        b"WebcastGiftMessage": douyin_pb2.GiftMessage,
        b"WebcastMemberMessage": douyin_pb2.MemberMessage,
        b"WebcastSocialMessage": douyin_pb2.SocialMessage,
        b"WebcastLikeMessage": douyin_pb2.LikeMessage,
    }
    schema = schemas.get(message.method)
    return [] if schema is None else [schema.FromString(message.payload).user]


def test_a_ban_is_told_as_an_end_with_a_reason() -> None:
    source, _ = play(Douyin(), 0)
    for action in ControlAction:
        message = source.control(action, START_MS)
        banned = action is ControlAction.BANNED
        assert action_of(message) is (ControlAction.ENDED if banned else action)
        assert bool(douyin_pb2.ControlMessage.FromString(message.payload).extra.violation_reason) == banned
