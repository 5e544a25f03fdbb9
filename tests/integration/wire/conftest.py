"""The rules of RFC 6455 and RFC 7692, from outside: what raw and foreign clients see, whatever they send.

The cases are those of the Autobahn test suite in small, and those it has not: the orders in which two sides close.
Each is run on both event loops, and in one segment as well as byte by byte, with the same result.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.gateways import running_gateway
from tests.wire_echo import (
    LOOPS,
    Echo,
    HastyProtocol,
)
from tests.wire_peers import (
    in_a_thread,
)


@pytest.fixture(scope="module", params=LOOPS)
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    return LOOPS[request.param]


@pytest.fixture(scope="module")
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def port(new_loop: Callable[[], asyncio.AbstractEventLoop], echo: Echo) -> Iterator[int]:
    with in_a_thread(new_loop, echo.running) as port:
        yield port


@pytest.fixture(scope="module")
def hasty(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[tuple[Echo, int]]:
    echo = Echo()
    with in_a_thread(new_loop, partial(echo.running, HastyProtocol)) as port:
        yield echo, port


@pytest.fixture(scope="module")
def deflating(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[tuple[Echo, int]]:
    echo = Echo()
    with in_a_thread(new_loop, partial(echo.running, compression=True)) as port:
        yield echo, port


@pytest.fixture(scope="module")
def gateway_port(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[int]:
    @asynccontextmanager
    async def lifetime() -> AsyncIterator[int]:
        async with running_gateway("memory://conformance", compression=True) as gateway:
            yield gateway.port

    with in_a_thread(new_loop, lifetime) as port:
        yield port


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    loud = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert loud == []
