"""Every form of the Redis URL, and every kind of failure, as the rest of the system sees them."""

import asyncio
import traceback

import pytest
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    DataError,
    MaxConnectionsError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.errors import BrokerUnavailable, ConfigError, LocalProtocolError, Malformed, NotDone
from shared.redis_client import broker_errors, open_redis
from tests.measured import measured


async def options(url: str) -> dict[str, object]:
    redis = open_redis(url, name="a b")
    found: dict[str, object] = redis.commands.connection_pool.connection_kwargs
    await redis.aclose()
    return found


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache:7000/3", {"host": "cache", "port": 7000, "db": 3}),
        ("redis://me:p%40ss%2Fword@cache", {"username": "me", "password": "p@ss/word"}),
        ("redis://:secret@cache?socket_timeout=9", {"password": "secret", "socket_timeout": 9}),
        ("unix:///run/redis.sock?db=2", {"path": "/run/redis.sock", "db": 2}),
        ("redis+sentinel://one,two:7000/main/2", {"db": 2}),
        ("redis+sentinel://me:secret@one/main", {"username": "me", "password": "secret"}),
    ],
)
async def test_parts_of_the_url_are_used(url: str, expected: dict[str, object]) -> None:
    assert expected.items() <= (await options(url)).items()


async def test_what_the_parts_rely_on_cannot_be_changed_by_the_url() -> None:
    found = await options("redis://cache?protocol=3&decode_responses=true")
    assert (found["protocol"], found["decode_responses"], found["client_name"]) == (2, False, "roomcast-a-b")


async def test_sentinels_are_asked_for_the_service() -> None:
    redis = open_redis("rediss+sentinel://:secret@one,two:7000/main?sentinel_password=other", name="x")
    pool = redis.commands.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "main"
    sentinels = [sentinel.connection_pool.connection_kwargs for sentinel in pool.sentinel_manager.sentinels]
    assert [(sentinel["host"], sentinel["port"]) for sentinel in sentinels] == [("one", 26379), ("two", 7000)]
    assert {sentinel["password"] for sentinel in sentinels} == {"other"}
    await redis.aclose()


async def test_cluster_is_begun_at_any_of_its_nodes() -> None:
    redis = open_redis("redis+cluster://me:secret@one:7000,[::1]", name="x")
    assert [(node.host, node.port) for node in redis.commands.startup_nodes] == [("one", 7000), ("::1", 6379)]
    await redis.aclose()


async def test_one_memory_url_is_one_server_and_another_is_another() -> None:
    one, same, other = (open_redis(f"memory://{name}", name="x") for name in ("url-1", "url-1", "url-2"))
    await one.commands.set("key", "value")
    assert await same.commands.get("key") == b"value"
    assert await other.commands.get("key") is None
    for redis in (one, same, other):
        await redis.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache:6379",
        "http://cache",
        "redis://me:hunter2/x@cache:6379",
        "redis://cache:99999",
        "redis://cache?socket_timeout=hunter2",
        "redis://cache?hunter2=1",
        "redis+sentinel://me:hunter2@cache",
        "redis+sentinel://me:hunter2@cache/main/zero",
        "redis+sentinel:///main",
        "redis+cluster://me:hunter2@cache/3",
        "redis+cluster://me:hunter2@cache,",
        "redis+cluster://cache?hunter2=1",
        "redis+cluster://",
    ],
)
def test_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        open_redis(url, name="x")
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "error",
    [
        RedisConnectionError("refused"),
        RedisTimeoutError("late"),
        MaxConnectionsError(),
        AuthenticationError("no", status_code="NOAUTH"),
        NoPermissionError("no", status_code="NOPERM"),
        BusyLoadingError("wait", status_code="LOADING"),
        OutOfMemoryError("full", status_code="OOM"),
        ReadOnlyError("replica", status_code="READONLY"),
        TryAgainError("moving", status_code="TRYAGAIN"),
        ClusterDownError("down", status_code="CLUSTERDOWN"),
        SlotNotCoveredError("nobody"),
        ResponseError("NOREPLICAS Not enough good replicas to write."),
        ResponseError("MISCONF Redis is configured to save RDB snapshots"),
        ResponseError("BUSY Redis is busy running a script."),
        ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        ConnectionResetError(),
    ],
)
async def test_redis_that_cannot_serve_is_unavailable(error: Exception) -> None:
    with pytest.raises(BrokerUnavailable), broker_errors():
        raise error


PIPELINED = "Command # 2 (HGETALL rc:{tiktok:1}:state) of pipeline caused error: "


@pytest.mark.parametrize("before", ["", PIPELINED + "('", PIPELINED + '("', PIPELINED])
@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"),
        ("MISCONF Redis is configured to save RDB snapshots", "MISCONF"),
        ("BUSY Redis is busy running a script.", "BUSY"),
    ],
)
async def test_refusals_are_told_apart_from_the_unknown_also_in_a_pipeline(before: str, answer: str, word: str) -> None:
    counted = measured("redis_refusals_total", word=word)
    with pytest.raises(NotDone), broker_errors():
        raise ResponseError(before + answer)
    assert measured("redis_refusals_total", word=word) == counted + 1


async def test_words_that_nobody_knows_are_counted_as_one() -> None:
    counted = measured("redis_refusals_total", word="other")
    for word in ("NEWWORD", "NEWERWORD"):
        with pytest.raises(BrokerUnavailable), broker_errors():
            raise ResponseError(f"{word} no")
    assert measured("redis_refusals_total", word="other") == counted + 2
    assert measured("redis_refusals_total", word="NEWWORD") == 0


@pytest.mark.parametrize("before", ["", PIPELINED + "('"])
async def test_key_of_somebody_else_is_no_refusal(before: str) -> None:
    counted = measured("redis_malformed_total", where="key")
    with pytest.raises(Malformed), broker_errors():
        raise ResponseError(f"{before}WRONGTYPE Operation against a key holding the wrong kind of value")
    assert measured("redis_malformed_total", where="key") == counted + 1
    assert measured("redis_refusals_total", word="WRONGTYPE") == 0


async def test_nonsense_of_ours_is_not_taken_for_an_outage() -> None:
    with pytest.raises(LocalProtocolError), broker_errors():
        raise ResponseError("unknown command 'SPUBLISH'", status_code="ERR")


@pytest.mark.parametrize("error", [DataError("a list"), TypeError("arguments"), ValueError("x")])
async def test_bugs_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)), broker_errors():
        raise error


@pytest.mark.parametrize("outcome", ["an answer", "an error"])
async def test_cancellation_arrives_even_together_with_the_outcome(outcome: str) -> None:
    answer = asyncio.get_running_loop().create_future()

    async def ask() -> None:
        with broker_errors():
            await asyncio.wait_for(answer, timeout=5)

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0)
    if outcome == "an answer":
        answer.set_result(None)
    else:
        answer.set_exception(RedisConnectionError("closed"))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
