"""What we look like to TikTok: a visitor's browser on its web site. Queries, headers and the socket's address. Pure.

Source: the query sets and headers of four peer clients and of TikTok's web player, compared in 2026.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from ingestor.connectors.headers import format_cookies
from ingestor.connectors.user_agent import system_of

DEFAULT_COOKIES = {"tt-target-idc": "useast1a"}
HISTORY_CHATS = 6  # what the player asks for on connecting


@dataclass(frozen=True, slots=True)
class Browser:
    """One visitor.

    Attributes:
        user_agent: begins with `Mozilla/`.
        site: of the web site, `https://www.tiktok.com`.
        device_id: 19 digits, the same for the life of a process.
    """

    user_agent: str
    site: str
    device_id: str

    def query(self, room_id: str = "", *, logged_in: bool = False) -> dict[str, str]:
        """What every request to the web site and the webcast API carries."""
        platform, system = system_of(self.user_agent)
        return {
            "aid": "1988",
            "app_name": "tiktok_web",
            "device_platform": "web_pc",
            "channel": "tiktok_web",
            "app_language": "en",
            "webcast_language": "en",
            "browser_language": "en-GB",
            "browser_name": "Mozilla",
            "browser_version": self._version(),
            "browser_platform": platform,
            "browser_online": "true",
            "cookie_enabled": "true",
            "screen_width": "1920",
            "screen_height": "1080",
            "tz_name": "Europe/London",
            "focus_state": "true",
            "is_page_visible": "true",
            "is_fullscreen": "false",
            "history_len": "8",
            "from_page": "user",
            "data_collection_enabled": "true",
            "os": system,
            "region": "GB",
            "priority_region": "GB",
            "user_is_login": "true" if logged_in else "false",
            "referer": "",
            "root_referer": "",
            "device_id": self.device_id,
            "msToken": "",
            **({"room_id": room_id} if room_id else {}),
        }

    def headers(self, cookies: Mapping[str, str]) -> dict[str, str]:
        """Of every request to the web site and the webcast API."""
        return {
            "User-Agent": self.user_agent,
            "Accept": "text/html,application/json,application/protobuf",
            "Accept-Language": "en-GB,en;q=0.9",
            "Accept-Encoding": "gzip, deflate",
            "Referer": f"{self.site}/",
            "Origin": self.site,  # webcast refuses a slash at its end
            "Cache-Control": "max-age=0",
            "Sec-Fetch-Site": "same-site",
            "Sec-Fetch-Mode": "cors",
            "Sec-Fetch-Dest": "empty",
            "Cookie": format_cookies({**DEFAULT_COOKIES, **cookies}),
        }

    def socket_headers(self, cookies: Mapping[str, str]) -> dict[str, str]:
        """Of the socket's handshake, but for the user agent."""
        return {
            "Cookie": format_cookies({**DEFAULT_COOKIES, **cookies}),
            "Origin": self.site,
            "Referer": f"{self.site}/",
            "Accept-Language": "en-GB,en;q=0.9",
            "Cache-Control": "no-cache",
        }

    def socket_url(
        self,
        push_server: str,
        room_id: str,
        *,
        route_params: Iterable[tuple[str, str]] = (),
        cursor: str = "",
        internal_ext: str = "",
        direct: bool = False,
    ) -> str:
        """The address of a room's socket.

        Args:
            push_server: without query, as a provider named it.
            room_id: in digits.
            route_params: from the provider, in its order; these stand first, and empty ones not at all.
            cursor: where to go on; "" begins now.
            internal_ext: that belongs to the cursor.
            direct: no provider vouches for us.
        """
        platform, _ = system_of(self.user_agent)
        pairs = [
            *((name, value) for name, value in route_params if value),
            ("version_code", "180800"),
            ("device_platform", "web"),
            ("cookie_enabled", "true"),
            ("screen_width", "1920"),
            ("screen_height", "1080"),
            ("browser_language", "en-GB"),
            ("browser_platform", platform),
            ("browser_name", "Mozilla"),
            ("browser_version", self._version()),
            ("browser_online", "true"),
            ("tz_name", "Europe/London"),
            ("app_name", "tiktok_web"),
            ("sup_ws_ds_opt", "1"),
            ("update_version_code", "2.0.0"),
            ("compress", "gzip"),
            ("webcast_language", "en"),
            ("ws_direct", "1" if direct else "0"),
            ("aid", "1988"),
            ("live_id", "12"),
            ("app_language", "en"),
            ("client_enter", "1"),
            ("room_id", room_id),
            ("identity", "audience"),
            ("history_comment_count", str(HISTORY_CHATS)),
            ("last_rtt", "100"),
            ("heartbeat_duration", "10000"),
            ("resp_content_type", "protobuf"),
            ("did_rule", "3"),
            *((("internal_ext", internal_ext),) if internal_ext else ()),
            *((("cursor", cursor),) if cursor else ()),
            ("version_code", "270000"),  # appended a second time by the player
        ]
        # Route params are encoded too: one provider echoes a raw user agent in one, and spaces give HTTP 400.
        query = urlencode(pairs, quote_via=quote, safe="")
        return f"{push_server}{'&' if '?' in push_server else '?'}{query}"

    def _version(self) -> str:
        return self.user_agent.removeprefix("Mozilla/")


def same_site(url: str, other: str) -> bool:
    """Whether two addresses belong to one owner, by the last two labels of their hosts: who may see our cookies."""
    host, other_host = (urlsplit(address).hostname or "" for address in (url, other))
    if not host or not other_host:
        return False
    if host == other_host:
        return True
    is_name = host[-1].isalpha()  # numeric addresses have no labels
    return is_name and host.split(".")[-2:] == other_host.split(".")[-2:]
