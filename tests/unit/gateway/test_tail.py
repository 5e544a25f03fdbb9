"""What a gateway knows of a log: every entry once, in order, and every omission said."""

import pytest

from gateway.tail import EPOCHS_REMEMBERED, EXPIRED, REWOUND, RING_MAX, RING_MAX_BYTES, TRIMMED, Tail, Verdict, Walk
from shared.broker import Entry
from shared.cursor import Cursor
from tests.log_entries import ROOM, event, events, marker, told_by


def tail_with(*entries: Entry) -> Tail:
    tail = Tail(ROOM)
    tail.begin(entries, None)
    return tail


# --- walking ----------------------------------------------------------------------------------------------------------


def test_entries_in_a_row_have_no_gap() -> None:
    walk = Walk(ROOM, Cursor(1, 1))
    entries = [event(1, 2), marker(5, Cursor(1, 2)), marker(7, Cursor(5, 0)), event(7, 1)]
    assert told_by(map(walk.step, entries)) == ["1-2", "7-1"]
    assert walk.position == (7, 1)
    assert walk.losses == 0


@pytest.mark.parametrize(
    ("last", "entry", "reason"),
    [
        (Cursor(1, 1), event(1, 3), TRIMMED),
        (Cursor(1, 1), event(2, 1), TRIMMED),
        (Cursor(5, 1), event(2, 1), REWOUND),
        (Cursor(5, 9), event(5, 1), REWOUND),
    ],
)
def test_missing_entries_are_a_gap_with_its_reason(last: Cursor, entry: Entry, reason: str) -> None:
    walk = Walk(ROOM, last)
    assert told_by([walk.step(entry)]) == [f"gap {last} {entry.cursor} {reason}", str(entry.cursor)]
    assert walk.losses == 1


@pytest.mark.parametrize(("prev", "reason"), [(None, EXPIRED), (Cursor(1, 2), TRIMMED)])
def test_gap_before_a_marker_is_told_before_the_event_after_it(prev: Cursor | None, reason: str) -> None:
    walk = Walk(ROOM, Cursor(1, 1))
    assert told_by([walk.step(marker(5, prev))]) == []
    assert walk.position == (1, 1)  # who resumes from here is told as well
    assert told_by([walk.step(event(5, 1))]) == [f"gap 1-1 5-1 {reason}", "5-1"]
    assert walk.position == (5, 1)


def test_gaps_in_a_row_are_one_and_a_rewind_is_what_counts() -> None:
    walk = Walk(ROOM, Cursor(3, 1))
    entries = [marker(5, Cursor(4, 1)), marker(2, Cursor(1, 1)), marker(9, Cursor(8, 8)), event(9, 1)]
    assert told_by(map(walk.step, entries)) == ["gap 3-1 9-1 rewound", "9-1"]


def test_gap_can_be_told_without_an_event_behind_it() -> None:
    walk = Walk(ROOM, Cursor(3, 1))
    assert walk.tell_gap(before=Cursor(4, 1)) is None
    walk.lose(EXPIRED)
    assert walk.broken
    assert walk.tell_gap(before=Cursor(4, 1)) is not None
    assert not walk.broken


def test_text_that_is_not_utf8_is_replaced() -> None:
    walk = Walk(ROOM, None)
    assert told_by([walk.step(Entry(Cursor(1, 1), "chat", 1, b"\xff"))]) == ["\ufffd"]


# --- what arrives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        (event(5, 3), Verdict.DOUBLE),
        (event(5, 1), Verdict.DOUBLE),
        (marker(5, None), Verdict.DOUBLE),
        (event(5, 4), Verdict.NEXT),
        (marker(7, Cursor(5, 3)), Verdict.NEXT),
        (event(5, 5), Verdict.AHEAD),
        (marker(7, Cursor(5, 2)), Verdict.AHEAD),
        (marker(7, None), Verdict.AHEAD),
        (event(6, 1), Verdict.AHEAD),
        (event(4, 1), Verdict.BEHIND),
    ],
)
def test_verdict(entry: Entry, verdict: Verdict) -> None:
    assert tail_with(marker(5, None), *events(5, 1, 2, 3)).judge(entry) is verdict


def test_first_entry_of_a_room_without_a_log_is_next() -> None:
    tail = Tail(ROOM)
    assert tail.judge(marker(5, None)) is Verdict.NEXT
    assert tail.position is None


def test_double_is_entered_once() -> None:
    tail = tail_with(event(5, 1))
    assert told_by([tail.enter(event(5, 2)), tail.enter(event(5, 2)), tail.enter(event(5, 1))]) == ["5-2"]


def test_start_at_the_end_of_an_empty_log() -> None:
    tail = Tail(ROOM)
    tail.begin([], Cursor(5, 7))
    assert tail.last == tail.position == (5, 7)
    assert tail.judge(event(5, 7)) is Verdict.DOUBLE
    assert tail.judge(event(5, 8)) is Verdict.NEXT


def test_epochs_remembered_are_bounded() -> None:
    tail = Tail(ROOM)
    for epoch in range(1, EPOCHS_REMEMBERED + 2):
        tail.enter(event(epoch, 1))
    assert not tail.knows(1)
    assert tail.knows(2)
    assert tail.knows(EPOCHS_REMEMBERED + 1)


def test_epoch_that_a_rewind_brought_back_is_remembered_rather_than_newer_ones() -> None:
    tail = tail_with(*(event(100 + epoch, 1) for epoch in range(EPOCHS_REMEMBERED)))
    assert tail.found_nothing(Cursor(5, 8))
    assert tail.enter(event(5, 9)) is not None
    assert tail.enter(event(5, 9)) is None


# --- a read that found nothing ----------------------------------------------------------------------------------------


def test_log_trimmed_to_nothing_is_complete() -> None:
    tail = tail_with(event(5, 3))
    assert tail.found_nothing(Cursor(5, 3))
    assert told_by([tail.enter(event(5, 4))]) == ["5-4"]


def test_log_that_is_gone_is_a_gap_at_the_next_event() -> None:
    tail = tail_with(event(5, 3))
    assert tail.found_nothing(None)
    assert tail.found_nothing(None)
    assert (tail.last, tail.position) == ((5, 3), (5, 3))
    assert told_by([tail.enter(marker(9, None)), tail.enter(event(9, 1))]) == ["gap 5-3 9-1 expired", "9-1"]


def test_log_that_went_back_is_a_gap_and_repeats_are_dropped() -> None:
    tail = tail_with(*events(5, 1, 2, 3))
    assert tail.found_nothing(Cursor(5, 1))
    assert (tail.last, tail.position) == ((5, 1), (5, 3))
    again = [tail.enter(entry) for entry in events(5, 2, 3, 4)]
    assert told_by(again) == ["gap 5-3 5-4 rewound", "5-4"]


def test_log_that_went_back_to_an_unknown_epoch() -> None:
    tail = tail_with(event(5, 3))
    assert tail.found_nothing(Cursor(4, 9))
    assert tail.judge(event(4, 9)) is Verdict.DOUBLE
    assert told_by([tail.enter(event(4, 10))]) == ["gap 5-3 4-10 rewound", "4-10"]


def test_log_that_is_newer_has_to_be_read_again_or_given_up() -> None:
    tail = tail_with(event(5, 3))
    assert not tail.found_nothing(Cursor(5, 9))
    tail.skip_to(Cursor(5, 9))
    assert told_by([tail.enter(event(5, 10))]) == ["gap 5-3 5-10 trimmed", "5-10"]


def test_log_that_went_back_and_was_trimmed_to_nothing_repeats_nothing() -> None:
    tail = tail_with(*events(5, 1, 2, 3))
    assert tail.found_nothing(Cursor(5, 1))
    tail.skip_to(Cursor(5, 2))
    assert tail.enter(event(5, 3)) is None


# --- the ring ---------------------------------------------------------------------------------------------------------


def test_ring_gives_what_comes_after_a_place() -> None:
    tail = tail_with(marker(5, Cursor(3, 9)), *events(5, 1, 2, 3))
    assert told_by(tail.after(Cursor(5, 3)) or []) == []
    assert told_by(tail.after(Cursor(5, 1)) or []) == ["5-2", "5-3"]
    assert told_by(tail.after(Cursor(5, 0)) or []) == ["5-1", "5-2", "5-3"]
    assert told_by(tail.after(Cursor(3, 9)) or []) == ["5-1", "5-2", "5-3"]  # the place that the first entry follows
    assert tail.after(Cursor(3, 8)) is None
    assert tail.after(Cursor(5, 4)) is None
    assert tail.after(None) is None


def test_ring_of_a_room_seen_from_its_first_entry_serves_who_has_nothing() -> None:
    tail = tail_with(marker(5, None), event(5, 1))
    assert told_by(tail.after(None) or []) == ["5-1"]


def test_empty_ring_knows_no_place_but_its_own() -> None:
    tail = Tail(ROOM)
    assert tail.after(None) == ()
    assert tail.after(Cursor(5, 1)) is None
    tail.begin([], Cursor(5, 7))
    assert tail.after(Cursor(5, 7)) == ()
    assert tail.after(None) is None


def test_gap_in_the_ring_is_told_to_who_comes_from_before_it() -> None:
    tail = tail_with(*events(5, 1, 2))
    tail.enter(event(5, 9))
    assert told_by(tail.after(Cursor(5, 2)) or []) == ["gap 5-2 5-9 trimmed", "5-9"]
    assert told_by(tail.after(Cursor(5, 9)) or []) == []


def test_end_of_a_log_that_went_back_is_not_where_all_others_are() -> None:
    tail = tail_with(*events(5, 1, 2, 3))
    assert tail.found_nothing(Cursor(5, 1))
    assert told_by(tail.after(Cursor(5, 1)) or []) == ["5-2", "5-3"]
    assert tail.after(Cursor(5, 3)) == ()


def test_who_comes_from_behind_a_gap_that_is_not_told_yet_is_not_where_all_others_are() -> None:
    tail = tail_with(*events(5, 1, 2))
    tail.enter(marker(7, Cursor(5, 6)))
    assert tail.after(Cursor(5, 2)) == ()
    assert tail.after(Cursor(7, 0)) is None
    tail.enter(event(7, 1))
    assert tail.after(Cursor(7, 0)) is None  # the log has the event without the gap
    assert told_by(tail.after(Cursor(5, 2)) or []) == ["gap 5-2 7-1 trimmed", "7-1"]


def test_gap_told_with_nothing_behind_it_is_told_to_who_comes_from_before_it() -> None:
    tail = tail_with(*events(5, 1, 2))
    assert tail.tell_gap() is None
    tail.enter(marker(7, Cursor(5, 6)))
    assert told_by([tail.tell_gap()]) == ["gap 5-2 7-0 trimmed"]
    assert tail.tell_gap() is None
    assert tail.after(Cursor(7, 0)) == ()
    assert told_by(tail.after(Cursor(5, 1)) or []) == ["5-2", "gap 5-2 7-0 trimmed"]
    tail.enter(event(7, 1))
    assert told_by(tail.after(Cursor(7, 0)) or []) == ["7-1"]
    assert told_by(tail.after(Cursor(5, 2)) or []) == ["gap 5-2 7-0 trimmed", "7-1"]


def test_gap_of_a_log_that_went_back_is_told_with_nothing_behind_it() -> None:
    tail = tail_with(*events(5, 1, 2, 3))
    tail.found_nothing(Cursor(5, 1))
    assert told_by([tail.tell_gap()]) == ["gap 5-3 5-1 rewound"]
    assert tail.position == (5, 1)
    assert told_by(tail.after(Cursor(5, 2)) or []) == ["5-3", "gap 5-3 5-1 rewound"]


def test_who_comes_from_the_end_of_a_gap_is_not_told_of_it() -> None:
    tail = tail_with(event(5, 1))
    tail.skip_to(Cursor(5, 9))
    tail.enter(event(5, 10))
    assert tail.after(Cursor(5, 9)) is None
    assert told_by(tail.after(Cursor(5, 1)) or []) == ["gap 5-1 5-10 trimmed", "5-10"]


def test_ring_is_bounded_by_count() -> None:
    tail = tail_with(*(event(5, offset) for offset in range(1, RING_MAX + 3)))
    assert len(tail.held()) == RING_MAX
    assert tail.after(Cursor(5, 1)) is None
    assert len(tail.after(Cursor(5, 2)) or []) == RING_MAX


def test_ring_is_bounded_by_bytes_but_keeps_the_newest() -> None:
    tail = Tail(ROOM)
    half = bytes(RING_MAX_BYTES // 2 + 1)
    for offset in (1, 2):
        tail.enter(Entry(Cursor(5, offset), "chat", 1, half))
    assert [delivery.cursor for delivery in tail.held()] == [(5, 2)]
    tail.enter(Entry(Cursor(5, 3), "chat", 1, half * 3))
    assert [delivery.cursor for delivery in tail.held()] == [(5, 3)]
