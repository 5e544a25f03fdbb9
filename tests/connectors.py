"""Connectors that lead to a server of the test's own, for the tests of all platforms."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar

from ingestor.connectors.base import Connector, Upstream
from ingestor.connectors.settings import UpstreamSettings

_Made = TypeVar("_Made", bound=Connector)
_Settings = TypeVar("_Settings", bound=UpstreamSettings)


@contextlib.asynccontextmanager
async def making(
    connector: Callable[[_Settings], _Made], settings: type[_Settings], addresses: Mapping[str, object]
) -> AsyncIterator[Callable[..., _Made]]:
    """Make connectors that have nothing but their addresses changed; all are closed at the end.

    Args:
        connector, settings: classes of the platform.
        addresses: settings that lead to the test's server; keyword arguments of a call are more settings.
    """
    async with contextlib.AsyncExitStack() as stack:

        def make(**changed: object) -> _Made:
            made = connector(settings.model_validate({**addresses, **changed}))
            stack.push_async_callback(made.aclose)
            return made

        yield make


async def closed(upstream: Upstream) -> Upstream:
    """Close it; what it was can still be looked at."""
    await upstream.transport.aclose()
    return upstream
