"""TikTok's own HTTP doors: who is live where, and the cookie every visitor gets.

What the answers mean is in `answers.py`; here they are only fetched.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from ingestor.connectors.base import LiveRoom
from ingestor.connectors.gate import Gate
from ingestor.connectors.headers import parse_set_cookies
from ingestor.connectors.http_client import HttpClient, Reply
from ingestor.connectors.tiktok.answers import is_alive, live_room, room_of_page, room_of_user
from ingestor.connectors.tiktok.browser import Browser
from shared.errors import Blocked, RoomNotFound, RoomOffline, RoomRestricted, UpstreamError, UpstreamUnavailable

_FAILURE_REST_S = 5.0  # rooms that wait for a cookie share a failure too


class TikTokApi:
    """One visitor of the web site, for all rooms of the process."""

    def __init__(
        self,
        http: HttpClient,
        browser: Browser,
        cookies: Mapping[str, str],
        gate: Gate,
        *,
        web_url: str,
        webcast_url: str,
    ) -> None:
        """Start a visit; nothing is asked yet.

        Args:
            http: the caller closes it.
            browser: what we look like.
            cookies: of a session, as configured.
            gate: before TikTok.
            web_url: base of the web site.
            webcast_url: base of the webcast API.
        """
        self._http = http
        self._browser = browser
        self._cookies = dict(cookies)
        self._gate = gate
        self._web_url = web_url
        self._webcast_url = webcast_url
        self.visitor = VisitorCookie(self._fetch_ttwid)

    async def room_of(self, unique_id: str) -> str:
        """The id of the room a user is live in.

        Raises:
            RoomNotLive: not found, offline, restricted.
            UpstreamError: it could not be found out.
        """
        query = {"uniqueId": unique_id, "sourceType": "54", "staleTime": "600000", **self._browser.query()}
        try:
            reply = await self._get(f"{self._web_url}/api-live/user/room/", query)
            return room_of_user(reply.body)
        except (Blocked, UpstreamUnavailable) as refused:
            try:
                reply = await self._get(f"{self._web_url}/@{unique_id}/live", {})
                return room_of_page(reply.body)
            except (Blocked, UpstreamUnavailable):
                raise refused from None

    async def check_live(self, room_id: str) -> LiveRoom:
        """Ask whether a room is live, and for what there is to know about it.

        Raises:
            RoomNotLive: not found, offline, restricted.
            UpstreamError: it could not be found out.
        """
        alive, refused = await self._alive(room_id)
        if alive is False:
            raise RoomOffline("the broadcast is over")
        query = {**self._browser.query(room_id), "room_id": room_id}
        try:
            reply = await self._get(f"{self._webcast_url}/webcast/room/info/", query)
            return live_room(reply.body)
        except RoomRestricted:
            raise
        except UpstreamError as error:
            if alive:
                return LiveRoom()  # what is known of it has to do without
            # Unknown to one door and closed at the other: what refused us says more than what we did not find.
            if refused and isinstance(error, RoomNotFound):
                raise refused from None
            raise

    async def _alive(self, room_id: str) -> tuple[bool | None, UpstreamError | None]:
        query = {**self._browser.query(), "room_ids": room_id}
        try:
            reply = await self._get(f"{self._webcast_url}/webcast/room/check_alive/", query)
            return is_alive(reply.body), None
        except (Blocked, UpstreamUnavailable) as refused:
            return None, refused

    async def _get(self, url: str, query: Mapping[str, str]) -> Reply:
        headers = self._browser.headers({**self.visitor.cookies, **self._cookies})

        async def ask() -> Reply:
            reply = await self._http.request("TikTok", "GET", url, query=query, headers=headers, follow=True)
            reply.check(refused=Blocked)
            return reply

        return await self._gate.ask(ask)

    async def _fetch_ttwid(self) -> str:
        if own := self._cookies.get("ttwid"):
            return own
        reply = await self._get(f"{self._web_url}/", {})
        ttwid = parse_set_cookies(reply.headers["set-cookie"]).get("ttwid")
        if not ttwid:
            raise Blocked("TikTok's web site gave no visitor's cookie")
        return ttwid


class VisitorCookie:
    """The `ttwid` cookie: fetched when first needed, once for all who wait, kept until it is refused.

    Its value holds percent escapes and goes back exactly as it came.
    """

    def __init__(self, fetch: Callable[[], Awaitable[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._value = ""
        self._lock = asyncio.Lock()
        self._failure: UpstreamError | None = None
        self._failed_s = 0.0

    @property
    def cookies(self) -> dict[str, str]:
        """The cookie, if there is one already."""
        return {"ttwid": self._value} if self._value else {}

    async def get(self) -> dict[str, str]:
        """The cookie.

        Raises:
            UpstreamError: it could not be had, now or a moment ago.
        """
        async with self._lock:
            if not self._value:
                if self._failure and self._clock() - self._failed_s < _FAILURE_REST_S:
                    raise type(self._failure)(self._failure.detail, retry_after_s=self._failure.retry_after_s)
                try:
                    self._value = await self._fetch()
                except UpstreamError as error:
                    self._failure, self._failed_s = error, self._clock()
                    raise
        return self.cookies

    def forget(self, refused: str) -> None:
        """Fetch a new one next time, unless that has happened since.

        Args:
            refused: the value that was refused.
        """
        if self._value == refused:
            self._value = ""
