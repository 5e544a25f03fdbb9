"""The pub/sub connection of a process, kept up.

Its law: whatever is not as it was asked for - an error, a subscription taken away, silence when something had to be
heard - ends the connection, and it is begun anew, with every channel. Each confirmation that nobody waited for is
reported, because messages may have been missed before it. redis-py repairs its own pub/sub connections without a word,
which is why they are not used here.

In a Cluster each node that serves a wanted channel has a connection of its own; they fail one by one.
"""

import asyncio
import logging
import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast

from shared import metrics
from shared.backoff import Backoff
from shared.errors import BrokerUnavailable
from shared.redis_client import RedisClient, broker_errors
from shared.redis_link import Link

logger = logging.getLogger(__name__)

_ANY_NODE = ""  # classic channels are heard on every node; without a Cluster there is no other
_BATCH = 500  # requests written at once


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """How long silence is believed. A dead link is found after twice the first plus the second at most: under 3 s.

    Attributes:
        probe_after_s: silence after which a message is sent to oneself.
        answer_within_s: how long it may take to arrive.
        confirm_within_s: how long `subscribe` waits.
        backoff: pauses before connecting again.
    """

    probe_after_s: float = 0.6
    answer_within_s: float = 1.4
    confirm_within_s: float = 5.0
    backoff: Backoff = field(default=Backoff(base_s=0.05, cap_s=1.0))


DEFAULT_LIMITS = LinkLimits()


@dataclass(slots=True)
class _Connection:
    """One node, and what was asked of it. Outlives the sockets to it.

    Attributes:
        probe: channel of messages to oneself, new for each socket.
        up: every channel of it was confirmed.
        heard: something arrived since the watchdog looked.
        delivering: a message arrived since the socket was opened.
        outbox: requests to be written, None while there is no socket.
        unanswered: requests per channel whose confirmation has not come.
    """

    node: str
    channels: "dict[bytes, _Channel]" = field(default_factory=dict)
    probe: bytes = b""
    up: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    delivering: bool = False
    outbox: list[tuple[str, bytes]] | None = None
    written: asyncio.Event = field(default_factory=asyncio.Event)
    unanswered: Counter[bytes] = field(default_factory=Counter)

    def request(self, verb: str, channel: bytes) -> None:
        """Have a request written; without a socket there is nothing to do: all is asked anew when there is one."""
        if self.outbox is not None:
            self.outbox.append((verb, channel))
            self.unanswered[channel] += 1
            self.written.set()


@dataclass(slots=True)
class _Channel:
    """A channel somebody wants."""

    name: bytes
    sharded: bool
    connection: _Connection
    confirmed: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0  # calls of subscribe

    @property
    def subscribe_verb(self) -> str:
        return "SSUBSCRIBE" if self.sharded else "SUBSCRIBE"


class PubSubLink:
    """Wanted channels, and the connections that bring their messages. Lives as an `async with` block.

    Subclasses say what becomes of messages (`_on_message`, `_on_resubscribed`, `_on_link`).

    Args:
        redis: where.
        limits: how long silence is believed.
    """

    def __init__(self, redis: RedisClient, limits: LinkLimits) -> None:
        self._redis = redis
        self._limits = limits
        self._channels: dict[bytes, _Channel] = {}
        self._connections: dict[str, _Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._up = False

    def __repr__(self) -> str:
        names = ",".join(self._connections)
        return f"<{type(self).__name__} up={self._up} channels={len(self._channels)} connections={names}>"

    @property
    def up(self) -> bool:
        """Whether all connections deliver, as far as is known."""
        return self._up

    async def __aenter__(self) -> Self:
        self._connection(_ANY_NODE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- what subclasses do with it ----------------------------------------------------------------------------------

    def _on_message(self, name: bytes, message: bytes) -> None:
        """A message arrived on a wanted channel."""
        raise NotImplementedError

    def _on_resubscribed(self, name: bytes) -> None:
        """A channel is subscribed, and nobody waited for it: messages may have been missed."""

    def _on_link(self, up: bool) -> None:
        """All connections deliver, or one does not any more."""

    # --- wanting -----------------------------------------------------------------------------------------------------

    def _want(self, name: str, *, sharded: bool) -> _Channel:
        """Subscribe to a channel, soon and for good."""
        key = name.encode()
        channel = self._channels.get(key)
        if channel is None:
            connection = self._connection(self._node_of(key, sharded))
            channel = self._channels[key] = connection.channels[key] = _Channel(key, sharded, connection)
            connection.request(channel.subscribe_verb, key)
        return channel

    async def _confirmation(self, channel: _Channel) -> None:
        """Return when Redis confirmed a channel: what is published from now on arrives.

        Raises:
            BrokerUnavailable: it did not, for a while. The channel stays wanted.
        """
        channel.waiting += 1
        try:
            async with asyncio.timeout(self._limits.confirm_within_s):
                await channel.confirmed.wait()
        except TimeoutError:
            raise BrokerUnavailable("a subscription was not confirmed") from None
        finally:
            channel.waiting -= 1

    def _unwant(self, name: str) -> None:
        """Want a channel no longer."""
        channel = self._channels.pop(name.encode(), None)
        if channel is not None:
            self._take_off(channel)

    # --- placing -----------------------------------------------------------------------------------------------------

    def _node_of(self, name: bytes, sharded: bool) -> str:
        try:
            return self._redis.node_of(name.decode()) if sharded else _ANY_NODE
        except BrokerUnavailable:
            return _ANY_NODE  # it will refuse, and then all nodes are learnt anew

    def _connection(self, node: str) -> _Connection:
        """The connection to a node, begun when there is none."""
        connection = self._connections.get(node)
        if connection is None:
            connection = self._connections[node] = _Connection(node)
            task = asyncio.create_task(self._keep(connection))
            self._tasks.add(task)  # awaited in __aexit__
            task.add_done_callback(self._tasks.discard)
        return connection

    def _take_off(self, channel: _Channel) -> None:
        del channel.connection.channels[channel.name]
        channel.connection.request("SUNSUBSCRIBE" if channel.sharded else "UNSUBSCRIBE", channel.name)

    def _place_all(self) -> None:
        """Move every channel to the node that serves it now."""
        for channel in self._channels.values():
            connection = self._connection(self._node_of(channel.name, channel.sharded))
            if connection is not channel.connection:
                self._take_off(channel)
                channel.confirmed.clear()
                channel.connection = connection
                connection.channels[channel.name] = channel
                connection.request(channel.subscribe_verb, channel.name)

    # --- one connection ----------------------------------------------------------------------------------------------

    async def _keep(self, connection: _Connection) -> None:
        """Have a working socket to a node, until there is nothing to hear from it."""
        attempt = 0
        while True:
            try:
                await self._redis.learn_nodes()
                self._place_all()
                if not connection.channels and connection.node != _ANY_NODE:
                    break
                await self._run(connection)
            except* BrokerUnavailable as errors:
                level = logging.DEBUG if attempt else logging.WARNING
                logger.log(level, "pub/sub link lost node=%s: %s", connection.node, errors.exceptions[0])
            except* Exception:
                logger.exception("pub/sub link failed node=%s", connection.node)
            self._tell_up()
            if connection.delivering or not attempt:
                metrics.LINK_FAULTS.inc()  # once, however often it is then tried in vain
            if connection.delivering:
                attempt, connection.delivering = 0, False
            await asyncio.sleep(self._limits.backoff.delay_s(attempt, random.random))
            attempt += 1
        del self._connections[connection.node]
        self._tell_up()

    async def _run(self, connection: _Connection) -> None:
        """Use one socket until it fails.

        Raises:
            ExceptionGroup: of BrokerUnavailable; always.
        """
        socket = await self._redis.connect_link(connection.node)
        try:
            connection.probe = f"rc:probe:{secrets.token_hex(8)}".encode()
            connection.outbox = []
            for channel in connection.channels.values():
                connection.request(channel.subscribe_verb, channel.name)
            connection.request("SUBSCRIBE", connection.probe)  # the last one: its confirmation stands for all
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(connection, socket))
                tasks.create_task(self._write(connection, socket))
                tasks.create_task(self._watch(connection))
        finally:
            connection.outbox = None
            connection.unanswered.clear()
            for channel in connection.channels.values():
                channel.confirmed.clear()
            connection.up = False
            await socket.disconnect()

    async def _write(self, connection: _Connection, socket: Link) -> None:
        while True:
            await connection.written.wait()
            connection.written.clear()
            while connection.outbox:
                batch = connection.outbox[:_BATCH]
                del connection.outbox[:_BATCH]
                with broker_errors():
                    await socket.send(batch)

    async def _read(self, connection: _Connection, socket: Link) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        wanted = connection.channels
        with broker_errors():
            while True:
                replies = await socket.read()
                if task.cancelling():  # it was lost in the read, see `MemoryLink.read`
                    raise asyncio.CancelledError
                for reply in replies:
                    match reply:
                        case [b"smessage" | b"message", name, message]:
                            connection.delivering = True
                            if name in wanted:
                                self._on_message(name, message)
                        case [b"ssubscribe" | b"subscribe", name, _]:
                            self._confirmed(connection, name)
                        case [b"sunsubscribe" | b"unsubscribe", name, _]:
                            self._unsubscribed(connection, name)
                        case Exception():
                            raise reply
                if replies:
                    connection.heard.set()

    def _confirmed(self, connection: _Connection, name: bytes) -> None:
        if not self._answered(connection, name):
            return
        if name == connection.probe:
            connection.up = True
            self._tell_up()
        elif channel := connection.channels.get(name):
            if not channel.waiting:
                self._on_resubscribed(name)
            channel.confirmed.set()

    def _unsubscribed(self, connection: _Connection, name: bytes) -> None:
        if self._answered(connection, name) and name in connection.channels:
            raise BrokerUnavailable("a subscription was taken away")  # its slot moved to another node

    def _answered(self, connection: _Connection, name: bytes) -> bool:
        """Whether a confirmation is the one for the latest request of its channel, or unasked."""
        connection.unanswered[name] -= 1
        if connection.unanswered[name] > 0:
            return False
        del connection.unanswered[name]
        return True

    async def _watch(self, connection: _Connection) -> None:
        """Find out when the socket is open and nothing comes through.

        The probe goes the way of all messages, through Redis: a ping would be answered by a server that was replaced.
        """
        while True:
            connection.heard.clear()
            await asyncio.sleep(self._limits.probe_after_s)
            if connection.heard.is_set():
                continue
            try:
                async with asyncio.timeout(self._limits.answer_within_s):
                    with broker_errors():  # not waiting for a turn: many rooms being read is not a dead link
                        await self._redis.commands.publish(connection.probe, b"")
                    await connection.heard.wait()
            except TimeoutError:
                self._redis.drop_connections()
                raise BrokerUnavailable("the link is silent") from None

    def _tell_up(self) -> None:
        up = all(connection.up for connection in self._connections.values())
        if up != self._up:
            self._up = up
            logger.info("pub/sub link %s channels=%d", "up" if up else "down", len(self._channels))
            self._on_link(up)
