"""The simulator as an ASGI application: the doors of platform, token providers and control, on one port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import pictures
from simulator.config import SimulatorConfig
from simulator.control import Control
from simulator.providers import Providers
from simulator.tiktok_pages import Pages
from simulator.tiktok_socket import Door
from simulator.world import World


def create_app(config: SimulatorConfig) -> Starlette:
    """A simulator with its own world, in `app.state.world`; served best by `simulator.server.server`.

    Raises:
        BadPayloads: a payload file cannot be played.
    """
    world = World(config)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(world.run())
            yield
            ticking.cancel()

    app = Starlette(
        lifespan=lifespan,
        routes=[
            *Pages(world).routes(),
            *Door(world).routes(),
            *Providers(world).routes(),
            *Control(world).routes(),
            Route("/{kind:str}/{number:int}.svg", picture),
        ],
    )
    app.state.world = world
    return app


_PICTURES = {"avatar": pictures.avatar, "gift": pictures.gift, "emote": pictures.emote}


async def picture(request: Request) -> Response:
    """The drawings that messages point to."""
    draw = _PICTURES.get(request.path_params["kind"])
    if draw is None:
        return Response(status_code=404)
    headers = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
    return Response(draw(request.path_params["number"]), media_type="image/svg+xml", headers=headers)
