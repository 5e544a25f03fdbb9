"""The judge is judged: what it calls clean is clean, and it finds what is not."""

import pytest

from tests.chaos.oracle import Seen, judge, seen

SENT = ["0", "1", "2", "3", "4", "5"]


def frames(*texts: str) -> list[Seen]:
    """`4` is an event with the next offset, `4@2-7` one with a cursor; words are what announces a loss."""
    found: list[Seen] = []
    for text in texts:
        name, _, cursor = text.partition("@")
        if name.isdecimal():
            epoch, offset = map(int, cursor.split("-")) if cursor else (1, len(found) + 1)
            found.append(Seen("event", name, (epoch, offset)))
        else:
            found.append(Seen(name))
    return found


def test_everything_once_and_in_order_is_clean() -> None:
    verdict = judge("r", SENT, frames("9", "1", "2", "3", "4", "5"), "1", "4")
    assert (verdict.delivered, verdict.gaps, verdict.announced, verdict.is_clean) == (4, 0, 0, True)


@pytest.mark.parametrize(
    ("got", "lost", "announced"),
    [
        (["1", "gap", "3", "4"], [], 1),
        (["1", "bad_cursor", "4"], [], 2),
        (["gap", "2", "3", "4"], [], 1),
        (["1", "2", "gap"], [], 2),
        (["1", "3", "gap", "4"], ["2"], 0),
        (["gap", "1", "3", "4"], ["2"], 0),
        (["1", "2", "3"], ["4"], 0),
        ([], ["1", "2", "3", "4"], 0),
    ],
)
def test_what_is_missing_has_to_lie_beside_a_gap(got: list[str], lost: list[str], announced: int) -> None:
    verdict = judge("r", SENT, frames(*got), "1", "4")
    assert (verdict.lost, verdict.announced) == (lost, announced)


def test_what_comes_twice_is_doubled_but_after_a_rewind() -> None:
    assert judge("r", SENT, frames("1", "2", "2", "3", "4"), "1", "4").doubled == ["2"]
    assert judge("r", SENT, frames("1", "2", "gap", "2", "3", "4"), "1", "4").doubled == ["2"]
    rewound = judge("r", SENT, frames("1", "2", "rewound", "2", "3", "4"), "1", "4")
    assert (rewound.doubled, rewound.repeated) == ([], 1)


def test_cursors_that_go_back_are_out_of_order_but_after_a_rewind() -> None:
    assert judge("r", SENT, frames("1@2-1", "2@1-9", "3@2-2", "4@2-2"), "1", "4").disordered == ["2", "4"]
    assert judge("r", SENT, frames("1@2-1", "rewound", "2@1-9", "3@1-10", "4@1-11"), "1", "4").is_clean


def test_of_frames_only_live_events_and_announcements_matter() -> None:
    assert seen({"type": "chat", "id": "7", "cursor": "12-3", "time": 1}) == Seen("event", "7", (12, 3))
    assert seen({"type": "chat", "id": "7", "cursor": "12-3", "time": 1, "history": True}) is None
    assert seen({"type": "gap", "reason": "rewound"}) == Seen("rewound")
    assert seen({"type": "gap", "reason": "trimmed"}) == Seen("gap")
    assert seen({"error": "x", "code": "bad_cursor"}) == Seen("bad_cursor")
    assert seen({"type": "pong", "cursor": "12-3"}) is None
