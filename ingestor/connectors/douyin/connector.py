"""Douyin LIVE, put together: who is live, who signs, which socket opens, and polling where none does."""

import random
from dataclasses import replace

from ingestor.connectors.base import Decoder, LiveRoom, SeenIds, Upstream
from ingestor.connectors.douyin import frames
from ingestor.connectors.douyin.api import DouyinApi
from ingestor.connectors.douyin.browser import Browser
from ingestor.connectors.douyin.entrance import Entrance
from ingestor.connectors.douyin.frames import Position
from ingestor.connectors.douyin.gift_table import GiftTable
from ingestor.connectors.douyin.messages import DouyinDecoder
from ingestor.connectors.douyin.polling import PollingTransport
from ingestor.connectors.douyin.settings import DouyinSettings
from ingestor.connectors.douyin.signers import PLATFORM, usable_signers
from ingestor.connectors.http_client import HttpClient
from ingestor.connectors.session_cookies import SessionCookies, is_logged_in
from ingestor.connectors.webcast import WebcastProtocol
from shared import metrics
from shared.room import RoomKey


class DouyinConnector:
    """See `Connector`. One per process: visitor, connections and rests are shared by its rooms."""

    platform = PLATFORM

    def __init__(self, settings: DouyinSettings) -> None:
        """Put it together; nothing is asked yet.

        Raises:
            ConfigError: no signer can be used, or a room with cookies of its own is none.
        """
        rng = random.Random()
        self._settings = settings
        self._sessions = SessionCookies(self.platform, settings.douyin_cookies, settings.douyin_room_cookies)
        self._browser = Browser(settings.upstream_user_agent, settings.douyin_web_url)
        self._http = HttpClient(proxy=settings.proxy, timeout_s=settings.upstream_timeout_s)
        self._api = DouyinApi(self._http, self._browser, self._sessions.of().get("ttwid", ""), settings, rng)
        signers = usable_signers(self._http, rng, settings)
        self._entrance = Entrance(self._api, self._browser, self._sessions, signers, settings, rng)
        self._gifts = GiftTable()

    async def resolve(self, name: RoomKey) -> RoomKey:
        """See `Connector`."""
        return RoomKey(self.platform, await self._api.room_of(name.room))

    async def check_live(self, room: RoomKey) -> LiveRoom:
        """See `Connector`."""
        session = self._sessions.of(room)
        live = await self._api.check_live(room.room, session)
        return replace(live, gifts=is_logged_in(session))

    async def connect(self, room: RoomKey, live: LiveRoom, position: str, seen: SeenIds) -> Upstream:
        """See `Connector`. A place is carried on within one broadcast only: the next one has another number."""
        place = Position.parse(position, live.broadcast)
        transport = await self._entrance.open(room, live.broadcast, place)
        position = position if place else ""
        protocol = WebcastProtocol(
            frames.dialect(live.broadcast, position),
            seen=seen,
            position=position,
            count=lambda what: metrics.UPSTREAM_UNUSED.labels(self.platform, what).inc(),
        )
        # A poll asks for what is behind a place, and is told that: nothing is told again that could prove it.
        protocol.overlapped = place is not None and isinstance(transport, PollingTransport)
        return Upstream(transport, protocol, room_id=live.broadcast, position=position)

    def decoder(self, room: RoomKey) -> Decoder:
        """See `Connector`."""
        return DouyinDecoder(room, gifts=is_logged_in(self._sessions.of(room)), table=self._gifts)

    async def aclose(self) -> None:
        """See `Connector`."""
        await self._http.aclose()
