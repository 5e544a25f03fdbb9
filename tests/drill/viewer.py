"""One client of a drill: it comes back from wherever it is sent away, and notes little, so that there may be many."""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from shared.backoff import Backoff
from shared.cursor import Cursor
from tests.drill.judge import Track
from tests.returning import Close, Returning

BACKOFF: Final = Backoff(0.2, 5.0)


class Viewer(Returning):
    """A client.

    Attributes:
        tracks: what it saw, by the room that its events name: a name may lead to one room after another.
        here: the room of its last event.
        counts: connections, returns with nothing missing or something, and events.
        gaps: losses that it was told of, by reason.
        silence_s: the longest time between two frames.
        absence_s: the longest time from a close to the first event, or answer to its cursor, after it.
    """

    def __init__(
        self,
        room: str,
        where: Callable[[], str],
        rng: random.Random,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(room, where, rng, backoff=BACKOFF)
        self.tracks: dict[str, Track] = {}
        self.here = ""
        self.counts: Counter[str] = Counter()
        self.gaps: Counter[str] = Counter()
        self.silence_s = 0.0
        self.absence_s = 0.0
        self._clock = clock
        self._heard_at: float | None = None
        self._left_at: float | None = None

    @property
    def track(self) -> Track | None:
        """Of the room that it is in."""
        return self.tracks.get(self.here)

    @property
    def away(self) -> bool:
        """Not connected, or again and not told yet where it is: nobody can say whether it misses something."""
        return not self.connected or self._left_at is not None

    def on_open(self) -> None:
        self.counts["connects"] += 1

    def on_close(self, close: Close) -> None:
        if self._left_at is None:
            self._left_at = self._clock()

    def on_frame(self, frame: dict[str, Any]) -> None:
        self._hear()
        if frame.get("code") == "bad_cursor":
            self.gaps["bad_cursor"] += 1
            for track in self.tracks.values():
                track.start_over()
            return
        match frame.get("type"):
            case None | "pong":
                return
            case "recovered":
                self.counts["complete" if frame["recovered"] else "incomplete"] += 1
                self._be_back()
            case "gap":
                self._miss(frame)
            case "dropped":
                self._track(frame).shed += frame["count"]
            case _ if "cursor" in frame:
                self.counts["events"] += 1
                self._track(frame).see(Cursor.parse(frame["cursor"]))
                self._be_back()

    def _miss(self, frame: dict[str, Any]) -> None:
        self.gaps[frame["reason"]] += 1
        track = self._track(frame)
        at = Cursor.parse(frame["cursor"]) if "cursor" in frame else None
        track.miss(Cursor.parse(frame["after"]), Cursor.parse(frame["before"]), at)
        if frame["reason"] == "rewound":
            track.rewind()

    def _track(self, frame: dict[str, Any]) -> Track:
        self.here = f"{frame['platform']}/{frame['room']}"
        return self.tracks.setdefault(self.here, Track())

    def _hear(self) -> None:
        now = self._clock()
        if self._heard_at is not None:
            self.silence_s = max(self.silence_s, now - self._heard_at)
        self._heard_at = now

    def _be_back(self) -> None:
        if self._left_at is not None:
            self.absence_s = max(self.absence_s, self._clock() - self._left_at)
            self._left_at = None
