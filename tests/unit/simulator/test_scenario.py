import itertools
from collections import defaultdict
from random import Random

import pytest

from protos import tiktok_pb2 as pb
from protos.webcast_pb2 import Message
from simulator.scenario import Scenario
from simulator.source import ControlAction, action_of

START_MS = 1_765_432_100_000
STEP_S = 0.8


def play(seconds: float, *, seed: int = 1, rate: float = 4.0) -> tuple[Scenario, list[Message]]:
    scenario = Scenario(77, "demo", "a title", Random(seed), rate=rate, viewers=500, pictures="http://pictures.example")
    messages = scenario.past(START_MS)
    for step in range(1, int(seconds / STEP_S) + 1):
        messages += scenario.advance(STEP_S, START_MS + int(step * STEP_S * 1000))
    return scenario, messages


def of_type(messages: list[Message], name: str) -> list[bytes]:
    return [message.payload for message in messages if message.method == f"Webcast{name}".encode()]


@pytest.fixture(scope="module")
def half_an_hour() -> tuple[Scenario, list[Message]]:
    return play(1800)


def test_same_seed_tells_the_same_story() -> None:
    assert play(60)[1] == play(60)[1]


def test_another_seed_tells_another_story() -> None:
    assert play(60, seed=1)[1] != play(60, seed=2)[1]


@pytest.mark.parametrize("rate", [0.1, 1.0, 4.0, 40.0])
def test_a_room_is_about_as_lively_as_its_rate(rate: float) -> None:
    seconds = 4000 / rate**0.5
    count = len(play(seconds, rate=rate)[1])
    assert 0.75 * rate < count / seconds < 1.35 * rate


def test_a_room_without_a_rate_wakes_up_when_it_gets_one() -> None:
    scenario, _ = play(30, rate=0.0)
    scenario.rate = 40.0
    assert len(scenario.advance(30.0, START_MS + 60_000)) > 300


def test_message_ids_are_unique_and_rising_and_stand_in_the_header_too(
    half_an_hour: tuple[Scenario, list[Message]],
) -> None:
    ids = [message.msg_id for message in half_an_hour[1]]
    assert ids == sorted(set(ids))
    for message in half_an_hour[1]:
        header = pb.AnyMessage.FromString(message.payload).common
        assert (header.msg_id, header.room_id) == (message.msg_id, 77)


def test_everything_there_is_happens_within_half_an_hour(half_an_hour: tuple[Scenario, list[Message]]) -> None:
    methods = {message.method.decode().removeprefix("Webcast") for message in half_an_hour[1]}
    expected = (
        "ChatMessage GiftMessage LikeMessage MemberMessage SocialMessage RoomUserSeqMessage CaptionMessage"
        " QuestionNewMessage EnvelopeMessage LinkMicBattle LinkMicArmies LinkMicBattlePunishFinish PollMessage"
        " GoalUpdateMessage RankUpdateMessage RoomMessage EmoteChatMessage SubNotifyMessage BarrageMessage"
        " RoomPinMessage ImDeleteMessage OecLiveShoppingMessage UnauthorizedMemberMessage AISummaryMessage"
    )
    assert set(expected.split()) <= methods


def test_streaks_grow_press_by_press_and_end_with_their_last_count(
    half_an_hour: tuple[Scenario, list[Message]],
) -> None:
    scenario, messages = half_an_hour
    streaks: dict[tuple[int, int, int], list[pb.GiftMessage]] = defaultdict(list)
    units = diamonds = 0
    for payload in of_type(messages, "GiftMessage"):
        gift = pb.GiftMessage.FromString(payload)
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
    assert scenario.given == {"units": units, "diamonds": diamonds}


def test_some_streaks_never_end(half_an_hour: tuple[Scenario, list[Message]]) -> None:
    gifts = [pb.GiftMessage.FromString(payload) for payload in of_type(half_an_hour[1], "GiftMessage")]
    begun = {gift.group_id for gift in gifts if gift.group_id}
    ended = {gift.group_id for gift in gifts if gift.repeat_end}
    assert ended < begun


def test_like_totals_go_backwards_now_and_then(half_an_hour: tuple[Scenario, list[Message]]) -> None:
    totals = [pb.LikeMessage.FromString(payload).total for payload in of_type(half_an_hour[1], "LikeMessage")]
    backwards = sum(later < earlier for earlier, later in itertools.pairwise(totals))
    assert 0 < backwards < len(totals) / 2


def test_a_battle_opens_before_it_has_scores_and_scores_never_fall(
    half_an_hour: tuple[Scenario, list[Message]],
) -> None:
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


def test_polls_start_count_and_end(half_an_hour: tuple[Scenario, list[Message]]) -> None:
    kinds: dict[int, list[int]] = defaultdict(list)
    for payload in of_type(half_an_hour[1], "PollMessage"):
        poll = pb.PollMessage.FromString(payload)
        kinds[poll.poll_id].append(poll.message_type)
    complete = [poll for poll in kinds.values() if poll[-1] == 1]
    assert complete
    assert all(poll[0] == 0 and set(poll[1:-1]) == {2} for poll in complete)


def test_newcomers_find_six_chats_from_before_and_a_welcome_that_stays_the_same() -> None:
    scenario, messages = play(0)
    assert [message.method for message in messages] == [b"WebcastChatMessage"] * 6
    assert all(pb.AnyMessage.FromString(message.payload).common.create_time < START_MS for message in messages)
    assert scenario.greeting(START_MS) == scenario.greeting(START_MS + 9000)


def test_a_control_message_says_what_it_does() -> None:
    scenario, _ = play(0)
    assert [action_of(scenario.control(action, START_MS)) for action in ControlAction] == list(ControlAction)
