"""A client joins a room: every status, error and close it can be told, in the order it is told."""

from collections.abc import AsyncIterator

import pytest

from shared.phases import Phase
from tests.gateways import Gateway, running_gateway
from tests.holder import HolderClient

ROOM = "7300000000000000001"
KEY = f"tiktok:{ROOM}"


@pytest.fixture
async def gateway(redis_url: str) -> AsyncIterator[Gateway]:
    async with running_gateway(redis_url, untaken_after_s=0.3) as gateway:
        yield gateway


@pytest.fixture
async def cluster(redis_url: str) -> AsyncIterator[HolderClient]:
    async with HolderClient(redis_url) as cluster:
        yield cluster


async def test_first_client_sees_each_step_once_and_then_events(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    async with gateway.join(ROOM) as client:
        assert await client.next() == {
            "status": "connecting",
            "message": "正在加入直播间",
            "step": 1,
            "total_steps": 4,
            "platform": "tiktok",
            "room": ROOM,
        }
        await holder.wanted()
        await holder.go_live()
        cursor = await holder.chat("hello")
        told = [await client.next() for _ in range(4)]
        assert [(frame["status"], frame["step"]) for frame in told] == [
            ("creating_crawler", 2),
            ("getting_token", 3),
            ("checking_live", 4),
            ("connected", 4),
        ]
        assert told[3]["cursor"] == f"{holder.lease.epoch}-0"
        event = await client.next()
        assert event["type"] == "chat"
        assert event["content"] == "hello"
        assert event["cursor"] == str(cursor)
