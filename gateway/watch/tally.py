"""What a room has told so far: sums, rates, streaks that run. Pure; the time is passed in."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.watch.plain_text import shown
from shared.events import EVENT_TYPES

RATE_S = 10
STREAKS_MAX = 50
STREAK_STALE_S = 15.0  # an ingestor ends a streak after 10 s
NAME_MAX_CHARS = 30

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Streak:
    """Presses of a gift that add up."""

    giver: str
    gift: str
    total: int
    at: float


class Tally:
    """One room.

    Attributes:
        state: the last status, or the code of an error.
        viewers: watching now; None when it was not told.
        chats: messages.
        gifts: units.
        diamonds: their value.
        likes: of the room.
        gaps: how often events are missing.
        dropped: events left out because this client reads too slowly.
        delay_ms: from the platform to here, of the last event; None when it was not live.
    """

    def __init__(self) -> None:
        self.state = ""
        self.viewers: int | None = None
        self.chats = self.gifts = self.diamonds = self.likes = self.gaps = self.dropped = 0
        self.delay_ms: int | None = None
        self._seconds: deque[tuple[int, int]] = deque(maxlen=RATE_S + 1)  # second, events in it
        self._streaks: dict[tuple[str, str, str], Streak] = {}

    def take(self, frame: Frame, now: float) -> None:
        """Count a frame of the room; `now` in seconds since 1970."""
        kind = frame.get("type")
        if kind in EVENT_TYPES:
            self._count(now)
            if not frame.get("history"):
                self.delay_ms = max(0, round(now * 1000 - frame["time"]))
        match kind:
            case "chat":
                self.chats += 1
            case "gift":
                self._take_gift(frame, now)
            case "like":
                self.likes = max(self.likes, frame["total_like_count"])
            case "room_stats":
                self.viewers = frame["viewer_count"]
            case "live_status" | "ended":
                self.state = frame[kind].get("state", kind)
            case "gap":
                self.gaps += 1
            case "dropped":
                self.dropped += frame["count"]
            case None:
                self.state = str(frame.get("code") or frame.get("status") or self.state)

    def rate(self, now: float) -> float:
        """Events per second of late."""
        return sum(count for second, count in self._seconds if int(now) - RATE_S <= second < int(now)) / RATE_S

    def streaks(self, now: float) -> Sequence[Streak]:
        """The streaks that run, the latest first."""
        fresh = [streak for streak in self._streaks.values() if now - streak.at < STREAK_STALE_S]
        return sorted(fresh, key=lambda streak: -streak.at)

    def _count(self, now: float) -> None:
        if self._seconds and self._seconds[-1][0] == int(now):
            self._seconds[-1] = (int(now), self._seconds[-1][1] + 1)
        else:
            self._seconds.append((int(now), 1))

    def _take_gift(self, frame: Frame, now: float) -> None:
        self.gifts += frame["delta"]
        self.diamonds += frame["diamonds"]
        key = (frame["user"]["id"], frame["gift_id"], frame["group_id"])
        self._streaks.pop(key, None)
        if not frame["final"]:
            giver, gift = (shown(name, NAME_MAX_CHARS) for name in (frame["user"]["nickname"], frame["gift"]["name"]))
            self._streaks[key] = Streak(giver, gift, frame["total"], now)
            if len(self._streaks) > STREAKS_MAX:
                del self._streaks[next(iter(self._streaks))]
