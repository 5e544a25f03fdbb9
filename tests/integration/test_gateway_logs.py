"""What the gateway logs of its clients."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.close_codes import Code
from shared.logs import JsonFormatter
from tests.gateways import Gateway, running_gateway
from tests.holder import Holder, HolderClient

ROOM = "7300000000000000001"
KEY = f"tiktok:{ROOM}"


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gateway")


@pytest.fixture
async def holder(redis_server: str) -> AsyncIterator[Holder]:
    async with HolderClient(redis_server) as cluster:
        holder = cluster.holder(KEY)
        await holder.go_live()
        yield holder


@pytest.fixture
async def gateway(redis_server: str) -> AsyncIterator[Gateway]:
    async with running_gateway(redis_server) as gateway:
        yield gateway


def lines(caplog: pytest.LogCaptureFixture, start: str) -> list[dict[str, Any]]:
    """The lines that begin so, as a machine reads them."""
    found = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    return [line for line in found if line["message"].startswith(start)]


async def test_a_client_that_is_closed_alone_is_logged_with_its_id(
    gateway: Gateway, holder: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway.join(ROOM) as client, gateway.join(ROOM) as other:
        await client.until(status="connected")
        await other.until(status="connected")
        next(iter(gateway.endpoint._sessions)).fail(Code.INTERNAL)
        await gateway.shows(clients=1)
    (closed,) = lines(caplog, "client closed")
    assert (closed["level"], closed["room"], closed["code"]) == ("INFO", KEY, "internal")
    assert closed["seconds"] >= 0
    came, joined, left = (
        {line["client"]: line["level"] for line in lines(caplog, start)}
        for start in ("client came", "client joined", "client left")
    )
    assert len(came) == 2
    assert came == joined
    assert left[closed["client"]] == "DEBUG"


async def test_who_leaves_or_is_closed_with_its_room_is_logged_for_those_who_search_only(
    gateway: Gateway, holder: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        gateway.join(ROOM) as client,
        gateway.join("tiktok/-") as stranger,
        gateway.join(ROOM) as talker,
    ):
        await stranger.closed()
        await talker.socket.send("x" * 5000)
        await talker.closed()
        await client.until(status="connected")
        await client.say({"action": "close"})
        await client.closed()
    assert {line["code"]: line["level"] for line in lines(caplog, "client closed")} == {
        "bad_room": "DEBUG",
        "requested": "DEBUG",
        "too_large": "DEBUG",
    }


async def test_a_crowd_that_is_sent_away_is_one_line(redis_server: str, caplog: pytest.LogCaptureFixture) -> None:
    async with running_gateway(redis_server, clients_max=1) as gateway, gateway.join(ROOM) as client:
        await client.next()
        for _ in range(5):
            async with gateway.join(ROOM) as other:
                assert await other.closed() == (1013, "overloaded")
    (told,) = lines(caplog, "clients sent away")
    assert (told["level"], told["code"], told["clients"], told["served"]) == ("WARNING", "overloaded", 1, 1)


async def test_no_line_tells_where_a_client_comes_from(
    gateway: Gateway, holder: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    where = "198.51.100.77"
    async with gateway.join(f"{ROOM}?since=nonsense", additional_headers={"X-Forwarded-For": where}) as client:
        await client.until(status="connected")
        await client.socket.send("x" * 5000)
        await client.closed()
    said = [record.getMessage() for record in caplog.records if record.name.startswith("gateway")]
    assert any("client closed" in message for message in said)
    assert [message for message in said if where in message or "127.0.0.1" in message or "nonsense" in message] == []
