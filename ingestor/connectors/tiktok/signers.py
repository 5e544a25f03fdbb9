"""Token providers: each gives, on request, what opens one socket of one room.

A provider asks, reads the answer and sorts its errors; it keeps nothing, for a bootstrap opens one socket once. All
rooms of the process ask through its one gate. Keys, cookies and signed addresses never reach an error or a log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from ingestor.connectors.account import Account
from ingestor.connectors.gate import new_gate
from ingestor.connectors.headers import is_header_text, parse_set_cookies
from ingestor.connectors.http_client import HttpClient
from ingestor.connectors.json_answers import json_object
from ingestor.connectors.tiktok.bootstrap import Bootstrap, refusal, response_of_json, route_params
from ingestor.connectors.tiktok.browser import Browser
from ingestor.connectors.tiktok.settings import TikTokSettings
from ingestor.connectors.visitor_cookie import VisitorCookie
from ingestor.connectors.webcast import MAX_CURSOR_BYTES, MAX_INTERNAL_EXT_BYTES, read_response
from ingestor.connectors.websocket import is_socket_url
from protos import webcast_pb2 as pb
from shared.errors import Blocked, ConfigError, KeyRefused, RemoteProtocolError, RoomOffline, UpstreamUnavailable
from shared.settings import environment_names

logger = logging.getLogger(__name__)

PLATFORM: Final = "tiktok"

TIKHUB_TRIES: Final = 5  # its signer comes without a signature at times, and with one a moment later
EULER_TRIES: Final = 2  # for an answer without cookies

_T = TypeVar("_T")


class Provider(Protocol):
    """Somebody who can open rooms for us."""

    name: str
    account: Account

    async def bootstrap(self, room_id: str, position: str) -> Bootstrap:
        """Get a fresh bootstrap.

        Args:
            room_id: in digits.
            position: the upstream's cursor to go on from, "" to begin now.

        Raises:
            UpstreamError: of the type that says why not.
        """


class TikHub:
    """Asks TikHub for a bootstrap as JSON; the visitor's cookie is our own."""

    name = "tikhub"
    account = Account(PLATFORM, name)

    def __init__(self, http: HttpClient, browser: Browser, visitor: VisitorCookie, settings: TikTokSettings) -> None:
        self._gate = new_gate(settings)
        self._http = http
        self._browser = browser
        self._visitor = visitor
        self._settings = settings

    async def bootstrap(self, room_id: str, position: str) -> Bootstrap:
        """See `Provider`."""
        cookies = await self._visitor.get()
        response = await _whole(
            lambda: self._gate.ask(lambda: self._ask(room_id)), TIKHUB_TRIES, self._settings.provider_retry_s
        )
        url = _socket_url(self._browser, response, room_id, position, self._settings.tiktok_socket_url)
        return Bootstrap(url, cookies, self._browser.user_agent, response)

    async def _ask(self, room_id: str) -> pb.Response:
        reply = await self._http.request(
            "TikHub",
            "GET",
            f"{self._settings.tikhub_base_url}/api/v1/tiktok/web/fetch_live_im_fetch",
            query={"room_id": room_id, "user_unique_id": ""},
            headers={"Authorization": self._settings.tikhub_api_key.get_secret_value()},
            timeout_s=self._settings.tikhub_timeout_s,
        )
        self.account.tell_quota(reply)
        reply.check(refused=KeyRefused)
        answer = json_object(reply.body) or {}
        if answer.get("code") != 200:
            raise refusal("TikHub", answer.get("code"), reply.wait_s)
        data = answer.get("data")
        if isinstance(data, str):  # seen, and meant as the object it holds
            data = json_object(data.encode("utf8", "replace"))
        if not isinstance(data, dict):
            raise RoomOffline("TikHub finds no broadcast in the room")
        if data.get("status_code"):
            raise refusal("TikHub", data["status_code"])
        response = response_of_json(data)
        if not route_params(response).get("wrss"):
            raise _Incomplete("TikHub gave no signature")
        return response


class Euler:
    """Asks EulerStream, or a server that answers like it, for a bootstrap as protobuf, with its cookies."""

    name = "euler"
    account = Account(PLATFORM, name)

    def __init__(self, http: HttpClient, browser: Browser, settings: TikTokSettings) -> None:
        self._gate = new_gate(settings)
        self._http = http
        self._browser = browser
        self._settings = settings

    async def bootstrap(self, room_id: str, position: str) -> Bootstrap:
        """See `Provider`."""
        response, cookies = await _whole(
            lambda: self._gate.ask(lambda: self._ask(room_id, position)), EULER_TRIES, self._settings.provider_retry_s
        )
        url = _socket_url(self._browser, response, room_id, position, self._settings.tiktok_socket_url)
        return Bootstrap(url, cookies, self._browser.user_agent, response)

    async def _ask(self, room_id: str, position: str) -> tuple[pb.Response, dict[str, str]]:
        key = self._settings.euler_api_key.get_secret_value()
        query = {
            "client": "ttlive-other",
            "room_id": room_id,
            "user_agent": self._browser.user_agent,
            "client_enter": "true",
            "cursor": position,
        }
        headers = {"Accept": "application/protobuf,application/json", "User-Agent": "roomcast", "X-Api-Key": key}
        reply = await self._http.request(
            "EulerStream",
            "GET",
            f"{self._settings.euler_base_url}/webcast/fetch",
            query={name: value for name, value in query.items() if value},
            headers={name: value for name, value in headers.items() if value},
            timeout_s=self._settings.euler_timeout_s,
        )
        self.account.tell_quota(reply)
        reply.check(refused=KeyRefused)
        if not reply.body:
            raise Blocked("EulerStream answered nothing: TikTok has detected it")
        answer = json_object(reply.body)
        if answer is not None:  # its errors are JSON, under HTTP 200 too
            raise refusal("EulerStream", answer.get("code"), reply.wait_s)
        try:
            response = read_response(reply.body)
        except RemoteProtocolError:
            raise UpstreamUnavailable("EulerStream's bootstrap cannot be read") from None
        if not (response.cursor and response.push_server and any(route_params(response).values())):
            raise Blocked("EulerStream's bootstrap is empty: TikTok has detected it")
        cookies = parse_set_cookies(reply.headers.get("x-set-tt-cookie", ""))
        if not cookies:
            raise _Incomplete("EulerStream gave no cookies")
        return response, cookies


class Direct:
    """Asks nobody: a visitor's cookie and the right address, signed where a signer is set.

    Source: TikTok's web player signs the address; two peer clients did without until mid 2026, others met refusals.
    """

    name = "direct"
    account = Account(PLATFORM, name)

    def __init__(self, http: HttpClient, browser: Browser, visitor: VisitorCookie, settings: TikTokSettings) -> None:
        self._gate = new_gate(settings)
        self._http = http
        self._browser = browser
        self._visitor = visitor
        self._settings = settings

    async def bootstrap(self, room_id: str, position: str) -> Bootstrap:
        """See `Provider`."""
        cookies = await self._visitor.get()
        url = self._browser.socket_url(self._settings.tiktok_socket_url, room_id, cursor=position, direct=True)
        user_agent = self._browser.user_agent
        if self._settings.tiktok_sign_url:
            url, user_agent = await self._gate.ask(lambda: self._sign(url, user_agent))
        return Bootstrap(url, cookies, user_agent, pb.Response())

    async def _sign(self, url: str, user_agent: str) -> tuple[str, str]:
        reply = await self._http.request(
            "the signer",
            "POST",
            self._settings.tiktok_sign_url,
            body={"url": url, "user_agent": user_agent},
            timeout_s=self._settings.tiktok_sign_timeout_s,
        )
        self.account.tell_quota(reply)
        reply.check(refused=KeyRefused)
        answer = json_object(reply.body) or {}
        signed, agent = answer.get("url"), answer.get("user_agent", user_agent)
        if isinstance(signed, str) and is_socket_url(signed) and isinstance(agent, str) and is_header_text(agent):
            return signed, agent
        raise UpstreamUnavailable("the signer's answer is none")


def usable_providers(
    http: HttpClient, browser: Browser, visitor: VisitorCookie, settings: TikTokSettings
) -> list[Provider]:
    """The providers of the settings, in their order, but for those whose key is missing.

    Raises:
        ConfigError: none is left.
    """
    makers: dict[str, Callable[[], Provider]] = {
        "tikhub": lambda: TikHub(http, browser, visitor, settings),
        "euler": lambda: Euler(http, browser, settings),
        "direct": lambda: Direct(http, browser, visitor, settings),
    }
    names = list(dict.fromkeys(settings.tiktok_providers))
    setting_of = environment_names(TikTokSettings)
    if "euler" in names:
        without = "answers a few requests a minute"
        Euler.account.tell_key(settings.euler_api_key, setting_of["euler_api_key"], without=without)
    if "tikhub" in names:
        TikHub.account.tell_key(settings.tikhub_api_key, setting_of["tikhub_api_key"], without="is left out")
        if not settings.tikhub_api_key.get_secret_value():
            names.remove("tikhub")
    if not names:
        raise ConfigError("ROOMCAST_TIKTOK_PROVIDERS: tikhub alone needs TIKHUB_API_KEY")
    logger.info("providers chosen platform=%s order=%s", PLATFORM, ",".join(names))
    return [makers[name]() for name in names]


class _Incomplete(UpstreamUnavailable):
    """The answer is of the right kind and lacks what matters; the next one may have it."""


async def _whole(ask: Callable[[], Awaitable[_T]], tries: int, pause_s: float) -> _T:
    """Ask until the answer is whole; the last half answer is raised."""
    for _ in range(tries - 1):
        try:
            return await ask()
        except _Incomplete:
            await asyncio.sleep(pause_s)
    return await ask()


def _socket_url(browser: Browser, response: pb.Response, room_id: str, position: str, default: str) -> str:
    push_server = response.push_server.decode("utf8", "replace") or default
    if not is_socket_url(push_server):
        raise UpstreamUnavailable("the provider named no socket")
    if len(response.internal_ext) > MAX_INTERNAL_EXT_BYTES or len(response.cursor) > MAX_CURSOR_BYTES:
        raise UpstreamUnavailable("the provider's bootstrap is too large for an address")
    return browser.socket_url(
        push_server,
        room_id,
        route_params=route_params(response).items(),
        cursor=position or response.cursor.decode("utf8", "replace"),
        internal_ext=response.internal_ext.decode("utf8", "replace"),
    )
