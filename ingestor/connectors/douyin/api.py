"""Douyin's own HTTP doors: who is live where, what a link leads to, and what is told without a socket.

What the answers mean is in `answers.py`; here they are only fetched. The room page and `web/enter` tell the same, and
each stands in for the other; when one refuses us, the other is asked first from then on.
"""

import random
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final
from urllib.parse import urlencode

from ingestor.connectors.base import LiveRoom
from ingestor.connectors.douyin.ac_signature import ac_signature
from ingestor.connectors.douyin.answers import (
    fetch_refusal,
    live_room_of_enter,
    live_room_of_page,
    visitor_of_page,
    web_rid_of_reflow,
)
from ingestor.connectors.douyin.browser import Browser, MadeUp
from ingestor.connectors.douyin.links import HOPS_MAX, Links
from ingestor.connectors.douyin.polling import MAX_ANSWER_BYTES
from ingestor.connectors.douyin.settings import DouyinSettings
from ingestor.connectors.douyin.visitor import Visitor
from ingestor.connectors.gate import Gate, new_gate
from ingestor.connectors.headers import parse_set_cookies
from ingestor.connectors.http_client import MAX_UNZIPPED_BYTES, HttpClient, Reply
from shared.clock import now_ms
from shared.errors import (
    Blocked,
    LoginRequired,
    RoomNotFound,
    RoomNotLive,
    RoomOffline,
    UpstreamError,
    UpstreamUnavailable,
)

POLLS_AT_ONCE: Final = 32
"""They go on and on, and must not stand before those who ask whether a room is live."""

_NONCE: Final = "__ac_nonce"
_GONE: Final = (404, 410)
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_REGISTRATION: Final = {
    # Source: a peer client, 2025.
    "region": "cn",
    "aid": 1768,
    "needFid": False,
    "service": "www.ixigua.com",
    "migrate_info": {"ticket": "", "source": "node"},
    "cbUrlProtocol": "https",
    "union": True,
}

_Door = Callable[[str, Mapping[str, str]], Awaitable[LiveRoom]]


class DouyinApi:
    """One visitor of the web site, for all rooms of the process."""

    def __init__(
        self, http: HttpClient, browser: Browser, own_ttwid: str, settings: DouyinSettings, rng: random.Random
    ) -> None:
        """Start a visit; nothing is asked yet.

        Args:
            http: the caller closes it.
            browser: what we look like.
            own_ttwid: the visitor's cookie of a configured session, "" to fetch one.
            settings: addresses and rests.
            rng: for what a browser makes up.
        """
        self._http = http
        self._browser = browser
        self._own_ttwid = own_ttwid
        self._settings = settings
        self._rng = rng
        self._gate = new_gate(settings)
        self._poll_gate = new_gate(settings, at_once=POLLS_AT_ONCE)
        self._links = Links(settings.douyin_web_url, settings.douyin_reflow_url, settings.douyin_short_url)
        self._doors: tuple[_Door, _Door] = (self._enter, self._page)
        self.visitor = Visitor(self._fetch_ttwid, rng)

    # --- what is asked ------------------------------------------------------------------------------------------------

    async def check_live(self, web_rid: str, session: Mapping[str, str]) -> LiveRoom:
        """Ask whether somebody is live, and for what there is to know about the broadcast.

        Args:
            web_rid: the room.
            session: cookies of a session, as configured.

        Raises:
            RoomNotLive: not found, offline, banned, only for sessions that are logged in.
            UpstreamError: it could not be found out.
        """
        ttwid = (await self.visitor.cookie.get())["ttwid"]
        try:
            return await self._ask_doors(web_rid, session)
        except Blocked as blocked:  # empty answers are what a worn-out cookie gets
            if not self.renew_visitor(ttwid):
                raise self._for_long(blocked) from None
        try:
            return await self._ask_doors(web_rid, session)
        except Blocked as blocked:
            raise self._for_long(blocked) from None

    def renew_visitor(self, refused_ttwid: str) -> bool:
        """Become another visitor, unless who we are is configured, or is new. False: it would not help."""
        return not self._own_ttwid and self.visitor.renew(refused_ttwid)

    async def room_of(self, name: str) -> str:
        """The web_rid behind `room.<room_id>` or `link.<code>`.

        Raises:
            RoomNotFound: it leads nowhere.
            UpstreamError: it could not be found out.
        """
        kind, _, value = name.partition(".")
        if kind == "link":
            value = await self._follow(value)
            kind, _, value = value.rpartition(".")
        return await self._reflow(value) if kind == "room" else value

    async def fetch(
        self, web_rid: str, room_id: str, session: Mapping[str, str], cursor: str, internal_ext: str
    ) -> bytes:
        """Poll once; the body of the answer, a Response.

        Raises:
            BodyTooLarge: it has more than MAX_ANSWER_BYTES.
            UpstreamError: it could not be had.
        """
        query = self._browser.fetch_query(room_id, self.visitor.number, cursor, internal_ext, self._made_up())
        url = f"{self._settings.douyin_web_url}/webcast/im/fetch/?{query}"
        reply = await self._get(url, web_rid, session, self._poll_gate, max_bytes=MAX_ANSWER_BYTES)
        if refusal := fetch_refusal(reply.body):
            raise refusal
        return reply.body

    # --- the doors ----------------------------------------------------------------------------------------------------

    async def _ask_doors(self, web_rid: str, session: Mapping[str, str]) -> LiveRoom:
        first, second = self._doors
        try:
            return await first(web_rid, session)
        except (RoomOffline, RoomNotFound) as absent:  # has been wrong. Source: public reports, 2022 to 2026.
            try:
                return await second(web_rid, session)
            except RoomNotFound:  # the weaker word
                raise absent from None
            except RoomNotLive:
                raise
            except UpstreamError:
                raise absent from None
        except (Blocked, LoginRequired, UpstreamUnavailable) as refused:
            try:
                live = await second(web_rid, session)
            except (Blocked, UpstreamUnavailable):
                raise refused from None
            if isinstance(refused, Blocked):
                self._doors = second, first
            return live

    async def _enter(self, web_rid: str, session: Mapping[str, str]) -> LiveRoom:
        query = self._browser.enter_query(web_rid, self._made_up())
        reply = await self._get(f"{self._settings.douyin_web_url}/webcast/room/web/enter/?{query}", web_rid, session)
        return live_room_of_enter(reply.body, reply.headers)

    async def _page(self, web_rid: str, session: Mapping[str, str]) -> LiveRoom:
        url = f"{self._settings.douyin_web_url}/{web_rid}"
        reply = await self._get(url, web_rid, session, accepted=_GONE)
        if nonce := parse_set_cookies(reply.headers["set-cookie"]).get(_NONCE):
            self.visitor.nonce = nonce
            try:
                return self._read_page(reply)
            except Blocked:  # a challenge: whoever asks again with the cookie is let in
                reply = await self._get(url, web_rid, session, accepted=_GONE)
        return self._read_page(reply)

    def _read_page(self, reply: Reply) -> LiveRoom:
        self.visitor.learn_number(visitor_of_page(reply.body))
        return live_room_of_page(reply.body, reply.status)

    async def _reflow(self, room_id: str) -> str:
        query = urlencode(self._browser.reflow_query(room_id))
        reply = await self._get_as_stranger(f"{self._settings.douyin_reflow_url}/webcast/room/reflow/info/?{query}")
        return web_rid_of_reflow(reply.body)

    async def _follow(self, code: str) -> str:
        """The room half of the key that a short link leads to."""
        url = f"{self._settings.douyin_short_url}/{code}/"
        for _ in range(HOPS_MAX):
            if room := self._links.room_of(url):
                return room
            reply = await self._get_as_stranger(url, accepted=_REDIRECTS)
            location = self._links.next_hop(url, reply.headers.get("location", ""))
            if location is None:
                break
            url = location
        raise RoomNotFound("the link leads to no room")

    # --- asking -------------------------------------------------------------------------------------------------------

    async def _get(
        self,
        url: str,
        web_rid: str,
        session: Mapping[str, str],
        gate: Gate | None = None,
        *,
        accepted: Collection[int] = (),
        max_bytes: int = MAX_UNZIPPED_BYTES,
    ) -> Reply:
        """Ask the web site for something, as the page of a room would: with all cookies, which are for nobody else.

        Args:
            url: of the web site, with its query.
            web_rid: the page we come from.
            session: cookies of a session.
            gate: to pass; None for that of all who do not poll.
            accepted: HTTP statuses of errors that mean something to the caller.
            max_bytes: of the answer, unzipped.

        Raises:
            UpstreamError: what any other status says, or no answer.
        """
        visitor = await self.visitor.cookie.get()  # without it pages of rooms are empty
        path = url.partition("://")[2].partition("?")[0]
        signature = ac_signature(path, self.visitor.nonce, self._browser.user_agent, int(time.time()))
        cookies = {**visitor, _NONCE: self.visitor.nonce, "__ac_signature": signature, **session}
        headers = self._browser.headers(web_rid, cookies)
        return await self._ask(gate or self._gate, "GET", url, headers, accepted=accepted, max_bytes=max_bytes)

    async def _get_as_stranger(self, url: str, *, accepted: Collection[int] = ()) -> Reply:
        """Ask anybody for something, without cookies: as a browser comes to a site for the first time.

        Args:
            url: with its query.
            accepted: HTTP statuses of errors that mean something to the caller.

        Raises:
            UpstreamError: what any other status says, or no answer.
        """
        return await self._ask(self._gate, "GET", url, self._browser.headers("", {}), accepted=accepted)

    async def _ask(
        self,
        gate: Gate,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: object = None,
        accepted: Collection[int] = (),
        max_bytes: int = MAX_UNZIPPED_BYTES,
    ) -> Reply:
        async def ask() -> Reply:
            reply = await self._http.request("Douyin", method, url, headers=headers, body=body, max_bytes=max_bytes)
            if reply.status not in accepted:
                reply.check(refused=Blocked)
            return reply

        return await gate.ask(ask)

    def _made_up(self) -> MadeUp:
        return MadeUp.draw(self._rng, now_ms())

    async def _fetch_ttwid(self) -> str:
        if self._own_ttwid:
            return self._own_ttwid
        try:
            reply = await self._get_as_stranger(f"{self._settings.douyin_web_url}/")
            ttwid = parse_set_cookies(reply.headers["set-cookie"]).get("ttwid")
        except (Blocked, UpstreamUnavailable):
            ttwid = None
        return ttwid or await self._register()

    async def _register(self) -> str:
        """Get the cookie at the door that gives it to every site of the company."""
        url = f"{self._settings.douyin_ttwid_url}/ttwid/union/register/"
        reply = await self._ask(self._gate, "POST", url, {"User-Agent": self._browser.user_agent}, body=_REGISTRATION)
        ttwid = parse_set_cookies(reply.headers["set-cookie"]).get("ttwid")
        if not ttwid:
            raise Blocked("Douyin gave no visitor's cookie")
        return ttwid

    def _for_long(self, blocked: Blocked) -> Blocked:
        return Blocked(blocked.detail, retry_after_s=self._settings.douyin_blocked_rest_s)
