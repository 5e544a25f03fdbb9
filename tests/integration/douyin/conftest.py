"""The Douyin connector against a server that plays the platform, over real sockets."""

from collections.abc import AsyncIterator

import pytest

from ingestor.connectors.douyin.connector import DouyinConnector
from ingestor.connectors.douyin.settings import DouyinSettings
from tests.connectors import making
from tests.douyin import ENTER, Make, cookie, enter
from tests.scripted_server import ScriptedServer, scripted_server


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        server.answers["/"] = [cookie()]
        server.answers[ENTER] = [enter()]
        yield server


@pytest.fixture
async def make(server: ScriptedServer) -> AsyncIterator[Make]:
    addresses = {
        "douyin_web_url": server.url,
        "douyin_ttwid_url": server.url,
        "douyin_reflow_url": server.url,
        "douyin_short_url": f"{server.url}/_short",
        "douyin_socket_urls": (f"{server.socket_url}/one", f"{server.socket_url}/two"),
        "douyin_poll_interval_s": 0.05,
        "upstream_timeout_s": 5,
    }
    async with making(DouyinConnector, DouyinSettings, addresses) as make:
        yield make
