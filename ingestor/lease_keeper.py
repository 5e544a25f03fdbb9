"""Keeping a lease while its room is wanted; rooms and names are kept alike."""

import asyncio
import logging
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
) -> None:
    """Renew a lease every third of its time, until cancelled.

    Args:
        room: whose lease.
        renew: raises LeaseLost when somebody else has it, BrokerUnavailable when that is not known.
        demand: where to look what is wanted of the room.
        on_wish: told after each renewal, and when the demand ran out.
        recheck: set when the demand may have changed; it is looked at then.
        ttl_s: of the lease.

    Raises:
        LeaseLost: somebody else has the room.
    """
    pause_s = 0.0
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
            logger.warning("renewal failed room=%s: %s", room, error)
            pause_s = min(RETRY_S, ttl_s / 3)
            continue
        on_wish(wish)
        pause_s = min(ttl_s / 3, max(LOOK_MIN_S, wish.remaining_ms / 1000))
