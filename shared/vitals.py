"""What orchestrators, balancers and scrapers ask every process: is it alive, is it ready, what does it count."""

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def vitals(fault: Callable[[], str]) -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics`.

    Args:
        fault: why the process is not ready, empty when it is.
    """

    async def alive(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        found = fault()
        return JSONResponse({"status": found or "ok"}, 503 if found else 200)

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]
