"""TikTok's own HTTP doors: who is live where, and the cookie every visitor gets.

What the answers mean is in `answers.py`; here they are only fetched.
"""

from collections.abc import Mapping

from ingestor.connectors.base import LiveRoom
from ingestor.connectors.gate import Gate
from ingestor.connectors.headers import parse_set_cookies
from ingestor.connectors.http_client import HttpClient, Reply
from ingestor.connectors.session_cookies import is_logged_in
from ingestor.connectors.tiktok.answers import is_alive, live_room, room_of_page, room_of_user
from ingestor.connectors.tiktok.browser import Browser
from ingestor.connectors.visitor_cookie import VisitorCookie
from shared.errors import Blocked, RoomNotFound, RoomOffline, RoomRestricted, UpstreamError, UpstreamUnavailable


class TikTokApi:
    """One visitor of the web site, for all rooms of the process."""

    def __init__(
        self,
        http: HttpClient,
        browser: Browser,
        own_ttwid: str,
        gate: Gate,
        *,
        web_url: str,
        webcast_url: str,
    ) -> None:
        """Start a visit; nothing is asked yet.

        Args:
            http: the caller closes it.
            browser: what we look like.
            own_ttwid: the visitor's cookie of a configured session, "" to fetch one.
            gate: before TikTok.
            web_url: base of the web site.
            webcast_url: base of the webcast API.
        """
        self._http = http
        self._browser = browser
        self._own_ttwid = own_ttwid
        self._gate = gate
        self._web_url = web_url
        self._webcast_url = webcast_url
        self.visitor = VisitorCookie(self._fetch_ttwid)

    async def room_of(self, unique_id: str, session: Mapping[str, str]) -> str:
        """The id of the room a user is live in.

        Args:
            unique_id: without the @.
            session: cookies of a session, as configured.

        Raises:
            RoomNotLive: not found, offline, restricted.
            UpstreamError: it could not be found out.
        """
        query = {"uniqueId": unique_id, "sourceType": "54", "staleTime": "600000", **self._query(session)}
        try:
            reply = await self._get(f"{self._web_url}/api-live/user/room/", query, session)
            return room_of_user(reply.body)
        except (Blocked, UpstreamUnavailable) as refused:
            try:
                reply = await self._get(f"{self._web_url}/@{unique_id}/live", {}, session)
                return room_of_page(reply.body)
            except (Blocked, UpstreamUnavailable):
                raise refused from None

    async def check_live(self, room_id: str, session: Mapping[str, str]) -> LiveRoom:
        """Ask whether a room is live, and for what there is to know about it.

        Args:
            room_id: in digits.
            session: cookies of a session, as configured.

        Raises:
            RoomNotLive: not found, offline, restricted.
            UpstreamError: it could not be found out.
        """
        alive, refused = await self._alive(room_id, session)
        if alive is False:
            raise RoomOffline("the broadcast is over")
        query = {**self._query(session, room_id), "room_id": room_id}
        try:
            reply = await self._get(f"{self._webcast_url}/webcast/room/info/", query, session)
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

    async def _alive(self, room_id: str, session: Mapping[str, str]) -> tuple[bool | None, UpstreamError | None]:
        query = {**self._query(session), "room_ids": room_id}
        try:
            reply = await self._get(f"{self._webcast_url}/webcast/room/check_alive/", query, session)
            return is_alive(reply.body), None
        except (Blocked, UpstreamUnavailable) as refused:
            return None, refused

    def _query(self, session: Mapping[str, str], room_id: str = "") -> dict[str, str]:
        return self._browser.query(room_id, logged_in=is_logged_in(session))

    async def _get(self, url: str, query: Mapping[str, str], session: Mapping[str, str]) -> Reply:
        headers = self._browser.headers({**self.visitor.cookies, **session})

        async def ask() -> Reply:
            reply = await self._http.request("TikTok", "GET", url, query=query, headers=headers, follow=True)
            reply.check(refused=Blocked)
            return reply

        return await self._gate.ask(ask)

    async def _fetch_ttwid(self) -> str:
        if self._own_ttwid:
            return self._own_ttwid
        reply = await self._get(f"{self._web_url}/", {}, {})
        ttwid = parse_set_cookies(reply.headers["set-cookie"]).get("ttwid")
        if not ttwid:
            raise Blocked("TikTok's web site gave no visitor's cookie")
        return ttwid
