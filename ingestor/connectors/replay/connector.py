"""Recordings as a platform: a room is a file, and is live from when somebody wants it to its last record.

What was recorded passes through all that it passed through when it happened, by the time at which it came.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from ingestor.connectors.base import LiveRoom, SeenIds, Upstream
from ingestor.connectors.replay.play import Play, Recorded
from ingestor.connectors.replay.playback import PlaybackProtocol, PlaybackTransport
from ingestor.connectors.replay.reel import Reel
from ingestor.connectors.replay.settings import ReplaySettings
from ingestor.connectors.webcast import Dialect, WebcastProtocol
from ingestor.recording import BadRecording, Kind, Opened
from shared import metrics
from shared.errors import BadRoom, RoomNotFound, UpstreamUnavailable
from shared.platforms import parse_room
from shared.room import RoomKey

PLAYS_MAX: Final = 10_000  # rooms of one ingestor
LEFT_MAX: Final = 16  # files that are held open from one connection to the next


class ReplayConnector:
    """See `Connector`. Files within one folder, and nothing else, can be played."""

    platform = "replay"

    def __init__(self, settings: ReplaySettings, platforms: Mapping[str, Recorded]) -> None:
        """Put it together.

        Args:
            settings: where recordings are.
            platforms: by name, those that may have been recorded.
        """
        self._settings = settings
        self._platforms = platforms
        self._plays: OrderedDict[RoomKey, Play] = OrderedDict()
        self._left: OrderedDict[RoomKey, Reel] = OrderedDict()

    async def resolve(self, name: RoomKey) -> RoomKey:
        """See `Connector`; there are no names."""
        return name

    async def check_live(self, room: RoomKey) -> LiveRoom:
        """See `Connector`. What the live check before the recorded connection learnt."""
        play = self._plays.get(room) or self._begin(room)
        if play.opened is None:
            reel, play.opened = await Reel.open(self._path(room), 0)
            reel.close()
            play.found(reel.header)
        return play.opened.live

    async def connect(self, room: RoomKey, live: LiveRoom, position: str, seen: SeenIds) -> Upstream:
        """See `Connector`. Another holder goes on where the last one stopped; a recording that is over begins anew."""
        play = self._plays.get(room) or self._begin(room)
        place, inner = _parsed(position)
        place = place if play.place is None else max(place, play.place)
        reel, opened = await self._reel(room, play, place)
        try:
            record = await reel.peek()
            if record is not None and record.kind == Kind.OPENED:
                opened = record.as_opened()
            if record is None:
                reel.close()
                place, (reel, opened) = 0, await Reel.open(self._path(room), 0)
                record = await reel.peek()
            if place == 0:
                seen.clear()
            began = record is not None and record.kind == Kind.OPENED
            first = await reel.opening() if began else []
            play.opened = opened
            inner = opened.position if began else inner
            transport = PlaybackTransport(
                reel,
                play,
                record.at_ms if record else 0,
                speed=self._settings.replay_speed,
                give_back=partial(self._take_back, room),
            )
            protocol = WebcastProtocol(
                _dialect(play.found(reel.header), opened.room_id, inner),
                seen=seen,
                position=inner,
                count=lambda what: metrics.UPSTREAM_UNUSED.labels(self.platform, what).inc(),
            )
            # Between two records, and before the first, nothing is missed.
            protocol.overlapped = opened.overlapped or not began or place == 0
        except BadRecording as error:
            reel.close()
            raise RoomNotFound(str(error)) from None
        except BaseException:
            reel.close()
            raise
        return Upstream(
            transport,
            PlaybackProtocol(protocol, lambda: reel.place),
            [message for message in first if not message.id or seen.add(message.id)],
            room_id=opened.room_id,
            position=position,
            clock=transport.clock,
        )

    def decoder(self, room: RoomKey) -> Play:
        """See `Connector`."""
        return self._begin(room)

    async def aclose(self) -> None:
        """See `Connector`."""
        while self._left:
            self._left.popitem()[1].close()

    async def _reel(self, room: RoomKey, play: Play, place: int) -> tuple[Reel, Opened]:
        """The file at a place. To open it anew means to read all that lies before, for each of its connections."""
        left = self._left.pop(room, None)
        if left is not None:
            if left.place == place and play.opened is not None:
                return left, play.opened
            left.close()
        return await Reel.open(self._path(room), place)

    def _take_back(self, room: RoomKey, reel: Reel) -> None:
        if not reel.usable:
            reel.close()
            return
        self._left[room] = reel
        if len(self._left) > LEFT_MAX:
            self._left.popitem(last=False)[1].close()

    def _begin(self, room: RoomKey) -> Play:
        if (left := self._left.pop(room, None)) is not None:
            left.close()
        self._plays[room] = play = Play(room, self._platforms)
        self._plays.move_to_end(room)
        if len(self._plays) > PLAYS_MAX:
            self._plays.popitem(last=False)
        return play

    def _path(self, room: RoomKey) -> Path:
        """The file of a room.

        Raises:
            RoomNotFound: there is no folder, or the room is none.
        """
        try:
            name = parse_room(room.room, self.platform).room  # once more: the key may come from elsewhere
        except BadRoom as error:
            raise RoomNotFound(str(error)) from None
        if not self._settings.replay_dir:
            raise RoomNotFound("there is no folder of recordings")
        return Path(self._settings.replay_dir) / name


def _parsed(position: str) -> tuple[int, str]:
    place, _, inner = position.partition(" ")
    return (int(place), inner) if re.fullmatch("[0-9]{1,15}", place) else (0, "")


def _dialect(platform: Recorded, room_id: str, position: str) -> Dialect:
    try:
        return platform.dialect(room_id, position)
    except ValueError:  # protobuf and int() raise it alike
        raise UpstreamUnavailable("the recording calls its room what is none") from None
