"""The judge is judged: what it calls clean is clean, and it finds what is not."""

import pytest

from tests.chaos.oracle import Seen, judge, seen

SENT = ["1", "2", "3", "4"]


def frames(*texts: str) -> list[Seen]:
    """`4` is an event with the next offset, `4@2-7` one with a cursor, `4h` one of history; words are other frames."""
    found: list[Seen] = []
    for text in texts:
        name, _, cursor = text.partition("@")
        number = name.removesuffix("h")
        if number.isdecimal():
            epoch, offset = map(int, cursor.split("-")) if cursor else (1, len(found) + 1)
            found.append(Seen("event" if number == name else "history", number, (epoch, offset)))
        else:
            found.append(Seen(name))
    return found


def test_everything_once_and_in_order_is_clean() -> None:
    verdict = judge("r", SENT, frames("0", "1", "2", "3", "4", "5"))
    assert (verdict.delivered, verdict.gaps, verdict.announced, verdict.is_clean) == (SENT, [], [], True)


@pytest.mark.parametrize(
    ("got", "lost", "announced"),
    [
        (["1", "gap", "3", "4"], [], ["2"]),
        (["1", "rewound", "3", "4"], [], ["2"]),
        (["1", "bad_cursor", "4"], [], ["2", "3"]),
        (["gap", "2", "3", "4"], [], ["1"]),
        (["1", "2", "gap"], [], ["3", "4"]),
        (["1", "3", "gap", "4"], ["2"], []),
        (["gap", "1", "3", "4"], ["2"], []),
        (["1", "2", "3"], ["4"], []),
        (["1", "complete", "3", "4"], ["2"], []),
        (["gap", "1", "3h", "4"], ["2"], []),
        (["1", "gap", "3h", "4"], [], ["2"]),
        (["gap", "2h", "4"], [], ["1", "3"]),
        (["2h", "4"], ["1", "3"], []),
        ([], ["1", "2", "3", "4"], []),
    ],
)
def test_what_is_missing_has_to_lie_beside_a_gap(got: list[str], lost: list[str], announced: list[str]) -> None:
    verdict = judge("r", SENT, frames(*got))
    assert (verdict.lost, verdict.announced) == (lost, announced)


def test_what_comes_twice_is_doubled_but_after_a_rewind() -> None:
    assert judge("r", SENT, frames("1", "2", "2", "3", "4")).doubled == ["2"]
    assert judge("r", SENT, frames("1", "2", "gap", "2", "3", "4")).doubled == ["2"]
    rewound = judge("r", SENT, frames("1", "2", "rewound", "2", "3", "4"))
    assert (rewound.doubled, rewound.repeated) == ([], ["2"])


def test_history_counts_as_told_and_may_be_told_again_only_after_a_gap() -> None:
    assert judge("r", SENT, frames("1", "2h", "3", "4")).is_clean
    assert judge("r", SENT, frames("1", "2", "2h", "3", "4")).doubled == ["2"]
    told_again = judge("r", SENT, frames("1", "2", "gap", "2h", "3", "4"))
    assert (told_again.doubled, told_again.repeated) == ([], ["2"])


def test_losses_and_returns_have_their_place() -> None:
    verdict = judge("r", SENT, frames("gap", "1", "complete", "2", "gap", "3", "incomplete", "4"))
    assert (verdict.gaps, verdict.returns) == (["", "2"], [("1", True), ("3", False)])


def test_cursors_that_go_back_are_out_of_order_but_after_a_rewind() -> None:
    assert judge("r", SENT, frames("1@2-1", "2@1-9", "3@2-2", "4@2-2")).disordered == ["2", "4"]
    assert judge("r", SENT, frames("1@2-1", "rewound", "2@1-9", "3@1-10", "4@1-11")).is_clean


def test_of_frames_only_events_announcements_and_returns_matter() -> None:
    chat = {"type": "chat", "id": "7", "cursor": "12-3", "time": 1}
    assert seen(chat) == Seen("event", "7", (12, 3))
    assert seen(chat | {"history": True}) == Seen("history", "7", (12, 3))
    assert seen({"type": "gap", "reason": "rewound"}) == Seen("rewound")
    assert seen({"type": "gap", "reason": "trimmed"}) == Seen("gap")
    assert seen({"type": "recovered", "recovered": True, "cursor": "12-3"}) == Seen("complete")
    assert seen({"type": "recovered", "recovered": False, "cursor": "12-3"}) == Seen("incomplete")
    assert seen({"error": "x", "code": "bad_cursor"}) == Seen("bad_cursor")
    assert seen({"type": "pong", "cursor": "12-3"}) is None
