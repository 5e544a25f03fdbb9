"""HTTP requests to platforms and providers: bounded in time and size, with typed errors and no memory for cookies.

URLs, headers and bodies may hold secrets: none of them reaches an error or a log line.
"""

import asyncio
import functools
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from ingestor.connectors.headers import announced_wait_s, quota_left
from ingestor.connectors.inflate import InflateError, InflateTooLarge, inflate
from shared.errors import RateLimited, UpstreamError, UpstreamUnavailable

MAX_BODY_BYTES = 4 * 1024 * 1024  # as sent; live pages have some 300 KB
MAX_UNZIPPED_BYTES = 16 * 1024 * 1024  # where the caller sets no lower bound
MAX_REDIRECTS = 3


class BodyTooLarge(UpstreamUnavailable):
    """The answer is larger than one to that question may be."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Attributes:
        peer: who gave it, for error texts.
        status: of HTTP.
        headers: names in lower case; several lines of one name are joined by commas. `set-cookie` is always there, and
            has those of redirects on the way as well.
        body: unzipped.
        wait_s: how long it asked us to wait, where it did.
        quota_left: how many more calls it will answer, where it said so.
    """

    peer: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    wait_s: float | None
    quota_left: int | None = None

    def check(self, *, refused: type[UpstreamError]) -> None:
        """Raise what an HTTP status says.

        Args:
            refused: what 401, 402 and 403 mean here.

        Raises:
            RateLimited: 429, with the announced wait.
            UpstreamUnavailable: 5xx, 4xx of no special meaning, and a redirect that was not followed.
        """
        if self.status < 300:
            return
        detail = f"{self.peer} answered HTTP {self.status}"
        if self.status == 429:
            raise RateLimited(detail, retry_after_s=self.wait_s)
        if self.status in (401, 402, 403):
            raise refused(detail)
        raise UpstreamUnavailable(detail, retry_after_s=self.wait_s)


@functools.cache
def tls_context() -> ssl.SSLContext:
    """For all connections of the process; to make one takes as long as a hundred events. `SSL_CERT_FILE` counts."""
    return httpx.create_ssl_context()


class HttpClient:
    """The connections of one process to the outside."""

    def __init__(self, *, proxy: str | None, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            verify=tls_context(),
            proxy=proxy,
            trust_env=False,
            timeout=None,  # noqa: S113 - one deadline for the whole request is set around it
            max_redirects=MAX_REDIRECTS,
            # Rooms must not share cookies by accident: the jar takes none.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def request(
        self,
        peer: str,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        timeout_s: float | None = None,
        follow: bool = False,
        max_bytes: int = MAX_UNZIPPED_BYTES,
    ) -> Reply:
        """Ask and read the whole answer.

        Args:
            peer: who is asked, for error texts.
            method: GET or POST.
            url: without query.
            query: to be percent-encoded.
            headers: sent as they are.
            body: sent as JSON.
            timeout_s: for all of it; else that of the client.
            follow: redirects; not with a key among the headers, which would go to whatever host is named.
            max_bytes: of the answer's body, unzipped.

        Raises:
            BodyTooLarge: larger than a bound.
            UpstreamUnavailable: no answer, or not in time.
        """
        try:
            async with asyncio.timeout(timeout_s or self._timeout_s):
                return await self._request(peer, method, url, query, headers, body, follow, max_bytes)
        except TimeoutError:
            raise UpstreamUnavailable(f"{peer} did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise UpstreamUnavailable(f"{peer} could not be asked ({type(error).__name__})") from None
        except InflateTooLarge:
            raise BodyTooLarge(f"{peer} sent a body that unzips to too much") from None
        except InflateError:
            raise UpstreamUnavailable(f"{peer} sent a body that cannot be unzipped") from None

    async def _request(
        self,
        peer: str,
        method: str,
        url: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: object,
        follow: bool,
        max_bytes: int,
    ) -> Reply:
        max_sent = min(max_bytes, MAX_BODY_BYTES)
        async with self._client.stream(
            method, url, params=query, headers=headers, json=body, follow_redirects=follow
        ) as response:
            raw = bytearray()
            # Not httpx's own unzipping: that has no bound.
            async for chunk in response.aiter_raw():
                raw += chunk
                if len(raw) > max_sent:
                    raise BodyTooLarge(f"{peer} sent more than {max_sent} bytes")
            zipped = response.headers.get("content-encoding", "").lower() in ("gzip", "x-gzip", "deflate")
            received = dict(response.headers.items())
            # Sites like to give their cookie together with a redirect.
            cookies = [line for step in (*response.history, response) for line in step.headers.get_list("set-cookie")]
            received["set-cookie"] = ", ".join(cookies)
            return Reply(
                peer,
                response.status_code,
                received,
                inflate(bytes(raw), max_bytes) if zipped and raw else bytes(raw),
                announced_wait_s(received, time.time()),
                quota_left(received),
            )

    async def aclose(self) -> None:
        """Close idle connections."""
        await self._client.aclose()
