"""The model of a cluster says what the benchmark measured, and a simulation counts; the documents say the same."""

import statistics

import pytest
from click.testing import CliRunner

from bench.scale import model, report
from bench.scale.__main__ import main
from bench.scale.costs import read
from bench.scale.evidence import SIMULATED, against_benchmark
from bench.scale.model import FRAME_MESSAGES, Cluster, Routing, gateway_bytes, joined, reach, total, work
from bench.scale.plan import CLIENTS_MAX, HEADROOM, MAX_ROOMS, plan
from bench.scale.simulation import simulate
from bench.scale.workload import Kind, Shape, Workload, workload
from gateway.flusher import REST_MAX
from gateway.settings import GatewaySettings
from ingestor.settings import IngestorSettings

COSTS = read()
WORKLOADS = [(1, 1000), (10, 100_000), (1000, 20_000), (10_000, 1_000_000)]


def test_the_committed_tables_are_those_that_the_model_gives() -> None:
    for path, text in report.generated().items():
        assert path.read_text("utf8") == text, f"{path.name}: `python -m bench.scale` writes it anew"


@pytest.mark.parametrize("case", SIMULATED, ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}-{case[3]}")
def test_the_model_agrees_with_a_simulation(case: tuple[int, int, Shape, int, float]) -> None:
    rooms, clients, shape, gateways, seconds = case
    load = workload(rooms, clients, shape)
    counted, expected = simulate(load, gateways, COSTS, seconds=seconds), work(load, Cluster(gateways, 1), COSTS)
    assert total(expected.gateway) == pytest.approx(statistics.fmean(counted.gateway), rel=0.05)
    assert expected.taken_in == pytest.approx(counted.taken_in, rel=0.05)
    for what, cores in counted.redis.items():
        assert expected.redis[what] == pytest.approx(cores, rel=0.05)


def test_the_model_agrees_with_the_benchmark() -> None:
    ratios = sorted(modelled / measured for _, measured, modelled in against_benchmark(COSTS))
    assert len(ratios) == 10
    assert all(0.8 < ratio < 1.25 for ratio in ratios[1:])
    assert ratios[0] > 0.5  # a small room in which very much is said: every write wakes a client that has read it all


def test_more_is_joined_where_more_is_said_and_nothing_where_little_is() -> None:
    assert joined(1, 1, COSTS) == pytest.approx(FRAME_MESSAGES, rel=0.01)
    assert joined(1000, 60, COSTS) < joined(1000, 600, COSTS) < joined(1000, 1000, COSTS)


def test_a_room_reaches_no_more_gateways_than_it_has_clients_or_there_are() -> None:
    load = workload(100, 10_000, Shape.ZIPF)
    for kind in load:
        for routing in Routing:
            assert 1 <= reach(kind, load, Cluster(50, 1, routing=routing)) <= min(50, kind.clients)
    alone = Kind(1, 1, 1.0)
    assert reach(alone, load, Cluster(50, 1)) == pytest.approx(1)


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize(("rooms", "clients"), [(1, 1), (7, 7), (10, 99), (1000, 123_456)])
def test_every_client_has_a_room_and_every_room_a_client(rooms: int, clients: int, shape: Shape) -> None:
    load = workload(rooms, clients, shape)
    assert (load.rooms, load.clients) == (rooms, clients)
    assert all(kind.clients >= 1 for kind in load)


def test_rooms_without_clients_are_refused() -> None:
    with pytest.raises(ValueError, match="without clients"):
        workload(2, 1, Shape.EVEN)


def test_a_star_has_half_of_all_clients() -> None:
    largest = next(iter(workload(1001, 1_000_000, Shape.STAR)))
    assert largest.rooms == 1
    assert largest.clients == pytest.approx(500_000, rel=0.01)


@pytest.mark.parametrize("routing", Routing)
@pytest.mark.parametrize(("rooms", "clients"), WORKLOADS)
def test_a_plan_is_the_smallest_cluster_that_leaves_headroom(rooms: int, clients: int, routing: Routing) -> None:
    load = workload(rooms, clients, Shape.ZIPF)
    found = plan(load, COSTS, routing)
    cluster = found.cluster
    assert total(found.work.gateway) <= HEADROOM
    assert total(found.work.ingestor) <= HEADROOM
    assert total(found.work.redis) <= HEADROOM * cluster.shards
    assert clients / cluster.gateways <= HEADROOM * CLIENTS_MAX
    assert total(found.work.redis) > HEADROOM * (cluster.shards - 1)
    if cluster.gateways > 1:
        fewer = work(load, Cluster(cluster.gateways - 1, cluster.ingestors, 1, routing), COSTS)
        too_many = clients / (cluster.gateways - 1) > HEADROOM * CLIENTS_MAX / (
            1.25 if routing is Routing.BY_ROOM else 1
        )
        assert total(fewer.gateway) > HEADROOM or too_many


def test_routing_by_room_saves_copies_and_memory_where_rooms_are_many() -> None:
    load = workload(10_000, 1_000_000, Shape.EVEN)
    spread, gathered = (plan(load, COSTS, routing) for routing in Routing)
    assert gathered.work.copies < spread.work.copies / 10
    assert gateway_bytes(load, gathered.cluster, gathered.work, COSTS) < gateway_bytes(
        load, spread.cluster, spread.work, COSTS
    )
    assert gathered.cores < spread.cores


def test_routing_by_room_does_not_pretend_that_a_star_is_work_for_all() -> None:
    load = workload(1000, 100_000, Shape.STAR)
    star = next(iter(load))
    cluster = Cluster(9, 8, routing=Routing.BY_ROOM)
    full_of_it = work(
        Workload((Kind(1, round(star.clients / reach(star, load, cluster)), star.rate),)), Cluster(1, 1), COSTS
    )
    assert total(work(load, cluster, COSTS).gateway) == pytest.approx(total(full_of_it.gateway), rel=0.01)


def test_the_model_has_the_defaults_of_the_settings() -> None:
    gateway, ingestor = GatewaySettings.model_fields, IngestorSettings.model_fields
    of_gateway = {
        "clients_max": CLIENTS_MAX, "flush_max_ms": model.FLUSH_BOUND_S * 1000, "ping_interval_s": model.PING_S,
        "history_len": model.HISTORY_LEN, "history_bytes": model.HISTORY_BYTES,
        "idle_timeout_s": model.REFRESH_S * 4,
    }  # fmt: skip
    of_ingestor = {"max_rooms": MAX_ROOMS, "scan_interval_s": model.SCAN_S, "lease_ttl_s": model.RENEWAL_S * 3}
    assert {name: gateway[name].default for name in of_gateway} == of_gateway
    assert {name: ingestor[name].default for name in of_ingestor} == of_ingestor
    assert model.REST == REST_MAX


def test_the_command_tells_what_a_cluster_needs() -> None:
    answer = CliRunner().invoke(main, ["plan", "--rooms", "500", "--clients", "20000"])
    assert answer.exit_code == 0
    assert "500 rooms, 20,000 clients" in answer.output
    assert "gateways" in answer.output
    steady = CliRunner().invoke(
        main, ["plan", "--rooms", "500", "--clients", "20000", "--rate", "5", "--shape", "star"]
    )
    assert "2,500 events/s from upstream, 100,000 deliveries/s" in steady.output
    assert CliRunner().invoke(main, ["plan", "--rooms", "2", "--clients", "1"]).exit_code == 2


def test_a_workload_adds_up() -> None:
    load = Workload((Kind(2, 100, 5.0), Kind(1, 10, 1.0)))
    assert (load.rooms, load.clients, load.events, load.deliveries) == (3, 210, 11.0, 1010.0)
