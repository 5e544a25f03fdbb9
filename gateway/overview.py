"""Where operators ask for rooms and for the cluster, over HTTP."""

from collections.abc import Awaitable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.fresh import LookFailed
from gateway.relay import Relay
from gateway.survey import Survey
from shared.errors import BadRoom, BrokerUnavailable, Malformed
from shared.platforms import parse_room


class Overview:
    """The HTTP endpoints; all of them tell of the whole cluster, whichever gateway is asked."""

    def __init__(self, relay: Relay) -> None:
        self._survey = Survey(relay)

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/rooms", self.rooms),
            Route("/rooms/{platform}/{room:path}", self.room),
            Route("/cluster", self.cluster),
        ]

    async def rooms(self, request: Request) -> Response:
        """Every room that clients want, the latest first."""
        return await _answer(self._survey.rooms.get(None))

    async def room(self, request: Request) -> Response:
        """One room, called what clients call it. Of a name: also the room it points to."""
        try:
            key = parse_room(request.path_params["room"], request.path_params["platform"])
        except BadRoom as error:
            return JSONResponse({"status": "bad room", "detail": str(error)}, 400)
        return await _answer(self._survey.room(key))

    async def cluster(self, request: Request) -> Response:
        """Who is alive, how busy, and what is left."""
        return await _answer(self._survey.cluster.get(None))


async def _answer(found: Awaitable[dict[str, Any] | None]) -> Response:
    try:
        answer = await found
    except Malformed as error:
        return JSONResponse({"status": str(error)}, 503)
    except LookFailed:
        return JSONResponse({"status": "failed, see the log"}, 500)
    except BrokerUnavailable:
        return JSONResponse({"status": "redis is away"}, 503)
    if answer is None:
        return JSONResponse({"status": "nobody asks for this room"}, 404)
    return JSONResponse(answer)
