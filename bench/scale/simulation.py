"""The same cluster, event by event: clients are placed, frames come at random, and every step is counted.

It shares with the model what a step costs, and nothing of how many there are. A gateway is one loop that does one thing
after the other, so what is late makes the rest late, and latencies come out, too. Left out: the slices of a flush of a
large room, and the network.
"""

import bisect
import heapq
import itertools
import random
import statistics
from dataclasses import dataclass, field

from bench.scale.costs import Costs
from bench.scale.model import FLUSH_BOUND_S, FRAME_MESSAGES, PING_S, REST, US
from bench.scale.workload import Workload

FRAME_SIZES = (1, 2, 2, 3, 6)
assert statistics.fmean(FRAME_SIZES) == FRAME_MESSAGES


@dataclass(slots=True)
class Counted:
    """What was done in a second, on average.

    Attributes:
        gateway: cores of each.
        redis: cores spent on storing, and on copies.
        taken_in: events per second that a gateway read, on average.
        joined: events in a flush, on average.
        latencies_ms: p50 and p99 from the channel to the sockets, of deliveries.
    """

    gateway: list[float]
    redis: dict[str, float]
    taken_in: float
    joined: float
    latencies_ms: tuple[float, float]


@dataclass(slots=True)
class _Here:
    """A room on one gateway."""

    clients: int
    gathered: list[tuple[float, int]] = field(default_factory=list)
    rests_until: float = 0.0
    planned: bool = False


@dataclass(slots=True)
class _Loop:
    """A gateway's event loop."""

    costs: Costs
    rooms: dict[int, _Here] = field(default_factory=dict)
    spent_s: float = 0.0
    taken_in: int = 0
    flushes: int = 0
    latencies: list[tuple[float, int]] = field(default_factory=list)

    def run(self, frames: list[tuple[float, int, int]]) -> None:
        """Take frames, in the order of their times: when, for which room, how many events. Then end when all is out."""
        due: list[tuple[float, int]] = []
        free_at, index = 0.0, 0
        while due or index < len(frames):
            if index < len(frames) and (not due or frames[index][0] <= due[0][0]):
                at, room, events = frames[index]
                index += 1
                here = self.rooms[room]
                free_at = max(at, free_at) + self._spend(events * self.costs.gateway_intake_us)
                self.taken_in += events
                here.gathered.append((at, events))
                if not here.planned:
                    here.planned = True
                    heapq.heappush(due, (max(free_at, here.rests_until), room))
            else:
                at, room = heapq.heappop(due)
                free_at = self._flush(self.rooms[room], max(at, free_at))

    def _flush(self, here: _Here, now: float) -> float:
        events = sum(count for _, count in here.gathered)
        each = self.costs.gateway_write_us + self.costs.gateway_event_us * events
        took_s = self._spend(self.costs.gateway_flush_us + here.clients * each)
        over = now + took_s
        self.latencies += ((over - at, count * here.clients) for at, count in here.gathered)
        self.flushes += 1
        here.rests_until = over + min(max(0.0, FLUSH_BOUND_S - took_s), REST * took_s)
        here.gathered, here.planned = [], False
        return over

    def _spend(self, us: float) -> float:
        self.spent_s += us * US
        return us * US


def simulate(load: Workload, gateways: int, costs: Costs, *, seconds: float, seed: int = 1) -> Counted:
    """Let a cluster run for so long, its clients placed by leastconn."""
    chance = random.Random(seed)
    rooms = [kind for kind in load for _ in range(kind.rooms)]
    clients = [room for room, kind in enumerate(rooms) for _ in range(kind.clients)]
    chance.shuffle(clients)
    loops = [_Loop(costs) for _ in range(gateways)]
    for turn, room in enumerate(clients):  # they come in any order, each to whoever has the fewest
        here = loops[turn % gateways].rooms
        if room in here:
            here[room].clients += 1
        else:
            here[room] = _Here(1)
    frames = []
    for room, kind in enumerate(rooms):
        at = chance.expovariate(kind.rate / FRAME_MESSAGES)
        while at < seconds:
            frames.append((at, room, chance.choice(FRAME_SIZES)))
            at += chance.expovariate(kind.rate / FRAME_MESSAGES)
    frames.sort()
    heard = [sum(room in loop.rooms for loop in loops) for room in range(len(rooms))]
    storing = sum(costs.redis_call_us + events * costs.redis_entry_us for _, _, events in frames)
    copying = sum(heard[room] * (costs.redis_write_us + events * costs.redis_copy_us) for _, room, events in frames)
    for loop in loops:
        loop.run([frame for frame in frames if frame[1] in loop.rooms])
    pinging = len(clients) / gateways / PING_S * costs.gateway_ping_us * US
    taken_in = sum(loop.taken_in for loop in loops)
    return Counted(
        gateway=[loop.spent_s / seconds + pinging for loop in loops],
        redis={"storing": storing * US / seconds, "copies": copying * US / seconds},
        taken_in=taken_in / gateways / seconds,
        joined=taken_in / max(1, sum(loop.flushes for loop in loops)),
        latencies_ms=_percentiles([latency for loop in loops for latency in loop.latencies]),
    )


def _percentiles(latencies: list[tuple[float, int]]) -> tuple[float, float]:
    """p50 and p99 in ms, each latency counted as often as it was delivered."""
    latencies.sort()
    up_to = list(itertools.accumulate(times for _, times in latencies))

    def at(share: float) -> float:
        return latencies[bisect.bisect_left(up_to, up_to[-1] * share)][0] * 1000

    return at(0.5), at(0.99)
