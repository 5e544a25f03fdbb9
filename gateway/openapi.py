"""What is answered over HTTP, as an OpenAPI 3.1 document."""

from collections.abc import Mapping
from typing import Any, Final

from gateway import answers
from gateway.protocol import ErrorFrame
from gateway.query import PLATFORM, QUERY, ROOM
from shared import schemas
from shared.platforms import DEFAULT_PLATFORM, PLATFORMS
from shared.version import VERSION

ANSWERS: Final[Mapping[str, Mapping[int, type[Any]]]] = {
    "/": {200: answers.Hello},
    "/health": {200: answers.Summary},
    "/healthz": {200: answers.State},
    "/readyz": {200: answers.State, 503: answers.State},
    "/rooms": {200: answers.Rooms, 503: answers.State},
    "/rooms/{platform}/{room}": {200: answers.Room, 400: answers.State, 404: answers.State, 503: answers.State},
    "/cluster": {200: answers.Cluster, 503: answers.State},
    "/sse/{room}": {400: ErrorFrame},
    "/sse/{platform}/{room}": {400: ErrorFrame},
}
"""What is answered as JSON, by path and status."""

_SUMMARIES = {
    "/": "A greeting.",
    "/health": "This gateway, for people.",
    "/healthz": "Whether the process answers.",
    "/readyz": "Whether clients should be sent here.",
    "/rooms": "Every room that clients want.",
    "/rooms/{platform}/{room}": "One room.",
    "/cluster": "Who is alive, how busy, and what is left.",
    "/metrics": "Measurements, for Prometheus.",
    "/viewer": "A page that shows rooms.",
    "/asyncapi.json": "What is said on sockets.",
    "/openapi.json": "This document.",
    "/events.schema.json": "Every event, as JSON Schema.",
    "/sse/{room}": f"A room as server-sent events; of `{DEFAULT_PLATFORM}`, or where the link leads.",
    "/sse/{platform}/{room}": "A room as server-sent events.",
}

_OTHER_BODIES = {
    "/metrics": {"text/plain": {"schema": {"type": "string"}}},
    "/viewer": {"text/html": {"schema": {"type": "string"}}},
    "/asyncapi.json": {"application/json": {"schema": {"type": "object"}}},
    "/openapi.json": {"application/json": {"schema": {"type": "object"}}},
    "/events.schema.json": {"application/schema+json": {"schema": {"type": "object"}}},
}

_REASONS = {400: "That is no room.", 404: "Nobody asks for this room.", 503: "Not now."}

_STREAM = (
    "One message for each frame of a socket, `data` its JSON (see `/asyncapi.json`). An event's `id` is its cursor. "
    "Behind the frame that says why, the stream ends."
)


def document() -> dict[str, Any]:
    """The document."""
    types = {answer for statuses in ANSWERS.values() for answer in statuses.values()}
    ordered = sorted(types, key=lambda answer: answer.__name__)
    _, definitions = schemas.of_written(ordered, "#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "roomcast",
            "version": VERSION,
            "description": "What a gateway answers over HTTP. What is said on its sockets is in `/asyncapi.json`.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "http://localhost:8000", "description": "A gateway."}],
        "paths": {path: {"get": _operation(path)} for path in _SUMMARIES},
        "components": {"schemas": definitions},
    }


def _operation(path: str) -> dict[str, Any]:
    responses = {
        str(status): {
            "description": _REASONS.get(status, "So it is."),
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}},
        }
        for status, answer in ANSWERS.get(path, {}).items()
    }
    if path in _OTHER_BODIES:
        responses["200"] = {"description": "So it is.", "content": _OTHER_BODIES[path]}
    operation: dict[str, Any] = {
        "operationId": path.strip("/").translate(str.maketrans("/.", "__", "{}")) or "hello",
        "summary": _SUMMARIES[path],
        "responses": responses,
    }
    parameters = _parameters(path)
    if path.startswith("/sse/"):
        responses["200"] = {"description": _STREAM, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
        responses["204"] = {"description": "The room is over, and you have read all of it: do not come back."}
        parameters += [{"name": name, "in": "query", "schema": dict(schema)} for name, schema in QUERY.items()]
        seen = {"description": "Counts as `since`, and more than that.", "schema": dict(QUERY["since"])}
        parameters.append({"name": "Last-Event-ID", "in": "header"} | seen)
    return operation | ({"parameters": parameters} if parameters else {})


def _parameters(path: str) -> list[dict[str, Any]]:
    known = {"platform": (PLATFORM, {"type": "string", "enum": list(PLATFORMS)}), "room": (ROOM, {"type": "string"})}
    return [
        {"name": name, "in": "path", "required": True, "description": description, "schema": schema}
        for name, (description, schema) in known.items()
        if f"{{{name}}}" in path
    ]
