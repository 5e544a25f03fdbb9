"""Whether, and when, an upstream that failed is tried again: decided here for rooms and names alike. No I/O."""

import random
from collections.abc import Callable

from shared.backoff import Backoff
from shared.errors import UpstreamError, is_retryable

DELAY_MAX_S = 30.0
"""Of the pause before an attempt. A peer that asks us to wait longer is left alone, and the room rests."""


class Outage:
    """Counts the attempts since the upstream last worked.

    Args:
        retries: attempts at most.
        base_s: pause before the first; doubles with each, with jitter.
        random: uniform in [0, 1).
    """

    def __init__(self, retries: int, base_s: float, random: Callable[[], float] = random.random) -> None:
        self.attempt = 0
        self._retries = retries
        self._backoff = Backoff(base_s, DELAY_MAX_S)
        self._random = random

    def delay_s(self, error: UpstreamError) -> float | None:
        """Count a failure: the pause before the next attempt, None to give up."""
        announced_s = error.retry_after_s or 0.0
        if self.attempt >= self._retries or announced_s > DELAY_MAX_S or not is_retryable(error):
            return None
        pause_s = max(announced_s, self._backoff.delay_s(self.attempt, self._random))
        self.attempt += 1
        return pause_s

    def over(self) -> None:
        """The upstream works: the next failure is the first."""
        self.attempt = 0
