"""Douyin LIVE, put together: who is live, who signs, which socket opens, and polling where none does."""

import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from ingestor.connectors import handshake
from ingestor.connectors.base import Decoder, LiveRoom, SeenIds, Transport, Upstream
from ingestor.connectors.douyin import frames
from ingestor.connectors.douyin.api import DouyinApi
from ingestor.connectors.douyin.browser import Browser, synthetic_cursor, synthetic_internal_ext
from ingestor.connectors.douyin.frames import Position
from ingestor.connectors.douyin.gift_table import GiftTable
from ingestor.connectors.douyin.messages import DouyinDecoder
from ingestor.connectors.douyin.polling import PollingTransport
from ingestor.connectors.douyin.settings import DouyinSettings
from ingestor.connectors.douyin.signers import Signer, usable_signers
from ingestor.connectors.http_client import HttpClient
from ingestor.connectors.session_cookies import SessionCookies, is_logged_in
from ingestor.connectors.telling import most_telling
from ingestor.connectors.webcast import MAX_FRAME_BYTES, WebcastProtocol
from ingestor.connectors.websocket import HandshakeRefused, WebSocketTransport
from shared import metrics
from shared.clock import now_ms
from shared.errors import Blocked, RoomNotLive, UpstreamError, UpstreamUnavailable
from shared.room import RoomKey

logger = logging.getLogger(__name__)

HOSTS_TRIED_MAX: Final = 3  # in one attempt; each may take the whole time-out


class DouyinConnector:
    """See `Connector`. One per process: visitor, connections and rests are shared by its rooms."""

    platform = "douyin"

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
        self._signers = usable_signers(self._http, rng, settings)
        self._hosts = _Hosts(settings.douyin_socket_urls)
        self._socket_rests_until_s = 0.0
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
        transport = await self._open_transport(room, live.broadcast, place)
        protocol = WebcastProtocol(
            frames.dialect(live.broadcast, position),
            seen=seen,
            position=position if place else "",
            count=lambda what: metrics.UPSTREAM_UNUSED.labels(self.platform, what).inc(),
        )
        return Upstream(transport, protocol)

    def decoder(self, room: RoomKey) -> Decoder:
        """See `Connector`."""
        return DouyinDecoder(room, gifts=is_logged_in(self._sessions.of(room)), table=self._gifts)

    async def aclose(self) -> None:
        """See `Connector`."""
        await self._http.aclose()

    # --- sockets, and what stands in for them -------------------------------------------------------------------------

    async def _open_transport(self, room: RoomKey, room_id: str, place: Position | None) -> Transport:
        refused: UpstreamError | None = None
        if time.monotonic() >= self._socket_rests_until_s:
            try:
                return await self._open_socket(room, room_id, place)
            except Blocked as error:
                refused = error
        try:
            transport = await self._poll(room, room_id, place)
        except UpstreamError as error:
            if isinstance(error, RoomNotLive) or (refused is None and not isinstance(error, Blocked)):
                raise
            # Refused at every door: asking again soon makes it worse.
            raise Blocked((refused or error).detail, retry_after_s=self._settings.douyin_blocked_rest_s) from None
        if refused:
            logger.warning("socket refused for good, polling instead room=%s: %s", room, refused)
            self._socket_rests_until_s = time.monotonic() + self._settings.douyin_socket_rest_s
        return transport

    async def _open_socket(self, room: RoomKey, room_id: str, place: Position | None) -> Transport:
        """Try as each visitor with each signer.

        Raises:
            Blocked: refused for good: with every signer, and as a new visitor.
            UpstreamError: no socket could be reached, or no signer.
        """
        errors: list[UpstreamError] = []
        for signer in self._signers:
            for _ in range(2):  # the second time as somebody else, and at another door
                ttwid = (await self._api.visitor.cookie.get())["ttwid"]
                try:
                    transport = await self._open_any_socket(room, room_id, place, signer, ttwid)
                except UpstreamError as error:
                    metrics.TOKENS.labels(self.platform, signer.name, error.code).inc()
                    logger.info("socket not opened room=%s signer=%s code=%s: %s", room, signer.name, error.code, error)
                    errors.append(error)
                    if not isinstance(error, Blocked):
                        break
                    self._api.visitor.renew(ttwid)
                else:
                    metrics.TOKENS.labels(self.platform, signer.name, "ok").inc()
                    return transport
        # A refused signature leads to polling, whatever the next signer's own trouble is.
        raise next((error for error in errors if isinstance(error, Blocked)), most_telling(errors))

    async def _open_any_socket(
        self, room: RoomKey, room_id: str, place: Position | None, signer: Signer, ttwid: str
    ) -> Transport:
        """Try one host after the other until one answers, with a new signature each."""
        cookies = {"ttwid": ttwid, **self._sessions.of(room)}
        number = self._api.visitor.number
        now = now_ms()
        query = self._browser.socket_query(
            room_id,
            number,
            place.cursor if place else synthetic_cursor(now),
            place.internal_ext if place else synthetic_internal_ext(room_id, number, now),
        )
        unreachable = UpstreamUnavailable("no socket is known")
        for base in self._hosts.in_order():
            url = self._browser.socket_url(base, query, await signer.sign(query, self._browser.user_agent))
            try:
                return await self._open_one_socket(url, room, cookies)
            except UpstreamUnavailable as error:
                self._hosts.avoid(base)
                unreachable = error
            except UpstreamError:
                self._hosts.avoid(base)
                raise
        raise unreachable

    async def _open_one_socket(self, url: str, room: RoomKey, cookies: Mapping[str, str]) -> Transport:
        try:
            return await WebSocketTransport.open(
                url,
                headers=self._browser.socket_headers(room.room, cookies),
                user_agent=self._browser.user_agent,
                proxy=self._settings.proxy,
                timeout_s=self._settings.upstream_timeout_s,
                max_frame_bytes=MAX_FRAME_BYTES,
            )
        except HandshakeRefused as answer:
            raise handshake.refusal("Douyin", answer.status, answer.headers, time.time()) from None

    async def _poll(self, room: RoomKey, room_id: str, place: Position | None) -> Transport:
        session = self._sessions.of(room)
        try:
            transport = await PollingTransport.open(
                lambda cursor, internal_ext: self._api.fetch(room.room, room_id, session, cursor, internal_ext),
                place.cursor if place else "",
                place.internal_ext if place else "",
                least_s=self._settings.douyin_poll_interval_s,
                life_s=max(0.0, self._socket_rests_until_s - time.monotonic()) or self._settings.douyin_socket_rest_s,
            )
        except UpstreamError as error:
            metrics.TOKENS.labels(self.platform, "polling", error.code).inc()
            raise
        metrics.TOKENS.labels(self.platform, "polling", "ok").inc()
        return transport


class _Hosts:
    """The sockets, all alike; one that failed is asked last from then on."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = list(urls)

    def in_order(self) -> list[str]:
        """Those to try now."""
        return self._urls[:HOSTS_TRIED_MAX]

    def avoid(self, url: str) -> None:
        """Put one behind the others."""
        self._urls.remove(url)
        self._urls.append(url)
