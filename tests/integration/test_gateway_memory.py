"""What clients cost that do nothing, and what is left of those that went."""

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gateway.conversation import Conversation
from gateway.many_rooms import ManyRooms
from gateway.single_room import SingleRoom
from gateway.subscription import Subscription
from gateway.wire import WireProtocol
from shared.http_protocol import HttpProtocol
from tests.gateways import DEADLINE_S, Gateway, running_gateway
from tests.wire_peers import CLOSE, TEXT, Peer, close, frame

BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: zh-CN,zh;q=0.9,en;q=0.8",
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
)
CLIENTS = 150
IDLE_MAX_BYTES = 14 * 1024  # of a client, in Python's objects: what its process grows by is the same, within a tenth


async def join(gateway: Gateway, stack: ExitStack, count: int, *headers: str) -> list[Peer]:
    """So many raw clients, each of which has read its first frame."""
    peers = [stack.enter_context(Peer(gateway.port)) for _ in range(count)]
    for peer in peers:
        await asyncio.to_thread(peer.upgrade, "/ws/7300000000000000001", *headers)
        await asyncio.to_thread(peer.next)
    return peers


async def idle_bytes(gateway: Gateway, *headers: str) -> float:
    """What a client takes that does nothing."""
    with ExitStack() as stack:
        await join(gateway, stack, 20, *headers)  # what is made once is made
        gc.collect()
        tracemalloc.start()
        try:
            await join(gateway, stack, CLIENTS, *headers)
            gc.collect()
            return tracemalloc.get_traced_memory()[0] / CLIENTS
        finally:
            tracemalloc.stop()


async def test_idle_client_takes_little_whatever_its_request_said(redis_server: str) -> None:
    async with running_gateway(redis_server) as gateway:
        bare = await idle_bytes(gateway)
        browser = await idle_bytes(gateway, *BROWSER)
        await gateway.shows(clients=0)
    assert bare < IDLE_MAX_BYTES
    assert abs(browser - bare) < 500


def alive() -> Counter[str]:
    """Objects that stand for a connection or a client."""
    kinds = (WireProtocol, Conversation, HttpProtocol, ManyRooms, SingleRoom, Subscription)
    return Counter(type(found).__name__ for found in gc.get_objects() if issubclass(type(found), kinds))


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
async def test_nothing_is_left_of_clients_that_went(redis_server: str) -> None:
    """Also before the garbage collector has looked: where many come and go, it takes long to come by, and then long."""
    async with running_gateway(redis_server) as gateway:
        with ExitStack() as stack:
            by_us, by_them, without = [await join(gateway, stack, 10) for _ in range(3)]
            assert alive()["WireProtocol"] == 30
            for peer in by_us:
                peer.send(frame(TEXT, b'{"action": "close"}'))
                while (await asyncio.to_thread(peer.next)).opcode != CLOSE:
                    pass
                peer.send(close(1000))
            for peer in by_them:
                peer.send(close(1000))
            for peer in without:
                peer.half_close()
            for peer in by_us + by_them + without:
                await asyncio.to_thread(peer.rest)
        await gateway.shows(clients=0)
        async with asyncio.timeout(DEADLINE_S):
            while alive()["WireProtocol"]:
                await asyncio.sleep(0.01)
        assert alive()["SingleRoom"] == alive()["Subscription"] == alive()["Conversation"] == 0
        assert alive()["HttpProtocol"] <= 1  # that of whoever asks how many clients there are


@pytest.mark.usefixtures("_no_collector")
async def test_nothing_is_left_of_clients_that_had_many_rooms(redis_server: str) -> None:
    async with running_gateway(redis_server) as gateway:
        for _ in range(5):
            async with gateway.join("") as client:
                for room in ("7300000000000000001", "7300000000000000002", "@ana"):
                    await client.say({"action": "subscribe", "room": room})
                    await client.until(status="connecting")
                assert alive()["Subscription"] == 3
                await client.say({"action": "unsubscribe", "room": "@ana"})
                await client.until(type="unsubscribed")
            await gateway.shows(clients=0)
            async with asyncio.timeout(DEADLINE_S):
                while alive()["ManyRooms"]:
                    await asyncio.sleep(0.01)
            assert alive()["Subscription"] == 0
