"""From frames to sums: what clients are told is counted, and decides whether a drill went well."""

import random
from typing import Any

from shared.cursor import Cursor
from tests.drill.report import Report, report
from tests.drill.viewer import Viewer
from tests.returning import CUT_OFF, Close

PLACE = {"platform": "tiktok", "room": "7"}


def event(offset: int) -> dict[str, Any]:
    return PLACE | {"type": "chat", "time": 1, "cursor": f"5-{offset}"}


def viewer(*frames: dict[str, Any], clock: list[float] | None = None) -> Viewer:
    times = iter(clock or [0.0] * 1000)
    made = Viewer("@demo", lambda: "ws://nowhere", random.Random(1), clock=lambda: next(times))
    made.on_open()
    for frame in frames:
        made.on_frame(frame)
    return made


def summed(*viewers: Viewer) -> Report:
    return report(viewers, [], 1.0)


def test_clients_that_saw_the_same_are_clean() -> None:
    made = summed(viewer(event(1), event(2)), viewer(event(2)))
    assert (made.is_clean, made.events, made.owed, made.lost, made.connects) == (True, 3, 3, 0, 2)


def test_a_loss_is_named_and_spoils_the_drill() -> None:
    made = summed(viewer(event(1), event(2), event(3)), viewer(event(1), event(3)))
    assert (made.is_clean, made.lost, made.holes) == (False, 1, ["1 tiktok/7 5-2..2"])


def test_what_comes_twice_or_late_spoils_the_drill() -> None:
    made = summed(viewer(event(1), event(1)))
    assert (made.is_clean, made.doubled) == (False, 1)
    made = summed(viewer(event(1), event(3), event(2)))
    assert (made.is_clean, made.disordered) == (False, 1)


def test_who_is_left_behind_spoils_the_drill() -> None:
    left_behind = viewer(event(1))
    made = report([viewer(event(1), event(2)), left_behind], [left_behind], 1.0)
    assert (made.is_clean, made.lost, made.late) == (False, 0, 1)


def test_what_is_announced_is_counted_and_excused() -> None:
    gap = PLACE | {"type": "gap", "after": "5-1", "before": "5-3", "reason": "trimmed"}
    shed = PLACE | {"type": "dropped", "count": 2, "by_type": {"like": 2}, "cursor": "5-5"}
    made = summed(viewer(event(1), gap, event(3), shed, event(6)))
    assert (made.is_clean, made.announced, made.shed, made.gaps) == (True, 3, 2, {"trimmed": 1})
    refused = {"error": "x", "code": "bad_cursor"}
    made = summed(viewer(event(1), refused, event(3)))
    assert (made.is_clean, made.announced, made.gaps) == (True, 1, {"bad_cursor": 1})


def test_after_a_rewind_events_may_come_again() -> None:
    rewound = PLACE | {"type": "gap", "after": "5-2", "before": "5-1", "reason": "rewound"}
    assert summed(viewer(event(1), event(2), rewound, event(1), event(2))).is_clean


def test_a_name_that_leads_to_another_room_is_judged_room_by_room() -> None:
    next_room = event(1) | {"room": "8", "cursor": "4-1"}
    moved = viewer(event(1), next_room)
    assert summed(moved).is_clean
    assert moved.here == "tiktok/8"
    assert moved.track is not None
    assert moved.track.last == Cursor(4, 1)


def test_returns_closes_and_times_are_summed() -> None:
    away = viewer(event(1), clock=[0.0, 3.0, 7.0, 9.0, 9.0])
    for close in (Close(1012, "draining since=5-1", "5-1", True, True), Close(CUT_OFF, "", "5-1", False, False)):
        away.closes.append(close)
        away.on_close(close)
    away.on_open()
    away.on_frame(PLACE | {"type": "recovered", "recovered": True, "count": 0, "cursor": "5-1"})
    made = summed(away)
    assert made.closes == {"1012 draining": 1, "1006": 1}
    assert made.resumes == {"complete": 1, "incomplete": 0}
    assert (made.connects, made.silence_s["max"], made.absence_s["max"]) == (2, 7.0, 6.0)
    assert "1012 draining 1" in made.table()
    assert made.as_dict()["clean"] is True
