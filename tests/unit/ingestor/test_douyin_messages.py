"""Douyin's messages as events: people who hide, and what earlier messages told and later ones leave out."""

from typing import Any

import pytest
from google.protobuf.message import Message as ProtobufMessage
from msgspec import UNSET

from ingestor.connectors.base import Message
from ingestor.connectors.douyin.gift_table import GIFTS_MAX, GiftTable, KnownGift
from ingestor.connectors.douyin.memory import SIDES_MAX
from ingestor.connectors.douyin.messages import DouyinDecoder
from protos import douyin_pb2 as pb
from shared import events
from shared.room import RoomKey

ROOM = RoomKey("douyin", "728804746624")
RECEIVED_MS = 1_765_432_111_123
HEART = pb.Gift(id=463, name="小心心".encode(), combo=True, diamond_count=1, image=pb.Image(url_list=[b"https://h"]))


def told(decoder: DouyinDecoder, message: ProtobufMessage, method: str = "") -> Any:
    """The event that a message makes."""
    method = method or f"Webcast{message.DESCRIPTOR.name}"
    (event,) = decoder.decode(Message(method, message.SerializeToString(), "", history=False), RECEIVED_MS)
    return event


@pytest.fixture
def decoder() -> DouyinDecoder:
    return DouyinDecoder(ROOM)


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "nickname", "masked"),
    [
        (pb.User(id=5, nickname=b"Na", desensitized_nickname=b"Na", mystery_man=1), "Na", UNSET),
        (pb.User(id=5, nickname=b"Na", desensitized_nickname=b"N***"), "Na", UNSET),
        (pb.User(id=5, nickname=b"a***"), "a***", UNSET),
        (pb.User(id=111111, nickname="敏***".encode()), "敏***", True),
        (pb.User(id=5, nickname=b"N***", desensitized_nickname=b"N***"), "N***", True),
        (pb.User(id=5, desensitized_nickname=b"N***"), "N***", True),
        (pb.User(id=5, nickname=b"Na", mystery_man=2), "Na", True),
        (pb.User(id=5, nickname=b"Na", is_anonymous=True), "Na", True),
    ],
)
def test_who_hides_is_masked(decoder: DouyinDecoder, user: pb.User, nickname: str, masked: object) -> None:
    shown = told(decoder, pb.LikeMessage(user=user)).user
    assert (shown.nickname, shown.masked) == (nickname, masked)


def test_the_level_is_the_users_own_before_that_of_a_badge(decoder: DouyinDecoder) -> None:
    badges = [
        pb.Image(image_type=7, content=pb.ImageContent(level=30)),
        pb.Image(image_type=1),
        pb.Image(image_type=1, content=pb.ImageContent(level=21)),
    ]
    user = pb.User(badge_image_list_v2=badges, fans_club=pb.FansClub(data=pb.FansClubData(level=4, club_name=b"team")))
    shown = told(decoder, pb.LikeMessage(user=user)).user
    assert (shown.level, shown.fans_level, shown.fans_club) == (21, 4, "team")
    assert [(badge.kind, badge.level) for badge in shown.badges] == [("other", 30), ("payer", UNSET), ("payer", 21)]
    user.pay_grade.level = 22
    assert told(decoder, pb.LikeMessage(user=user)).user.level == 22


# --- chat -------------------------------------------------------------------------------------------------------------


def test_a_chats_own_time_stands_behind_that_of_its_header(decoder: DouyinDecoder) -> None:
    own, header = 1_765_432_100, 1_765_432_200_500
    chat = pb.ChatMessage(event_time=own)
    assert told(decoder, chat).time == own * 1000
    chat.common.create_time = header
    assert told(decoder, chat).time == header
    assert told(decoder, pb.ScreenChatMessage(event_time=own)).time == own * 1000
    assert told(decoder, pb.ChatMessage(event_time=-1)).time == RECEIVED_MS


def test_pictures_of_a_text_stand_at_the_words_in_brackets_if_they_are_as_many(decoder: DouyinDecoder) -> None:
    pictures = pb.Text(
        pieces=[
            pb.TextPiece(string_value=b"x"),
            *(
                pb.TextPiece(image_value=pb.TextPieceImage(image=pb.Image(url_list=[url])))
                for url in (b"https://a", b"https://b")
            ),
        ]
    )
    emotes = told(decoder, pb.ChatMessage(content="🌹[鲜花][捂脸]!".encode(), rtf_content_v2=pictures)).emotes
    assert [(emote.id, emote.image, emote.index) for emote in emotes] == [
        ("[鲜花]", "https://a", 1),
        ("[捂脸]", "https://b", 5),
    ]
    for content in ("[鲜花]", "[a][b][c]", "none", ""):
        assert told(decoder, pb.ChatMessage(content=content.encode(), rtf_content_v2=pictures)).emotes == []


# --- gifts ------------------------------------------------------------------------------------------------------------


def press(**fields: Any) -> pb.GiftMessage:
    return pb.GiftMessage(gift_id=463, repeat_count=1, group_id=1_765_432_100, **fields)


def test_what_a_gift_leaves_out_is_what_was_told_of_it_before_in_any_room() -> None:
    table = GiftTable()
    told(DouyinDecoder(RoomKey("douyin", "1"), table=table), press(gift=HEART))
    gift = told(DouyinDecoder(ROOM, table=table), press()).gift
    assert (gift.name, gift.diamond_count, gift.diamondCount) == ("小心心", 1, 1)
    assert (gift.combo, gift.image) == (True, "https://h")
    assert told(DouyinDecoder(ROOM), press()).gift.name == ""


def test_a_price_is_not_forgotten_because_a_message_leaves_it_out(decoder: DouyinDecoder) -> None:
    told(decoder, press(gift=HEART))
    assert told(decoder, press(gift=pb.Gift(name=b"renamed"))).gift.diamond_count == 1
    gift = told(decoder, press()).gift
    assert (gift.name, gift.diamond_count, gift.combo) == ("renamed", 1, False)


def test_a_gift_that_nobody_told_of_counts_as_a_streak_where_it_has_a_group(decoder: DouyinDecoder) -> None:
    assert told(decoder, press()).gift.combo
    assert not told(decoder, pb.GiftMessage(gift_id=463, repeat_count=1)).gift.combo


def test_gifts_without_an_id_are_not_taken_for_each_other(decoder: DouyinDecoder) -> None:
    told(decoder, pb.GiftMessage(gift=pb.Gift(name=b"one")))
    assert told(decoder, pb.GiftMessage()).gift.name == ""


def test_the_table_keeps_the_gifts_that_were_told_last() -> None:
    table = GiftTable()
    for number in range(GIFTS_MAX):
        table.learn(str(number), "gift", number, "", combo=False)
    table.learn("0", "again", 5, "https://x", combo=True)
    table.learn("new", "gift", 1, "", combo=False)
    known = sum(table.get(str(number)) is not None for number in range(2 * GIFTS_MAX))
    assert known == GIFTS_MAX - 1  # and "new"
    assert table.get("1") is None
    assert table.get("0") == KnownGift("again", 5, "https://x", combo=True)


@pytest.mark.parametrize("gifts", [True, False])
def test_a_status_says_whether_this_session_is_told_gifts(gifts: bool) -> None:
    status = told(DouyinDecoder(ROOM, gifts=gifts), pb.ControlMessage(action=1))
    assert status.live_status == events.LiveStatusDetail(state="paused", gifts=gifts)


# --- viewers ----------------------------------------------------------------------------------------------------------


def test_one_of_the_two_numbers_of_viewers_is_told_with_the_other_as_it_was(decoder: DouyinDecoder) -> None:
    now = pb.RoomStatsMessage(display_type=1, display_value=5, display_short=b"5")
    total = pb.RoomStatsMessage(display_type=3, total=90, display_long="90人看过".encode())
    assert isinstance(told(decoder, now), events.Raw)  # it would have to make up the other one
    assert isinstance(told(decoder, total), events.Raw)
    told(decoder, pb.RoomUserSeqMessage(total=4, total_user=80, ranks=[pb.Contributor(score=7, rank=1)]))
    for message, numbers in ((now, (5, 5, 80)), (total, (5, 5, 90))):
        stats = told(decoder, message)
        assert (stats.viewer_count, stats.total, stats.total_user) == numbers
        assert [entry.score for entry in stats.top] == [7]


@pytest.mark.parametrize(
    ("shown", "viewers"),
    [("1.5万", 15_000), ("1.2w", 12_000), ("3亿", 300_000_000), ("2000+", 2000)],
)
def test_rounded_viewers_say_so(decoder: DouyinDecoder, shown: str, viewers: int) -> None:
    stats = told(decoder, pb.RoomUserSeqMessage(total_str=shown.encode()))
    assert (stats.viewer_count, stats.total, stats.viewers_text) == (viewers, viewers, shown)
    rounded = pb.RoomStatsMessage(display_type=1, display_value=viewers, display_short=shown.encode())
    assert isinstance(told(decoder, rounded), events.Raw)


def test_exact_viewers_are_told_without_a_text(decoder: DouyinDecoder) -> None:
    for message in (
        pb.RoomUserSeqMessage(total=91, online_user_for_anchor=b"90+"),
        pb.RoomUserSeqMessage(total_str=b"91"),
    ):
        stats = told(decoder, message)
        assert (stats.viewer_count, stats.viewers_text) == (91, UNSET)


# --- battles ----------------------------------------------------------------------------------------------------------


def started(battle_id: int, *anchors: int) -> pb.LinkMicBattle:
    return pb.LinkMicBattle(
        battle_settings=pb.BattleSettings(battle_id=battle_id, start_time_ms=1_765_432_100_000, duration=300),
        user_infos=[
            pb.BattleUserEntry(
                key=anchor,
                value=pb.BattleUserInfo(user=pb.BattleBaseUserInfo(user_id=anchor, nick_name=b"host %d" % anchor)),
            )
            for anchor in anchors
        ],
    )


def scored(battle_id: int, *scores: tuple[int, int]) -> pb.LinkMicMethod:
    told_scores = [pb.UserScore(user_id=anchor, score=score) for anchor, score in scores]
    return pb.LinkMicMethod(message_type=202, battle_id=battle_id, user_scores=told_scores)


def supported(anchor: int) -> pb.LinkMicArmies:
    armies = pb.UserArmies(user_armies=[pb.UserArmy(user_id=9, score=4)])
    return pb.LinkMicArmies(user_armies_map=[pb.UserArmiesEntry(key=anchor, value=armies)])


def sides(event: events.Battle) -> list[tuple[str, str, int, int]]:
    return [(side.anchor.id, side.anchor.nickname, side.score, len(side.top)) for side in event.battle.sides]


def test_a_battle_is_told_whole_whatever_its_messages_leave_out(decoder: DouyinDecoder) -> None:
    assert sides(told(decoder, started(33, 1, 2))) == [("1", "host 1", 0, 0), ("2", "host 2", 0, 0)]
    assert sides(told(decoder, scored(33, (2, 8), (1, 5)))) == [
        ("1", "host 1", 5, 0),
        ("2", "host 2", 8, 0),
    ]
    event = told(decoder, supported(2))
    assert sides(event) == [("1", "host 1", 5, 0), ("2", "host 2", 8, 1)]
    assert (event.battle.id, event.battle.started_at, event.battle.duration_ms) == ("33", 1_765_432_100_000, 300_000)
    assert sides(told(decoder, started(33, 1, 2))) == sides(event)  # told again on a new connection


def test_supporters_alone_are_no_event_for_the_scores_are_not_known(decoder: DouyinDecoder) -> None:
    assert isinstance(told(decoder, supported(1)), events.Raw)
    told(decoder, scored(33, (1, 5)))
    assert isinstance(told(decoder, supported(2)), events.Raw)
    assert sides(told(decoder, supported(1))) == [("1", "", 5, 1)]


def test_the_next_battle_knows_nothing_of_the_one_before(decoder: DouyinDecoder) -> None:
    told(decoder, started(33, 1, 2))
    assert sides(told(decoder, scored(34, (1, 5)))) == [("1", "", 5, 0)]
    finish = pb.LinkMicBattleFinish(
        battle_settings=pb.BattleSettings(battle_id=34), battle_scores=[pb.BattleScore(user_id=1, score=6)]
    )
    assert sides(told(decoder, finish)) == [("1", "", 6, 0)]
    assert isinstance(told(decoder, supported(1)), events.Raw)


def test_the_sides_of_a_battle_are_bounded(decoder: DouyinDecoder) -> None:
    for anchor in range(1, 3 * SIDES_MAX):
        event = told(decoder, scored(33, (anchor, 1)))
    assert len(event.battle.sides) == SIDES_MAX


@pytest.mark.parametrize("prefix", ["", "Webcast"])
@pytest.mark.parametrize("ending", ["", "Method"])
def test_messages_of_battles_have_several_names(decoder: DouyinDecoder, prefix: str, ending: str) -> None:
    assert told(decoder, started(33, 1), f"{prefix}LinkMicBattle{ending}").battle.state == "started"
    assert told(decoder, supported(1), f"{prefix}LinkMicArmies{ending}").battle.state == "scores"
    finish = pb.LinkMicBattleFinish()
    assert told(decoder, finish, f"{prefix}LinkMicBattleFinish{ending}").battle.state == "finished"
    assert told(decoder, scored(33), f"{prefix}LinkMicMethod").battle.state == "scores"
