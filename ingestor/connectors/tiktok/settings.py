"""Settings of the TikTok connector. Every address is one: whether it is the platform or a stand-in, nobody can tell."""

from typing import Literal

from pydantic import AliasChoices, Field, SecretStr

from ingestor.connectors.session_cookies import CookiesByRoom
from ingestor.connectors.settings import ApiKey, BaseUrl, SocketUrl, UpstreamSettings, Words

ProviderName = Literal["tikhub", "euler", "direct"]


class TikTokSettings(UpstreamSettings):
    """Where TikTok and the token providers are, and what they ask for."""

    tiktok_providers: Words[ProviderName] = Field(("tikhub", "euler", "direct"), min_length=1)
    """Who is asked for what opens a socket, in this order; one that needs a key and has none is left out."""
    tiktok_cookies: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("ROOMCAST_TIKTOK_COOKIES", "WSS_COOKIES", "tiktok_cookies")
    )
    """Cookies of a session, `name=value; name2=value2` (also `WSS_COOKIES`); age-restricted rooms want `sessionid`."""
    tiktok_room_cookies: CookiesByRoom = Field(default_factory=dict)
    """Other cookies for single rooms, as JSON: `{"@somebody": "sessionid=..."}`."""

    tiktok_web_url: BaseUrl = "https://www.tiktok.com"
    """The web site: live pages, rooms of users, visitors' cookies."""
    tiktok_webcast_url: BaseUrl = "https://webcast.tiktok.com"
    """The webcast API: live checks and room details."""
    tiktok_socket_url: SocketUrl = "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/"
    """The socket where no provider names another one."""

    tikhub_api_key: ApiKey = Field(SecretStr(""), validation_alias=AliasChoices("TIKHUB_API_KEY", "tikhub_api_key"))
    """Key for TikHub, with or without `Bearer` before it; sent as it is written here."""
    tikhub_base_url: BaseUrl = Field(
        "https://api.tikhub.io", validation_alias=AliasChoices("TIKHUB_BASE_URL", "tikhub_base_url")
    )
    """TikHub's API."""
    tikhub_timeout_s: float = Field(60, ge=0.1, le=120)
    """Time for one answer of TikHub: it asks TikTok while we wait."""

    euler_api_key: ApiKey = SecretStr("")
    """Key for EulerStream; without one it answers a few requests a minute."""
    euler_base_url: BaseUrl = "https://api.eulerstream.com"
    """EulerStream's API, or one that answers like it."""
    euler_timeout_s: float = Field(15, ge=0.1, le=120)
    """Time for one answer of EulerStream."""

    tiktok_sign_url: BaseUrl | Literal[""] = ""
    """Signer of `direct` URLs: gets `{"url","user_agent"}` as JSON by POST and answers the same, signed."""
    tiktok_sign_timeout_s: float = Field(10, ge=0.1, le=120)
    """Time for one signature."""

    provider_retry_s: float = Field(1, ge=0.01, le=60)
    """Pause before a provider that gave half an answer is asked again."""
