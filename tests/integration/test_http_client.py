"""HTTP to platforms and providers: bounded, typed, forgetful."""

import gzip
from collections.abc import AsyncIterator, Callable

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ingestor.connectors.http_client import MAX_BODY_BYTES, MAX_REDIRECTS, MAX_UNZIPPED_BYTES, BodyTooLarge, HttpClient
from shared.errors import Blocked, KeyRefused, RateLimited, UpstreamError, UpstreamUnavailable
from tests.conftest import free_port
from tests.scripted_server import ScriptedServer, as_json, scripted_server

SECRET = "SECRET"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient(proxy=None, timeout_s=5)
    yield client
    await client.aclose()


async def test_question_and_answer(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [as_json({"x": 1}, Retry_After="7")]
    reply = await client.request("Somebody", "GET", f"{server.url}/a", query={"q": "a b"}, headers={"Cookie": "k=v%7C"})
    assert (reply.status, reply.body, reply.wait_s) == (200, b'{"x": 1}', 7)
    assert (server.asked[0].raw_query, server.asked[0].cookies) == ("q=a+b", {"k": "v%7C"})


async def test_a_body_is_sent_as_json(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [as_json({})]
    await client.request("Somebody", "POST", f"{server.url}/a", body={"url": "wss://h/"})
    assert server.asked[0].body == b'{"url":"wss://h/"}'


async def test_no_cookie_is_remembered(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [Response(headers={"Set-Cookie": "sid=1; Path=/"})]
    for _ in range(2):
        reply = await client.request("Somebody", "GET", f"{server.url}/a", follow=True)
        assert reply.headers["set-cookie"] == "sid=1; Path=/"
    assert server.asked[1].cookies == {}


@pytest.mark.parametrize("encoding", ["gzip", ""])
async def test_zipped_bodies_are_unzipped(server: ScriptedServer, client: HttpClient, encoding: str) -> None:
    body = gzip.compress(b"text") if encoding else b"text"
    server.answers["/a"] = [Response(body, headers={"Content-Encoding": encoding} if encoding else {})]
    assert (await client.request("Somebody", "GET", f"{server.url}/a", follow=True)).body == b"text"


def zipped(body: bytes) -> Response:
    return Response(gzip.compress(body), headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    "answer",
    [Response(bytes(MAX_BODY_BYTES + 1)), zipped(bytes(MAX_UNZIPPED_BYTES + 1))],
    ids=["too long", "bomb"],
)
async def test_bodies_beyond_the_bound_are_refused(
    server: ScriptedServer, client: HttpClient, answer: Response
) -> None:
    server.answers["/a"] = [answer]
    with pytest.raises(BodyTooLarge):
        await client.request("Somebody", "GET", f"{server.url}/a", follow=True)


@pytest.mark.parametrize("answer_of", [Response, zipped])
async def test_a_bound_of_the_question_holds_for_what_is_sent_and_what_it_unzips_to(
    server: ScriptedServer, client: HttpClient, answer_of: Callable[[bytes], Response]
) -> None:
    server.answers["/a"] = [answer_of(b"x" * 1000), answer_of(b"x" * 1001)]
    assert len((await client.request("Somebody", "GET", f"{server.url}/a", max_bytes=1000)).body) == 1000
    with pytest.raises(BodyTooLarge):
        await client.request("Somebody", "GET", f"{server.url}/a", max_bytes=1000)


async def test_a_body_that_cannot_be_unzipped_is_no_answer(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [Response(b"no gzip", headers={"Content-Encoding": "gzip"})]
    with pytest.raises(UpstreamUnavailable, match="unzipped"):
        await client.request("Somebody", "GET", f"{server.url}/a", follow=True)


async def test_a_body_of_unannounced_length_is_cut_off(server: ScriptedServer, client: HttpClient) -> None:
    async def long(_: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(MAX_BODY_BYTES // 65536 + 1):
                yield bytes(65536)

        return StreamingResponse(chunks())

    server.answers["/a"] = [long]
    with pytest.raises(UpstreamUnavailable, match="more than"):
        await client.request("Somebody", "GET", f"{server.url}/a", follow=True)


async def test_a_late_answer_is_none(server: ScriptedServer, client: HttpClient) -> None:
    async def never(request: Request) -> Response:
        await request.receive()  # of a GET: the end of the body, then the client hanging up
        await request.receive()
        return Response()

    server.answers["/a"] = [never]
    with pytest.raises(UpstreamUnavailable, match="in time"):
        await client.request("Somebody", "GET", f"{server.url}/a", timeout_s=0.1)


async def test_cookies_that_come_with_a_redirect_are_told(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [Response(status_code=302, headers={"Location": "/b", "Set-Cookie": "ttwid=1; Path=/"})]
    server.answers["/b"] = [Response(headers={"Set-Cookie": "lang=en"})]
    reply = await client.request("Somebody", "GET", f"{server.url}/a", follow=True)
    assert reply.headers["set-cookie"] == "ttwid=1; Path=/, lang=en"


async def test_cookies_of_the_caller_go_to_the_first_address_alone(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [Response(status_code=302, headers={"Location": "/b"})]
    server.answers["/b"] = [Response()]
    await client.request("Somebody", "GET", f"{server.url}/a", headers={"Cookie": "sessionid=s"}, follow=True)
    assert [asked.cookies for asked in server.asked] == [{"sessionid": "s"}, {}]


async def test_redirects_are_followed_a_few_times(server: ScriptedServer, client: HttpClient) -> None:
    for step in range(MAX_REDIRECTS + 1):
        server.answers[f"/{step}"] = [Response(status_code=302, headers={"Location": f"/{step + 1}"})]
    server.answers[f"/{MAX_REDIRECTS + 1}"] = [Response(b"there")]
    assert (await client.request("Somebody", "GET", f"{server.url}/1", follow=True)).body == b"there"
    with pytest.raises(UpstreamUnavailable):
        await client.request("Somebody", "GET", f"{server.url}/0", follow=True)


async def test_a_key_is_not_taken_to_where_a_redirect_leads(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [Response(status_code=302, headers={"Location": "/b"})]
    server.answers["/b"] = [Response(b"never asked")]
    reply = await client.request("Somebody", "GET", f"{server.url}/a", headers={"X-Api-Key": SECRET})
    assert reply.status == 302
    with pytest.raises(UpstreamUnavailable):
        reply.check(refused=KeyRefused)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://no-such-host.invalid/", "nonsense"])
async def test_who_cannot_be_reached_is_unavailable(client: HttpClient, url: str) -> None:
    with pytest.raises(UpstreamUnavailable, match="Somebody") as raised:
        await client.request("Somebody", "GET", url.format(port=free_port()), query={"key": SECRET})
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, KeyRefused),
        (402, KeyRefused),
        (403, KeyRefused),
        (404, UpstreamUnavailable),
        (429, RateLimited),
        (500, UpstreamUnavailable),
        (503, UpstreamUnavailable),
    ],
)
async def test_each_status_has_its_type(
    server: ScriptedServer, client: HttpClient, status: int, error: type[UpstreamError]
) -> None:
    server.answers["/a"] = [as_json({"message": SECRET}, status)]
    reply = await client.request("Somebody", "GET", f"{server.url}/a", follow=True)
    with pytest.raises(error) as raised:
        reply.check(refused=KeyRefused)
    assert type(raised.value) is error
    assert str(raised.value) == f"Somebody answered HTTP {status}"


async def test_what_a_refusal_means_depends_on_who_refuses(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [Response(status_code=403)]
    reply = await client.request("Somebody", "GET", f"{server.url}/a", follow=True)
    with pytest.raises(Blocked):
        reply.check(refused=Blocked)


async def test_success_passes(server: ScriptedServer, client: HttpClient) -> None:
    server.answers["/a"] = [Response(status_code=204)]
    (await client.request("Somebody", "GET", f"{server.url}/a", follow=True)).check(refused=Blocked)


async def test_a_proxy_is_asked_instead(server: ScriptedServer) -> None:
    """Of plain HTTP a proxy gets the whole address."""
    server.answers["/a"] = [Response(b"by proxy")]
    client = HttpClient(proxy=server.url, timeout_s=5)
    try:
        reply = await client.request("Somebody", "GET", "http://no-such-host.invalid/a")
    finally:
        await client.aclose()
    assert reply.body == b"by proxy"
    assert server.asked[0].headers["host"] == "no-such-host.invalid"
