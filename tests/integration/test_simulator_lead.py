"""`python -m simulator.lead`: the same command starts an ingestor with simulated rooms and without."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from unittest.mock import Mock

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn import Config, Server

from simulator.app import create_app
from simulator.config import SimulatorConfig
from simulator.lead import is_there, settings
from simulator.server import server
from tests.conftest import REPO_ROOT, free_port
from tests.servers import served
from tests.simulators import running_simulator

SHOW = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]]))"


async def led(url: str, *program: str, **environment: str) -> tuple[int | None, str, str]:
    """Exit code, output and errors of a program that is led to that address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator.lead", url, *program),
        cwd=REPO_ROOT, env=os.environ | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def environment_at(url: str, **environment: str) -> dict[str, str]:
    code, output, _ = await led(url, sys.executable, "-c", SHOW, "--an-option", "x", **environment)
    assert code == 0
    told, arguments = json.loads(output)
    assert arguments == ["--an-option", "x"]
    return dict(told)


@pytest.fixture
async def something_else() -> AsyncIterator[str]:
    async def hello(_: object) -> JSONResponse:
        return JSONResponse({"hello": "you"})

    app = Starlette(routes=[Route("/_control/", hello)])
    async with served(Server(Config(app, port=0, log_config=None))) as port:
        yield f"http://127.0.0.1:{port}"


async def test_program_is_led_to_a_simulator() -> None:
    async with running_simulator(SimulatorConfig()) as simulator:
        environment = await environment_at(f"{simulator.url}/")
        assert settings(simulator.url).items() <= environment.items()


async def test_proxies_of_the_environment_are_not_asked_for_the_simulator() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    async with running_simulator(SimulatorConfig()) as simulator:
        environment = await environment_at(
            simulator.url, http_proxy=nobody, HTTP_PROXY=nobody, no_proxy="", NO_PROXY=""
        )
        assert settings(simulator.url).items() <= environment.items()


async def test_without_a_simulator_the_program_runs_as_if_by_itself() -> None:
    environment = await environment_at("http://no-such-host.invalid:8100")
    assert not settings("").keys() & environment.keys()


async def test_where_no_simulator_is_that_is_told() -> None:
    _, _, errors = await led("http://no-such-host.invalid:8100", sys.executable, "-c", "pass")
    assert "real platforms" in errors


def test_name_server_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([socket.gaierror(socket.EAI_AGAIN, "try again"), [("an", "address")]])

    def getaddrinfo(*_: object) -> object:
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert is_there("http://simulator:8100")
    monkeypatch.setattr(socket, "getaddrinfo", Mock(side_effect=socket.gaierror(socket.EAI_AGAIN, "try again")))
    with pytest.raises(TimeoutError):
        is_there("http://simulator:8100", within_s=0)


async def test_what_is_no_simulator_is_left_alone(something_else: str) -> None:
    assert not settings("").keys() & (await environment_at(something_else)).keys()


async def test_program_that_is_none_is_told() -> None:
    code, _, errors = await led("http://no-such-host.invalid", "/no/such/program")
    assert code == 1
    assert "/no/such/program cannot be run (No such file or directory)" in errors


async def test_simulator_that_starts_late_is_waited_for() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    leading = asyncio.create_task(environment_at(url))
    async with served(server(create_app(SimulatorConfig()), "127.0.0.1", port)):
        assert settings(url).items() <= (await leading).items()
