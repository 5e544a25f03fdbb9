"""The way into a room: which signer, which socket, as which visitor; and polling where no socket lets us in.

Sockets are refused for a reason that a quick second try makes worse. So whoever was refused for good is polled for a
while, and so are all who come as the same session; then one of them after the other tries a socket again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from typing import Final
from weakref import WeakSet

from ingestor.connectors import handshake
from ingestor.connectors.account import Account
from ingestor.connectors.base import Transport
from ingestor.connectors.douyin.api import DouyinApi
from ingestor.connectors.douyin.browser import Browser, synthetic_cursor, synthetic_internal_ext
from ingestor.connectors.douyin.frames import Position
from ingestor.connectors.douyin.polling import PollingTransport
from ingestor.connectors.douyin.settings import DouyinSettings
from ingestor.connectors.douyin.signers import PLATFORM, Signer
from ingestor.connectors.http_client import BodyTooLarge
from ingestor.connectors.session_cookies import SessionCookies
from ingestor.connectors.telling import most_telling
from ingestor.connectors.webcast import MAX_FRAME_BYTES
from ingestor.connectors.websocket import HandshakeRefused, WebSocketTransport
from shared import metrics
from shared.clock import now_ms
from shared.errors import Blocked, RoomNotLive, UpstreamError, UpstreamUnavailable
from shared.room import RoomKey

logger = logging.getLogger(__name__)

_POLLING: Final = Account(PLATFORM, "polling")

HOSTS_TRIED_MAX: Final = 3  # in one attempt; each may take the whole time-out
OPENING_MAX: Final = 16  # handshakes at the same time, of all rooms
POLLS_PER_S: Final = 20.0
"""Of all rooms together: each costs some 7 ms for its signature, and one address is not to ask more often."""

LIFE_SPREAD: Final = 0.5  # of the rest, by which polled rooms come back to the socket one after the other


class Entrance:
    """Opens rooms, for all of a process."""

    def __init__(
        self,
        api: DouyinApi,
        browser: Browser,
        sessions: SessionCookies,
        signers: Sequence[Signer],
        settings: DouyinSettings,
        rng: random.Random,
    ) -> None:
        self._api = api
        self._browser = browser
        self._sessions = sessions
        self._signers = signers
        self._settings = settings
        self._rng = rng
        self._hosts = _Hosts(settings.douyin_socket_urls)
        self._opening = asyncio.Semaphore(OPENING_MAX)
        self._polled: WeakSet[PollingTransport] = WeakSet()
        self._rests_until_s: dict[RoomKey | None, float] = {}
        """For rooms that have a session of their own, and for all others together."""

    async def open(self, room: RoomKey, room_id: str, place: Position | None) -> Transport:
        """A way to the messages of a broadcast.

        Raises:
            Blocked: refused by socket and poll alike.
            UpstreamError: over, or not reachable.
        """
        refused: UpstreamError | None = None
        who = room if self._sessions.has_own(room) else None
        if time.monotonic() >= self._rests_until_s.get(who, 0.0):
            try:
                return await self._open_socket(room, room_id, place)
            except Blocked as error:
                refused = error
        try:
            transport = await self._poll(room, room_id, place, who)
        except UpstreamError as error:
            if isinstance(error, RoomNotLive) or (refused is None and not isinstance(error, Blocked)):
                raise
            # Refused at every door: asking again soon makes it worse.
            raise Blocked((refused or error).detail, retry_after_s=self._settings.douyin_blocked_rest_s) from None
        if refused:
            logger.warning("socket refused for good, polling instead room=%s: %s", room, refused)
            self._rests_until_s[who] = time.monotonic() + self._settings.douyin_socket_rest_s
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
                    with signer.account.attempt():
                        return await self._open_any_socket(room, room_id, place, signer, ttwid)
                except UpstreamError as error:
                    logger.info("socket not opened room=%s signer=%s code=%s: %s", room, signer.name, error.code, error)
                    errors.append(error)
                    if not isinstance(error, Blocked):
                        break
                    self._api.renew_visitor(ttwid)
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
            async with self._opening:
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

    async def _poll(self, room: RoomKey, room_id: str, place: Position | None, who: RoomKey | None) -> Transport:
        session = self._sessions.of(room)

        async def fetch(cursor: str, internal_ext: str) -> bytes:
            try:
                return await self._api.fetch(room.room, room_id, session, cursor, internal_ext)
            except BodyTooLarge:
                metrics.UPSTREAM_UNUSED.labels(PLATFORM, "large_answer").inc()
                raise

        rest_s = self._settings.douyin_socket_rest_s
        left_s = self._rests_until_s.get(who, 0.0) - time.monotonic()
        life_s = left_s if 0 < left_s < rest_s else rest_s
        with _POLLING.attempt():
            transport = await PollingTransport.open(
                fetch,
                place.cursor if place else "",
                place.internal_ext if place else "",
                least_s=self._least_pause_s,
                life_s=life_s * self._rng.uniform(1.0, 1.0 + LIFE_SPREAD),
            )
        self._polled.add(transport)
        return transport

    def _least_pause_s(self) -> float:
        return max(self._settings.douyin_poll_interval_s, len(self._polled) / POLLS_PER_S)


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
