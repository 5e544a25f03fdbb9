"""Settings of the Douyin connector. Every address is one: whether it is the platform or a stand-in, nobody can tell."""

import string
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, SecretStr

from ingestor.connectors.session_cookies import CookiesByRoom
from ingestor.connectors.settings import BaseUrl, SocketUrl, UpstreamSettings, Words

SignerName = Literal["builtin", "remote"]

SIGN_PLACES: Final = ("stub", "room_id", "user_unique_id", "user_agent")
"""What the address of a remote signer can ask for."""

# Source: a session recorded 2026-09 for the first two, peer clients of 2025 and 2026 for the others.
_SOCKETS: Final = tuple(
    f"wss://{host}.douyin.com/webcast/im/push/v2/"
    for host in (
        "webcast100-ws-web-lq",
        "webcast100-ws-web-hl",
        "webcast100-ws-web-lf",
        "webcast5-ws-web-hl",
        "webcast5-ws-web-lf",
        "webcast5-ws-web-lq",
    )
)


def _sign_url(template: SecretStr) -> SecretStr:
    text = template.get_secret_value()
    if not text:
        return template
    try:
        parts = [part for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError:
        raise ValueError("braces have to be in pairs") from None
    if not text.startswith(("http://", "https://")) or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it is the URL of a signer")
    if not parts or any(place not in SIGN_PLACES or spec or conversion for _, place, spec, conversion in parts):
        raise ValueError(f"its places are {', '.join(f'{{{place}}}' for place in SIGN_PLACES)}")
    return template


class DouyinSettings(UpstreamSettings):
    """Where Douyin is, who signs for its socket, and whose session listens."""

    douyin_cookies: SecretStr = SecretStr("")
    """Cookies of a logged-in session, `name=value; name2=value2`; since 2026 gifts are told to sessions with `sessionid` only."""  # noqa: E501
    douyin_room_cookies: CookiesByRoom = Field(default_factory=dict)
    """Other cookies for single rooms, as JSON: `{"728804746624": "sessionid=..."}`."""

    douyin_web_url: BaseUrl = "https://live.douyin.com"
    """The web site: room pages, live checks, visitors' cookies, polling."""
    douyin_ttwid_url: BaseUrl = "https://ttwid.bytedance.com"
    """Gives a visitor's cookie where the web site gives none."""
    douyin_reflow_url: BaseUrl = "https://webcast.amemv.com"
    """Tells whose broadcast a room_id is."""
    douyin_short_url: BaseUrl = "https://v.douyin.com"
    """Short links."""
    douyin_socket_urls: Words[SocketUrl] = Field(_SOCKETS, min_length=1)
    """Sockets, all alike: the next one is tried when one cannot be reached or refuses."""

    douyin_signers: Words[SignerName] = Field(("builtin", "remote"), min_length=1)
    """Who signs for the socket, in this order; `remote` is left out when it has no address."""
    douyin_sign_url: Annotated[SecretStr, AfterValidator(_sign_url)] = SecretStr("")
    """Remote signer, a URL with places like `{stub}`, `{room_id}`, `{user_unique_id}`, `{user_agent}`; answers the signature as text or as JSON `{"signature"}`."""  # noqa: E501
    douyin_sign_timeout_s: float = Field(10, ge=0.1, le=120)
    """Time for one signature."""

    douyin_poll_interval_s: float = Field(1, ge=0.05, le=60)
    """Least pause between two polls of a room whose socket is refused; below 1 s addresses were banned."""
    douyin_socket_rest_s: float = Field(600, ge=1, le=86_400)
    """A socket that was refused for good is left alone this long; rooms are polled meanwhile."""
    douyin_blocked_rest_s: float = Field(120, ge=1, le=86_400)
    """A room that Douyin refuses at every door is left alone this long: asking again makes it worse."""
