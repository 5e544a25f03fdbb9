"""Where the documents about the gateway can be had from itself. Each is made when it is first asked for."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import asyncapi, openapi
from shared import events

DOCUMENTS: Mapping[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "asyncapi.json": ("application/json", asyncapi.document),
    "openapi.json": ("application/json", openapi.document),
    "events.schema.json": ("application/schema+json", events.json_schema),
}
"""Each by its name: what it is, and what makes it."""


@cache
def written(name: str) -> str:
    """A document as text, so that people can read it too."""
    return json.dumps(DOCUMENTS[name][1](), indent=1, ensure_ascii=False) + "\n"


async def _answer(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    # Pages of other origins may read it: viewers of such documents are.
    return Response(written(name), headers={"access-control-allow-origin": "*"}, media_type=DOCUMENTS[name][0])


def routes() -> list[Route]:
    """Where they are."""
    return [Route(f"/{name}", _answer) for name in DOCUMENTS]
