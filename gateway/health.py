"""What load balancers and monitors ask: is it alive, is it ready, how much does it do."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.relay import Relay
from shared.vitals import vitals


class Health:
    """The HTTP endpoints for machines."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def routes(self) -> list[Route]:
        """Where they are."""
        return [Route("/", self.hello), Route("/health", self.health), *vitals(self._fault)]

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

    def _fault(self) -> str:
        """Why this gateway is not ready; empty when it is."""
        if self._relay.draining:
            return "draining"
        return "" if self._relay.up else "redis is away"
