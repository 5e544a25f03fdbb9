"""How much is said in a room, as its log tells."""

from gateway.rates import rates
from shared.broker import Entry
from shared.cursor import Cursor

NOW_MS = 1_000_000
FIRST_OF_ALL = Entry(Cursor(7, 0), "epoch", 0, b"-")
OF_A_LATER_HOLDER = Entry(Cursor(9, 0), "epoch", 0, b"7-5")


def said(*ages_s: float, kind: str = "chat") -> list[Entry]:
    return [Entry(Cursor(9, n), kind, int(NOW_MS - age * 1000), b"") for n, age in enumerate(ages_s, start=1)]


def test_events_are_counted_by_window_and_type() -> None:
    tail = [FIRST_OF_ALL, *said(70, 50, 9), *said(8, 1, kind="like")]
    assert rates(tail, NOW_MS) == [
        {"seconds": 10, "events_per_s": 0.3, "by_type": {"like": 0.2, "chat": 0.1}},
        {"seconds": 60, "events_per_s": 0.07, "by_type": {"chat": 0.03, "like": 0.03}},
    ]


def test_a_log_from_its_beginning_on_tells_of_the_whole_window() -> None:
    assert [rate["seconds"] for rate in rates([FIRST_OF_ALL, *said(2, 1)], NOW_MS)] == [10, 60]


def test_an_end_of_a_log_tells_only_of_the_time_it_reaches_back() -> None:
    for tail in (said(20, 10, 5), [OF_A_LATER_HOLDER, *said(20, 10, 5)]):
        ten, sixty = rates(tail, NOW_MS)
        assert (ten["seconds"], ten["events_per_s"]) == (10, 0.1)
        assert sixty["seconds"] == 20


def test_a_busy_room_is_not_divided_by_nothing() -> None:
    assert rates(said(*[0.0] * 500), NOW_MS)[0]["events_per_s"] == 500


def test_a_room_where_nothing_was_said_has_a_rate() -> None:
    for tail in ([], [FIRST_OF_ALL], [OF_A_LATER_HOLDER]):
        assert [rate["events_per_s"] for rate in rates(tail, NOW_MS)] == [0, 0]


def test_an_ingestor_whose_clock_is_ahead_disturbs_nothing() -> None:
    assert rates(said(-5), NOW_MS)[0]["events_per_s"] == 1
