"""How many calls a provider says are left. Nobody is refused for it: that is a fault one asks for."""

from typing import Final

CALLS_PER_MINUTE: Final = 1000


class Quota:
    """One provider's, for all who ask."""

    def __init__(self) -> None:
        self._minute = 0
        self._calls = 0

    def take(self, now_s: float) -> int:
        """Take one call; what is left in this minute."""
        minute = int(now_s // 60)
        if minute != self._minute:
            self._minute, self._calls = minute, 0
        self._calls += 1
        return max(0, CALLS_PER_MINUTE - self._calls)
