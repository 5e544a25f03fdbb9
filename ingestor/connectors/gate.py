"""A gate before a platform or provider, for all rooms of a process: told to wait in one, they wait in all."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from ingestor.connectors.settings import UpstreamSettings
from shared.errors import KeyRefused, RateLimited, UpstreamError

MAX_AT_ONCE: Final = 8
"""Questions at a time; the others learn from the answers to these."""

_T = TypeVar("_T")


class Gate:
    """Closed after "too many requests" for the announced wait, and after a refused key for a long one."""

    def __init__(
        self,
        *,
        rate_rest_s: float,
        key_rest_s: float,
        at_once: int = MAX_AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open it.

        Args:
            rate_rest_s: where no wait was announced.
            key_rest_s: after a refused key.
            at_once: questions at a time.
            clock: seconds, monotonic.
        """
        self._rate_rest_s = rate_rest_s
        self._key_rest_s = key_rest_s
        self._clock = clock
        self._at_once = asyncio.Semaphore(at_once)
        self._closed_by: UpstreamError | None = None
        self._closed_until_s = 0.0

    async def ask(self, question: Callable[[], Awaitable[_T]]) -> _T:
        """Ask when the gate is open.

        Raises:
            RateLimited, KeyRefused: by the provider now, or earlier and the time is not over.
        """
        async with self._at_once:
            self._check()
            try:
                return await question()
            except RateLimited as error:
                self._close(error, self._rate_rest_s if error.retry_after_s is None else error.retry_after_s)
                raise
            except KeyRefused as error:
                self._close(error, self._key_rest_s)
                raise

    def _check(self) -> None:
        left_s = self._closed_until_s - self._clock()
        if self._closed_by is not None and left_s > 0:
            raise type(self._closed_by)(self._closed_by.detail, retry_after_s=left_s)

    def _close(self, error: UpstreamError, rest_s: float) -> None:
        until_s = self._clock() + rest_s
        if until_s > self._closed_until_s:
            self._closed_by, self._closed_until_s = error, until_s


def new_gate(settings: UpstreamSettings, *, at_once: int = MAX_AT_ONCE) -> Gate:
    """An open gate with the rests of the settings."""
    return Gate(rate_rest_s=settings.provider_rate_rest_s, key_rest_s=settings.provider_key_rest_s, at_once=at_once)
