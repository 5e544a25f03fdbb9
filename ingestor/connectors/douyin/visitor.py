"""Who we are to Douyin: a visitor with a cookie and a number, the same for all rooms of the process."""

import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ingestor.connectors.visitor_cookie import VisitorCookie

YOUNG_S: Final = 60.0
"""A visitor who is refused at this age was not the reason."""

_NUMBER: Final = re.compile(r"[1-9][0-9]{18}")


class Visitor:
    """Cookie (`ttwid`) and number (`user_unique_id`); both are new after a refusal."""

    def __init__(
        self,
        fetch_ttwid: Callable[[], Awaitable[str]],
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cookie = VisitorCookie(fetch_ttwid, young_s=YOUNG_S, clock=clock)
        self.number = _random_number(rng)
        # The site sets it, and has not checked it. Source: peer clients, 2023 to 2026.
        self.nonce = f"{rng.getrandbits(84):021x}"
        self._rng = rng
        self._told = False

    def learn_number(self, number: str) -> None:
        """Take the number that a page gave us, the first one of this visitor's life."""
        if not self._told and _NUMBER.fullmatch(number):
            self.number, self._told = number, True

    def renew(self, refused_ttwid: str) -> bool:
        """Become somebody else, unless that has just happened. False: it would not help."""
        was = self.cookie.cookies
        changed = self.cookie.forget(refused_ttwid)
        if changed and was == {"ttwid": refused_ttwid}:
            self.number, self._told = _random_number(self._rng), False
        return changed


def _random_number(rng: random.Random) -> str:
    # Source: peer clients; with a number of twelve digits messages were missing, 2026-09.
    return str(rng.randrange(7_300_000_000_000_000_000, 8_000_000_000_000_000_000))
