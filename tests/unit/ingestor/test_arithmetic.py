"""The sums of a room: streaks of gifts, and likes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from ingestor.arithmetic import FINISHED_MS, SILENCE_MS, STREAKS_MAX, RoomArithmetic
from shared import events
from shared.room import RoomKey

ROOM = RoomKey("tiktok", "7300000000000000001")
NOW_MS = 1_765_432_100_000
MAX_INT = 2**53 - 1


def user(user_id: str) -> events.User:
    return events.User(id=user_id, unique_id="ana", nickname="Ana", avatar="", roles=[], badges=[])


def masked(nickname: str) -> events.User:
    """Somebody behind an id that many share."""
    return replace(user("111111"), nickname=nickname, masked=True)


def press(
    repeat_count: int,
    *,
    end: bool = False,
    sender: str = "1",
    gift_id: str = "5655",
    group: str = "17",
    combo: bool = True,
    price: int = 5,
    group_count: int = 1,
    **fields: Any,
) -> events.Gift:
    return events.Gift(
        platform=ROOM.platform,
        room=ROOM.room,
        time=NOW_MS,
        user=user(sender),
        gift=events.GiftInfo(
            id=gift_id,
            name="Rose",
            describe="sent Rose",
            diamond_count=price,
            diamondCount=price,
            type=1,
            combo=combo,
            image="",
        ),
        gift_id=gift_id,
        repeat_count=repeat_count,
        combo_count=repeat_count,
        repeat_end=int(end),
        group_id=group,
        group_count=group_count,
        **fields,
    )


def like(total: int) -> events.Like:
    return events.Like(
        platform=ROOM.platform, room=ROOM.room, time=NOW_MS, user=user("1"), like_count=1, total_like_count=total
    )


def apply(sums: RoomArithmetic, event: events.Event, now_ms: int = NOW_MS) -> Any:
    (told,) = sums.apply(event, now_ms)
    return told


def summary(gift: events.Gift) -> tuple[int, int, int, bool]:
    return gift.delta, gift.total, gift.diamonds, gift.final


@pytest.fixture
def sums() -> RoomArithmetic:
    return RoomArithmetic(ROOM)


# --- single gifts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gift", "told"),
    [
        (press(1, combo=False, group="0"), (1, 1, 5, True)),
        (press(0, combo=False, group="0"), (1, 1, 5, True)),
        (press(3, combo=False, group_count=4), (12, 12, 60, True)),
        (press(2, group="0"), (2, 2, 10, True)),
        (press(2, group=""), (2, 2, 10, True)),
        (press(2, group="0", history=True), (0, 2, 0, True)),
        (press(MAX_INT, group="0", group_count=MAX_INT), (MAX_INT, MAX_INT, MAX_INT, True)),
    ],
)
def test_a_gift_without_a_streak_is_final_at_once(
    sums: RoomArithmetic, gift: events.Gift, told: tuple[int, int, int, bool]
) -> None:
    assert summary(apply(sums, gift)) == told
    assert summary(apply(sums, gift)) == told
    assert sums.close(NOW_MS) == []


# --- streaks ----------------------------------------------------------------------------------------------------------


def test_each_press_adds_what_is_new(sums: RoomArithmetic) -> None:
    presses = [press(1), press(2), press(2), press(5), press(4), press(6, end=True)]
    assert [summary(apply(sums, gift)) for gift in presses] == [
        (1, 1, 5, False),
        (1, 2, 5, False),
        (0, 2, 0, False),
        (3, 5, 15, False),
        (0, 5, 0, False),
        (1, 6, 5, True),
    ]


def test_units_are_presses_times_the_units_of_one(sums: RoomArithmetic) -> None:
    assert summary(apply(sums, press(2, group_count=10))) == (20, 20, 100, False)
    assert summary(apply(sums, press(3, group_count=10))) == (10, 30, 50, False)


def test_units_and_value_stay_exact_integers(sums: RoomArithmetic) -> None:
    assert summary(apply(sums, press(MAX_INT, group_count=2, price=MAX_INT))) == (MAX_INT, MAX_INT, MAX_INT, False)


def test_a_streak_first_seen_in_the_middle_counts_whole(sums: RoomArithmetic) -> None:
    assert summary(apply(sums, press(7))) == (7, 7, 35, False)


@pytest.mark.parametrize("other", [{"sender": "2"}, {"gift_id": "7"}, {"group": "18"}])
def test_streaks_differ_by_sender_gift_and_group(sums: RoomArithmetic, other: dict[str, str]) -> None:
    apply(sums, press(3))
    assert summary(apply(sums, press(3, **other))) == (3, 3, 15, False)  # type: ignore[arg-type]


def test_streaks_of_masked_senders_differ_by_name_too(sums: RoomArithmetic) -> None:
    assert summary(apply(sums, replace(press(3), user=masked("A***")))) == (3, 3, 15, False)
    assert summary(apply(sums, replace(press(3), user=masked("B***")))) == (3, 3, 15, False)
    assert summary(apply(sums, replace(press(4, end=True), user=masked("A***")))) == (1, 4, 5, True)


def test_the_streak_of_a_sender_who_changes_names_is_one(sums: RoomArithmetic) -> None:
    apply(sums, press(3))
    renamed = replace(press(4), user=replace(user("1"), nickname="Anna"))
    assert summary(apply(sums, renamed)) == (1, 4, 5, False)


def test_history_adds_nothing_but_counts_as_seen(sums: RoomArithmetic) -> None:
    assert summary(apply(sums, press(3, history=True))) == (0, 3, 0, False)
    assert summary(apply(sums, press(4))) == (1, 4, 5, False)


def test_a_late_press_adds_only_what_is_missing(sums: RoomArithmetic) -> None:
    apply(sums, press(5, end=True))
    assert summary(apply(sums, press(4), NOW_MS + 1)) == (0, 5, 0, True)
    assert summary(apply(sums, press(6), NOW_MS + 2)) == (1, 6, 5, True)
    assert summary(apply(sums, press(6, end=True), NOW_MS + 3)) == (0, 6, 0, True)
    assert sums.due(NOW_MS + SILENCE_MS * 2) == []


def test_a_finished_streak_is_forgotten_after_a_while(sums: RoomArithmetic) -> None:
    apply(sums, press(5, end=True))
    assert summary(apply(sums, press(5), NOW_MS + FINISHED_MS - 1)) == (0, 5, 0, True)
    assert summary(apply(sums, press(5), NOW_MS + 2 * FINISHED_MS)) == (5, 5, 25, False)


def test_a_silent_streak_is_ended_by_one_event_of_our_own(sums: RoomArithmetic) -> None:
    apply(sums, press(5, id="7301", history=True))
    apply(sums, press(4, id="7302"), NOW_MS + 1000)
    assert sums.due(NOW_MS + SILENCE_MS + 999) == []
    (end,) = sums.due(NOW_MS + SILENCE_MS + 1000)
    assert end.time == NOW_MS + SILENCE_MS + 1000
    assert replace(end, time=NOW_MS) == press(
        5, end=True, delta=0, total=5, diamonds=0, final=True, id=UNSET, history=UNSET
    )
    assert sums.due(NOW_MS + SILENCE_MS * 3) == []
    assert summary(apply(sums, press(6), NOW_MS + SILENCE_MS * 3)) == (1, 6, 5, True)


def test_the_longest_silent_streak_ends_first(sums: RoomArithmetic) -> None:
    apply(sums, press(1, sender="1"), NOW_MS)
    apply(sums, press(1, sender="2"), NOW_MS + 1)
    apply(sums, press(2, sender="1"), NOW_MS + 2)
    assert [gift.user.id for gift in sums.due(NOW_MS + SILENCE_MS + 1)] == ["2"]
    assert [gift.user.id for gift in sums.close(NOW_MS + SILENCE_MS + 1)] == ["1"]


def test_the_end_of_the_room_ends_all_streaks(sums: RoomArithmetic) -> None:
    apply(sums, press(1, sender="1"))
    apply(sums, press(2, sender="2"))
    apply(sums, press(2, sender="3", end=True))
    assert [(gift.user.id, *summary(gift)) for gift in sums.close(NOW_MS)] == [
        ("1", 0, 1, 0, True),
        ("2", 0, 2, 0, True),
    ]
    assert sums.close(NOW_MS) == []


def test_too_many_streaks_end_the_oldest_before_the_new_one_is_told(
    sums: RoomArithmetic,
) -> None:
    for number in range(STREAKS_MAX):
        apply(sums, press(1, sender=str(number)))
    ended, told = sums.apply(press(1, sender="new"), NOW_MS)
    assert isinstance(ended, events.Gift)
    assert isinstance(told, events.Gift)
    assert (ended.user.id, *summary(ended)) == ("0", 0, 1, 0, True)
    assert (told.user.id, *summary(told)) == ("new", 1, 1, 5, False)
    assert repr(sums) == f"<RoomArithmetic {ROOM} open={STREAKS_MAX} finished=1>"


def test_finished_streaks_are_bounded_too(sums: RoomArithmetic) -> None:
    for number in range(STREAKS_MAX + 5):
        apply(sums, press(1, sender=str(number), end=True))
    sums.due(NOW_MS)
    assert repr(sums) == f"<RoomArithmetic {ROOM} open=0 finished={STREAKS_MAX}>"


# --- likes and the rest -----------------------------------------------------------------------------------------------


def test_the_total_of_likes_never_goes_down(sums: RoomArithmetic) -> None:
    assert [apply(sums, like(total)).total_like_count for total in (5, 3, 9, 8)] == [5, 5, 9, 9]


def test_other_events_pass_unchanged(sums: RoomArithmetic) -> None:
    ended = events.Ended(platform=ROOM.platform, room=ROOM.room, time=NOW_MS, ended=events.EndedDetail(reason="host"))
    assert apply(sums, ended) is ended


# --- another holder ---------------------------------------------------------------------------------------------------


def test_the_next_holder_goes_on_where_the_log_stops(sums: RoomArithmetic) -> None:
    told: list[events.Event] = [
        like(50),
        apply(sums, press(4, sender="open")),
        apply(sums, press(3, sender="open")),
        apply(sums, press(4, sender="finished")),
        apply(sums, press(5, sender="finished", end=True)),
        apply(sums, press(9, sender="single", combo=False)),
    ]
    after = RoomArithmetic(ROOM)
    after.restore(told)
    assert summary(apply(after, press(6, sender="open"))) == (2, 6, 10, False)
    assert summary(apply(after, press(5, sender="finished"))) == (0, 5, 0, True)
    assert apply(after, like(40)).total_like_count == 50
    assert [gift.user.id for gift in after.close(NOW_MS)] == ["open"]


def test_streaks_that_fell_silent_between_two_holders_are_ended_by_the_next(sums: RoomArithmetic) -> None:
    after = RoomArithmetic(ROOM)
    after.restore([apply(sums, press(4))])
    assert [summary(gift) for gift in after.due(NOW_MS + SILENCE_MS)] == [(0, 4, 0, True)]


# --- the law ----------------------------------------------------------------------------------------------------------

presses = st.builds(
    press,
    st.integers(0, 50),
    end=st.booleans(),
    sender=st.sampled_from("ab"),
    group=st.sampled_from(["1", "2"]),
    group_count=st.integers(1, 3),
    price=st.just(3),
)
pauses_ms = st.integers(0, 4_000)


@given(st.lists(st.tuples(presses, pauses_ms, st.sampled_from(["", "due", "close", "new holder"])), max_size=14))
def test_deltas_add_up_to_the_most_units_of_each_streak(steps: list[tuple[events.Gift, int, str]]) -> None:
    sums, now_ms = RoomArithmetic(ROOM), NOW_MS
    told: list[events.Gift] = []
    highest: dict[tuple[str, str], int] = {}
    for gift, pause_ms, then in steps:
        now_ms += pause_ms
        gift = replace(gift, time=now_ms)
        told += [event for event in sums.apply(gift, now_ms) if isinstance(event, events.Gift)]
        key = (gift.user.id, gift.group_id)
        highest[key] = max(highest.get(key, 0), gift.repeat_count * gift.group_count)
        if then == "due":
            told += sums.due(now_ms)
        elif then == "close":
            told += sums.close(now_ms)
        elif then == "new holder":
            sums = RoomArithmetic(ROOM)
            sums.restore(told)
    told += sums.close(now_ms)
    for key, units in highest.items():
        of_key = [gift for gift in told if (gift.user.id, gift.group_id) == key]
        assert sum(gift.delta for gift in of_key) == units
        assert sum(gift.diamonds for gift in of_key) == units * 3
        assert all(gift.delta >= 0 for gift in of_key)
        assert of_key[-1].final
        assert of_key[-1].total == units
