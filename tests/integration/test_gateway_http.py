"""What operators and load balancers ask."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway import documents
from shared.platforms import PLATFORMS
from tests.conftest import REPO_ROOT
from tests.gateways import Gateway, running_gateway
from tests.holder import HolderClient
from tests.measured import measured

ROOM = "7300000000000000001"
KEY = f"tiktok:{ROOM}"


@pytest.fixture
async def gateway(redis_url: str) -> AsyncIterator[Gateway]:
    async with running_gateway(redis_url, gateway_name="gw-1") as gateway:
        yield gateway


async def test_greeting_is_the_one_old_health_checks_look_for(gateway: Gateway) -> None:
    answer = await gateway.get("/")
    assert answer.json() == {"msg": "Hello, TikHubIO!"}


@pytest.mark.parametrize("path", ["/health", "/healthz", "/readyz"])
async def test_healthy_gateway_says_so(gateway: Gateway, path: str) -> None:
    answer = await gateway.get(path)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


async def test_metrics_are_for_prometheus(gateway: Gateway) -> None:
    async with gateway.join(ROOM) as client:
        await client.next()
        text = (await gateway.get("/metrics")).text
        assert "roomcast_gateway_clients 1.0" in text
        assert "roomcast_gateway_ready 1.0" in text


async def test_socket_that_is_accepted_is_counted(gateway: Gateway) -> None:
    before = measured("gateway_connects_total")
    async with gateway.join("not-a-room") as client:
        assert (await client.closed())[0] == 1000
    assert measured("gateway_connects_total") == before + 1


async def test_gateway_is_known_to_the_cluster_while_it_runs(redis_url: str) -> None:
    async with HolderClient(redis_url) as cluster:
        demand = cluster.holder(KEY).demand
        async with running_gateway(redis_url, gateway_name="gw-7"):
            assert [member.name for member in await demand.members("gateway")] == ["gw-7"]
        assert await demand.members("gateway") == []


async def test_pages_are_kept_from_doing_more_than_they_should(gateway: Gateway) -> None:
    answer = await gateway.get("/viewer/static/no-such-file")
    assert answer.status_code == 404
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_plain_request_to_a_room_is_told_to_upgrade(gateway: Gateway) -> None:
    assert (await gateway.get(f"/ws/{ROOM}")).status_code == 426


async def test_socket_elsewhere_is_refused(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{gateway.port}/rooms")


async def ask(gateway: Gateway, path: str) -> bytes:
    """The answer to a path that no client of ours would send as it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "path",
    [
        f"/rooms/tiktok/{ROOM}/../../../viewer",
        "/rooms/tiktok/../../viewer/static/viewer.js",
        "/rooms/tiktok/%2e%2E/%2e./viewer",
        "/rooms/tiktok/x%2f..%2f..%2f..%2fviewer",
        "/rooms/tiktok/x\\..\\..\\viewer",
        "/rooms/tiktok/./viewer",
        "/rooms/..",
        "/../metrics",
        "/metrics/.",
        f"/sse/tiktok/../{ROOM}",
        "http://x/rooms/tiktok/../../viewer",
    ],
)
async def test_path_that_stands_for_another_one_is_not_found(gateway: Gateway, path: str) -> None:
    answer = await ask(gateway, path)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"x-content-type-options: nosniff" in answer
    assert answer.endswith(b"\r\n\r\nNot Found")


@pytest.mark.parametrize("path", ["/health?next=/../x", "/viewer/static/viewer.js"])
async def test_dots_elsewhere_are_nothing_special(gateway: Gateway, path: str) -> None:
    assert (await ask(gateway, path)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", ["/ws/../metrics", "/ws/tiktok/..", "/ws/tiktok/%2e%2e%2fmetrics", "/ws/./x"])
async def test_socket_whose_path_stands_for_another_one_is_told_that_it_is_no_room(gateway: Gateway, path: str) -> None:
    async with gateway.join(path.removeprefix("/ws/")) as client:
        assert await client.closed() == (1000, "bad_room")


async def test_the_viewer_offers_every_platform(gateway: Gateway) -> None:
    found = re.search(r'<meta name="platforms" content="([^"]+)">', (await gateway.get("/viewer")).text)
    assert found is not None
    assert found[1].split() == list(PLATFORMS)


@pytest.mark.parametrize("name", documents.DOCUMENTS)
async def test_documents_are_served_as_they_are_written_and_pages_may_read_them(gateway: Gateway, name: str) -> None:
    answer = await gateway.get(f"/{name}")
    assert answer.status_code == 200
    assert answer.text == (REPO_ROOT / "docs" / name).read_text("utf8")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"].startswith(documents.DOCUMENTS[name][0])
