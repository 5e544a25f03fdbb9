"""The simulator as an ASGI application: the doors of all platforms and of control, on one port."""

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
from simulator.platforms import PLATFORMS
from simulator.world import World


def create_app(config: SimulatorConfig) -> Starlette:
    """A simulator with its own world, in `app.state.world`; served best by `simulator.server.server`.

    Raises:
        BadPayloads: a payload file cannot be played.
    """
    world = World(config, [row.platform for row in PLATFORMS])

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(world.run())
            yield
            ticking.cancel()

    app = Starlette(
        lifespan=lifespan,
        routes=[
            *(route for row in PLATFORMS for route in row.routes(world.sites[row.platform.name])),
            *Control(world).routes(),
            Route("/{kind:str}/{number:int}.svg", picture),
        ],
    )
    app.state.world = world
    return app


async def picture(request: Request) -> Response:
    """The drawings that messages point to."""
    drawing = _draw(request.path_params["kind"], request.path_params["number"])
    if drawing is None:
        return Response(status_code=404)
    headers = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
    return Response(drawing, media_type="image/svg+xml", headers=headers)


_GIFT_SIGNS = {gift.id: gift.picture for row in PLATFORMS for gift in row.platform.catalogue.gifts}


def _draw(kind: str, number: int) -> str | None:
    match kind:
        case "avatar":
            return pictures.avatar(number)
        case "gift":
            return pictures.gift(number, _GIFT_SIGNS.get(number, "🎁"))
        case "emote":
            return pictures.emote(number)
    return None
