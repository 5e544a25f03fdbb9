"""TikTok LIVE, put together: who is live, who opens the socket, what speaks over it."""

import logging
import random
import time
from collections.abc import Mapping

from ingestor.connectors.base import Decoder, LiveRoom, SeenIds, Upstream
from ingestor.connectors.headers import parse_cookies
from ingestor.connectors.http_client import HttpClient
from ingestor.connectors.tiktok import frames, handshake
from ingestor.connectors.tiktok.api import TikTokApi
from ingestor.connectors.tiktok.bootstrap import Bootstrap, most_telling
from ingestor.connectors.tiktok.browser import Browser, same_site
from ingestor.connectors.tiktok.messages import TikTokDecoder
from ingestor.connectors.tiktok.settings import TikTokSettings
from ingestor.connectors.tiktok.signers import new_gate, usable_providers
from ingestor.connectors.webcast import MAX_FRAME_BYTES, WebcastProtocol
from ingestor.connectors.websocket import HandshakeRefused, WebSocketTransport
from shared import metrics
from shared.errors import Blocked, UpstreamError
from shared.room import RoomKey

logger = logging.getLogger(__name__)


class TikTokConnector:
    """See `Connector`. One per process: cookie, connections and the providers' gates are shared by its rooms."""

    platform = "tiktok"

    def __init__(self, settings: TikTokSettings) -> None:
        """Put it together; nothing is asked yet.

        Raises:
            ConfigError: no token provider can be used.
        """
        self._settings = settings
        self._cookies = parse_cookies(settings.tiktok_cookies.get_secret_value())
        self._browser = Browser(
            settings.upstream_user_agent,
            settings.tiktok_web_url,
            device_id=str(random.randrange(10**18, 10**19)),
            logged_in="sessionid" in self._cookies,
        )
        self._http = HttpClient(proxy=settings.proxy, timeout_s=settings.upstream_timeout_s)
        self._api = TikTokApi(
            self._http,
            self._browser,
            self._cookies,
            new_gate(settings),
            web_url=settings.tiktok_web_url,
            webcast_url=settings.tiktok_webcast_url,
        )
        self._providers = usable_providers(self._http, self._browser, self._api.visitor, settings)

    async def resolve(self, name: RoomKey) -> RoomKey:
        """See `Connector`."""
        return RoomKey(self.platform, await self._api.room_of(name.room.removeprefix("@")))

    async def check_live(self, room: RoomKey) -> LiveRoom:
        """See `Connector`."""
        return await self._api.check_live(room.room)

    async def connect(self, room: RoomKey, position: str, seen: SeenIds) -> Upstream:
        """See `Connector`. Each attempt has its own bootstrap; after any failure it is the next provider's turn."""
        errors: list[UpstreamError] = []
        for provider in self._providers:
            try:
                bootstrap = await provider.bootstrap(room.room, position)
                upstream = await self._open(room, position, seen, bootstrap)
            except UpstreamError as error:
                metrics.TOKENS.labels(self.platform, provider.name, error.code).inc()
                logger.info(
                    "token provider failed room=%s provider=%s code=%s: %s", room, provider.name, error.code, error
                )
                errors.append(error)
            else:
                metrics.TOKENS.labels(self.platform, provider.name, "ok").inc()
                return upstream
        raise most_telling(errors)

    async def _open(self, room: RoomKey, position: str, seen: SeenIds, bootstrap: Bootstrap) -> Upstream:
        try:
            transport = await WebSocketTransport.open(
                bootstrap.url,
                headers=self._browser.socket_headers(self._cookies_for(bootstrap)),
                user_agent=bootstrap.user_agent,
                proxy=self._settings.proxy,
                timeout_s=self._settings.upstream_timeout_s,
                max_frame_bytes=MAX_FRAME_BYTES,
            )
        except HandshakeRefused as refused:
            error = handshake.refusal(refused.status, refused.headers, time.time())
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
        return Upstream(transport, protocol, protocol.receive_bootstrap(bootstrap.response))

    def _cookies_for(self, bootstrap: Bootstrap) -> Mapping[str, str]:
        """A session's cookies go to the platform only, whatever host a provider names; the provider's own go first."""
        own = self._cookies if same_site(bootstrap.url, self._settings.tiktok_socket_url) else {}
        return {**own, **bootstrap.cookies}

    def decoder(self, room: RoomKey) -> Decoder:
        """See `Connector`."""
        return TikTokDecoder(room)

    async def aclose(self) -> None:
        """See `Connector`."""
        await self._http.aclose()
