"""A connection to Redis that is used for pub/sub alone: requests go out, and what comes in is read many at a time.

redis-py opens it, with all that belongs to that (TLS, passwords, Sentinels, Clusters), writes to it and closes it. It
would also read, at several times the cost of everything else that is done with a message.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse

CHUNK_BYTES = 64 * 1024  # read at once: some hundred messages, a few milliseconds of work
REPLY_MAX_BYTES = 1024 * 1024  # of one that is not complete; ours are below 65 KiB
_MEMORY_READ_S = 0.5

_INCOMPLETE = object()


class Link(ABC):
    """One connection. What redis-py raises is not translated here."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def send(self, requests: Iterable[tuple[str | bytes, ...]]) -> None:
        """Send requests; nobody waits for answers."""
        await self._connection.send_packed_command(self._connection.pack_commands(requests), check_health=False)

    @abstractmethod
    async def read(self) -> list[Any]:
        """What has come in: replies in order, and errors as exceptions among them. Waits for some, but not for ever."""

    async def disconnect(self) -> None:
        """End it at once."""
        await self._connection.disconnect(nowait=True)


class SocketLink(Link):
    """To a server."""

    def __init__(self, connection: AbstractConnection) -> None:
        super().__init__(connection)
        stream = connection._reader
        if stream is None:
            raise RedisConnectionError("the connection is closed")
        self._stream = stream
        self._replies = hiredis.Reader(
            protocolError=InvalidResponse, replyError=connection._parser.parse_error, notEnoughData=_INCOMPLETE
        )

    async def read(self) -> list[Any]:
        chunk = await self._stream.read(CHUNK_BYTES)
        if not chunk:
            raise RedisConnectionError("the server closed the connection")
        replies = self._replies
        replies.feed(chunk)
        found = list(iter(replies.gets, _INCOMPLETE))
        if replies.len() > REPLY_MAX_BYTES:
            raise InvalidResponse("a reply is larger than any of ours")
        if len(chunk) == CHUNK_BYTES:
            await asyncio.sleep(0)  # there is more, and reading it would wait for nothing: others have their turn first
        return found


class MemoryLink(Link):
    """To the server in this process, which has objects to read and no bytes."""

    async def read(self) -> list[Any]:
        # Not for ever: it waits in a loop around `asyncio.wait_for`, which in Python 3.11 can lose a cancellation.
        reply = await self._connection.read_response(timeout=_MEMORY_READ_S)
        return [] if reply is None else [reply]
