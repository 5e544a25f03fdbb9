"""The platforms there are: beside their folders, the only place that names one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.routing import BaseRoute

from simulator.douyin import site as douyin
from simulator.douyin.platform import Douyin
from simulator.platform import Platform
from simulator.tiktok import site as tiktok
from simulator.tiktok.platform import TikTok
from simulator.world import Site


@dataclass(frozen=True, slots=True)
class Row:
    """One platform.

    Attributes:
        routes: its doors.
        settings: (URL of the simulator) -> what leads an ingestor to it.
        demo: settings with which its lively room shows all there is.
        called: how its users call a host's room.
    """

    platform: Platform
    routes: Callable[[Site], list[BaseRoute]]
    settings: Callable[[str], dict[str, str]]
    demo: Mapping[str, str]
    called: Callable[[str], str]


PLATFORMS = (
    Row(TikTok(), tiktok.routes, tiktok.settings, {}, tiktok.called),
    Row(Douyin(), douyin.routes, douyin.settings, douyin.DEMO, douyin.called),
)
