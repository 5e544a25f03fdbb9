"""The health check of containers: one line, an exit code, and an end in any case."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared import probe
from tests.conftest import free_port

Serve = Callable[..., Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers that answer every request with the bytes given, and then close or wait; returns the port."""
    servers: list[asyncio.Server] = []
    over = asyncio.Event()

    async def serve(answer: bytes, *, then_wait: bool = False) -> int:
        async def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(answer.replace(b"{path}", request.split(b" ")[1]))
            await writer.drain()
            if then_wait:
                await over.wait()
            writer.close()

        servers.append(await asyncio.start_server(on_client, "127.0.0.1", 0))
        port: int = servers[-1].sockets[0].getsockname()[1]
        return port

    yield serve
    over.set()
    for server in servers:
        server.close()
        await server.wait_closed()


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(probe.main, list(arguments))


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (b'HTTP/1.1 200 OK\r\nx: y\r\n\r\n{"status":"ok"}', 0, '200 {"status":"ok"}'),
        (b'HTTP/1.1 503 Nope\r\n\r\n{"status":"redis is away"}', 1, '503 {"status":"redis is away"}'),
        (b"HTTP/1.1 200 OK\r\n\r\ntwo\r\nlines\x1b[31m" + b"a" * 300, 0, "200 twolines[31m" + "a" * 185),
        (b"HTTP/1.1 204\r\n\r\n", 1, "204 "),
        (b"220 mail.example\r\n", 1, "the answer is not HTTP"),
        (b"HTTP/1.1 soon\r\n\r\n", 1, "the answer is not HTTP"),
        (b"", 1, "the answer is not HTTP"),
    ],
)
async def test_what_is_answered_is_told_on_one_line(
    serve: Serve, capsys: pytest.CaptureFixture[str], answer: bytes, code: int, said: str
) -> None:
    url = f"http://127.0.0.1:{await serve(answer)}/readyz"
    assert await run(url) == code
    assert capsys.readouterr().out == f"{url}: {said}\n"


async def test_without_an_address_the_gateway_of_this_container_is_asked(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", str(await serve(b"HTTP/1.1 200 OK\r\n\r\n{path}")))
    assert await run() == 0
    assert capsys.readouterr().out.endswith(": 200 /healthz\n")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_a_server_that_does_not_come_to_an_end_is_not_waited_for(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(probe, "WITHIN_S", 0.1)
    assert await run(f"http://127.0.0.1:{await serve(answer, then_wait=True)}/") == 1
    assert capsys.readouterr().out.endswith(": timed out\n")


async def test_more_than_a_page_of_ours_is_not_read(serve: Serve) -> None:
    port = await serve(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 100_000, then_wait=True)
    assert await run(f"http://127.0.0.1:{port}/") == 0


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/", "127.0.0.1:8000", "http://127.0.0.1/", "http://x:1/\r\nX: y"])
async def test_an_address_that_is_none_is_said_to_be_none(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(url) == 1
    assert "is not of the form" in capsys.readouterr().out


async def test_nobody_there_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(f"http://127.0.0.1:{free_port()}/") == 1
    assert "refused" in capsys.readouterr().out


async def test_an_ingestor_is_asked_at_its_own_port(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("ROOMCAST_INGESTOR_PORT", str(await serve(b"HTTP/1.1 200 OK\r\n\r\n{path}")))
    assert await run() == 0
    assert capsys.readouterr().out.endswith(": 200 /healthz\n")
