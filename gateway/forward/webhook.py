"""Events by HTTP POST: arrays of JSON, signed, one at a time for each room, and tried again until they are taken.

    POST <url>
    Content-Type: application/json
    Roomcast-Room: tiktok:7300000000000000001
    Roomcast-Timestamp: 1765432100
    Roomcast-Signature: sha256=<HMAC-SHA256 of `<timestamp>.<body>`, in hexadecimal>

Any 2xx takes them. 408, 425, 429, 5xx, and no answer, are tried again; everything else is a refusal of these events: it
is told, and they are left out.
"""

import asyncio
import hashlib
import hmac
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import httpx

from gateway.forward.settings import ForwardSettings
from gateway.forward.target import Places
from gateway.frames import Frame
from shared.backoff import Backoff
from shared.cursor import Cursor
from shared.errors import ConfigError
from shared.version import VERSION

logger = logging.getLogger(__name__)

AGAIN: Final = frozenset({408, 425, 429})  # and all from 500 on
AT_ONCE: Final = 8  # posts, of different rooms
RETRY_BASE_S: Final = 0.5


class Webhook:
    """See `Target`."""

    def __init__(
        self,
        settings: ForwardSettings,
        places: Places,
        *,
        retry_s: Callable[[int], float] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Put it together; nothing is posted yet.

        Args:
            settings: where to, and how.
            places: noted there when events were taken.
            retry_s: the pause after the n-th failure, n = 0, 1, 2 ...
            clock: seconds since 1970.

        Raises:
            ConfigError: it is no address.
        """
        backoff = Backoff(min(RETRY_BASE_S, settings.forward_retry_max_s), settings.forward_retry_max_s)
        self._settings = settings
        self._places = places
        self._retry_s = retry_s or (lambda attempt: backoff.delay_s(attempt, random.random))
        self._clock = clock
        self._secret = settings.forward_webhook_secret.get_secret_value().encode()
        self._noting = asyncio.Lock()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        try:
            self._url = httpx.URL(settings.forward_webhook_url.get_secret_value())
        except httpx.InvalidURL:
            raise ConfigError("the webhook is no address") from None
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ConfigError("the webhook is an address with http:// or https://")
        self._http = httpx.AsyncClient(timeout=settings.forward_timeout_s, trust_env=False, follow_redirects=False)

    async def put(self, room: str, frames: Sequence[Frame], place: Cursor | None) -> None:
        """See `Target`."""
        for batch in self._batches(frames):
            if batch:
                await self._deliver(room, batch)
            if not batch or batch[-1] is frames[-1]:
                reached = place
            else:
                reached = next((frame.cursor for frame in reversed(batch) if frame.cursor), None)
            async with self._noting:
                await asyncio.to_thread(self._save, room, reached)

    async def aclose(self) -> None:
        """Close idle connections."""
        await self._http.aclose()

    def _batches(self, frames: Sequence[Frame]) -> Iterator[list[Frame]]:
        settings = self._settings
        batch: list[Frame] = []
        size = 0
        for frame in frames:
            if batch and (
                len(batch) >= settings.forward_batch_events or size + frame.size > settings.forward_batch_bytes
            ):
                yield batch
                batch, size = [], 0
            batch.append(frame)
            size += frame.size + 1
        yield batch

    async def _deliver(self, room: str, batch: Sequence[Frame]) -> None:
        body = b"[" + b",".join(frame.payload for frame in batch) + b"]"
        attempt = 0
        while True:
            async with self._at_once:
                fault = await self._post(room, body)
            if not fault:
                if attempt:
                    logger.info("webhook takes events again room=%s attempts=%d", room, attempt + 1)
                return
            if fault == "refused":
                return
            if not attempt:
                logger.warning("webhook failed, trying again room=%s: %s", room, fault)
            await asyncio.sleep(self._retry_s(attempt))
            attempt += 1

    async def _post(self, room: str, body: bytes) -> str:
        """Post once. Empty: taken; else why not, without the address."""
        try:
            # The answer's body is not read, whatever it is. The client's own limits are of single reads and writes.
            async with (
                asyncio.timeout(self._settings.forward_timeout_s),
                self._http.stream("POST", self._url, content=body, headers=self._headers(room, body)) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, TimeoutError) as error:
            return type(error).__name__
        if 200 <= status < 300:
            return ""
        if status >= 500 or status in AGAIN:
            return f"HTTP {status}"
        logger.error("webhook refused events room=%s status=%d bytes=%d", room, status, len(body))
        return "refused"

    def _headers(self, room: str, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"roomcast/{VERSION}",
            "Roomcast-Room": room,
            "Roomcast-Timestamp": str(int(self._clock())),
        }
        if self._secret:
            signed = headers["Roomcast-Timestamp"].encode() + b"." + body
            headers["Roomcast-Signature"] = f"sha256={hmac.new(self._secret, signed, hashlib.sha256).hexdigest()}"
        return headers

    def _save(self, room: str, place: Cursor | None) -> None:
        try:
            self._places.save(room, place)
        except OSError as error:
            logger.warning("place not noted room=%s: %s", room, error.strerror)
