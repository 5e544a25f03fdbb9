"""The judge of a drill is judged: what it calls clean is clean, and it finds what is not."""

import pytest

from shared.cursor import Cursor
from tests.drill.judge import Run, Track, Verdict, judge, log_of, without


def track(*texts: str) -> Track:
    """`1-3` is an event, `1-3..9` are seven; `gap 1-3 1-7`, `rewound 1-3 1-7`, `refused`, `shed 5` were told."""
    made = Track()
    for text in texts:
        word, *cursors = text.split()
        match word:
            case "gap" | "rewound":
                made.miss(*map(Cursor.parse, cursors))
                if word == "rewound":
                    made.rewind()
            case "refused":
                made.start_over()
            case "shed":
                made.shed += int(cursors[0])
            case _:
                begin, _, end = word.partition("..")
                first = Cursor.parse(begin)
                for offset in range(first.offset, int(end or first.offset) + 1):
                    made.see(Cursor(first.epoch, offset))
    return made


def verdict(*texts: str, others: tuple[str, ...] = ()) -> Verdict:
    """Of a client, beside another one."""
    judged = track(*texts)
    return judge(judged, log_of([judged, track(*others)]))


def test_a_client_is_owed_what_lies_between_its_first_and_its_last_event() -> None:
    assert verdict("1-5..9", "2-1..3", others=("1-1..12", "2-1..9")) == Verdict(11, 3, 0, (Run(1, 10, 12),))
    assert verdict("1-5..12", "2-1..3", others=("1-1..12", "2-1..9")) == Verdict(11, 0, 0, ())
    assert verdict() == Verdict(0, 0, 0, ())


@pytest.mark.parametrize(
    ("got", "holes"),
    [
        (("1-5..7", "1-9"), [Run(1, 8, 8)]),  # everybody lacks it
        (("1-5..9", "2-2..3"), [Run(2, 1, 1)]),  # an epoch begins with 1
        (("1-5..9", "4-1"), [Run(2, 1, 4), Run(3, 1, 2)]),  # epochs that only the others saw
    ],
)
def test_a_hole_without_a_word_is_a_loss(got: tuple[str, ...], holes: list[Run]) -> None:
    others = ("2-1..4", "3-1..2") if holes[0].epoch == 2 and len(holes) > 1 else ()
    found = verdict(*got, others=others)
    assert (found.holes, found.lost, found.announced) == (tuple(holes), sum(hole.size for hole in holes), 0)


def test_what_was_told_is_no_loss() -> None:
    inside = verdict("1-1..3", "gap 1-3 2-5", "2-5..6", others=("1-1..9", "2-1..6"))
    assert (inside.lost, inside.announced) == (0, 10)
    beside = verdict("1-1..3", "gap 1-3 1-6", "1-8", others=("1-1..8",))
    assert (beside.lost, beside.announced, beside.holes) == (2, 2, (Run(1, 6, 7),))
    refused = verdict("1-1..3", "refused", "1-7..8")
    assert (refused.lost, refused.announced) == (0, 3)


def test_what_was_shed_is_told_by_number_only() -> None:
    some = verdict("1-1..3", "1-7", "shed 2", "1-10")
    assert (some.lost, some.announced, some.holes) == (3, 2, (Run(1, 4, 6), Run(1, 8, 9)))
    assert verdict("1-1..3", "1-7", "shed 9", "1-10").lost == 0


def test_what_comes_again_is_doubled_and_what_comes_late_out_of_order() -> None:
    again = track("1-1..3", "1-2", "1-3", "1-6", "1-5")
    assert (again.doubled, again.disordered) == (2, 1)


def test_after_a_rewind_everything_may_come_again() -> None:
    rewound = track("1-1..9", "rewound 1-9 1-4", "1-4..6", "2-1")
    assert (rewound.doubled, rewound.disordered) == (0, 0)
    assert judge(rewound, log_of([rewound])) == Verdict(9 + 7, 0, 0, ())
    rewound.see(Cursor(2, 1))
    assert rewound.doubled == 1


def test_a_gap_with_a_place_of_its_own_counts_once_however_often_it_is_told() -> None:
    upstream = track("1-1..3")
    for _ in range(2):
        upstream.miss(Cursor(1, 3), Cursor(1, 5), Cursor(1, 4))
    upstream.see(Cursor(1, 5))
    assert (upstream.doubled, judge(upstream, log_of([upstream]))) == (0, Verdict(5, 0, 0, ()))


def test_a_run_without_others_is_what_they_leave() -> None:
    assert list(without(Run(1, 1, 9), [Run(1, 8, 12), Run(2, 1, 9), Run(1, 3, 4)])) == [Run(1, 1, 2), Run(1, 5, 7)]
    assert list(without(Run(1, 3, 4), [Run(1, 1, 9)])) == []
    assert list(without(Run(1, 3, 4), [])) == [Run(1, 3, 4)]
