"""Whether, and when, an upstream that failed is tried again, and how it rests: for rooms and names alike. No I/O."""

import random
from collections.abc import Callable

from ingestor.settings import IngestorSettings
from shared.backoff import Backoff
from shared.errors import RoomNotLive, UpstreamError, is_retryable
from shared.phases import Phase, RoomPhase

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


def resting(phase: Phase, code: str, rest_s: float, now_ms: int, *, detail: str = "", wait_s: float = 0.0) -> RoomPhase:
    """The phase of a room, or name, that is left alone for so long, or for the wait that was announced."""
    return RoomPhase(
        phase=phase,
        at=now_ms,
        code=code,
        detail=detail,
        retry_in_ms=int(wait_s * 1000),
        retry_at=now_ms + int(max(rest_s, wait_s) * 1000),
    )


def given_up(error: UpstreamError, settings: IngestorSettings, now_ms: int) -> RoomPhase:
    """The phase in which an error leaves a room, or name, that is not tried again for now."""
    phase, rest_s = Phase.FAILED, settings.failed_ttl_s
    if isinstance(error, RoomNotLive):
        phase, rest_s = Phase.NOT_LIVE, settings.offline_ttl_s
    return resting(phase, error.code, rest_s, now_ms, detail=error.detail, wait_s=error.retry_after_s or 0.0)
