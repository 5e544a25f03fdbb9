"""Capped exponential delays with full jitter; randomness is passed in."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """`delay_s(n)` is uniform between half and all of `min(cap_s, base_s * 2**n)`.

    The lower half is kept, so that a retry never comes at once.
    """

    base_s: float
    cap_s: float

    def delay_s(self, attempt: int, random: Callable[[], float]) -> float:
        """Delay before attempt 0, 1, 2 ...

        Args:
            attempt: 0 for the first retry.
            random: uniform in [0, 1), as `random.random`.
        """
        ceiling = min(self.cap_s, self.base_s * 2.0 ** min(attempt, 60))
        return ceiling * (0.5 + random() / 2)
