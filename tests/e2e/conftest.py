"""A folder of running processes per test, on one Redis or on any that Redis can be run as."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Processes
from tests.topologies import TOPOLOGIES, Topology

PATIENCE_MS = 30_000  # nothing fails over here, however long a thousand clients keep a server from its turn


@pytest.fixture(scope="package")
def running_topology(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """What `every_redis` chooses, one server otherwise; kept for all tests of a kind, for it comes to rest slowly."""
    kind = getattr(request, "param", Topology.kind)
    topology = TOPOLOGIES[kind](tmp_path_factory.mktemp(kind), down_after_ms=PATIENCE_MS)
    yield topology
    topology.stop()


@pytest.fixture
def topology(running_topology: Topology) -> Topology:
    """A Redis that is empty. Its servers stay as they are."""
    running_topology.tell("FLUSHALL")
    return running_topology


@pytest.fixture
def processes(topology: Topology, tmp_path: Path) -> Iterator[Processes]:
    """Processes that share an empty Redis; their output is shown when the test fails."""
    folder = tmp_path / "output"
    folder.mkdir()
    started = Processes(folder, topology.url)
    yield started
    started.end()
    print(started.output()[-20_000:])
