"""Which faults strike, and which together."""

import pytest

from tests.chaos.faults import FAULTS, POSSIBLE, may_strike_together
from tests.topologies import TOPOLOGIES


def test_every_topology_has_its_faults() -> None:
    assert set(POSSIBLE) == set(TOPOLOGIES)
    assert set(FAULTS) == {kind for faults in POSSIBLE.values() for kind in faults}


def test_nobody_takes_the_writer_away_while_the_log_lacks_its_end() -> None:
    kinds = ["ingestor SIGKILL", "gateway SIGKILL", "master killed", "Redis FLUSHALL", "clients hop"]
    assert may_strike_together(kinds) == ["master killed", "gateway SIGKILL", "clients hop"]


def test_somebody_is_left_of_every_kind() -> None:
    kinds = ["gateway SIGTERM", "ingestor SIGKILL", "ingestor SIGTERM", "gateway SIGKILL"]
    assert may_strike_together(kinds) == ["gateway SIGTERM", "ingestor SIGKILL"]


@pytest.mark.parametrize("kinds", [["ingestor SIGKILL", "slot migrated"], ["CLUSTER FAILOVER", "replica killed"], []])
def test_other_faults_strike_together(kinds: list[str]) -> None:
    assert may_strike_together(kinds) == kinds
