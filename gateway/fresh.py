"""Answers that cost something to find: found once for all who ask within a moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from shared.errors import BrokerUnavailable

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

KEPT_MAX = 1_000  # answers; those to what was not asked for longest go first


class _Kept(Generic[Answer]):
    """What was found, or that Redis was away, and when."""

    __slots__ = ("found", "looked_at", "looking")

    def __init__(self) -> None:
        self.looking = asyncio.Lock()
        self.looked_at = float("-inf")
        self.found: Answer | BrokerUnavailable = BrokerUnavailable("not looked yet")


class Fresh(Generic[Key, Answer]):
    """Answers by what was asked. Of one question there is one look at a time.

    Args:
        look: finds an answer; may raise BrokerUnavailable, which is kept like an answer.
        fresh_s: how long an answer is good.
        looks_max: looks at once.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        look: Callable[[Key], Awaitable[Answer]],
        *,
        fresh_s: float,
        looks_max: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._fresh_s = fresh_s
        self._turns = asyncio.Semaphore(looks_max)
        self._clock = clock
        self._kept: dict[Key, _Kept[Answer]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: Key) -> Answer:
        """The answer, at most `fresh_s` old.

        Raises:
            BrokerUnavailable: Redis cannot be asked, or could not a moment ago.
        """
        kept = self._kept.pop(key, None) or _Kept()
        self._kept[key] = kept
        if len(self._kept) > KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        async with kept.looking:
            if self._clock() - kept.looked_at > self._fresh_s:
                async with self._turns:
                    try:
                        kept.found = await self._look(key)
                    except BrokerUnavailable as error:
                        kept.found = error
                kept.looked_at = self._clock()
        if isinstance(kept.found, BrokerUnavailable):
            raise BrokerUnavailable(str(kept.found)) from kept.found
        return kept.found
