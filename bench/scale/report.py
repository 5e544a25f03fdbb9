"""The tables of `docs/scale.md` and `docs/operations.md`."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.scale.costs import DOCS, Costs, read
from bench.scale.evidence import against_benchmark_table, against_simulation_table, costs_table
from bench.scale.model import FRAME_MESSAGES, HISTORY_LEN, US, Cluster, Routing, gateway_bytes, log_bytes, total, work
from bench.scale.plan import CLIENTS_MAX, HEADROOM, MAX_ROOMS, Plan, gateways_for_clients, plan
from bench.scale.table import table
from bench.scale.workload import Kind, Shape, Workload, workload

ROOMS, CLIENTS = (1, 10, 100, 1000, 10_000), (1000, 10_000, 100_000, 1_000_000)
GIB = 1 << 30


def generated() -> dict[Path, str]:
    """Both files, with their tables renewed."""
    costs = read()
    tables = {
        "costs": costs_table(costs),
        "benchmark": against_benchmark_table(costs),
        "simulation": against_simulation_table(costs),
        "grid": _grid(costs),
        "routing": _routing(costs),
        "sizing": _sizing(costs),
        "fan-out": _fan_out(costs),
    }
    found = {}
    for path in (DOCS / "scale.md", DOCS / "operations.md"):
        text = path.read_text("utf8")
        for name, lines in tables.items():
            start, end = f"<!-- {name}: written by `python -m bench.scale` -->", f"<!-- end of {name} -->"
            before, marked, rest = text.partition(start)
            if marked:
                text = f"{before}{start}\n\n" + "\n".join(lines) + f"\n\n{end}" + rest.partition(end)[2]
        found[path] = text
    return found


def details(load: Workload, plans: Mapping[Routing, Plan], costs: Costs) -> Iterator[str]:
    """One workload in many words."""
    yield f"{load.rooms:,} rooms, {load.clients:,} clients, the largest room {max(kind.clients for kind in load):,}"
    yield f"{load.events:,.0f} events/s from upstream, {load.deliveries:,.0f} deliveries/s, " + _network(load, costs)
    yield f"Redis keeps {log_bytes(load, costs) / GIB:.1f} GiB of events once all logs are full"
    for routing, found in plans.items():
        cluster, spent = found.cluster, found.work
        yield ""
        yield f"clients routed {'to the gateway with the fewest' if routing is Routing.LEASTCONN else 'by their room'}:"
        yield f"  gateways   {cluster.gateways:6,}, each {_cores(spent.gateway)}"
        held = gateway_bytes(load, cluster, spent, costs) / GIB
        yield f"{'':19}takes in {spent.taken_in:,.0f} events/s; {held:.2f} GiB; back from a lost one: {_back(found)}"
        yield f"  ingestors  {cluster.ingestors:6,}, each {_cores(spent.ingestor)}"
        yield f"  Redis      {cluster.shards:6,}, in all {_cores(spent.redis)}; {spent.copies:,.0f} copies/s"
        yield f"  cores      {found.cores:6,}, one for each; none above {HEADROOM:.0%}"


def _cores(cores: Mapping[str, float]) -> str:
    return f"{total(cores):.2f} cores (" + ", ".join(f"{what} {spent:.2f}" for what, spent in cores.items()) + ")"


def _back(found: Plan) -> str:
    return "no other gateway" if math.isinf(found.back_s) else f"{found.back_s:.1f} s of the others' spare time"


def _network(load: Workload, costs: Costs) -> str:
    plain, deflated = (load.deliveries * size * 8 / 1e9 for size in (costs.event_bytes, costs.event_bytes_deflated))
    return f"{plain:,.2f} Gbit/s, compressed {deflated:,.2f}"


# --- what follows -----------------------------------------------------------------------------------------------------


def _grid(costs: Costs) -> Iterator[str]:
    rows = [[
        "rooms", "clients", "events/s", "deliveries/s", "gateways", "because of", "ingestors", "Redis", "most of it",
        "cores in all", "GiB: Redis", "a gateway", "Gbit/s out", "Gbit/s of a gateway",
    ]]  # fmt: skip
    for rooms in ROOMS:
        for clients in CLIENTS:
            if clients < rooms:
                continue
            load = workload(rooms, clients, Shape.ZIPF)
            found = plan(load, costs)
            gbit_s = load.deliveries * costs.event_bytes * 8 / 1e9
            rows.append([
                f"{rooms:,}", f"{clients:,}", f"{load.events:,.0f}", f"{load.deliveries:,.0f}",
                f"{found.cluster.gateways:,}", found.gateways_by, f"{found.cluster.ingestors}",
                f"{found.cluster.shards}", found.redis_by, f"{found.cores:,}", f"{log_bytes(load, costs) / GIB:.2f}",
                f"{gateway_bytes(load, found.cluster, found.work, costs) / GIB:.2f}",
                f"{gbit_s:,.2f}", f"{gbit_s / found.cluster.gateways:.2f}",
            ])  # fmt: skip
    yield from table(rows)


def _routing(costs: Costs) -> Iterator[str]:
    rows = [[
        "rooms", "clients", "spread", "routing", "gateways", "because of", "events/s a gateway takes in", "copies/s",
        "Redis", "cores in all",
    ]]  # fmt: skip
    for rooms, clients in ((1000, 100_000), (10_000, 100_000), (10_000, 1_000_000)):
        for shape in Shape:
            load = workload(rooms, clients, shape)
            for routing in Routing:
                found = plan(load, costs, routing)
                rows.append([
                    f"{rooms:,}", f"{clients:,}", shape, routing, f"{found.cluster.gateways:,}", found.gateways_by,
                    f"{found.work.taken_in:,.0f}", f"{found.work.copies:,.0f}", f"{found.cluster.shards}",
                    f"{found.cores:,}",
                ])  # fmt: skip
    yield from table(rows)


def _sizing(costs: Costs) -> Iterator[str]:
    """How many clients one gateway process carries, by the size of its rooms."""
    rows = [
        ["clients of a room on this gateway", "events/s in it", "clients", "rooms", "deliveries/s", "GiB", "because of"]
    ]
    for here in (1, 10, 100, 1000, 2000):
        for rate in (2.0, 10.0, 50.0):
            count = _carried(here, rate, costs)
            load = Workload((Kind(count, here, rate),))
            held = gateway_bytes(load, Cluster(1, 1), work(load, Cluster(1, 1), costs), costs) / GIB
            full = gateways_for_clients((count + 1) * here, Routing.LEASTCONN) > 1
            rows.append([
                f"{here:,}", f"{rate:.0f}", f"{count * here:,}", f"{count:,}", f"{load.deliveries:,.0f}", f"{held:.2f}",
                f"`ROOMCAST_CLIENTS_MAX` {CLIENTS_MAX:,}" if full else "CPU",
            ])  # fmt: skip
    yield from table(rows)


def _carried(here: int, rate: float, costs: Costs) -> int:
    """How many rooms like this one gateway carries."""

    def fits(count: int) -> bool:
        load = Workload((Kind(count, here, rate),))
        spent = total(work(load, Cluster(1, 1), costs).gateway)
        return spent <= HEADROOM and gateways_for_clients(load.clients, Routing.LEASTCONN) == 1

    low, high = 0, CLIENTS_MAX + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _fan_out(costs: Costs) -> Iterator[str]:
    """What one Redis and one ingestor carry."""
    rows = [["what", "on one core, 70 % busy"]]
    for gateways in (1, 3, 10, 30, 100):
        each = (
            costs.redis_call_us / FRAME_MESSAGES
            + costs.redis_entry_us
            + gateways * (costs.redis_write_us / FRAME_MESSAGES + costs.redis_copy_us)
        )
        rows.append(
            [f"Redis: events each heard by {gateways} gateway{'s' * (gateways > 1)}", f"{HEADROOM / US / each:,.0f}/s"]
        )
    each = costs.ingestor_frame_us / FRAME_MESSAGES + costs.ingestor_message_us
    rows.append(["ingestor: events", f"{HEADROOM / US / each:,.0f}/s"])
    rows.append([f"ingestor: rooms, of `ROOMCAST_MAX_ROOMS` {MAX_ROOMS}", f"{HEADROOM * MAX_ROOMS:.0f}"])
    rows.append(["gateway: clients that join", f"{HEADROOM / US / costs.gateway_join_us:,.0f}/s"])
    rows.append(["gateway: events taken in, nothing else done", f"{HEADROOM / US / costs.gateway_intake_us:,.0f}/s"])
    rows.append(["**in one GiB**", ""])
    rows.append(
        ["gateway: idle clients, without the kernel's buffers", f"{GIB / 1024 / costs.gateway_client_kib:,.0f}"]
    )
    rows.append(["gateway: rooms with clients here", f"{GIB / 1024 / costs.gateway_room_kib:,.0f}"])
    rows.append([f"Redis: full logs of {HISTORY_LEN:,} events", f"{GIB / (HISTORY_LEN * costs.log_entry_bytes):,.0f}"])
    yield from table(rows)
