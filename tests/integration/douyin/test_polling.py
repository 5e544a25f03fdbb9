"""Polling, where Douyin refuses the socket."""

import asyncio
import gzip
import os

import pytest
from starlette.responses import Response

from ingestor.connectors.base import SeenIds
from ingestor.connectors.douyin.polling import MAX_ANSWER_BYTES
from ingestor.connectors.http_client import BodyTooLarge
from protos import webcast_pb2 as pb
from shared.errors import Blocked, RateLimited, RoomOffline, UpstreamError, UpstreamLeft, UpstreamUnavailable
from shared.room import RoomKey
from tests.connectors import closed
from tests.douyin import (
    BLOCKED,
    CAPTCHA,
    EMPTY,
    ERROR,
    FETCH,
    LIVE,
    RATE_LIMIT,
    ROOM_ID,
    Make,
    connecting,
    polled,
    receive,
    sample,
)
from tests.scripted_server import ScriptedServer, as_json


async def test_a_room_whose_socket_is_refused_is_polled(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(1, 2), polled(2, 3, cursor="t-2_r-6_d-1_u-1"), polled()]
    upstream = await connecting(make())
    assert [await receive(upstream) for _ in range(3)] == [["1", "2"], ["3"], []]
    await upstream.transport.send(upstream.protocol.frames_to_send())
    first, second, third = (asked for asked in server.asked if asked.path == FETCH)
    assert (first.query["cursor"], first.query["internal_ext"]) == ("", "")
    assert (second.query["cursor"], second.query["internal_ext"]) == ("t-1_r-5_d-1_u-1", "internal_src:dim")
    assert third.query["cursor"] == "t-2_r-6_d-1_u-1"
    assert first.query["room_id"] == ROOM_ID
    assert first.query["resp_content_type"] == "protobuf"
    await closed(upstream)


async def test_polling_goes_on_where_the_socket_left_off(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled()]
    await closed(await connecting(make(), f"{ROOM_ID} 1 t-9_r-9_d-1_u-1 ext"))
    assert server.asked[-1].query["cursor"] == "t-9_r-9_d-1_u-1"


async def test_a_room_that_is_over_is_not_called_blocked_by_a_poll(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [as_json({"status_code": 30003})]
    with pytest.raises(RoomOffline):
        await connecting(make())


@pytest.mark.parametrize(("answer", "error"), [(ERROR, UpstreamUnavailable), (RATE_LIMIT, RateLimited)])
async def test_while_the_socket_rests_a_poll_that_fails_says_why(
    server: ScriptedServer, make: Make, answer: Response, error: type[UpstreamError]
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(), answer]
    connector = make()
    await closed(await connecting(connector))
    with pytest.raises(error):
        await connecting(connector)


async def test_a_signer_in_trouble_does_not_keep_a_refused_room_from_being_polled(
    server: ScriptedServer, make: Make
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers.update({"/sign": [Response(status_code=401)], FETCH: [polled(1)]})
    upstream = await connecting(make(douyin_sign_url=f"{server.url}/sign?stub={{stub}}"))
    assert await receive(upstream) == ["1"]


async def test_a_room_with_a_session_of_its_own_is_refused_for_itself_alone(server: ScriptedServer, make: Make) -> None:
    other = RoomKey("douyin", "728804746625")
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled()]
    connector = make(douyin_room_cookies={other.room: "sessionid=worn-out"})
    await closed(await connector.connect(other, LIVE, "", SeenIds()))
    await closed(await connecting(connector))
    assert len(server.handshakes) == 3


async def test_a_poll_that_goes_on_at_a_place_leaves_nothing_out(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled()]
    connector = make()
    for position, joined in (("", False), (f"{ROOM_ID} 1 t-9_r-9_d-1_u-1 ext", True)):
        upstream = await closed(await connecting(connector, position))
        assert upstream.protocol.overlapped is joined


async def test_the_refused_socket_rests_for_all_rooms_and_then_is_tried_again(
    server: ScriptedServer, make: Make
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled()]
    connector = make(douyin_socket_rest_s=1)
    first = await connecting(connector)
    await closed(await connecting(connector))
    assert len(server.handshakes) == 2
    with pytest.raises(UpstreamLeft):
        async with asyncio.timeout(10):
            while True:
                await receive(first)
    await closed(await connecting(connector))
    assert len(server.handshakes) == 3


@pytest.mark.parametrize(
    "answer",
    [EMPTY, CAPTCHA, as_json({"status_code": 9}), Response(b"\xff\xff"), ERROR],
)
async def test_refused_by_socket_and_poll_it_is_blocked_for_long(
    server: ScriptedServer, make: Make, answer: Response
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [answer]
    with pytest.raises(Blocked) as raised:
        await connecting(make(douyin_blocked_rest_s=300))
    assert raised.value.retry_after_s == 300
    assert "device" in raised.value.detail


HUGE = Response(pb.Response(cursor=b"t-1_r-5", internal_ext=b"x" * 100_000).SerializeToString())


@pytest.mark.parametrize("answer", [EMPTY, ERROR, Response(b"\xff\xff"), RATE_LIMIT, HUGE])
async def test_a_poll_that_fails_later_ends_the_connection(
    server: ScriptedServer, make: Make, answer: Response
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(1), answer]
    upstream = await connecting(make())
    assert await receive(upstream) == ["1"]
    with pytest.raises(UpstreamError):
        await receive(upstream)


def polled_in(size: int, *, zipped: bool) -> Response:
    """An answer of so many bytes, unzipped, with one message; it unzips to some four times its size."""

    def answer(payload_bytes: int) -> bytes:
        payload = os.urandom(payload_bytes // 4) + bytes(payload_bytes - payload_bytes // 4)
        return pb.Response(messages=[pb.Message(msg_id=2, payload=payload)]).SerializeToString()

    body = answer(2 * size - len(answer(size)))
    assert len(body) == size
    return Response(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"}) if zipped else Response(body)


@pytest.mark.parametrize("zipped", [False, True])
async def test_the_largest_answer_of_a_poll_arrives(server: ScriptedServer, make: Make, zipped: bool) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(1), polled_in(MAX_ANSWER_BYTES, zipped=zipped)]
    upstream = await connecting(make())
    assert [await receive(upstream) for _ in range(2)] == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("size", "zipped"), [(MAX_ANSWER_BYTES + 1, False), (MAX_ANSWER_BYTES + 1, True), (2 * MAX_ANSWER_BYTES, True)]
)
async def test_a_larger_one_is_counted_and_ends_its_connection_alone(
    server: ScriptedServer, make: Make, size: int, zipped: bool
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(1), polled(9), polled_in(size, zipped=zipped), polled(10)]
    connector = make()
    upstream, other = await connecting(connector), await connecting(connector)
    assert [await receive(upstream), await receive(other)] == [["1"], ["9"]]
    position, before = upstream.protocol.position, sample("large_answer")
    with pytest.raises(BodyTooLarge):
        await receive(upstream)
    assert (upstream.protocol.position, sample("large_answer") - before) == (position, 1)
    assert await receive(other) == ["10"]
