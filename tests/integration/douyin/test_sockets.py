"""Douyin's sockets: which one opens, with whose signature, and frames that are not as they should be."""

import asyncio
import gzip
import logging
import tracemalloc
from typing import Any
from urllib.parse import parse_qs

import pytest
from prometheus_client import REGISTRY
from starlette.responses import Response

from ingestor.connectors.webcast import MAX_UNZIPPED_BYTES
from protos import webcast_pb2 as pb
from shared.errors import ConfigError, UpstreamError, UpstreamUnavailable
from tests.connectors import closed
from tests.douyin import BLOCKED, ROOM, ROOM_ID, TTWID, Make, connecting, sample
from tests.scripted_server import ScriptedServer, as_json
from tests.socks_proxy import Socks5Proxy


async def test_a_socket_is_opened_with_a_signed_address(server: ScriptedServer, make: Make) -> None:
    upstream = await connecting(make(douyin_cookies="sessionid=s"))
    (handshake,) = server.handshakes
    query = handshake.query
    assert (query["room_id"], query["aid"], query["identity"], query["compress"]) == (
        ROOM_ID,
        "6383",
        "audience",
        "gzip",
    )
    assert query["cursor"].startswith("h-1_t-")
    assert f"wss_push_did:{query['user_unique_id']}" in query["internal_ext"]
    assert len(query["user_unique_id"]) == 19
    assert len(query["signature"]) == 16
    assert parse_qs(handshake.raw_query)["signature"] == [query["signature"]]
    assert handshake.cookies["ttwid"] == TTWID
    assert handshake.cookies["sessionid"] == "s"
    assert handshake.headers["origin"] == server.url
    assert handshake.headers["user-agent"].endswith(query["browser_version"])
    assert upstream.protocol.position == ""
    socket = await server.socket()
    await upstream.transport.send(upstream.protocol.frames_to_send())
    assert await socket.receive_bytes() == b"\x3a\x02hb"
    await closed(upstream)


async def test_a_place_is_carried_on_with_a_new_signature(server: ScriptedServer, make: Make) -> None:
    connector = make()
    position = f"{ROOM_ID} 1790519971000 t-1_r-5_d-1_u-1 internal_src:pushserver|wss_msg_type:r"
    for _ in range(2):
        upstream = await closed(await connecting(connector, position))
        assert upstream.protocol.position == upstream.position == position
        assert upstream.room_id == ROOM_ID
    first, second = server.handshakes
    assert first.query["cursor"] == second.query["cursor"] == "t-1_r-5_d-1_u-1"
    assert first.query["internal_ext"] == "internal_src:pushserver|wss_msg_type:r"
    assert first.query["user_unique_id"] == second.query["user_unique_id"]
    assert first.query["signature"] != second.query["signature"]


async def test_a_place_in_another_broadcast_is_not(server: ScriptedServer, make: Make) -> None:
    upstream = await closed(await connecting(make(), "7690183442860198698 1 t-1_r-5_d-1_u-1 ext"))
    assert upstream.protocol.position == upstream.position == ""
    assert server.handshakes[0].query["cursor"].startswith("h-1_t-")


async def test_a_refused_socket_is_tried_at_the_next_host_with_a_new_signature(
    server: ScriptedServer, make: Make
) -> None:
    server.refusals = [BLOCKED]
    connector = make()
    await closed(await connecting(connector))
    first, second = server.handshakes
    assert (first.path, second.path) == ("/socket/one", "/socket/two")
    assert first.query["signature"] != second.query["signature"]
    await closed(await connecting(connector))
    assert server.handshakes[2].path == "/socket/two"


async def test_a_host_that_fails_hands_on_to_the_next(server: ScriptedServer, make: Make) -> None:
    connector = make(douyin_socket_urls=("ws://127.0.0.1:9/socket", f"{server.socket_url}/two"))
    for _ in range(2):
        await closed(await connecting(connector))
    assert [handshake.path for handshake in server.handshakes] == ["/socket/two"] * 2


async def test_when_no_host_can_be_reached_that_is_told(make: Make) -> None:
    with pytest.raises(UpstreamUnavailable):
        await connecting(make(douyin_socket_urls=("ws://127.0.0.1:9/socket",)))


@pytest.mark.parametrize("answer", [Response("Remote+Signed/01\n"), as_json({"signature": "Remote+Signed/01"})])
async def test_a_remote_signer_can_stand_in(server: ScriptedServer, make: Make, answer: Response) -> None:
    answer.headers["RateLimit-Remaining"] = "77"
    server.answers["/sign"] = [answer]
    connector = make(
        douyin_signers="remote",
        douyin_sign_url=f"{server.url}/sign?key=k&stub={{stub}}&room={{room_id}}&did={{user_unique_id}}&ua={{user_agent}}",
    )
    await closed(await connecting(connector))
    (handshake,) = server.handshakes
    assert handshake.query["signature"] == "Remote+Signed/01"
    assert "signature=Remote%2BSigned%2F01" in handshake.raw_query
    asked = next(asked for asked in server.asked if asked.path == "/sign")
    assert (asked.query["room"], asked.query["did"]) == (ROOM_ID, handshake.query["user_unique_id"])
    assert asked.query["ua"] == handshake.headers["user-agent"]
    assert len(asked.query["stub"]) == 32
    labels = {"platform": "douyin", "provider": "remote"}
    assert REGISTRY.get_sample_value("roomcast_upstream_quota_remaining", labels) == 77


async def test_each_way_in_is_counted_and_timed(server: ScriptedServer, make: Make) -> None:
    def counted(provider: str, result: str) -> tuple[float, float]:
        labels = {"platform": "douyin", "provider": provider}
        return (
            REGISTRY.get_sample_value("roomcast_upstream_tokens_total", {**labels, "result": result}) or 0.0,
            REGISTRY.get_sample_value("roomcast_upstream_token_seconds_count", labels) or 0.0,
        )

    signed, times = counted("builtin", "ok")
    await closed(await connecting(make()))
    assert counted("builtin", "ok") == (signed + 1, times + 1)


def test_it_is_said_that_no_key_is_needed(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    make()
    assert "providers chosen, none of which takes a key platform=douyin order=builtin" in caplog.messages


async def test_the_next_signer_is_asked_when_the_signature_of_the_first_is_refused(
    server: ScriptedServer, make: Make
) -> None:
    server.answers["/sign"] = [as_json({"signature": "RemoteSigned0001"})]
    server.refusals = [BLOCKED, BLOCKED]
    await closed(await connecting(make(douyin_sign_url=f"{server.url}/sign?stub={{stub}}")))
    assert server.handshakes[-1].query["signature"] == "RemoteSigned0001"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(status_code=401), "key_refused"),
        (Response(status_code=500), "upstream_lost"),
        (as_json({"signature": 5}), "upstream_lost"),
        (as_json({}), "upstream_lost"),
        (Response("two words"), "upstream_lost"),
    ],
)
async def test_a_signer_that_does_not_sign_says_why(
    server: ScriptedServer, make: Make, answer: Response, error: str
) -> None:
    server.answers["/sign"] = [answer]
    with pytest.raises(UpstreamError) as raised:
        await connecting(make(douyin_signers="remote", douyin_sign_url=f"{server.url}/sign?stub={{stub}}"))
    assert raised.value.code == error


def test_a_remote_signer_needs_an_address(make: Make) -> None:
    with pytest.raises(ConfigError):
        make(douyin_signers="remote")


@pytest.mark.parametrize(
    "url", ["ftp://x/{stub}", "http://x/", "http://x/{stub", "http://x/{cookie}", "http://x/ {stub}"]
)
def test_an_address_that_cannot_work_is_refused_at_the_start(make: Make, url: str) -> None:
    with pytest.raises(ValueError, match="douyin_sign_url"):
        make(douyin_sign_url=url)


async def test_a_socks_proxy_carries_requests_and_sockets(server: ScriptedServer, make: Make) -> None:
    proxy = Socks5Proxy(server.port)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        connector = make(
            douyin_web_url="http://web.invalid",
            douyin_socket_urls="ws://socket.invalid/socket",
            upstream_proxy_url=f"socks5h://127.0.0.1:{port}",
        )
        await connector.check_live(ROOM)
        await closed(await connecting(connector))
        await connector.aclose()
    assert set(proxy.asked) == {("web.invalid", 80), ("socket.invalid", 80)}


def pushed(response: pb.Response, **fields: Any) -> bytes:
    payload = gzip.compress(response.SerializeToString())
    return pb.PushFrame(**{"log_id": 9, "payload_type": b"msg", "payload": payload, **fields}).SerializeToString()


def told(*messages: tuple[str, int]) -> pb.Response:
    items = [pb.Message(method=method.encode(), payload=b"", msg_id=number) for method, number in messages]
    return pb.Response(messages=items, internal_ext=b"internal_src:x|wss_msg_type:r", now=1)


GOOD = told(("WebcastChatMessage", 1))


EDGE_FRAMES = {
    "gzip that is none": pushed(pb.Response(), payload=b"\x1f\x8b\x08" + b"Z" * 40),
    "gzip cut short": pushed(
        pb.Response(), payload=gzip.compress(told(("WebcastChatMessage", 1)).SerializeToString())[:-4]
    ),
    "cut short": pushed(GOOD)[:-5],
    "a bomb of 64 MiB": pushed(pb.Response(), payload=gzip.compress(bytes(64 * 1024 * 1024))),
    "no protobuf": b"\xff" * 24,
    "a response of groups": pushed(pb.Response(), payload=b"\x0b\x0c"),
}


async def test_of_frames_that_are_not_as_they_should_be_the_good_ones_arrive_and_the_bad_are_counted(
    server: ScriptedServer, make: Make
) -> None:
    upstream = await connecting(make())
    socket = await server.socket()
    before = sample("bad_frame")
    arrived: list[tuple[str, str]] = []
    tracemalloc.start()
    for number, bad in enumerate(EDGE_FRAMES.values(), start=1):
        await socket.send_bytes(bad)
        await socket.send_bytes(
            pushed(told(("WebcastNobodyKnowsMessage", 2 * number), ("WebcastChatMessage", 2 * number + 1)))
        )
        frames = await upstream.transport.receive()
        if len(frames) == 1:
            frames += await upstream.transport.receive()
        for frame in frames:
            arrived += [(message.method, message.id) for message in upstream.protocol.receive_frame(frame)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert arrived == [
        message
        for number in range(1, len(EDGE_FRAMES) + 1)
        for message in (("WebcastNobodyKnowsMessage", f"{2 * number}"), ("WebcastChatMessage", f"{2 * number + 1}"))
    ]
    assert sample("bad_frame") - before == len(EDGE_FRAMES)
    assert peak < 2 * MAX_UNZIPPED_BYTES
    await closed(upstream)
