"""What every platform in the registry has to keep."""

from pathlib import Path

import pytest

from ingestor.connectors.registry import CONNECTORS, SETTINGS, connectors
from ingestor.connectors.replay.connector import ReplayConnector
from shared.errors import ConfigError
from shared.platforms import PLATFORMS
from shared.room import RoomKey


@pytest.fixture(autouse=True)
def no_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_platform_that_users_can_ask_for_has_a_row() -> None:
    assert {*CONNECTORS, ReplayConnector.platform} == set(SETTINGS) == set(PLATFORMS)


async def test_every_connector_opens_with_nothing_set() -> None:
    async with connectors() as opened:
        assert list(opened) == list(SETTINGS)
        for platform, connector in opened.items():
            assert connector.platform == platform
            room = RoomKey(platform, "7300000000000000001")
            if platform in CONNECTORS:
                assert type(connector.decoder(room)) is type(CONNECTORS[platform].decoder(room))


async def test_overrides_stand_above_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each platform takes those it knows; the demo sets addresses this way."""
    monkeypatch.setenv("ROOMCAST_TIKTOK_PROVIDERS", "direct")
    monkeypatch.delenv("TIKHUB_API_KEY", raising=False)
    async with connectors({"a_setting_of_another_platform": "x"}):
        pass
    with pytest.raises(ConfigError):
        async with connectors({"tiktok_providers": ("tikhub",)}):
            pass
