"""The one list of platforms that this ingestor can listen to."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from ingestor.connectors.base import Connector, Decoder
from ingestor.connectors.decoder import MessageTable
from ingestor.connectors.douyin import frames as douyin_frames
from ingestor.connectors.douyin import messages as douyin_messages
from ingestor.connectors.douyin.connector import DouyinConnector
from ingestor.connectors.douyin.settings import DouyinSettings
from ingestor.connectors.replay.connector import ReplayConnector
from ingestor.connectors.replay.settings import ReplaySettings
from ingestor.connectors.tiktok import frames as tiktok_frames
from ingestor.connectors.tiktok import messages as tiktok_messages
from ingestor.connectors.tiktok.connector import TikTokConnector
from ingestor.connectors.tiktok.settings import TikTokSettings
from ingestor.connectors.webcast import Dialect
from shared.room import RoomKey
from shared.settings import RoomcastSettings, load


class MakeDecoder(Protocol):
    """Makes a decoder of one room; `gifts`: whether its session is told gifts."""

    def __call__(self, room: RoomKey, *, gifts: bool = True) -> Decoder: ...


class MakeDialect(Protocol):
    """Makes the dialect of one connection, which goes on from `position`, to what messages call their room."""

    def __call__(self, room_id: str, position: str = "") -> Dialect: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One platform.

    Attributes:
        settings: its settings class.
        connector: made from an instance of them.
        decoder: of one room; needs neither settings nor a connection.
        messages: every known message, and the types of event it can become.
        dialect: of one connection.
    """

    settings: type[RoomcastSettings]
    connector: Callable[[Any], Connector]
    decoder: MakeDecoder
    messages: MessageTable
    dialect: MakeDialect


CONNECTORS: Mapping[str, Row] = MappingProxyType(
    {
        "tiktok": Row(
            settings=TikTokSettings,
            connector=TikTokConnector,
            decoder=tiktok_messages.TikTokDecoder,
            messages=tiktok_messages.TABLE,
            dialect=tiktok_frames.dialect,
        ),
        "douyin": Row(
            settings=DouyinSettings,
            connector=DouyinConnector,
            decoder=douyin_messages.DouyinDecoder,
            messages=douyin_messages.TABLE,
            dialect=douyin_frames.dialect,
        ),
    }
)
"""What can be listened to, and recorded."""


SETTINGS: Mapping[str, type[RoomcastSettings]] = MappingProxyType(
    {**{platform: row.settings for platform, row in CONNECTORS.items()}, ReplayConnector.platform: ReplaySettings}
)


@contextlib.asynccontextmanager
async def connectors(overrides: Mapping[str, object] = MappingProxyType({})) -> AsyncIterator[dict[str, Connector]]:
    """A connector for each platform, open while the block runs.

    Args:
        overrides: settings that stand above the environment, by field name; each platform takes those it knows.

    Raises:
        ConfigError: a setting is missing or out of bounds.
    """
    async with contextlib.AsyncExitStack() as stack:
        opened: dict[str, Connector] = {}
        for platform, settings in SETTINGS.items():
            own = {name: value for name, value in overrides.items() if name in settings.model_fields}
            opened[platform] = _connector(platform, load(settings, **own))
            stack.push_async_callback(opened[platform].aclose)
        yield opened


def _connector(platform: str, settings: RoomcastSettings) -> Connector:
    if isinstance(settings, ReplaySettings):
        return ReplayConnector(settings, CONNECTORS)
    return CONNECTORS[platform].connector(settings)
