"""What a cluster spends on a workload, in closed form: cores by part and by what they are spent on.

Everything is an average over time. What happens in a moment (a queue, a lag, a burst) is left to the simulation.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bench.scale.costs import Costs
from bench.scale.workload import Kind, Workload

FRAME_MESSAGES = 2.8  # of an upstream frame on average, as simulator/room.py knows from recordings
FLUSH_BOUND_S = 0.030  # ROOMCAST_FLUSH_MAX_MS
REST = 9.0  # as gateway/flusher.py rests
PING_S, SCAN_S, RENEWAL_S, REFRESH_S = 20.0, 3.0, 10 / 3, 300 / 4  # defaults of the settings
HISTORY_LEN, HISTORY_BYTES = 2000, 4 * 1024 * 1024
PROCESS_KIB = 57_000  # of a gateway without clients, in docs/benchmark.md
FULLEST = 1.25  # of the mean: what a balancer that hashes rooms is told to allow a gateway
US = 1e-6


class Routing(StrEnum):
    """Where the balancer sends a client."""

    LEASTCONN = "leastconn"
    """To the gateway with the fewest."""
    BY_ROOM = "by room"
    """Where its room is, unless that gateway has a quarter more than the mean."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """How many processes of each part."""

    gateways: int
    ingestors: int
    shards: int = 1
    routing: Routing = Routing.LEASTCONN


@dataclass(frozen=True, slots=True)
class Work:
    """What a part spends, in cores.

    Attributes:
        gateway: the fullest gateway, by what for.
        redis: all shards together.
        ingestor: one of them.
        rooms_here: rooms that a gateway has clients of.
        taken_in: events per second that it reads.
        copies: events per second that Redis sends to gateways.
    """

    gateway: dict[str, float]
    redis: dict[str, float]
    ingestor: dict[str, float]
    rooms_here: float
    taken_in: float
    copies: float


def reach(kind: Kind, load: Workload, cluster: Cluster) -> float:
    """How many gateways have clients of a room, on average."""
    gateways = cluster.gateways
    if cluster.routing is Routing.BY_ROOM:
        return min(gateways, max(1.0, kind.clients / (FULLEST * load.clients / gateways)))
    return gateways * (1 - (1 - 1 / gateways) ** kind.clients)


def joined(clients: float, rate: float, costs: Costs, frame_messages: float = FRAME_MESSAGES) -> float:
    """Events that share a flush of a room with so many clients here.

    A flush is followed by a rest of nine times what it took, within the bound. If nothing came in this period, the next
    flush waits for a frame and has that alone: so a flush has what comes in a period, and the share of empty ones more.
    """
    events = frame_messages
    frames = rate / frame_messages
    for _ in range(20):  # what is joined makes a flush a little longer, and that lets more join
        took_s = US * (costs.gateway_flush_us + clients * (costs.gateway_write_us + costs.gateway_event_us * events))
        period_s = max(took_s, min(FLUSH_BOUND_S, (1 + REST) * took_s))
        events = frame_messages * (frames * period_s + math.exp(-frames * period_s))
    return events


def work(load: Workload, cluster: Cluster, costs: Costs, frame_messages: float = FRAME_MESSAGES) -> Work:
    """What every part spends."""
    gateways, ingestors = cluster.gateways, cluster.ingestors
    rooms_here = taken_in = copies = 0.0
    mean = dict.fromkeys(("intake", "flushes", "writes", "pings"), 0.0)
    fullest: Mapping[str, float] = {}
    for kind in load:
        reached = reach(kind, load, cluster)
        share = kind.rooms * reached / gateways  # of these rooms, on one gateway
        rooms_here += share
        taken_in += share * kind.rate
        copies += kind.rooms * reached * kind.rate
        room = _room_here(kind.clients / reached, kind.rate, costs, frame_messages)
        for what, cores in room.items():
            mean[what] += share * cores
        fullest = max(fullest, room, key=total)
    if cluster.routing is Routing.BY_ROOM and gateways > 1:
        # Clients are balanced, work is not: a gateway may be full of the clients of one room, and that the liveliest.
        fullest = max({what: FULLEST * cores for what, cores in mean.items()}, fullest, key=total)
    else:
        fullest = mean
    refreshes = gateways * rooms_here / REFRESH_S
    upkeep = load.rooms / RENEWAL_S * costs.redis_renewal_us + refreshes * costs.redis_scanned_us
    frame_us = costs.ingestor_frame_us / frame_messages
    return Work(
        gateway=dict(fullest),
        redis={
            "storing": load.events * (costs.redis_call_us / frame_messages + costs.redis_entry_us) * US,
            "copies": copies * (costs.redis_write_us / frame_messages + costs.redis_copy_us) * US,
            "leases": upkeep * US,
            "scans": ingestors / SCAN_S * load.rooms * costs.redis_scanned_us * US,
        },
        ingestor={
            "messages": load.events / ingestors * (frame_us + costs.ingestor_message_us) * US,
            "scans": load.rooms / SCAN_S * costs.ingestor_scanned_us * US,
        },
        rooms_here=rooms_here,
        taken_in=taken_in,
        copies=copies,
    )


def _room_here(clients: float, rate: float, costs: Costs, frame_messages: float) -> dict[str, float]:
    """What a gateway spends on a room that has so many clients here, in cores."""
    flushes = rate / joined(clients, rate, costs, frame_messages)
    return {
        "intake": rate * costs.gateway_intake_us * US,
        "flushes": flushes * costs.gateway_flush_us * US,
        "writes": clients * (flushes * costs.gateway_write_us + rate * costs.gateway_event_us) * US,
        "pings": clients / PING_S * costs.gateway_ping_us * US,
    }


def total(cores: Mapping[str, float]) -> float:
    """Of all that a part spends."""
    return sum(cores.values())


def gateway_bytes(load: Workload, cluster: Cluster, spent: Work, costs: Costs) -> float:
    """Memory of a gateway, without what the kernel holds for its sockets and what waits for slow clients."""
    held_kib = load.clients / cluster.gateways * costs.gateway_client_kib + spent.rooms_here * costs.gateway_room_kib
    return (PROCESS_KIB + held_kib) * 1024


def log_bytes(load: Workload, costs: Costs) -> float:
    """What Redis keeps once every log is full."""
    return load.rooms * min(HISTORY_LEN * costs.log_entry_bytes, HISTORY_BYTES)
