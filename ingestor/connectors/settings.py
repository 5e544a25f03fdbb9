"""Settings of every upstream, whatever the platform."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from ingestor.connectors.headers import is_header_text
from shared.settings import RoomcastSettings


def _base_url(text: str) -> str:
    return text.rstrip("/")


BaseUrl = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$"), AfterValidator(_base_url)]
"""Scheme, host and maybe a path, without the slash at its end."""

SocketUrl = Annotated[str, Field(pattern=r"^wss?://[^\s/?#]+/[^\s?#]*$")]


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


_T = TypeVar("_T")

Words = Annotated[tuple[_T, ...], NoDecode, BeforeValidator(_words)]
"""Several items, written with commas between them."""


def _proxy_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if text and text.partition("://")[0] not in ("http", "https", "socks5", "socks5h"):
        raise ValueError("a proxy is http://, https://, socks5:// or socks5h://")
    return url


def _header_text(key: SecretStr) -> SecretStr:
    text = key.get_secret_value().strip()
    if text and not is_header_text(text):
        raise ValueError("a key is printable ASCII")
    return SecretStr(text)


ApiKey = Annotated[SecretStr, AfterValidator(_header_text)]
"""What goes into a header of its own; spaces and line ends around it are dropped."""


class UpstreamSettings(RoomcastSettings):
    """How this process goes out, and what it looks like there."""

    upstream_proxy_url: Annotated[SecretStr, AfterValidator(_proxy_url)] = SecretStr("")
    """Way out for requests and sockets to platforms: `http://`, `https://`, `socks5://`, `socks5h://`; proxies of the environment are not used."""  # noqa: E501
    upstream_user_agent: str = Field(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/155.0.0.0"
        " Safari/537.36",
        pattern=r"^Mozilla/[ -~]{10,300}$",
    )
    """Browser we say we are: a current one on a desktop, or platforms block us."""
    upstream_timeout_s: float = Field(10, ge=0.1, le=120)
    """Time for one request to a platform, and for opening a socket."""

    provider_key_rest_s: float = Field(600, ge=1, le=86_400)
    """A platform or provider that refused our key is left alone this long: asking again costs and changes nothing."""
    provider_rate_rest_s: float = Field(30, ge=1, le=3600)
    """The same after "too many requests" without an announced wait."""

    @property
    def proxy(self) -> str | None:
        """The proxy's URL, for those who open connections."""
        return self.upstream_proxy_url.get_secret_value() or None
