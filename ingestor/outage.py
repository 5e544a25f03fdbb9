"""Whether, and when, an upstream that failed is tried again, and how it rests: for rooms and names alike. No I/O."""

import random
from collections.abc import Callable

from ingestor.settings import IngestorSettings
from shared.backoff import Backoff
from shared.errors import RoomNotLive, UpstreamError, is_retryable
from shared.phases import Phase, RoomPhase

DELAY_MAX_S = 30.0
"""Of the pause before an attempt. A peer that asks us to wait longer is left alone, and the room rests."""


MUTE_PAUSE_MAX = 8  # times the first; a peer client looks a mute room up after 2, 4, 8 and 16 minutes


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


class Mute:
    """Whether an upstream that is open has said nothing for too long. Heartbeats are answered by a dead room too.

    Args:
        after_s: without a message, to be doubted for the first time; then after twice as long, and so on.
        now: seconds, monotonic.
    """

    def __init__(self, after_s: float, now: float) -> None:
        self._after_s = self._pause_s = after_s
        self._due = now + after_s

    def doubted(self, spoke: bool, now: float) -> bool:
        """Take note of a frame; whether it is time to doubt."""
        if spoke:
            self._pause_s = self._after_s
        elif now < self._due:
            return False
        else:
            self._pause_s = min(2 * self._pause_s, MUTE_PAUSE_MAX * self._after_s)
        self._due = now + self._pause_s
        return not spoke


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
