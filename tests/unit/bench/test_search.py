"""Which rates are tried to find the highest one that is held."""

from collections.abc import Callable

import pytest

from bench.cases import HELD_WITHIN, Search


@pytest.mark.parametrize(
    ("held", "found"),
    [
        (lambda rate: rate < 300, 300),
        (lambda rate: rate < 20, 20),
        (lambda rate: rate < 45 or 90 < rate < 1000, 1000),
        (lambda rate: rate < 10**9, 4096),
        (lambda rate: False, 0),
    ],
    ids=["above", "below", "past a bad one", "all", "none"],
)
@pytest.mark.parametrize("start", [50.0, 70.0])
def test_highest_good_rate_is_found(held: Callable[[float], bool], found: float, start: float) -> None:
    search = Search(start)
    tried = []
    for rate in search:
        tried.append(rate)
        search.tell(good=held(rate))
    assert found / 2 <= search.good <= found if found == 4096 else found / HELD_WITHIN <= search.good <= found
    assert len(tried) <= 20
    assert not search.good or search.good in tried
