"""What we look like to Douyin: a visitor's browser on its live site. Queries, headers and the socket's address. Pure.

Source: the handshake of a session recorded 2026-09, and the query sets of five peer clients, compared in 2026.
"""

import random
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from ingestor.connectors.douyin.a_bogus import a_bogus
from ingestor.connectors.headers import format_cookies
from ingestor.connectors.user_agent import system_of

SDK_VERSION: Final = "1.0.15"  # current in 2026; most peer clients still get in with 1.0.14-beta.0
HISTORY_MESSAGES: Final = 15  # what the page asks for on connecting

_TOKEN_CHARACTERS: Final = 184
_TOKEN_ALPHABET: Final = string.ascii_letters + string.digits + "_-"
# Name in a user agent -> what a script calls that browser; the names of some browsers hold those of others.
_BROWSERS: Final = {"Edg": "Edge", "Chrome": "Chrome", "Firefox": "Firefox"}
# What a script calls the system, and its version. Source: peer clients for Windows; the others by analogy.
_SYSTEMS: Final = {"windows": ("Windows", "10"), "mac": ("Mac OS", "10.15.7"), "linux": ("Linux", "x86_64")}


@dataclass(frozen=True, slots=True)
class MadeUp:
    """What the page's scripts make up for one request to the web site.

    Attributes:
        time_ms: when, since 1970.
        ms_token: any text of the right form; the site gives real ones to those who ran its scripts.
        draws: for `a_bogus`.
    """

    time_ms: int
    ms_token: str
    draws: tuple[float, float, float]

    @classmethod
    def draw(cls, rng: random.Random, time_ms: int) -> "MadeUp":
        """Make it up."""
        return cls(
            time_ms,
            "".join(rng.choices(_TOKEN_ALPHABET, k=_TOKEN_CHARACTERS)),
            (rng.random(), rng.random(), rng.random()),
        )


@dataclass(frozen=True, slots=True)
class Browser:
    """One visitor.

    Attributes:
        user_agent: begins with `Mozilla/`; of a desktop, for others are sent elsewhere.
        site: of the live site, `https://live.douyin.com`.
    """

    user_agent: str
    site: str

    def enter_query(self, web_rid: str, made_up: MadeUp) -> str:
        """What `web/enter` is asked with, percent-encoded and signed.

        Args:
            web_rid: of the room.
            made_up: for this request.
        """
        name, version = self._product()
        os_name, os_version = _SYSTEMS[system_of(self.user_agent)[1]]
        return self._signed(
            {
                "aid": "6383",
                "app_name": "douyin_web",
                "live_id": "1",
                "language": "zh-CN",
                "enter_from": "web_live",
                **self._device(name, version),
                "os_name": os_name,
                "os_version": os_version,
                "web_rid": web_rid,
                "room_id_str": "",  # it is what we ask for
                "enter_source": "",
                "is_need_double_stream": "false",
                "insert_task_id": "",
                "live_reason": "",
            },
            made_up,
        )

    def fetch_query(self, room_id: str, user_unique_id: str, cursor: str, internal_ext: str, made_up: MadeUp) -> str:
        """What `im/fetch` is asked with, percent-encoded and signed.

        Args:
            room_id: of the broadcast.
            user_unique_id: the visitor's number.
            cursor, internal_ext: of the last answer, "" to begin.
            made_up: for this request.
        """
        return self._signed(
            {
                "resp_content_type": "protobuf",
                "did_rule": "3",
                "device_id": "",
                "app_name": "douyin_web",
                "endpoint": "live_pc",
                "support_wrds": "1",
                "user_unique_id": user_unique_id,
                "identity": "audience",
                "need_persist_msg_count": str(HISTORY_MESSAGES),
                "insert_task_id": "",
                "live_reason": "",
                "room_id": room_id,
                "version_code": "180800",
                "last_rtt": "0",
                "live_id": "1",
                "aid": "6383",
                "fetch_rule": "1",
                "cursor": cursor,
                "internal_ext": internal_ext,
                **self._device("Mozilla", self._version()),
                "browser_online": "true",
                "tz_name": "Asia/Shanghai",
            },
            made_up,
        )

    @staticmethod
    def reflow_query(room_id: str) -> dict[str, str]:
        """What `reflow/info` is asked with; nothing of it is signed."""
        return {
            "type_id": "0",
            "live_id": "1",
            "room_id": room_id,
            "sec_user_id": "",
            "version_code": "99.99.99",
            "app_id": "6383",
        }

    def socket_query(self, room_id: str, user_unique_id: str, cursor: str, internal_ext: str) -> dict[str, str]:
        """What a socket is opened with, but for the signature of it.

        Args:
            room_id: of the broadcast.
            user_unique_id: the visitor's number.
            cursor: where to go on, or a synthetic one.
            internal_ext: that belongs to the cursor, or a synthetic one.
        """
        return {
            "app_name": "douyin_web",
            "version_code": "180800",
            "webcast_sdk_version": SDK_VERSION,
            "update_version_code": SDK_VERSION,
            "compress": "gzip",
            "cursor": cursor,
            "internal_ext": internal_ext,
            "host": self.site,
            "aid": "6383",
            "live_id": "1",
            "did_rule": "3",
            "debug": "false",
            "maxCacheMessageNumber": "20",
            "endpoint": "live_pc",
            "support_wrds": "1",
            "im_path": "/webcast/im/fetch/",
            "user_unique_id": user_unique_id,
            **self._device("Mozilla", self._version()),
            "browser_online": "true",
            "tz_name": "Asia/Shanghai",
            "identity": "audience",
            "room_id": room_id,
            "need_persist_msg_count": str(HISTORY_MESSAGES),
            "insert_task_id": "",
            "live_reason": "",
            "heartbeatDuration": "0",
        }

    @staticmethod
    def socket_url(base: str, query: Mapping[str, str], signature: str) -> str:
        """The address of a room's socket.

        Args:
            base: without query.
            query: the one that was signed.
            signature: as it was made; a `+` that is not encoded would be read as a space.
        """
        return f"{base}?{_encoded({**query, 'signature': signature})}"

    def headers(self, web_rid: str, cookies: Mapping[str, str]) -> dict[str, str]:
        """Of every request but the socket's.

        Args:
            web_rid: of the room whose page we are on, "" for none.
            cookies: of the visitor or a session; may be none.
        """
        headers = {
            "User-Agent": self.user_agent,
            "Accept": "text/html,application/json,application/protobuf,*/*;q=0.8",
            "Accept-Language": "zh-CN,zh;q=0.9",
            "Accept-Encoding": "gzip, deflate",
            "Referer": f"{self.site}/{web_rid}",
        }
        return {**headers, "Cookie": format_cookies(cookies)} if cookies else headers

    def socket_headers(self, web_rid: str, cookies: Mapping[str, str]) -> dict[str, str]:
        """Of the socket's handshake, but for the user agent; arguments as for `headers`."""
        return {
            "Cookie": format_cookies(cookies),
            "Origin": self.site,
            "Referer": f"{self.site}/{web_rid}",
            "Accept-Language": "zh-CN,zh;q=0.9",
            "Cache-Control": "no-cache",
        }

    def _device(self, name: str, version: str) -> dict[str, str]:
        """What every query says of the device. Scripts of one page differ in what they call the browser."""
        return {
            "device_platform": "web",
            "cookie_enabled": "true",
            "screen_width": "1920",
            "screen_height": "1080",
            "browser_language": "zh-CN",
            "browser_platform": system_of(self.user_agent)[0],
            "browser_name": name,
            "browser_version": version,
        }

    def _signed(self, query: Mapping[str, str], made_up: MadeUp) -> str:
        encoded = _encoded({**query, "msToken": made_up.ms_token})
        signature = a_bogus(encoded, self.user_agent, time_ms=made_up.time_ms, draws=made_up.draws)
        return f"{encoded}&a_bogus={quote(signature, safe='')}"

    def _version(self) -> str:
        return self.user_agent.removeprefix("Mozilla/")

    def _product(self) -> tuple[str, str]:
        for token, name in _BROWSERS.items():
            if found := re.search(rf"\b{token}/([0-9.]+)", self.user_agent):
                return name, found[1]
        return "Mozilla", self._version()


def synthetic_cursor(now_ms: int) -> str:
    """Where to begin, for a socket that has no cursor yet. Source: the session recorded 2026-09."""
    return f"h-1_t-{now_ms}_r-1_d-1_u-1"


def synthetic_internal_ext(room_id: str, user_unique_id: str, now_ms: int) -> str:
    """What belongs to a synthetic cursor. Source: five peer clients, 2025 and 2026."""
    pairs = {
        "internal_src": "dim",
        "wss_push_room_id": room_id,
        "wss_push_did": user_unique_id,
        "first_req_ms": now_ms,
        "fetch_time": now_ms,
        "seq": 1,
        "wss_info": f"0-{now_ms}-0-0",
        "wrds_v": now_ms // 1000 << 32,  # any recent id will do, and all begin with a time
    }
    return "|".join(f"{name}:{value}" for name, value in pairs.items())


def _encoded(query: Mapping[str, str]) -> str:
    return urlencode(query, quote_via=quote, safe="")
