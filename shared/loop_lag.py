"""How long everything in a process waits for its event loop: the first thing to be felt when it has too much to do.

The loop is looked at at fixed times. A look that comes late tells the lag; so does each look that was due while the
loop stood still, or a standstill of seconds would be one look among many good ones. So the share of looks that came
late is the share of time at which something that happened had to wait that long.
"""

import asyncio
import time
from collections.abc import Callable

from shared import metrics

EVERY_S = 0.1  # no longer standstill goes unseen, and the looks themselves cost nothing to speak of
LOOKS_MAX = 600  # told at once, after a minute or more: whoever was stopped for hours does not count them


def lags_s(due: float, now: float) -> list[float]:
    """How late each look is that has been due by now, the first one at `due`."""
    late = max(0.0, now - due)
    looks = min(1 + int(late / EVERY_S), LOOKS_MAX)
    return [late - look * EVERY_S for look in range(looks)]


async def watch(
    observe: Callable[[float], None] = metrics.LOOP_LAG.observe, clock: Callable[[], float] = time.monotonic
) -> None:
    """Tell the lag of the running loop, in seconds, until cancelled."""
    while True:
        due = clock() + EVERY_S
        await asyncio.sleep(EVERY_S)
        for lag_s in lags_s(due, clock()):
            observe(lag_s)
