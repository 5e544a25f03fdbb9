"""What one client is told about its room: each step once, in order."""

import json
from typing import Any

import pytest

from gateway.close_codes import Code
from gateway.progress import Progress, Told
from gateway.texts import Lang
from shared.cursor import Cursor
from shared.phases import Phase, RoomPhase
from tests.log_entries import ROOM

PLACE = Cursor(5, 3)
NOW_MS = 1_765_432_100_000


class Room:
    """Phases of a room, as one client is told them."""

    def __init__(self, *, wait: bool = False) -> None:
        self.progress = Progress(Lang.EN, wait=wait)
        self._at = NOW_MS

    def told(self, phase: Phase, **details: Any) -> Told:
        self._at += 1
        return self.progress.advance(
            ROOM, RoomPhase(phase=phase, at=self._at, **details), position=PLACE, now_ms=NOW_MS
        )

    def frames(self, phase: Phase, **details: Any) -> list[dict[str, Any]]:
        told = self.told(phase, **details)
        assert not told.closes
        return [json.loads(frame) for frame in told.frames]

    def words(self, *phases: Phase) -> list[str]:
        return [frame.get("status") or frame["code"] for phase in phases for frame in self.frames(phase)]


@pytest.fixture
def room() -> Room:
    return Room()


GOOD_START = (Phase.ACQUIRED, Phase.RESOLVING, Phase.CHECKING_LIVE, Phase.CONNECTED)
STEPS = ["creating_crawler", "getting_token", "checking_live", "connected"]


def test_good_start(room: Room) -> None:
    assert room.words(*GOOD_START) == STEPS


def test_take_over_while_connected_is_not_news(room: Room) -> None:
    assert room.words(*GOOD_START, *GOOD_START) == STEPS


def test_steps_that_were_over_are_left_out(room: Room) -> None:
    assert room.words(Phase.CHECKING_LIVE, Phase.ACQUIRED, Phase.CONNECTED) == ["checking_live", "connected"]


def test_only_connected_carries_the_place(room: Room) -> None:
    assert "cursor" not in room.frames(Phase.CHECKING_LIVE)[0]
    assert room.frames(Phase.CONNECTED)[0]["cursor"] == "5-3"


def test_loss_and_return(room: Room) -> None:
    room.words(*GOOD_START)
    lost = room.frames(Phase.RECONNECTING, attempt=1, retry_in_ms=200)[0]
    assert (lost["status"], lost["attempt"], lost["retry_in_ms"]) == ("reconnecting", 1, 200)
    assert room.frames(Phase.RECONNECTING, attempt=2)[0]["attempt"] == 2
    assert room.words(Phase.ACQUIRED, Phase.CHECKING_LIVE, Phase.CONNECTED) == ["connected"]


def test_client_that_comes_during_a_loss_is_told_no_earlier_steps(room: Room) -> None:
    assert room.words(Phase.RECONNECTING, Phase.ACQUIRED, Phase.CHECKING_LIVE, Phase.CONNECTED) == [
        "reconnecting",
        "connected",
    ]


def test_same_phase_is_told_once(room: Room) -> None:
    phase = RoomPhase(phase=Phase.FAILED, at=1, code="blocked")
    first, second = (room.progress.advance(ROOM, phase, position=None, now_ms=NOW_MS) for _ in range(2))
    assert (len(first.frames), second.frames) == (1, ())


def test_connected_is_news_again_after_an_interruption(room: Room) -> None:
    room.words(*GOOD_START)
    room.progress.interrupted()
    assert room.words(Phase.CONNECTED) == ["connected"]


@pytest.mark.parametrize("code", ["offline", "not_found", "restricted", "login_required"])
def test_not_live_is_an_error_and_the_end(room: Room, code: str) -> None:
    told = room.told(Phase.NOT_LIVE, code=code, detail="as the platform says", retry_at=NOW_MS + 60_000)
    error = json.loads(told.frames[0])
    assert (error["code"], error["reconnect"], told.code, told.since) == (code, False, Code(code), None)
    assert told.closes
    assert "as the platform says" not in error["detail"]  # it would say the same twice
    assert "retry_in_ms" not in error  # asking again does not help


@pytest.mark.parametrize("code", ["upstream_lost", "blocked", "rate_limited", "key_refused"])
def test_failure_is_an_error_and_the_client_stays(room: Room, code: str) -> None:
    room.words(*GOOD_START)
    error = room.frames(Phase.FAILED, code=code, retry_at=NOW_MS + 30_000)[0]
    assert (error["code"], error["reconnect"], error["retry_in_ms"]) == (code, True, 30_000)
    assert room.words(*GOOD_START) == ["connected"]


def test_announced_wait_is_passed_on_when_it_is_longer(room: Room) -> None:
    error = room.frames(Phase.FAILED, code="rate_limited", retry_in_ms=90_000, retry_at=NOW_MS + 30_000)[0]
    assert error["retry_in_ms"] == 90_000
    assert "retry_in_ms" not in room.frames(Phase.FAILED, code="blocked")[0]


@pytest.mark.parametrize(
    ("phase", "code", "word"),
    [
        (Phase.FAILED, "", "upstream_lost"),
        (Phase.FAILED, "of_a_newer_version", "upstream_lost"),
        (Phase.FAILED, "slow_consumer", "upstream_lost"),
        (Phase.NOT_LIVE, "", "offline"),
    ],
)
def test_word_without_a_text_is_told_as_the_nearest_one(room: Room, phase: Phase, code: str, word: str) -> None:
    assert json.loads(room.told(phase, code=code).frames[0])["code"] == word


def test_end_of_a_broadcast_one_watched_is_a_closing_frame(room: Room) -> None:
    room.words(*GOOD_START)
    told = room.told(Phase.ENDED)
    closing = json.loads(told.frames[0])
    assert (closing["status"], closing["code"], closing["cursor"]) == ("closing", "ended", "5-3")
    assert (told.code, told.since) == (Code.ENDED, PLACE)


def test_broadcast_that_was_over_is_an_error(room: Room) -> None:
    told = room.told(Phase.ENDED)
    assert json.loads(told.frames[0])["code"] == "ended"
    assert (told.code, told.since) == (Code.ENDED, None)


# --- who waits --------------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting() -> Room:
    """The same for somebody who waits."""
    return Room(wait=True)


@pytest.mark.parametrize("code", ["offline", "restricted", "login_required"])
def test_not_live_is_a_state_for_who_waits(waiting: Room, code: str) -> None:
    frame = waiting.frames(Phase.NOT_LIVE, code=code, retry_at=NOW_MS + 60_000)[0]
    assert (frame["status"], frame["code"], frame["retry_in_ms"], frame["step"]) == ("waiting", code, 60_000, 4)
    assert frame["message"] == "Not live now; waiting, and it starts by itself"


def test_looks_that_find_nothing_new_are_not_told(waiting: Room) -> None:
    look = (Phase.ACQUIRED, Phase.RESOLVING, Phase.CHECKING_LIVE, Phase.NOT_LIVE)
    assert waiting.words(*look) == ["creating_crawler", "getting_token", "checking_live", "waiting"]
    assert waiting.words(*look, *look) == []
    assert waiting.told(Phase.NOT_LIVE).waits


def test_who_comes_between_two_looks_is_told_no_steps_of_the_next_one(waiting: Room) -> None:
    assert waiting.words(Phase.NOT_LIVE, Phase.ACQUIRED, Phase.CHECKING_LIVE, Phase.CONNECTED) == [
        "waiting",
        "connected",
    ]


def test_another_reason_to_wait_is_told(waiting: Room) -> None:
    codes = ["offline", "restricted", "restricted", "offline"]
    told = [waiting.frames(Phase.NOT_LIVE, code=code) for code in codes]
    assert [[frame["code"] for frame in frames] for frames in told] == [["offline"], ["restricted"], [], ["offline"]]


def test_the_end_of_a_broadcast_is_waited_out_and_so_is_the_next_one(waiting: Room) -> None:
    waiting.words(*GOOD_START)
    for _ in range(2):
        [ended] = waiting.frames(Phase.ENDED)
        assert (ended["status"], ended["code"]) == ("waiting", "ended")
        assert waiting.words(Phase.ACQUIRED, Phase.NOT_LIVE, *GOOD_START) == ["connected"]


def test_waiting_is_news_again_after_an_interruption_and_after_a_failure(waiting: Room) -> None:
    assert waiting.words(Phase.NOT_LIVE) == ["waiting"]
    waiting.progress.interrupted()
    assert waiting.words(Phase.NOT_LIVE, Phase.FAILED, Phase.NOT_LIVE) == ["waiting", "upstream_lost", "waiting"]
    assert waiting.words(Phase.RECONNECTING, Phase.NOT_LIVE) == ["reconnecting", "waiting"]


def test_a_room_that_does_not_exist_is_not_waited_for(waiting: Room) -> None:
    waiting.words(Phase.NOT_LIVE)
    told = waiting.told(Phase.NOT_LIVE, code="not_found")
    assert (told.code, told.closes, told.waits) == (Code.NOT_FOUND, True, False)


def test_target_is_nothing_to_tell(room: Room) -> None:
    assert room.frames(Phase.TARGET, target="7300000000000000001") == []
