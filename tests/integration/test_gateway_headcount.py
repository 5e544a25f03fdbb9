"""How many clients a room has, told by gateways to each other."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.headcount import Headcount
from gateway.relay import Relay
from gateway.settings import GatewaySettings
from shared.keys import clients_of
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from tests.gateway_room import Listener

ROOMS = [RoomKey("tiktok", f"730000000000000000{n}") for n in range(5)]
ONE, OTHER = ROOMS[:2]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisClient]:
    redis = open_redis(redis_url, name="test")
    yield redis
    await redis.aclose()


async def test_clients_are_counted_over_all_gateways(redis: RedisClient) -> None:
    here, there = Headcount(redis, "here"), Headcount(redis, "there")
    await here.tell({ONE: 2, OTHER: 1})
    await there.tell({ONE: 40})
    assert await here.read(["here", "there"], [OTHER, ONE]) == [1, 42]
    await there.tell({})
    assert await here.read(["here", "there"], [OTHER, ONE]) == [1, 2]
    await here.tell({ONE: 3})
    assert await there.read(["here"], [OTHER, ONE]) == [0, 3]
    await here.leave()
    assert await there.read(["here"], [OTHER, ONE]) == [0, 0]
    assert await there.read([], [ONE]) == [0]


async def test_a_gateway_that_says_nothing_more_is_forgotten(redis: RedisClient) -> None:
    here = Headcount(redis, "here")
    await here.tell({ONE: 1})
    assert 0 < await redis.commands.ttl(clients_of("here")) <= 20
    await redis.commands.expire(clients_of("here"), 5)
    await here.tell({ONE: 1})
    assert await redis.commands.ttl(clients_of("here")) > 5


async def test_what_redis_forgot_is_told_again(redis: RedisClient) -> None:
    here = Headcount(redis, "here")
    await here.tell({ONE: 1, OTHER: 2})
    await redis.commands.flushall()
    for _ in range(2):  # one beat to notice
        await here.tell({ONE: 1, OTHER: 2})
    assert await here.read(["here"], [ONE, OTHER]) == [1, 2]


async def test_little_is_told_at_once_and_everybody_has_a_turn(redis: RedisClient) -> None:
    here = Headcount(redis, "here", news_max=2)
    seen = []
    for beat in range(1, 6):
        await here.tell(dict.fromkeys(ROOMS, beat))
        seen.append(await here.read(["here"], ROOMS))
    assert seen == [[1, 1, 0, 0, 0], [2, 1, 2, 0, 0], [2, 3, 2, 3, 0], [4, 3, 2, 3, 4], [4, 5, 5, 3, 4]]
    for _ in range(3):
        await here.tell({})
    assert await here.read(["here"], ROOMS) == [0] * 5


async def test_new_rooms_keep_neither_changes_nor_departures_out(redis: RedisClient) -> None:
    here = Headcount(redis, "here", news_max=4)
    await here.tell(dict.fromkeys(ROOMS[:3], 1))
    crowd = {RoomKey("tiktok", f"74{n}"): 1 for n in range(20)}
    await here.tell({ONE: 2, OTHER: 2} | crowd)
    assert await here.read(["here"], ROOMS[:3]) == [2, 2, 0]


async def test_changes_do_not_keep_new_rooms_out(redis: RedisClient) -> None:
    here = Headcount(redis, "here", news_max=2)
    await here.tell({ONE: 1, OTHER: 1})
    for beat in (2, 3):
        await here.tell({**dict.fromkeys(ROOMS[:2], beat), ROOMS[2]: 1})
    assert await here.read(["here"], [ROOMS[2]]) == [1]


async def test_a_gateway_whose_numbers_are_of_another_kind_counts_nothing(redis: RedisClient) -> None:
    here = Headcount(redis, "here")
    await here.tell({ONE: 2})
    await redis.commands.set(clients_of("odd"), "many")
    assert await here.read(["odd"], [ONE, OTHER]) == [0, 0]
    assert await here.read(["odd", "here"], [ONE, OTHER]) == [2, 0]


async def test_a_gateway_tells_what_it_has(redis: RedisClient) -> None:
    settings: dict[str, Any] = {"_env_file": None, "gateway_name": "here"}
    async with Relay(GatewaySettings(**settings), redis) as relay:
        member = Listener()
        relay.attach(member, ONE)
        relay.attach(Listener(), ONE)
        await relay.beat()
        assert await relay.headcount.read(["here"], [ONE, OTHER]) == [2, 0]
        relay.rooms[ONE].detach(member)
        await relay.beat()
        assert await relay.headcount.read(["here"], [ONE, OTHER]) == [1, 0]
    assert await relay.headcount.read(["here"], [ONE, OTHER]) == [0, 0]


async def test_numbers_that_are_none_count_nothing(redis: RedisClient) -> None:
    await redis.commands.hset(clients_of("odd"), mapping={str(ONE): "many", str(OTHER): "9" * 40})
    assert await Headcount(redis, "here").read(["odd"], [ONE, OTHER]) == [0, 0]
