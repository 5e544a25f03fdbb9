"""What all doors of the platforms have in common: being slow, failing on purpose, and saying no to a socket."""

import asyncio
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from simulator.faults import FaultKind, Refusal
from simulator.world import World


async def delay_http(world: World) -> None:
    """Be slow, where that was asked for."""
    if fault := world.faults.take(FaultKind.DELAY_HTTP, 0, world.now_s()):
        await asyncio.sleep(fault.number("delay_s"))


async def failure(world: World) -> Response | None:
    """The answer of a server that has too much to do, where that was asked for; it may be late either way."""
    await delay_http(world)
    if fault := world.faults.take(FaultKind.RATE_LIMIT, 0, world.now_s()):
        wait = f"{fault.number('retry_after_s'):g}"
        headers = {"Retry-After": wait, "RateLimit-Remaining": "0", "RateLimit-Reset": wait}
        return JSONResponse({"code": 429, "message": "too many requests", "limit_label": "minute"}, 429, headers)
    if fault := world.faults.take(FaultKind.PROVIDER_ERROR, 0, world.now_s()):
        status = int(fault.number("status"))
        return JSONResponse({"code": status}, status)
    return None


def is_empty(world: World) -> bool:
    """Whether an answer is to be a success with nothing in it."""
    return world.faults.take(FaultKind.PROVIDER_EMPTY, 0, world.now_s()) is not None


def denial(refusal: Refusal, headers: Mapping[str, str]) -> Response:
    """The answer to a socket that is refused."""
    said = {"Handshake-Status": refusal.status, "Handshake-Msg": refusal.message} if refusal.status else {}
    return Response(b"", refusal.http_status, {**said, **headers})
