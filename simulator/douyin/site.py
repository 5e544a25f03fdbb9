"""Douyin's doors, all together, and how to find them."""

from typing import Final

from starlette.routing import BaseRoute

from simulator.douyin.api import SHORT_PATH, Api
from simulator.douyin.pages import Pages
from simulator.douyin.socket import SOCKET_PATHS, Door
from simulator.world import Site


def routes(site: Site) -> list[BaseRoute]:
    """Socket, pages and all that is asked for as JSON."""
    return [*Door(site).routes(), *Api(site).routes(), *Pages(site).routes()]


def settings(url: str) -> dict[str, str]:
    """What leads an ingestor to a simulator at this address."""
    sockets = ",".join(f"{url.replace('http', 'ws', 1)}{path}" for path in SOCKET_PATHS)
    return {
        "ROOMCAST_DOUYIN_WEB_URL": url,
        "ROOMCAST_DOUYIN_TTWID_URL": url,
        "ROOMCAST_DOUYIN_REFLOW_URL": url,
        "ROOMCAST_DOUYIN_SHORT_URL": f"{url}{SHORT_PATH}",
        "ROOMCAST_DOUYIN_SOCKET_URLS": sockets,
    }


DEMO: Final = {"ROOMCAST_DOUYIN_ROOM_COOKIES": '{"728804746624": "sessionid=demo"}'}
"""A session that is logged in, for who is not is told no gifts."""


def called(name: str) -> str:
    """How users call a host's room."""
    return name
