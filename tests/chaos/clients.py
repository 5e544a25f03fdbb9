"""The clients of a cluster in which things break: each keeps what it saw for the judge."""

import random
from collections.abc import Callable
from typing import Any, Final

from shared.backoff import Backoff
from tests.chaos.oracle import Seen, seen
from tests.returning import Returning

PING_S: Final = 1.0  # a gateway that does not answer in twice as long is gone
BACKOFF: Final = Backoff(0.3, 0.3)


class Client(Returning):
    """One viewer of one room.

    Attributes:
        frames: what it saw, as far as it matters.
        ids: of the events, for looking up.
    """

    def __init__(self, room: str, where: Callable[[], str], rng: random.Random) -> None:
        super().__init__(room, where, rng, backoff=BACKOFF, ping_s=PING_S)
        self.frames: list[Seen] = []
        self.ids: set[str] = set()

    def on_frame(self, frame: dict[str, Any]) -> None:
        if (what := seen(frame)) is not None:
            self.frames.append(what)
            self.ids.add(what.id)
