"""Clients that listen by HTTP: the same frames as in a socket, and a browser's own way to resume."""

import asyncio
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import uvicorn

from gateway.app import create_app
from gateway.server import create_server
from gateway.settings import GatewaySettings
from shared.http_protocol import HttpProtocol
from shared.phases import Phase
from shared.redis_client import open_redis
from shared.transports import STREAM, Stream
from tests.frames import read
from tests.gateways import DEADLINE_S, Gateway, running_gateway
from tests.holder import Holder, HolderClient
from tests.servers import http_client, served
from tests.streams import listening

ROOM = "7300000000000000001"


class Hasty(HttpProtocol):
    """Gives an answer less time than a test takes."""

    request_s = 0.05


SERVERS: dict[str, Any] = {"own": HttpProtocol, "foreign": "h11"}


@asynccontextmanager
async def gateway_behind(http: Any, url: str, **settings: Any) -> AsyncIterator[Gateway]:
    """A gateway behind that kind of HTTP server."""
    chosen: dict[str, Any] = {"_env_file": None, "redis_url": url, "host": "127.0.0.1", "port": 0, "linger_s": 0}
    read = GatewaySettings(**chosen | settings)
    redis = open_redis(url, name="gateway")
    app = create_app(read, redis)
    made = create_server(app, read)
    made.config.http = http
    try:
        async with served(made) as port, http_client(port) as client:
            yield Gateway(port, client, app)
    finally:
        await redis.aclose()


@pytest.fixture(params=SERVERS)
def http(request: pytest.FixtureRequest) -> Any:
    return SERVERS[request.param]


@pytest.fixture
async def holder(redis_server: str) -> AsyncIterator[Holder]:
    async with HolderClient(redis_server) as cluster:
        holder = cluster.holder(f"tiktok:{ROOM}")
        await holder.go_live()
        yield holder


async def test_frames_are_those_of_a_socket_and_events_have_their_place_as_id(
    http: Any, redis_server: str, holder: Holder
) -> None:
    async with gateway_behind(http, redis_server) as gateway:
        async with (
            gateway.join(f"{ROOM}?lang=en&events=chat") as socket,
            listening(gateway, f"{ROOM}?lang=en&events=chat") as client,
        ):
            assert client.response.headers["content-type"] == "text/event-stream; charset=utf-8"
            await socket.until(status="connected")
            await client.until(status="connected")
            await holder.chat("one", "line\nend\r\n", "three")
            await client.until(content="three")
            await socket.until(content="three")
            told = [frame for frame in client.frames if frame.get("type") not in ("pong", "live_status")]
            assert told == socket.frames
            await gateway.shows(clients=2)
        await gateway.shows(clients=0)
    assert 1000 <= client.retry_ms <= 3000
    places = [frame.get("cursor") if "type" in frame else None for frame in client.frames]
    assert [place or "" for place in places] == [
        own_id or ("" if frame.get("type") != "live_status" else frame.get("cursor", ""))
        for own_id, frame in zip(client.ids, client.frames, strict=True)
    ]


async def test_client_resumes_elsewhere_without_hole_or_double(http: Any, redis_server: str, holder: Holder) -> None:
    said = [str(number) for number in range(60)]
    async with gateway_behind(http, redis_server) as gateway, listening(gateway, f"tiktok/{ROOM}?lang=en") as client:
        await client.until(status="connected")
        await holder.chat(*said[:20])
        await client.until(content="19")
        draining = asyncio.ensure_future(gateway.endpoint.drain())
        await client.rest()
        await draining
    closing_frame = client.frames[-1]
    assert (closing_frame["code"], closing_frame["reconnect"]) == ("draining", True)
    assert closing_frame["cursor"] == client.last_event_id
    await holder.chat(*said[20:40])
    headers = {"Last-Event-ID": client.last_event_id}
    async with (
        gateway_behind(http, redis_server) as gateway,
        listening(gateway, f"{ROOM}?since=1-1", headers) as returned,  # the header is newer than the address
    ):
        await returned.until(status="connected")
        await holder.chat(*said[40:])
        await returned.until(content=said[-1])
    contents = [frame["content"] for frame in client.frames + returned.frames if "content" in frame]
    assert contents == said
    assert returned.words[:2] == ["connecting", "recovered"]


async def test_client_to_which_nothing_happened_resumes_without_hole(redis_server: str, holder: Holder) -> None:
    await holder.chat("before")
    async with running_gateway(redis_server) as gateway:
        async with listening(gateway, f"{ROOM}?events=gift") as client:
            await client.until(type="pong")
        await holder.chat("while it was away")
        async with listening(gateway, ROOM, {"Last-Event-ID": client.last_event_id}) as returned:
            await returned.until(status="connected")
    assert returned.words == ["connecting", "recovered", "while it was away", "connected"]


async def test_id_that_is_no_place_is_told_and_the_client_is_served(redis_server: str, holder: Holder) -> None:
    async with (
        running_gateway(redis_server) as gateway,
        listening(gateway, ROOM, {"Last-Event-ID": "yesterday"}) as client,
    ):
        await client.until(status="connected")
    assert client.words == ["connecting", "bad_cursor", "connected"]


async def test_client_without_events_is_given_signs_of_life(redis_server: str, holder: Holder) -> None:
    await holder.chat("one")
    async with (
        running_gateway(redis_server, ping_interval_s=1) as gateway,
        listening(gateway, f"{ROOM}?events=gift") as client,
    ):
        await client.until(type="pong")
        await client.until(comment=True)  # it is where it was
        cursor = await holder.chat("of no interest")
        assert (await client.until(type="pong"))["cursor"] == client.last_event_id == str(cursor)


async def test_end_of_the_room_is_the_end_of_the_stream_and_coming_back_is_of_no_use(
    redis_server: str, holder: Holder
) -> None:
    async with running_gateway(redis_server) as gateway:
        async with listening(gateway, ROOM) as client:
            await client.until(status="connected")
            first = await holder.chat("one")
            await holder.chat("the last")
            await client.until(content="the last")
            await holder.rest(Phase.ENDED)
            await client.rest()
        assert (client.frames[-1]["status"], client.frames[-1]["code"]) == ("closing", "ended")
        url = f"/sse/{ROOM}"
        answer = await gateway.http.get(url, headers={"Last-Event-ID": client.last_event_id})
        assert (answer.status_code, answer.content) == (204, b"")
        async with listening(gateway, ROOM, {"Last-Event-ID": str(first)}) as behind:
            await behind.rest()
        assert behind.words == ["connecting", "recovered", "the last", "ended"]
        async with listening(gateway, ROOM) as stranger:
            await stranger.rest()
        assert stranger.words == ["connecting", "ended"]


async def test_who_comes_back_when_all_places_are_taken_is_told_that(redis_server: str, holder: Holder) -> None:
    last = await holder.chat("the last")
    await holder.rest(Phase.ENDED)
    back = {"Last-Event-ID": str(last)}
    async with running_gateway(redis_server, clients_max=1) as gateway:
        for _ in range(2):  # who is told that there is nothing more takes no place
            assert (await gateway.http.get(f"/sse/{ROOM}", headers=back)).status_code == 204
        async with gateway.join("") as client:
            await client.say({"action": "list"})
            await client.until(type="subscriptions")
            async with listening(gateway, ROOM, back) as other:
                await other.rest()
            assert other.words == ["overloaded"]


async def test_client_of_http_1_0_reads_no_chunks_and_the_end_of_the_connection(
    http: Any, redis_server: str, holder: Holder
) -> None:
    async with gateway_behind(http, redis_server) as gateway, asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(f"GET /sse/{ROOM} HTTP/1.0\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"transfer-encoding" not in head.lower()
        await reader.readuntil(b"connected")
        await holder.chat("one", "two")
        await reader.readuntil(b"two")
        await holder.rest(Phase.ENDED)
        lines = (await reader.read()).split(b"\n")
        assert {line.partition(b":")[0] for line in lines[1:]} <= {b"id", b"data", b""}
        assert b'"closing"' in lines[-3]
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("path", ["no%20room", "nowhere/7", "", "a/b/c"])
async def test_what_is_no_room_is_refused(redis_server: str, path: str) -> None:
    async with running_gateway(redis_server) as gateway:
        answer = await gateway.http.get(f"/sse/{path}?lang=en")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_room")
        assert (await gateway.http.post(f"/sse/{ROOM}")).status_code == 405
        await gateway.shows(clients=0)


async def test_streams_count_as_clients(redis_server: str, holder: Holder) -> None:
    async with running_gateway(redis_server, clients_max=1) as gateway:
        async with listening(gateway, ROOM) as client:
            await client.until(status="connected")
            async with listening(gateway, ROOM) as other:
                await other.rest()
            assert other.words == ["overloaded"]
            async with gateway.join(ROOM) as third:
                assert await third.closed() == (1013, "overloaded")
        await gateway.shows(clients=0)


async def test_client_that_does_not_read_is_closed_and_others_are_not_disturbed(
    http: Any, redis_server: str, holder: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"send_soft_bytes": 16 * 1024, "send_hard_bytes": 64 * 1024}
    async with gateway_behind(http, redis_server, **settings) as gateway, gateway.join(ROOM) as quick:
        with closing(socket.socket()) as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
            idle.setblocking(False)
            await asyncio.get_running_loop().sock_connect(idle, ("127.0.0.1", gateway.port))
            idle.send(f"GET /sse/{ROOM} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            await quick.until(status="connected")
            await gateway.shows(clients=2)
            async with asyncio.timeout(2 * DEADLINE_S):
                number = 0
                while (await gateway.get("/health")).json()["clients"] == 2:
                    await holder.chat(*(f"{number} {'x' * 16_000}" for _ in range(10)))
                    for _ in range(10):
                        assert (await quick.next())["content"].startswith(f"{number} ")
                    number += 1
            if http is HttpProtocol:  # another server keeps what is unsent until the client leaves, and says so
                with pytest.raises(ConnectionResetError):
                    while await asyncio.get_running_loop().sock_recv(idle, 65536):
                        pass
    if http is HttpProtocol:
        assert faults(caplog) == []


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


async def test_client_that_leaves_is_no_fault(
    redis_server: str, holder: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_gateway(redis_server) as gateway:
        for path in (ROOM, f"{ROOM}?last=5", "@nobody"):
            async with listening(gateway, path) as client:
                await client.next()
            await gateway.shows(clients=0)
    assert faults(caplog) == []


async def test_end_that_is_not_taken_is_followed_by_a_reset() -> None:
    async def app(scope: dict[str, Any], receive: object, send: Any) -> None:
        stream: Stream = scope["extensions"][STREAM]()
        stream.begin_stream(16 * 1024)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(8 << 20), "more_body": False})
        stream.end_stream(0.1)

    config = uvicorn.Config(app, port=0, http=HttpProtocol, ws="none", lifespan="off", log_config=None)
    async with served(uvicorn.Server(config)) as port:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            poll = select.poll()
            poll.register(plain, select.POLLHUP | select.POLLERR)
            assert await asyncio.to_thread(poll.poll, DEADLINE_S * 1000)  # without having read anything


async def test_stream_takes_longer_than_an_answer_may(redis_server: str, holder: Holder) -> None:
    async with gateway_behind(Hasty, redis_server) as gateway, listening(gateway, ROOM) as client:
        await client.until(status="connected")
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        async with asyncio.timeout(DEADLINE_S):
            try:
                assert await reader.read() == b""  # who came later has had its time
            except ConnectionResetError:
                pass
        writer.close()
        await holder.chat("still here")
        await client.until(content="still here")


async def test_stream_of_a_gateway_that_stops_is_ended_in_good_order(redis_server: str, holder: Holder) -> None:
    async with running_gateway(redis_server) as gateway:
        with closing(socket.create_connection(("127.0.0.1", gateway.port))) as plain:
            plain.sendall(f"GET /sse/{ROOM} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            await gateway.shows(clients=1)
            await gateway.endpoint.drain()
            await gateway.shows(clients=0)
            said = b""
            while part := await asyncio.to_thread(plain.recv, 65536):
                said += part
    assert said.endswith(b"0\r\n\r\n")  # the body is complete
    frames = [read(line[6:]) for line in said.splitlines() if line.startswith(b"data: ")]
    assert frames[-1]["code"] == "draining"
