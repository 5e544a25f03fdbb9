"""TikTok's doors, all together, and how to find them."""

from random import Random

from starlette.routing import BaseRoute

from simulator.tiktok.pages import Pages
from simulator.tiktok.providers import Providers
from simulator.tiktok.socket import Door
from simulator.tiktok.tickets import Tickets
from simulator.world import Site


def routes(site: Site) -> list[BaseRoute]:
    """Pages, socket and token providers."""
    tickets = Tickets(Random(f"{site.world.config.seed}/tickets"))
    return [*Pages(site).routes(), *Door(site, tickets).routes(), *Providers(site, tickets).routes()]


def settings(url: str) -> dict[str, str]:
    """What leads an ingestor to a simulator at this address."""
    return {
        "ROOMCAST_TIKTOK_PROVIDERS": "euler",
        "ROOMCAST_EULER_BASE_URL": url,
        "ROOMCAST_TIKTOK_WEB_URL": url,
        "ROOMCAST_TIKTOK_WEBCAST_URL": url,
    }


def called(name: str) -> str:
    """How users call a host's room."""
    return f"@{name}"
