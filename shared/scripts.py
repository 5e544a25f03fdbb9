"""The files of `shared/lua`, as functions: each is one atomic step that may be sent again after an unknown outcome."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from shared.redis_client import RedisClient

_FOLDER = Path(__file__).with_name("lua")


class Script:
    """One script."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _text(self) -> str:
        return (_FOLDER / f"{self._name}.lua").read_text("utf8")

    @cached_property
    def _sha(self) -> str:
        return hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(
        self, redis: RedisClient, keys: list[str], args: list[str | bytes | int], *, once: bool = False
    ) -> Any:
        """Run it, on the node that has the keys; all keys are in one slot.

        Args:
            redis: where.
            keys, args: as its file names them.
            once: as `RedisClient.ask_once`.

        Raises:
            NotDone: it was not done.
            BrokerUnavailable: the outcome is not known.
        """
        if once:
            try:
                return await redis.ask_once(keys[0], "EVALSHA", self._sha, len(keys), *keys, *args)
            except NoScriptError:  # new to this server, or forgotten by it; EVAL makes it known
                return await redis.ask_once(keys[0], "EVAL", self._text, len(keys), *keys, *args)
        async with redis.turn() as commands:
            try:
                return await commands.evalsha(self._sha, len(keys), *keys, *args)
            except NoScriptError:
                return await commands.eval(self._text, len(keys), *keys, *args)
