"""Answers that cost something to find: found once for all who ask within a moment."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from shared.errors import BrokerUnavailable, RoomcastError

logger = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

KEPT_MAX = 1_000  # answers; those to what was not asked for longest go first
REST = 10  # times what a look took is its answer good at least: however many rooms there are, looks are a tenth of all


class LookFailed(RoomcastError):
    """A fault of ours, which was logged."""


class _Kept(Generic[Answer]):
    """What was found, or why nothing was, and how long that is good."""

    __slots__ = ("found", "good_until", "looking")

    def __init__(self) -> None:
        self.looking = asyncio.Lock()
        self.good_until = float("-inf")
        self.found: Answer | BrokerUnavailable | LookFailed = BrokerUnavailable("not looked yet")


class Fresh(Generic[Key, Answer]):
    """Answers by what was asked. Of one question there is one look at a time.

    Args:
        look: finds an answer. What it raises is kept like one.
        fresh_s: how long an answer is good that was found at once.
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
        """The answer, at most `fresh_s` old unless it takes long to find.

        Raises:
            BrokerUnavailable: Redis cannot be asked, or could not a moment ago.
            LookFailed: the look did.
        """
        kept = self._kept.pop(key, None) or _Kept()
        self._kept[key] = kept
        if len(self._kept) > KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        async with kept.looking:
            if self._clock() > kept.good_until:
                async with self._turns:
                    await self._renew(key, kept)
        if isinstance(kept.found, BrokerUnavailable | LookFailed):
            raise type(kept.found)(str(kept.found)) from kept.found
        return kept.found

    async def _renew(self, key: Key, kept: _Kept[Answer]) -> None:
        began_at = self._clock()
        rest_s = 0.0
        try:
            kept.found = await self._look(key)
            rest_s = REST * (self._clock() - began_at)
        except BrokerUnavailable as error:
            kept.found = error
        except Exception as error:  # here its life ends: nobody is to ask Redis for the same fault at once
            logger.exception("look failed at=%s", key)
            rest_s = REST * (self._clock() - began_at)
            kept.found = LookFailed(type(error).__name__)
        kept.good_until = self._clock() + max(self._fresh_s, rest_s)
