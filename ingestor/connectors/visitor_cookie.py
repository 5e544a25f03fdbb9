"""The cookie that a platform gives every visitor, shared by all rooms of the process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from shared.errors import UpstreamError

_FAILURE_REST_S: Final = 5.0  # rooms that wait for a cookie share a failure too


class VisitorCookie:
    """The `ttwid` cookie: fetched when first needed, once for all who wait, kept until it is refused.

    Its value holds percent escapes and goes back exactly as it came.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[str]],
        *,
        young_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create it; nothing is fetched yet.

        Args:
            fetch: gets a new one.
            young_s: one that is refused at this age is kept: another would fare no better.
            clock: seconds, monotonic.
        """
        self._fetch = fetch
        self._young_s = young_s
        self._clock = clock
        self._value = ""
        self._fetched_s = 0.0
        self._lock = asyncio.Lock()
        self._failure: UpstreamError | None = None
        self._failed_s = 0.0

    @property
    def cookies(self) -> dict[str, str]:
        """The cookie, if there is one already."""
        return {"ttwid": self._value} if self._value else {}

    async def get(self) -> dict[str, str]:
        """The cookie.

        Raises:
            UpstreamError: it could not be had, now or a moment ago.
        """
        async with self._lock:
            if not self._value:
                if self._failure and self._clock() - self._failed_s < _FAILURE_REST_S:
                    raise type(self._failure)(self._failure.detail, retry_after_s=self._failure.retry_after_s)
                try:
                    self._value = await self._fetch()
                    self._fetched_s = self._clock()
                except UpstreamError as error:
                    self._failure, self._failed_s = error, self._clock()
                    raise
        return self.cookies

    def forget(self, refused: str) -> bool:
        """Fetch a new one next time, unless that has happened since.

        Args:
            refused: the value that was refused.

        Returns:
            Whether `get` will give another one than that.
        """
        if self._value == refused and self._clock() - self._fetched_s >= self._young_s:
            self._value = ""
        return self._value != refused
