"""What operators are told of one token provider: whether it has a key, its attempts and their time, its quota.

A provider is whoever lets us in: somebody who is paid for tokens, a signer, or a way that needs neither.
"""

import contextlib
import logging
import time
from collections.abc import Iterator

from pydantic import SecretStr

from ingestor.connectors.http_client import Reply
from shared import metrics
from shared.errors import UpstreamError

logger = logging.getLogger(__name__)


class Account:
    """One provider's, in metrics and logs. The key itself is in neither."""

    def __init__(self, platform: str, provider: str) -> None:
        self._platform = platform
        self._provider = provider

    def tell_key(self, key: SecretStr, setting: str, *, without: str) -> None:
        """Say at the start whether there is a key.

        Args:
            key: empty when there is none.
            setting: by which it is set.
            without: what becomes of a provider that has none: "it ...".
        """
        is_set = bool(key.get_secret_value())
        metrics.PROVIDER_KEY.labels(self._platform, self._provider).set(is_set)
        if is_set:
            logger.info("provider has a key platform=%s provider=%s", self._platform, self._provider)
        else:
            logger.info(
                "provider has no key, without which it %s platform=%s provider=%s setting=%s",
                without, self._platform, self._provider, setting,
            )  # fmt: skip

    def tell_quota(self, reply: Reply) -> None:
        """Take note of what an answer says is left."""
        if reply.quota_left is not None:
            metrics.QUOTA_REMAINING.labels(self._platform, self._provider).set(reply.quota_left)

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Count the block as one attempt to open an upstream, and time it."""
        began_at = time.monotonic()
        try:
            yield
        except UpstreamError as error:
            self._count(error.code, began_at)
            raise
        self._count("ok", began_at)

    def _count(self, result: str, began_at: float) -> None:
        metrics.TOKENS.labels(self._platform, self._provider, result).inc()
        metrics.TOKEN_SECONDS.labels(self._platform, self._provider).observe(time.monotonic() - began_at)
