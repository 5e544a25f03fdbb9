"""What the log tells of a room's broadcast: that it is live, since when, under which title. No I/O, no platform.

A room can outlive its broadcasts, and a host can change the title in the middle: whatever a live check finds that the
log does not say yet becomes an event.
"""

from msgspec import UNSET, UnsetType

from ingestor.connectors.base import LiveRoom
from shared.events import Ended, Event, LiveStatus, LiveStatusDetail, RoomUpdate, RoomUpdateDetail
from shared.room import RoomKey


class ToldBroadcast:
    """The broadcast of one room, as told so far; lives as long as the room's lease."""

    def __init__(self, room: RoomKey) -> None:
        self._room = room
        self.live = False
        """Whether the log says that the room is live."""
        self.over = False
        """Whether the log says that the last broadcast is over."""
        self._started_at: int | UnsetType = UNSET
        self._title: str | UnsetType = UNSET

    def hear(self, event: Event) -> bool:
        """Take in an event of the log. True when a broadcast ends with it, or another one begins."""
        if isinstance(event, LiveStatus):
            told, known = event.live_status, self._started_at
            self.live, self.over = True, False
            self._started_at = known if told.started_at is UNSET else told.started_at
            self._title = self._title if told.title is UNSET else told.title
            return known not in (UNSET, self._started_at)
        if isinstance(event, RoomUpdate) and event.room_update.title is not UNSET:
            self._title = event.room_update.title
        if isinstance(event, Ended):
            self.live, self.over = False, True
            return True
        return False

    def news(self, live: LiveRoom, now_ms: int) -> LiveStatus | RoomUpdate | None:
        """What a live check found that the log does not say."""
        title = UNSET if live.title is None else live.title
        started_at = UNSET if live.started_at is None else live.started_at
        is_another = UNSET not in (started_at, self._started_at) and started_at != self._started_at
        if not self.live or is_another:
            return LiveStatus(
                platform=self._room.platform,
                room=self._room.room,
                time=now_ms,
                live_status=LiveStatusDetail(
                    state="paused" if live.paused else "live",
                    title=title,
                    owner=UNSET if live.owner is None else live.owner,
                    started_at=started_at,
                    gifts=live.gifts,
                ),
            )
        if title not in (UNSET, self._title):
            return RoomUpdate(
                platform=self._room.platform,
                room=self._room.room,
                time=now_ms,
                room_update=RoomUpdateDetail(title=title),
            )
        return None
