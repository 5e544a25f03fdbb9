"""Who signs the query of a socket. A signer is asked for each attempt to open one: nothing signed is used twice.

Signatures, and the address of a remote signer, which may hold a key, never reach an error or a log.
"""

import itertools
import logging
import random
import re
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import quote

from ingestor.connectors.account import Account
from ingestor.connectors.douyin.settings import SIGN_PLACES, DouyinSettings
from ingestor.connectors.douyin.signature import sign, stub
from ingestor.connectors.gate import new_gate
from ingestor.connectors.http_client import HttpClient
from ingestor.connectors.json_answers import json_object
from shared.errors import ConfigError, KeyRefused, UpstreamUnavailable

logger = logging.getLogger(__name__)

PLATFORM: Final = "douyin"

_SIGNATURE: Final = re.compile(r"[!-~]{8,512}")


class Signer(Protocol):
    """Somebody who can sign for us."""

    name: str
    account: Account

    async def sign(self, query: Mapping[str, str], user_agent: str) -> str:
        """The signature for the query of one socket, not yet percent-encoded.

        Raises:
            UpstreamError: of the type that says why not.
        """


class BuiltIn:
    """Signs by itself."""

    name = "builtin"
    account = Account(PLATFORM, name)

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._counter = itertools.count(1)

    async def sign(self, query: Mapping[str, str], user_agent: str) -> str:
        """See `Signer`."""
        draws = (self._rng.random(), self._rng.random(), self._rng.random())
        return sign(stub(query), counter=next(self._counter), draws=draws)


class Remote:
    """Asks a server, for the day the algorithm changes."""

    name = "remote"
    account = Account(PLATFORM, name)

    def __init__(self, http: HttpClient, settings: DouyinSettings) -> None:
        self._http = http
        self._gate = new_gate(settings)
        self._template = settings.douyin_sign_url.get_secret_value()
        self._timeout_s = settings.douyin_sign_timeout_s

    async def sign(self, query: Mapping[str, str], user_agent: str) -> str:
        """See `Signer`."""
        known = {"stub": stub(query), "user_agent": user_agent, **query}
        url = self._template.format(**{place: quote(known[place], safe="") for place in SIGN_PLACES})
        return await self._gate.ask(lambda: self._ask(url))

    async def _ask(self, url: str) -> str:
        reply = await self._http.request("the signer", "GET", url, timeout_s=self._timeout_s)
        self.account.tell_quota(reply)
        reply.check(refused=KeyRefused)
        answer = json_object(reply.body)
        signature = answer.get("signature") if answer is not None else reply.body.decode("ascii", "replace").strip()
        if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
            raise UpstreamUnavailable("the signer's answer is none")
        return signature


def usable_signers(http: HttpClient, rng: random.Random, settings: DouyinSettings) -> list[Signer]:
    """The signers of the settings, in their order.

    Raises:
        ConfigError: only the remote one is wanted, and it has no address.
    """
    names = list(dict.fromkeys(settings.douyin_signers))
    if "remote" in names and not settings.douyin_sign_url.get_secret_value():
        names.remove("remote")
    logger.info("providers chosen, none of which takes a key platform=%s order=%s", PLATFORM, ",".join(names))
    if not names:
        raise ConfigError("ROOMCAST_DOUYIN_SIGNERS: remote alone needs ROOMCAST_DOUYIN_SIGN_URL")
    return [BuiltIn(rng) if name == "builtin" else Remote(http, settings) for name in names]
