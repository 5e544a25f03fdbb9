"""An event loop whose time passes only when there is nothing else to do, and then at once."""

import asyncio
import selectors

QUIET_S = 1e-6  # shorter than any pause of ours


class _Selector(selectors.SelectSelector):
    """Instead of waiting, moves the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits, and for nothing"
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`asyncio.sleep` takes no time, and ends after everything that is ready has been done."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


async def settled() -> None:
    """Return when nobody can go on without time passing."""
    await asyncio.sleep(QUIET_S)
