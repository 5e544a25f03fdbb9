"""Keeping a lease while its room is wanted; rooms and names are kept alike.

A demand that is gone before its time was not taken back: Redis forgot it. Whoever wants the room tells it again within
a moment, and so long the room is kept.
"""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable

from shared.demand import Demand, Wish
from shared.errors import BrokerUnavailable
from shared.room import RoomKey

logger = logging.getLogger(__name__)

RETRY_S = 1.0  # after a renewal whose outcome is not known
LOOK_MIN_S = 0.01  # a demand about to expire is looked at when it has


async def keep_lease(
    room: RoomKey,
    *,
    renew: Callable[[], Awaitable[None]],
    demand: Demand,
    on_wish: Callable[[Wish], None],
    recheck: asyncio.Event,
    ttl_s: float,
    epoch: Callable[[], int],
) -> None:
    """Renew a lease every third of its time, until cancelled.

    Args:
        room: whose lease.
        renew: raises LeaseLost when somebody else has it, BrokerUnavailable when that is not known.
        demand: where to look what is wanted of the room.
        on_wish: told after each renewal what is wanted; not while a demand that was forgotten is waited for.
        recheck: set when the demand may have changed; it is looked at then.
        ttl_s: of the lease.
        epoch: of the lease, which can be begun anew.

    Raises:
        LeaseLost: somebody else has the room.
    """
    pause_s = 0.0
    clock = asyncio.get_running_loop().time
    patience = _Patience(ttl_s)
    failing = False
    while True:
        try:
            async with asyncio.timeout(pause_s):
                await recheck.wait()
        except TimeoutError:
            pass
        recheck.clear()
        try:
            await renew()
            wish = await demand.look(room)
        except BrokerUnavailable as error:
            level = logging.DEBUG if failing else logging.WARNING
            logger.log(level, "renewal failed room=%s epoch=%d: %s", room, epoch(), error)
            failing = True
            patience.not_known(clock())
            pause_s = _jittered(min(RETRY_S, ttl_s / 3))
            continue
        failing = False
        now = clock()
        if patience.believes(wish, now):
            on_wish(wish)
        pause_s = min(_jittered(ttl_s / 3), max(LOOK_MIN_S, patience.ends_at - now))


class _Patience:
    """For how long a room is kept whose demand is gone. Times are monotonic seconds; nothing here performs I/O.

    Args:
        wait_s: how long a demand that is gone before its time is waited for.
    """

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._wanted_until = 0.0  # as far as was told
        self._kept_until = math.inf  # since the demand is gone

    @property
    def ends_at(self) -> float:
        """When the demand is over, or not waited for any longer."""
        return min(self._wanted_until, self._kept_until)

    def believes(self, wish: Wish, now: float) -> bool:
        """Take in what is wanted now; False when nothing is, and that is not believed yet."""
        if wish.remaining_ms:
            self._wanted_until, self._kept_until = now + wish.remaining_ms / 1000, math.inf
            return True
        self._kept_until = min(self._kept_until, now + self._wait_s, self._wanted_until)
        return now >= self._kept_until

    def not_known(self, now: float) -> None:
        """Redis cannot be asked, and the demand cannot be told to it either."""
        self._kept_until = math.inf
        if self._wanted_until:
            self._wanted_until = max(self._wanted_until, now + self._wait_s)


def _jittered(pause_s: float) -> float:
    """A little shorter: rooms that were poked together must not renew together for ever."""
    return pause_s * random.uniform(0.9, 1.0)
