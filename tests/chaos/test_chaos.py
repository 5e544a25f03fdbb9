"""A short run over every kind of fault; `make chaos` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.chaos import run, table
from tests.chaos.faults import POSSIBLE
from tests.topologies import TOPOLOGIES

ON_ONE_REDIS = list(POSSIBLE["single"])
# Worlds, each with a part of the faults; all of them come up, in an order that the seed chooses.
PARTS = {
    "processes": [kind for kind in ON_ONE_REDIS if kind.startswith(("ingestor SIG", "gateway SIG"))],
    "links to Redis": [kind for kind in ON_ONE_REDIS if "-Redis" in kind],
    "upstream": [kind for kind in ON_ONE_REDIS if kind.startswith("upstream")],
    "clients": [kind for kind in ON_ONE_REDIS if kind.startswith("clients")],
}
PARTS["Redis"] = [kind for kind in ON_ONE_REDIS if not any(kind in part for part in PARTS.values())]
REPLICATED = {name: list(POSSIBLE[name].keys() - POSSIBLE["single"].keys()) for name in TOPOLOGIES if name != "single"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("redis", "kinds"),
    [
        *(pytest.param("single", kinds, id=part) for part, kinds in PARTS.items()),
        *(pytest.param(redis, sorted(kinds), id=redis) for redis, kinds in REPLICATED.items()),
    ],
)
async def test_nothing_is_lost_without_a_word_doubled_or_out_of_order(
    redis: str, kinds: list[str], tmp_path: Path
) -> None:
    outcome = await run(tmp_path, seed=7, seconds=200, kinds=kinds, most=len(kinds), redis=redis)
    print(table([outcome]))
    assert outcome.stuck == []
    for verdict in (*outcome.verdicts, *outcome.slow):
        assert (verdict.doubled, verdict.disordered) == ([], []), verdict.room
    for verdict in outcome.verdicts:
        assert verdict.lost == [], verdict.room
        assert verdict.delivered
    assert max(most for _, most in outcome.memory_mib.values()) < 300
