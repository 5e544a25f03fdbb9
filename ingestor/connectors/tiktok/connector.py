"""TikTok LIVE, put together: who is live, who opens the socket, what speaks over it."""

import logging
import random
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from ingestor.connectors import handshake
from ingestor.connectors.base import Decoder, LiveRoom, SeenIds, Upstream
from ingestor.connectors.gate import new_gate
from ingestor.connectors.http_client import HttpClient
from ingestor.connectors.session_cookies import SessionCookies
from ingestor.connectors.telling import most_telling
from ingestor.connectors.tiktok import frames
from ingestor.connectors.tiktok.api import TikTokApi
from ingestor.connectors.tiktok.bootstrap import Bootstrap
from ingestor.connectors.tiktok.browser import Browser, same_site
from ingestor.connectors.tiktok.messages import TikTokDecoder
from ingestor.connectors.tiktok.settings import TikTokSettings
from ingestor.connectors.tiktok.signers import PLATFORM, usable_providers
from ingestor.connectors.webcast import MAX_FRAME_BYTES, WebcastProtocol
from ingestor.connectors.websocket import HandshakeRefused, WebSocketTransport
from shared import metrics
from shared.errors import Blocked, UpstreamError
from shared.platforms import parse_room
from shared.room import RoomKey

logger = logging.getLogger(__name__)

NAMES_MAX: Final = 10_000  # rooms whose hosts are remembered, for the cookies of single rooms


class TikTokConnector:
    """See `Connector`. One per process: cookie, connections and the providers' gates are shared by its rooms."""

    platform = PLATFORM

    def __init__(self, settings: TikTokSettings) -> None:
        """Put it together; nothing is asked yet.

        Raises:
            ConfigError: no token provider can be used.
        """
        self._settings = settings
        self._sessions = SessionCookies(
            self.platform, settings.tiktok_cookies, settings.tiktok_room_cookies, by_name=True
        )
        self._names: OrderedDict[RoomKey, RoomKey] = OrderedDict()
        self._browser = Browser(
            settings.upstream_user_agent,
            settings.tiktok_web_url,
            device_id=str(random.randrange(10**18, 10**19)),
        )
        self._http = HttpClient(proxy=settings.proxy, timeout_s=settings.upstream_timeout_s)
        self._api = TikTokApi(
            self._http,
            self._browser,
            self._sessions.of().get("ttwid", ""),
            new_gate(settings),
            web_url=settings.tiktok_web_url,
            webcast_url=settings.tiktok_webcast_url,
        )
        self._providers = usable_providers(self._http, self._browser, self._api.visitor, settings)

    async def resolve(self, name: RoomKey) -> RoomKey:
        """See `Connector`."""
        room = RoomKey(self.platform, await self._api.room_of(name.room.removeprefix("@"), self._sessions.of(name)))
        self._remember(room, name)
        return room

    async def check_live(self, room: RoomKey) -> LiveRoom:
        """See `Connector`."""
        live = await self._api.check_live(room.room, self._session(room))
        if live.owner is not None and live.owner.unique_id:
            self._remember(room, parse_room(f"@{live.owner.unique_id}", self.platform))
        return live

    async def connect(self, room: RoomKey, live: LiveRoom, position: str, seen: SeenIds) -> Upstream:
        """See `Connector`. Each attempt has its own bootstrap; after any failure it is the next provider's turn."""
        errors: list[UpstreamError] = []
        for provider in self._providers:
            try:
                with provider.account.attempt():
                    bootstrap = await provider.bootstrap(room.room, position)
                    return await self._open(room, position, seen, bootstrap)
            except UpstreamError as error:
                logger.info(
                    "token provider failed room=%s provider=%s code=%s: %s", room, provider.name, error.code, error
                )
                errors.append(error)
        raise most_telling(errors)

    async def _open(self, room: RoomKey, position: str, seen: SeenIds, bootstrap: Bootstrap) -> Upstream:
        try:
            transport = await WebSocketTransport.open(
                bootstrap.url,
                headers=self._browser.socket_headers(self._cookies_for(room, bootstrap)),
                user_agent=bootstrap.user_agent,
                proxy=self._settings.proxy,
                timeout_s=self._settings.upstream_timeout_s,
                max_frame_bytes=MAX_FRAME_BYTES,
            )
        except HandshakeRefused as refused:
            error = handshake.refusal("TikTok", refused.status, refused.headers, time.time())
            if isinstance(error, Blocked):
                self._api.visitor.forget(bootstrap.cookies.get("ttwid", ""))
            raise error from None
        protocol = WebcastProtocol(
            frames.dialect(room.room),
            seen=seen,
            position=position,
            ping_interval_s=handshake.ping_interval_s(transport.handshake_headers),
            count=lambda what: metrics.UPSTREAM_UNUSED.labels(self.platform, what).inc(),
        )
        first = protocol.receive_bootstrap(bootstrap.response)
        return Upstream(transport, protocol, first, room_id=room.room, position=position)

    def _cookies_for(self, room: RoomKey, bootstrap: Bootstrap) -> Mapping[str, str]:
        """A session's cookies go to the platform only, whatever host a provider names; the provider's own go first."""
        own = self._session(room) if same_site(bootstrap.url, self._settings.tiktok_socket_url) else {}
        return {**own, **bootstrap.cookies}

    def _session(self, room: RoomKey) -> Mapping[str, str]:
        """The cookies for a room, which users may have configured by the name of its host."""
        return self._sessions.of(room, self._names.get(room, room))

    def _remember(self, room: RoomKey, name: RoomKey) -> None:
        self._names[room] = name
        if len(self._names) > NAMES_MAX:
            self._names.popitem(last=False)

    def decoder(self, room: RoomKey) -> Decoder:
        """See `Connector`."""
        return TikTokDecoder(room)

    async def aclose(self) -> None:
        """See `Connector`."""
        await self._http.aclose()
