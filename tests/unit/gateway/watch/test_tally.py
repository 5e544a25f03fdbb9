"""What a room adds up to."""

from typing import Any

import msgspec
import pytest

from gateway.close_codes import Code
from gateway.protocol import closing_frame, dropped_frame, error_frame, gap_frame, status_frame
from gateway.texts import Lang, Status
from gateway.watch.lines import line_of
from gateway.watch.tally import STREAK_STALE_S, STREAKS_MAX, Tally
from shared.cursor import Cursor
from shared.events import Gift, GiftInfo, RoomStats, User
from shared.room import RoomKey
from tests.events import chat, like, member

ROOM = RoomKey("tiktok", "7300000000000000001")
NOW = 1_765_432_111.5
ROSE = GiftInfo(id="5655", name="Rose", describe="", diamond_count=2, diamondCount=2, type=1, combo=True, image="")


def frame(said: object) -> dict[str, Any]:
    """As a client reads it."""
    found: dict[str, Any] = msgspec.json.decode(said if isinstance(said, str) else msgspec.json.encode(said))
    return found


def roses(total: int, delta: int, *, final: bool = False, giver: str = "1") -> dict[str, Any]:
    user = User(id=giver, unique_id="", nickname="Ana", avatar="", roles=[], badges=[])
    return frame(
        Gift(
            platform=ROOM.platform, room=ROOM.room, time=1, user=user, gift=ROSE, gift_id="5655", repeat_count=total,
            combo_count=total, repeat_end=int(final), group_id="9", group_count=1, delta=delta, total=total,
            diamonds=2 * delta, final=final,
        )
    )  # fmt: skip


def test_gifts_are_counted_once_and_streaks_run_until_they_are_final() -> None:
    tally = Tally()
    for total in (1, 2, 5):
        tally.take(roses(total, delta=1 if total < 5 else 3), NOW)
    assert [(streak.giver, streak.gift, streak.total) for streak in tally.streaks(NOW)] == [("Ana", "Rose", 5)]
    tally.take(roses(5, delta=0, final=True), NOW)
    assert (tally.gifts, tally.diamonds, tally.streaks(NOW)) == (5, 10, [])


def test_a_streak_whose_end_was_never_told_is_forgotten() -> None:
    tally = Tally()
    tally.take(roses(1, delta=1), NOW)
    assert tally.streaks(NOW + STREAK_STALE_S) == []
    for giver in range(3 * STREAKS_MAX):
        tally.take(roses(1, delta=1, giver=str(giver)), NOW + giver / 1000)
    assert len(tally.streaks(NOW)) == STREAKS_MAX


def test_the_rate_is_that_of_the_last_whole_seconds() -> None:
    tally = Tally()
    for second in range(20):
        for _ in range(3):
            tally.take(frame(chat(ROOM, "x")), NOW + second)
    assert tally.rate(NOW + 20) == 3.0
    assert tally.rate(NOW + 25) == 1.5
    assert tally.rate(NOW + 60) == 0.0


def test_numbers_states_and_losses() -> None:
    tally = Tally()
    for said in (
        status_frame(Status.CONNECTED, Lang.EN, ROOM),
        chat(ROOM, "x"),
        RoomStats(platform="tiktok", room=ROOM.room, time=1, viewer_count=7, total=7, total_user=9, top=[]),
        like(ROOM, 90),
        like(ROOM, 40),  # of another holder
        gap_frame(ROOM, after=Cursor(1, 1), before=Cursor(2, 1), reason="trimmed"),
        dropped_frame(ROOM, {"like": 3}, Cursor(2, 2)),
    ):  # fmt: skip
        tally.take(frame(said), NOW)
    assert (tally.chats, tally.viewers, tally.likes, tally.gaps, tally.dropped) == (1, 7, 90, 1, 3)
    assert tally.state == "connected"
    tally.take(frame(error_frame(Code.BLOCKED, Lang.EN, ROOM)), NOW)
    assert tally.state == "blocked"


def test_the_delay_is_that_of_what_happens_now() -> None:
    tally = Tally()
    tally.take(frame(chat(ROOM, "x", time=int(NOW * 1000) - 250)), NOW)
    tally.take(frame(msgspec.structs.replace(chat(ROOM, "old", time=1), history=True)), NOW)
    assert tally.delay_ms == 250


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (chat(ROOM, "hi\x1b[2J"), "Ana: hi[2J"),
        (status_frame(Status.CONNECTED, Lang.EN, ROOM), "Connected; events follow"),
        (closing_frame(Code.DRAINING, Lang.EN), "This gateway is going away; please connect again"),
        (gap_frame(ROOM, after=Cursor(1, 1), before=Cursor(2, 1), reason="x"), "events are missing here (x)"),
        (dropped_frame(ROOM, {"like": 3}, Cursor(2, 2)), "3 events left out: this terminal reads too slowly"),
        (like(ROOM, 1), ""),
        (member(ROOM), ""),
        ('{"type":"a_type_of_tomorrow","platform":"tiktok"}', ""),
    ],
)  # fmt: skip
def test_what_a_frame_reads_like(said: object, line: str) -> None:
    assert "".join(text for text, _ in line_of(frame(said))) == line


def test_a_streak_is_a_line_when_it_is_over() -> None:
    assert line_of(roses(4, delta=1)) == []
    assert "".join(text for text, _ in line_of(roses(4, delta=0, final=True))) == "Ana gives 4 × Rose  8 ♦"
