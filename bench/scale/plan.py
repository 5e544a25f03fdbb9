"""The smallest cluster that carries a workload with room to spare."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.scale.costs import Costs
from bench.scale.model import FULLEST, US, Cluster, Routing, Work, total, work
from bench.scale.workload import Workload

HEADROOM = 0.7  # of a core, of the clients and of the rooms that a process may have
CLIENTS_MAX, MAX_ROOMS = 20_000, 200  # ROOMCAST_CLIENTS_MAX, ROOMCAST_MAX_ROOMS
COUNT_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster, and what it spends.

    Attributes:
        gateways_by: what their number follows from: `clients`, or what most of their time goes to.
        ingestors_by: the same: `rooms`, or `messages`.
        redis_by: what Redis spends most on.
        back_s: until the clients of a lost gateway are back, if they all come at once.
    """

    cluster: Cluster
    work: Work
    gateways_by: str
    ingestors_by: str
    redis_by: str
    back_s: float

    @property
    def cores(self) -> int:
        """Of gateways, ingestors and Redis: one each."""
        return self.cluster.gateways + self.cluster.ingestors + self.cluster.shards


def plan(load: Workload, costs: Costs, routing: Routing = Routing.LEASTCONN) -> Plan:
    """The smallest cluster whose parts stay below `HEADROOM`."""
    for_rooms = math.ceil(load.rooms / (HEADROOM * MAX_ROOMS))
    ingestors = _least(for_rooms, lambda count: total(work(load, Cluster(1, count), costs).ingestor) <= HEADROOM)
    for_clients = gateways_for_clients(load.clients, routing)
    gateways = _least(
        for_clients,
        lambda count: total(work(load, Cluster(count, ingestors, 1, routing), costs).gateway) <= HEADROOM,
    )
    spent = work(load, Cluster(gateways, ingestors, 1, routing), costs)
    shards = math.ceil(total(spent.redis) / HEADROOM)
    joining = load.clients / gateways / max(1, gateways - 1)
    return Plan(
        Cluster(gateways, ingestors, shards, routing),
        spent,
        gateways_by="clients" if gateways == for_clients and gateways > 1 else _most(spent.gateway),
        ingestors_by="rooms" if ingestors == for_rooms else "messages",
        redis_by=_most(spent.redis),
        back_s=joining * costs.gateway_join_us * US / (1 - HEADROOM) if gateways > 1 else math.inf,
    )


def gateways_for_clients(clients: int, routing: Routing) -> int:
    """As many as their limit of clients asks for; a lone gateway has all of them, however they are routed."""
    few = HEADROOM * CLIENTS_MAX
    if clients <= few:
        return 1
    return math.ceil(clients * (FULLEST if routing is Routing.BY_ROOM else 1.0) / few)


def _most(cores: Mapping[str, float]) -> str:
    return max(cores, key=lambda what: cores[what])


def _least(low: int, fits: Callable[[int], bool]) -> int:
    """The smallest number from `low` on that fits, where every larger one does, too."""
    high = low
    while not fits(high):
        if high > COUNT_MAX:
            raise ValueError("no number of processes carries this")
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle + 1
    return low
