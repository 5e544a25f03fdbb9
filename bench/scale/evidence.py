"""What the model rests on, as tables: the costs, and how it agrees with the benchmark and with the simulation."""

import inspect
import statistics
from collections.abc import Iterator

from bench.scale.costs import Costs, benchmark
from bench.scale.model import US, Cluster, total, work
from bench.scale.simulation import simulate
from bench.scale.table import table
from bench.scale.workload import Kind, Shape, Workload, workload

SIMULATED = (  # rooms, clients, shape, gateways, seconds; some as far as a plan goes, which is 70 %
    (1, 1000, Shape.EVEN, 1, 1200),
    (1, 10_000, Shape.EVEN, 3, 400),
    (10, 10_000, Shape.ZIPF, 2, 120),
    (50, 10_000, Shape.STAR, 4, 40),
    (100, 100_000, Shape.ZIPF, 20, 10),
    (1000, 5000, Shape.EVEN, 20, 10),
    (1000, 100_000, Shape.EVEN, 8, 5),
)


def costs_table(costs: Costs) -> Iterator[str]:
    """The docstring of `Costs` as a table, with its values."""
    about = (inspect.getdoc(Costs) or "").partition("Attributes:\n")[2]
    rows = [["a step", "costs", "measured by"]]
    for line in about.splitlines():
        name, _, what = line.strip().partition(": ")
        value, unit = getattr(costs, name), name.rpartition("_")[2]
        source = "`make bench`" if name.startswith(("event_", "gateway_client")) else "`python -m bench.scale measure`"
        rows.append([f"`{name}`: {what.rstrip('.').removesuffix(', and')}", _value(value, unit), source])
    for name, what in (
        ("gateway_write_us", "a write to a client, whatever the number of events in it"),
        ("gateway_event_us", "each event in it"),
        ("gateway_flush_us", "a flush of a room, whatever the number of clients"),
    ):
        rows.append([f"`{name}`: {what}", _value(getattr(costs, name), "us"), "fitted to `make bench`"])
    yield from table(rows)


def _value(value: float, unit: str) -> str:
    shown = {"us": "µs", "kib": "KiB"}.get(unit, "bytes")
    digits = 2 if value < 1 else 1 if value < 100 else 0
    return f"{value:,.{digits}f} {shown}"


def against_benchmark_table(costs: Costs) -> Iterator[str]:
    rows = [["rooms x clients x events/s", "measured, µs/delivery", "model", "ratio"]]
    for load, measured_us, model_us in against_benchmark(costs):
        rows.append([load, f"{measured_us:.2f}", f"{model_us:.2f}", f"{model_us / measured_us:.2f}"])
    yield from table(rows)


def against_benchmark(costs: Costs) -> Iterator[tuple[str, float, float]]:
    """What `make bench` measured at steady rates, and what the model makes of the same: µs per delivery."""
    records = [
        record
        for case in ("busy", "joined", "growth", "rooms", "slow")
        for record in benchmark(case)
        if record["variant"] == "gateway" and not record["load"]["slow"]
    ]
    loads = sorted({(r["load"]["rooms"], r["load"]["clients"], r["load"]["rate"]) for r in records})
    for rooms, clients, rate in loads:
        measured = [
            record["cpu_us"]
            for record in records
            if (record["load"]["rooms"], record["load"]["clients"], record["load"]["rate"]) == (rooms, clients, rate)
        ]
        load = Workload((Kind(rooms, clients, rate),))
        spent = total(work(load, Cluster(1, 1), costs, frame_messages=1).gateway)  # it publishes single events
        yield f"{rooms:,} x {clients:,} x {rate:g}", statistics.median(measured), spent / US / load.deliveries


def against_simulation_table(costs: Costs) -> Iterator[str]:
    rows = [[
        "rooms", "clients", "gateways", "cores of a gateway: model", "simulated", "Redis cores: model", "simulated",
        "events a flush", "p50 ms", "p99 ms",
    ]]  # fmt: skip
    for rooms, clients, shape, gateways, seconds in SIMULATED:
        load = workload(rooms, clients, shape)
        counted, expected = simulate(load, gateways, costs, seconds=seconds), work(load, Cluster(gateways, 1), costs)
        rows.append([
            f"{rooms:,} {shape}", f"{clients:,}", f"{gateways}",
            f"{total(expected.gateway):.3f}", f"{statistics.fmean(counted.gateway):.3f}",
            f"{expected.redis['storing'] + expected.redis['copies']:.3f}", f"{sum(counted.redis.values()):.3f}",
            f"{counted.joined:.1f}", *(f"{ms:.1f}" for ms in counted.latencies_ms),
        ])  # fmt: skip
    yield from table(rows)
