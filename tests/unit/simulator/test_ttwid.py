from random import Random

import pytest

from simulator.ttwid import is_ttwid, new_ttwid


def test_an_issued_cookie_is_known_again() -> None:
    assert is_ttwid(new_ttwid(Random(1), 1_700_000_000_000))


@pytest.mark.parametrize("value", ["", "x", "1|abc|1700000000|00ff", "1%257Cabc%257C1700000000%257C00ff"])
def test_a_cookie_whose_escapes_were_undone_or_doubled_is_not(value: str) -> None:
    assert not is_ttwid(value)
