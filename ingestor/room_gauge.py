"""One held room in the metrics: that it is held, and in which phase of its life it is."""

from types import TracebackType

from shared import metrics
from shared.phases import Phase


class RoomGauge:
    """Counted while the `with` block runs: rooms of several ingestors in one process add up."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._phase = Phase.ACQUIRED

    def __enter__(self) -> None:
        metrics.ROOMS_HELD.inc()
        self._add(1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        metrics.ROOMS_HELD.dec()
        self._add(-1)

    def move(self, phase: Phase) -> None:
        """The room's phase has changed."""
        self._add(-1)
        self._phase = phase
        self._add(1)

    def _add(self, rooms: int) -> None:
        metrics.ROOMS_BY_PHASE.labels(self._platform, self._phase).inc(rooms)
