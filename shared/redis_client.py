"""The one place that opens Redis, whatever it is, and the one that knows redis-py's errors.

Above this file there is no difference between a single Redis or Valkey, Sentinel, Cluster and the in-process fakeredis.
"""

import asyncio
import contextlib
import functools
import itertools
import math
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import hiredis
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, NoScriptError, RedisClusterException, RedisError, ResponseError

from shared import metrics
from shared.errors import BrokerUnavailable, ConfigError, LocalProtocolError, Malformed, NotDone, RoomcastError
from shared.redis_link import Link, MemoryLink, SocketLink

TIMEOUT_S = 3.0  # of one command, and of connecting; below half of the default lease
CALLS_MAX = 64  # in flight per process; redis-py's pools fail at 100 connections, here the rest waits its turn
PIPELINE_MAX = 500  # commands sent at once, so that neither Redis nor the event loop is held up
ASK_SENTINELS_S = 0.5  # between two questions who is master, however many commands are refused

_OUR_FAULT = frozenset({"ERR"})
"""Codes of errors that asking again does not cure: bad arguments, an unknown command."""

FOREIGN = "WRONGTYPE"
"""The code of a key that somebody else wrote: no bug of ours, and it goes away. Can come in the middle of a script."""

_REFUSED_WHOLE = frozenset(
    {"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "OOM", "READONLY", "TRYAGAIN"}
)
"""Codes that come before anything is done, also of a script."""

_OTHER = "other"
_REFUSALS = _REFUSED_WHOLE | {"NOAUTH", "NOPERM", "WRONGPASS"}
for _word in (*_REFUSALS, _OTHER):
    metrics.REDIS_REFUSALS.labels(_word)  # from 0 on, as in `shared.metrics`

_OF_PIPELINE = " of pipeline caused error: "
"""Where redis-py, which puts its own words before an answer to one command of several, lets it begin."""

_UVLOOP_CLOSED = "the handler is closed"
"""How uvloop's RuntimeError for a write to a connection that the other side has just closed names it. asyncio's own
loop ignores such a write, and redis-py knows of neither."""


@contextlib.contextmanager
def broker_errors() -> Iterator[None]:
    """Translate what redis-py raises, and see to it that a cancellation arrives.

    redis-py sends with `asyncio.wait_for`, which in Python 3.11 loses a cancellation that comes together with the
    result: a task would run on that somebody waits for.

    Raises:
        NotDone: it refuses (memory used up, replicas missing, loading, failing over).
        Malformed: the key is of another type than ours.
        BrokerUnavailable: not reachable, or too slow. What was asked may have been done.
        LocalProtocolError: it understood us, and we asked for nonsense.
    """
    task = asyncio.current_task()
    cancelled_before = task.cancelling() if task else 0
    try:
        yield
    except DataError:
        raise  # a value of a type that cannot be sent: as plain a bug as a TypeError
    except NoScriptError:
        raise  # an answer, and no failure
    except ResponseError as error:
        code = code_of(error)
        text = f"{type(error).__name__}: {error}"
        if code in _OUR_FAULT:
            raise LocalProtocolError(text) from error
        if code == FOREIGN:
            metrics.REDIS_MALFORMED.labels("key").inc()
            raise Malformed(text) from error
        metrics.REDIS_REFUSALS.labels(code if code in _REFUSALS else _OTHER).inc()
        kind = NotDone if code in _REFUSED_WHOLE else BrokerUnavailable
        raise kind(text) from error
    except (RedisError, RedisClusterException, OSError) as error:
        raise BrokerUnavailable(f"{type(error).__name__}: {error}") from error
    except RuntimeError as error:
        if _UVLOOP_CLOSED not in str(error):
            raise
        raise BrokerUnavailable("the connection was closed while a command was written") from error
    finally:
        if task and task.cancelling() > cancelled_before:
            raise asyncio.CancelledError


def code_of(error: ResponseError) -> str:
    """The first word of what Redis answered, by protocol its code."""
    return error.status_code or str(error).rpartition(_OF_PIPELINE)[2].lstrip("('\"").partition(" ")[0]


def foreign(key: str) -> Malformed:
    """The error of a key that `FOREIGN` was answered about; counted."""
    metrics.REDIS_MALFORMED.labels("key").inc()
    return Malformed(f"{key} is of another type than ours")


class RedisClient:
    """One opened Redis: commands, and connections used for pub/sub alone.

    Attributes:
        commands: redis-py's client; answers are bytes. Untyped: its types name every form that an answer could have
            under other options. It asks again by itself when a connection breaks.
    """

    _link_kind: type[Link] = SocketLink

    def __init__(self, commands: Any, links: Any, *also_closed: Any) -> None:
        self.commands = commands
        self._links = links
        self._closed_with_it = (commands, *also_closed)
        self._turns = asyncio.Semaphore(CALLS_MAX)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[Any]:
        """Commands, when it is our turn, with errors translated as `broker_errors` says."""
        try:
            async with self._turns:
                with broker_errors():
                    yield self.commands
        except BrokerUnavailable as error:
            if isinstance(error.__cause__, ResponseError) and not isinstance(error, Malformed):
                await self._on_refusal()
            raise

    async def read_each(self, commands: Iterable[tuple[str, ...]]) -> list[Any]:
        """The answers to commands that read a key each, many at once; `Malformed` in place of those of foreign keys.

        Args:
            commands: name, key and arguments of each; taken from as they are sent.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        found: list[Any] = []
        waiting = iter(commands)
        while batch := list(itertools.islice(waiting, PIPELINE_MAX)):
            async with self.turn() as redis:
                try:
                    found += await _pipelined(redis, batch)
                except ResponseError as error:
                    if code_of(error) != FOREIGN:
                        raise
                    # Only now, for in a Cluster redis-py tries none again whose errors are told with the answers.
                    answers = await _pipelined(redis, batch, raise_on_error=False)
                    found += map(_own, batch, answers)
        return found

    async def ask_once(self, key: str, *command: str | bytes | int) -> Any:
        """The answer to a command that is sent once.

        A silent second try would be answered for itself alone: that the first one was done would never be known.

        Args:
            key: one that the command is about.
            command: its name and arguments.

        Raises:
            NotDone: it was not done. Not known in a Cluster, unless it refuses.
            BrokerUnavailable: it may have been done.
        """
        async with self.turn() as commands:
            pool = commands.connection_pool
            try:
                connection = await pool.get_connection()
            except (RedisError, OSError) as error:
                raise NotDone(f"{type(error).__name__}: {error}") from error
            try:
                # As redis-py would, but for its own way to put a command's arguments together, which is the dear part.
                packed = hiredis.pack_command(command)  # type: ignore[arg-type]  # its types know tuples of one
                await connection.send_packed_command(packed)
                return await connection.read_response()
            finally:
                await pool.release(connection)

    async def _on_refusal(self) -> None:
        """A command was refused, for reasons that may go away. Never raises."""

    def node_of(self, channel: str) -> str:
        """The name of the node that serves a sharded channel; "" where there is only one.

        Raises:
            BrokerUnavailable: the cluster has none for it at the moment.
        """
        return ""

    async def learn_nodes(self) -> None:
        """Find out anew which node serves what.

        Raises:
            BrokerUnavailable: nobody answers.
        """

    async def connect_link(self, node: str) -> Link:
        """Connect to a node, "" for any, for pub/sub; the caller disconnects. Nothing on it is retried or repaired.

        Raises:
            BrokerUnavailable: it cannot be reached.
        """
        connection = self._make_link(node)
        try:
            with broker_errors():
                await connection.connect()
                return self._link_kind(connection)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise

    def _make_link(self, node: str) -> Any:
        return self._links.make_connection()

    def drop_connections(self) -> None:
        """End all connections; who waits for an answer finds out at once.

        For when one was found dead: what cut it may have cut them all, and each would cost a time-out of its own.
        """
        pool = self.commands.connection_pool
        _abort((*pool._available_connections, *pool._in_use_connections))

    async def aclose(self) -> None:
        """Close all connections. Never raises."""
        for resource in self._closed_with_it:
            with contextlib.suppress(RedisError, RedisClusterException, OSError):
                await resource.aclose()


async def _pipelined(redis: Any, commands: Sequence[tuple[str, ...]], **options: bool) -> list[Any]:
    pipeline = redis.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    answers: list[Any] = await pipeline.execute(**options)
    return answers


def _own(command: tuple[str, ...], answer: Any) -> Any:
    """An answer, or that its key is none of ours; other errors are raised."""
    if not isinstance(answer, Exception):
        return answer
    if not isinstance(answer, ResponseError) or code_of(answer) != FOREIGN:
        raise answer
    return foreign(command[1])


def _abort(connections: Iterable[Any]) -> None:
    """End them as a peer does.

    As redis-py closes them it waits for a dead peer to take what is unsent, and pulls streams away under who uses them.
    """
    for connection in connections:
        writer = getattr(connection, "_writer", None)
        if writer is not None:
            writer.transport.abort()


class _ClusterClient(RedisClient):
    """Each master serves its own channels, so a link leads to one of them."""

    def __init__(self, cluster: RedisCluster) -> None:
        super().__init__(cluster, None)
        self._cluster = cluster

    async def ask_once(self, key: str, *command: str | bytes | int) -> Any:
        async with self.turn():
            await self._cluster.initialize()
            node = self._cluster.get_node_from_key(key)
            # A node that is named is asked once, but for redirections, which are no answer.
            return await self._cluster.execute_command(*command, target_nodes=node)

    def node_of(self, channel: str) -> str:
        with broker_errors():
            return cast(ClusterNode, self._cluster.get_node_from_key(channel)).name

    async def learn_nodes(self) -> None:
        with broker_errors():
            await self._cluster.initialize()
            await self._cluster.nodes_manager.initialize()

    def drop_connections(self) -> None:
        for node in self._cluster.get_nodes():
            _abort(node._connections)

    def _make_link(self, node: str) -> Any:
        found = self._cluster.get_node(node_name=node) if node else self._cluster.get_random_primary_node()
        if found is None:
            raise BrokerUnavailable(f"{node} left the cluster")
        return found.connection_class(**{**found.connection_kwargs, "retry": _never()})


class _SentinelClient(RedisClient):
    """A connection stays with the master it was made to; another may have taken its place without its knowledge.

    For ten seconds after a switch-over by command the old master lives on, refuses what it has no replicas for, and
    lets itself be read.
    """

    _asked_at = -math.inf

    async def learn_nodes(self) -> None:
        with broker_errors():
            await self.commands.connection_pool.get_master_address()  # idle connections to another one are closed

    async def _on_refusal(self) -> None:
        if time.monotonic() - self._asked_at > ASK_SENTINELS_S:
            self._asked_at = time.monotonic()
            with contextlib.suppress(RoomcastError):  # what was refused is what has to be told
                await self.learn_nodes()


class _MemoryClient(RedisClient):
    """The server is in this process."""

    _link_kind = MemoryLink


def open_redis(url: str, *, name: str) -> RedisClient:
    """Open Redis. Nothing is connected before the first command.

    | URL | |
    |---|---|
    | `redis://[[user]:password@]host[:port][/db]` | one Redis or Valkey; `rediss://` with TLS |
    | `unix://[[user]:password@]/path/to/socket[?db=0]` | the same, through a socket file |
    | `redis+sentinel://[[user]:password@]host[:port],host[:port]/service[/db]` | the master that the Sentinels name; \
`rediss+sentinel://` with TLS. `?sentinel_username=` and `?sentinel_password=` for the Sentinels themselves |
    | `redis+cluster://[[user]:password@]host[:port],host[:port]` | a Cluster; `rediss+cluster://` with TLS |
    | `memory://[name]` | in this process, without a server; the same name is the same data |

    Options of redis-py's connections can follow as a query: `?ssl_ca_certs=/etc/ca.pem`.

    Args:
        url: one of these forms; special characters in user and password are percent-encoded.
        name: shown in CLIENT LIST.

    Raises:
        ConfigError: the URL is none of these. Its text does not repeat the URL.
    """
    scheme = url.partition("://")[0]
    opener = _OPENERS.get(scheme)
    if opener is None:
        raise ConfigError("the Redis URL begins with none of " + ", ".join(f"{known}://" for known in _OPENERS))
    ours = {
        # Messages of RESP3 cost redis-py twice the time, and answers would have two forms.
        "protocol": 2,
        "decode_responses": False,
        "client_name": re.sub(r"[^!-~]", "-", f"roomcast-{name}"),
    }
    try:
        return opener(url, ours)
    except (ValueError, TypeError, RedisClusterException):
        # Their texts can hold parts of a password that was not percent-encoded.
        raise ConfigError(f"the Redis URL cannot be read as {scheme}://; see redis_client.open_redis") from None


def _open_single(url: str, ours: dict[str, Any]) -> RedisClient:
    options = {**_TIMEOUTS, **parse_url(url), **ours}
    return _pooled(ConnectionPool, options)


def _open_sentinel(url: str, ours: dict[str, Any]) -> RedisClient:
    hosts, path, options = _parse_hosts(url, default_port=26379)
    service, _, db = path.partition("/")
    if not service:
        raise ValueError("no service")
    of_sentinel = {**_TIMEOUTS, "ssl": options.get("ssl", False), "retry": _never()}
    for option in ("username", "password"):
        of_sentinel[option] = options.pop(f"sentinel_{option}", None)
    new_sentinel: Any = Sentinel
    sentinel = new_sentinel(hosts, sentinel_kwargs=of_sentinel)
    options = {**_TIMEOUTS, **options, **ours, "db": int(db or 0)}
    return _pooled(
        functools.partial(SentinelConnectionPool, service, sentinel), options, sentinel, kind=_SentinelClient
    )


def _pooled(
    pool: Callable[..., Any], options: dict[str, Any], *also_closed: Any, kind: type[RedisClient] = RedisClient
) -> RedisClient:
    links = pool(**options, retry=_never())
    links.make_connection()  # an option that does not exist shows here
    return kind(Redis.from_pool(pool(**options, retry=_few())), links, *also_closed)


def _open_cluster(url: str, ours: dict[str, Any]) -> RedisClient:
    hosts, path, options = _parse_hosts(url, default_port=6379)
    if path:
        raise ValueError("a cluster has no databases")
    nodes = [ClusterNode(host, port) for host, port in hosts]
    return _ClusterClient(RedisCluster(startup_nodes=nodes, **{**_TIMEOUTS, **options, **ours}, retry=_few()))


def _open_memory(url: str, ours: dict[str, Any]) -> RedisClient:
    server = _memory_servers.setdefault(url, FakeServer())
    commands = FakeAsyncRedis(server=server, **ours)
    return _MemoryClient(commands, commands.connection_pool)


_memory_servers: dict[str, FakeServer] = {}

_OPENERS: dict[str, Callable[[str, dict[str, Any]], RedisClient]] = {
    "redis": _open_single,
    "rediss": _open_single,
    "unix": _open_single,
    "redis+sentinel": _open_sentinel,
    "rediss+sentinel": _open_sentinel,
    "redis+cluster": _open_cluster,
    "rediss+cluster": _open_cluster,
    "memory": _open_memory,
}

_TIMEOUTS: dict[str, Any] = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}


def _few() -> Retry:
    # For a stale connection of the pool. A time-out is told at once: the caller knows if the answer is still wanted.
    stale: Any = (RedisConnectionError, RuntimeError)  # the latter as `_UVLOOP_CLOSED` says
    return Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.2), 3, supported_errors=stale)


def _never() -> Retry:
    return Retry(NoBackoff(), 0)


def _parse_hosts(url: str, default_port: int) -> tuple[list[tuple[str, int]], str, dict[str, Any]]:
    """Hosts, path and options of a URL with several hosts.

    Raises:
        ValueError: a part cannot be read.
    """
    parts = urlsplit(url)
    credentials, at, hosts = parts.netloc.rpartition("@")
    options: dict[str, Any] = {**parse_url(f"redis://{credentials}{at}?{parts.query}")}
    if parts.scheme.startswith("rediss"):
        options["ssl"] = True
    found = []
    for host in hosts.split(","):
        one = parse_url(f"redis://{host}")
        if "host" not in one:
            raise ValueError("a host is missing")
        found.append((one["host"], one.get("port", default_port)))
    return found, parts.path.strip("/"), options
