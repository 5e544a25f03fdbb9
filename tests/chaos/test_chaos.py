"""A short run over every kind of fault; `make chaos` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.chaos import run, table
from tests.chaos.faults import FAULTS

# Four worlds, each with a part of the faults; all of them come up, in an order that the seed chooses.
PARTS = {
    "processes": [kind for kind in FAULTS if "SIG" in kind and not kind.startswith("Redis")],
    "Redis": [kind for kind in FAULTS if kind.startswith(("Redis", "pub/sub", "all clients"))],
    "links to Redis": [kind for kind in FAULTS if "-Redis" in kind],
    "upstream and clients": [kind for kind in FAULTS if kind.startswith(("upstream", "clients"))],
}


def test_every_fault_has_its_part() -> None:
    assert sorted(kind for kinds in PARTS.values() for kind in kinds) == sorted(FAULTS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", PARTS)
async def test_nothing_is_lost_without_a_word_doubled_or_out_of_order(part: str, tmp_path: Path) -> None:
    outcome = await run(tmp_path, seed=7, seconds=120, kinds=PARTS[part], most=len(PARTS[part]))
    print(table([outcome]))
    assert outcome.stuck == []
    for verdict in (*outcome.verdicts, *outcome.slow):
        assert (verdict.doubled, verdict.disordered) == ([], []), verdict.room
    for verdict in outcome.verdicts:
        assert verdict.lost == [], verdict.room
        assert verdict.delivered > 0
    assert max(outcome.memory_mib.values()) < 300
