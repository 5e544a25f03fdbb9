"""Who may come in, and how often: counts and token buckets, with the time passed in. Nothing here waits."""

import ipaddress
from collections import Counter
from dataclasses import dataclass

_BUCKETS_MAX = 10_000  # addresses remembered; the full buckets among them say nothing and go first


@dataclass(slots=True)
class TokenBucket:
    """`burst` at once, then `per_s` in the long run."""

    per_s: float
    burst: float
    tokens: float
    at: float

    @classmethod
    def full(cls, per_s: float, burst: float, now: float) -> "TokenBucket":
        """A bucket nobody took from yet."""
        return cls(per_s=per_s, burst=burst, tokens=burst, at=now)

    def take(self, now: float) -> float:
        """Take one. 0.0: granted; otherwise nothing was taken, and one is there after so many seconds."""
        self._fill(now)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.per_s

    def spend(self, now: float) -> float:
        """Take one in any case; returns the seconds to wait before what was taken is there."""
        self._fill(now)
        self.tokens -= 1
        return max(0.0, -self.tokens / self.per_s)

    def is_full(self, now: float) -> bool:
        """Whether it is as good as new."""
        self._fill(now)
        return self.tokens >= self.burst

    def _fill(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_s)
        self.at = now


def origin_of(host: str) -> str:
    """What counts as one address: IPv4 by itself, of IPv6 the /64 that one customer gets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Admission:
    """Clients of this process, in all and by address, and the rooms each address may start."""

    def __init__(
        self, *, clients_max: int, clients_per_address: int, new_rooms_per_minute: int, queued_rooms_per_address: int
    ) -> None:
        self._clients_max = clients_max
        self._per_address_max = clients_per_address
        self._new_rooms_per_minute = new_rooms_per_minute
        self._queued_rooms_max = queued_rooms_per_address
        self._clients: Counter[str] = Counter()
        self._queued_rooms: Counter[str] = Counter()
        self._buckets: dict[str, TokenBucket] = {}
        self.clients = 0

    def enter(self, origin: str) -> bool:
        """Count a client in; False: full, and nothing was counted."""
        if self.clients >= self._clients_max or self._clients[origin] >= self._per_address_max:
            return False
        self.clients += 1
        self._clients[origin] += 1
        return True

    def leave(self, origin: str) -> None:
        """Count a client out that `enter` let in."""
        self.clients -= 1
        self._clients[origin] -= 1
        if not self._clients[origin]:
            del self._clients[origin]

    def new_room(self, origin: str, now: float) -> float:
        """Ask to start a room, which costs the cluster a token. 0.0: granted; else ask again in so many seconds."""
        bucket = self._buckets.get(origin)
        if bucket is None:
            if len(self._buckets) >= _BUCKETS_MAX:
                self._forget_full(now)
            bucket = TokenBucket.full(self._new_rooms_per_minute / 60, self._new_rooms_per_minute, now)
            self._buckets[origin] = bucket
        return bucket.take(now)

    def queue_room(self, origin: str) -> bool:
        """Count a room that waits to be started; False: too many do, and nothing was counted."""
        if self._queued_rooms[origin] >= self._queued_rooms_max:
            return False
        self._queued_rooms[origin] += 1
        return True

    def unqueue_room(self, origin: str) -> None:
        """It waits no more."""
        self._queued_rooms[origin] -= 1
        if not self._queued_rooms[origin]:
            del self._queued_rooms[origin]

    def _forget_full(self, now: float) -> None:
        self._buckets = {origin: bucket for origin, bucket in self._buckets.items() if not bucket.is_full(now)}
        while len(self._buckets) >= _BUCKETS_MAX:
            self._buckets.pop(next(iter(self._buckets)))  # the oldest: it has waited longest
