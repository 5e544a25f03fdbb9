"""What the gateway tells of its present state, looked up about once a second: nothing is counted per delivery for it.

A process has one gateway; where it has several, as in tests, each gauge is the sum of theirs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from gateway.close_codes import OUTCOMES
from gateway.protocol import ClientFrame
from gateway.relay import Relay
from shared import loop_lag, metrics
from shared.events import SHED_ORDER

logger = logging.getLogger(__name__)

EVERY_S = 1.0


class Gauges:
    """One gateway's part of them."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._told: dict[Gauge, float] = {}

    def read(self) -> dict[Gauge, float]:
        """What they are now. Costs something for each slow client."""
        relay = self._relay
        return {
            metrics.GATEWAY_ROOMS: len(relay.rooms),
            metrics.CLIENTS_LIMIT: relay.settings.clients_max,
            metrics.SLOW_CLIENTS: len(relay.slow_sinks),
            metrics.UNSENT_BYTES: sum(sink.unsent_bytes for sink in relay.slow_sinks),
            metrics.READY: relay.up and not relay.draining,
            metrics.DRAINING: relay.draining,
        }

    def tell(self, values: dict[Gauge, float]) -> None:
        """Replace what was told before; what is not among the values is 0."""
        for gauge in {*self._told, *values}:
            gauge.inc(values.get(gauge, 0) - self._told.get(gauge, 0))
        self._told = values

    async def keep(self) -> None:
        """Tell them until cancelled, and then that there is nothing."""
        try:
            while True:
                try:
                    self.tell(self.read())
                except Exception:
                    logger.exception("gauges failed")
                await asyncio.sleep(EVERY_S)
        finally:
            self.tell({})


@asynccontextmanager
async def kept(relay: Relay) -> AsyncIterator[None]:
    """Gauges and the loop's lag are told while the block runs."""
    _begin_counters()
    async with asyncio.TaskGroup() as tasks:
        telling = [tasks.create_task(Gauges(relay).keep()), tasks.create_task(loop_lag.watch())]
        try:
            yield
        finally:
            for task in telling:
                task.cancel()


def _begin_counters() -> None:
    """Tell 0 from the start where the labels are known: Prometheus takes no first sample for an increase."""
    for code, outcome in OUTCOMES.items():
        metrics.CLIENT_ERRORS.labels(code)
        if outcome.close is not None:
            metrics.CLOSES.labels(code)
    metrics.CLOSES.labels("ping_timeout")
    for gap in ("healed", "announced"):
        metrics.GAPS.labels(gap)
    for recovered in ("true", "false"):
        metrics.RECOVERIES.labels(recovered)
    for event_type in SHED_ORDER:
        metrics.SHED.labels(event_type)
    for kind in ClientFrame:
        metrics.CLIENT_FRAMES.labels(kind.value)
