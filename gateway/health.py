"""What operators and load balancers ask: is it alive, is it ready, what does it do."""

import asyncio
import time
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.relay import Relay
from shared.errors import BadRoom, BrokerUnavailable
from shared.platforms import is_name
from shared.room import RoomKey

ROOMS_MAX = 200  # listed by /rooms, the latest demanded first
ROOMS_FRESH_S = 2.0  # one look at the cluster serves all who ask within this time
READERS_MAX = 16


class Health:
    """The HTTP endpoints for machines and operators."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._rooms: dict[str, Any] = {}
        self._rooms_at = float("-inf")
        self._looking = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/", self.hello),
            Route("/health", self.health),
            Route("/healthz", self.alive),
            Route("/readyz", self.ready),
            Route("/metrics", self.metrics),
            Route("/rooms", self.rooms),
        ]

    async def hello(self, request: Request) -> Response:
        """The greeting that health checks of tkLiveWebSocket deployments look for."""
        return JSONResponse({"msg": "Hello, TikHubIO!"})

    async def health(self, request: Request) -> Response:
        """A summary for people; always 200 while the process answers."""
        relay = self._relay
        return JSONResponse(
            {
                "status": self._fault() or "ok",
                "gateway": relay.settings.gateway_name,
                "clients": relay.clients,
                "rooms": len(relay.rooms),
            }
        )

    async def alive(self, request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """Whether clients should be sent here."""
        fault = self._fault()
        return JSONResponse({"status": fault or "ok"}, 503 if fault else 200)

    async def metrics(self, request: Request) -> Response:
        """Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def rooms(self, request: Request) -> Response:
        """The rooms of the whole cluster; of their clients those of this gateway."""
        try:
            async with self._looking:
                if time.monotonic() - self._rooms_at > ROOMS_FRESH_S:
                    self._rooms = await self._look()
                    self._rooms_at = time.monotonic()
        except BrokerUnavailable:
            return JSONResponse({"status": "redis is away"}, 503)
        return JSONResponse(self._rooms)

    def _fault(self) -> str:
        """Why this gateway is not ready; empty when it is."""
        if self._relay.draining:
            return "draining"
        return "" if self._relay.up else "redis is away"

    async def _look(self) -> dict[str, Any]:
        wanted = [key for key in await self._relay.demand.wanted() if not _is_pointer(key)]
        turns = asyncio.Semaphore(READERS_MAX)

        async def look_at(key: RoomKey) -> dict[str, Any]:
            async with turns:
                return await self._look_at(key)

        rooms = await asyncio.gather(*map(look_at, wanted[:ROOMS_MAX]))
        return {"total": len(wanted), "rooms": rooms}

    async def _look_at(self, key: RoomKey) -> dict[str, Any]:
        state = await self._relay.broker.state(key)
        cursor = await self._relay.broker.last_id(key)
        here = self._relay.rooms.get(key)
        room: dict[str, Any] = {
            "platform": key.platform,
            "room": key.room,
            "clients_here": len(here.members) if here else 0,
        }
        if state.phase is not None:
            room["phase"] = state.phase.phase
            room["code"] = state.phase.code
            room["since"] = state.phase.at
        room |= {
            # The lease's value is `<epoch> <ingestor>/<random>`.
            "holder": state.holder.partition(" ")[2].rpartition("/")[0],
            "title": state.title,
            "viewers": state.viewer_count,
            "gifts": state.gifts,
            "cursor": str(cursor) if cursor else "",
        }
        return {field: value for field, value in room.items() if value not in ("", None)}


def _is_pointer(key: RoomKey) -> bool:
    try:
        return is_name(key)
    except BadRoom:
        return False  # of a platform that only a newer version knows
