"""Places in a log: their text form, their order, and what follows what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cursor import Cursor, follows
from shared.errors import BadCursor

cursors = st.builds(Cursor, st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))


@given(cursors)
def test_a_cursor_survives_its_text(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor
    assert Cursor.parse(str(cursor).encode()) == cursor


@pytest.mark.parametrize(
    "text",
    ["", "-", "1", "1-", "-1", "1-2-3", "01-2", "1-02", "+1-2", "1 -2", "a-b", "²-1", "9007199254740992-0", b"\xff"],
)
def test_anything_else_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadCursor):
        Cursor.parse(text)


def test_order_is_numeric() -> None:
    assert Cursor(9, 10) > Cursor(9, 9)
    assert Cursor(10, 0) > Cursor(9, 99)


@pytest.mark.parametrize(
    ("previous", "cursor", "marker_prev", "expected"),
    [
        (Cursor(5, 1), Cursor(5, 2), None, True),
        (Cursor(5, 0), Cursor(5, 1), None, True),
        (Cursor(5, 1), Cursor(5, 3), None, False),
        (Cursor(5, 2), Cursor(5, 2), None, False),
        (Cursor(5, 1), Cursor(6, 2), None, False),
        (Cursor(5, 7), Cursor(6, 0), Cursor(5, 7), True),
        (Cursor(5, 6), Cursor(6, 0), Cursor(5, 7), False),
        (Cursor(5, 7), Cursor(6, 0), None, False),
    ],
)
def test_what_follows_what(previous: Cursor, cursor: Cursor, marker_prev: Cursor | None, expected: bool) -> None:
    assert follows(previous, cursor, marker_prev) is expected
