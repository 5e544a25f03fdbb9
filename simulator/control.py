"""The simulator's own door: look at what happened, change what happens, break things. JSON in and out.

Nothing in the product uses it; it is for demos, tests and whoever tries a client of their own.
"""

import math
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from protos.webcast_pb2 import Message
from simulator.faults import FAULTS, REFUSALS, BadFault
from simulator.listener import Close
from simulator.playback import placed
from simulator.room import LISTED_MAX, Room, RoomStatus
from simulator.source import ControlAction
from simulator.world import Site, World

BODY_MAX_BYTES = 4 * 1024 * 1024
INJECT_MAX = 1_000  # messages in one request
RATE_MAX = 5_000.0  # messages a second
SECONDS_MAX = 3_600.0


class BadRequest(Exception):
    """The request makes no sense. The text says why."""


class Control:
    """The routes under `/_control`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        return [
            Mount(
                "/_control",
                routes=[
                    Route("/", self._guarded(self.overview)),
                    Route("/faults", self._guarded(self.arm), methods=["POST"]),
                    Route("/faults", self._guarded(self.disarm), methods=["DELETE"]),
                    Route("/rooms/{room}", self._guarded(self.show)),
                    Route("/rooms/{room}", self._guarded(self.change), methods=["PATCH"]),
                    Route("/rooms/{room}/messages", self._guarded(self.list_messages)),
                    Route("/rooms/{room}/messages", self._guarded(self.inject), methods=["POST"]),
                    Route("/rooms/{room}/live", self._guarded(self.go_live), methods=["POST"]),
                    Route("/rooms/{room}/pause", self._guarded(self.pause), methods=["POST"]),
                    Route("/rooms/{room}/resume", self._guarded(self.resume), methods=["POST"]),
                    Route("/rooms/{room}/end", self._guarded(self.end), methods=["POST"]),
                    Route("/rooms/{room}/drop", self._guarded(self.drop), methods=["POST"]),
                    Route("/rooms/{room}/stall", self._guarded(self.stall), methods=["POST"]),
                ],
            )
        ]

    # Looking

    async def overview(self, request: Request) -> dict[str, Any]:
        """Everything at a glance, and what can be done."""
        world = self._world
        return {
            "rooms": [self._describe(room) for room in world.rooms()],
            "connections_open": len(world.connected),
            "connections_opened": sum(room.counters["connections_opened"] for room in world.rooms()),
            "refused": dict(world.refused),
            "faults": world.faults.describe(world.now_s()),
            "struck": {kind: times for kind, times in world.faults.struck.items() if times},
            "fault_kinds": {kind: {"does": fault.does, **fault.options} for kind, fault in FAULTS.items()},
            "refusals": list(REFUSALS),
        }

    async def show(self, request: Request) -> dict[str, Any]:
        """One room: what was sent, and how its clients behave."""
        return self._describe(self._room(request))

    async def list_messages(self, request: Request) -> dict[str, Any]:
        """The messages sent live, oldest first: `?after=<serial>&limit=`."""
        room = self._room(request)
        after = _query_integer(request, "after", 0)
        limit = _query_integer(request, "limit", LISTED_MAX)
        newer = [listed for listed in room.listed if listed.serial > after][:limit]
        return {
            "room": str(room.id),
            "messages": [{"serial": serial, "id": str(msg_id), "method": method} for serial, msg_id, method in newer],
        }

    # Changing

    async def change(self, request: Request) -> dict[str, Any]:
        """`{"rate": messages a second, "viewers": n}`."""
        room = self._room(request)
        body = await _body(request, {"rate", "viewers"})
        rate = _number(body, "rate", room.source.rate, 0.0, RATE_MAX)
        viewers = _number(body, "viewers", room.source.viewers, 0, 10_000_000)
        room.source.rate, room.source.viewers = rate, int(viewers)
        return self._describe(room)

    async def go_live(self, request: Request) -> dict[str, Any]:
        """The host goes live; a new broadcast has a new room id, told in the answer."""
        site, room = self._find(request.path_params["room"])
        return self._describe(site.go_live(site.hosts[room.name]))

    async def pause(self, request: Request) -> dict[str, Any]:
        """The host pauses: nothing happens until it resumes."""
        return self._act(self._room(request), ControlAction.PAUSED)

    async def resume(self, request: Request) -> dict[str, Any]:
        """The host is back."""
        return self._act(self._room(request), ControlAction.RESUMED)

    async def end(self, request: Request) -> dict[str, Any]:
        """`{"banned": false}`: the broadcast is over."""
        room = self._room(request)
        body = await _body(request, {"banned"})
        return self._act(room, ControlAction.BANNED if body.get("banned") else ControlAction.ENDED)

    async def inject(self, request: Request) -> dict[str, Any]:
        """`{"messages": [{"method", "payload_b64", "id"?}]}`: these happen now.

        Room ids in the payloads become this room's. Without `id` a message gets a new one; with it, that one, whether
        it was sent before or not.
        """
        world, room = self._world, self._room(request)
        body = await _body(request, {"messages"})
        given = body.get("messages")
        if not isinstance(given, list) or not 0 < len(given) <= INJECT_MAX:
            raise BadRequest(f"messages is a list of 1 to {INJECT_MAX}")
        messages = [_message(item, room, world.now_ms()) for item in given]
        room.emit(messages, world.now_ms(), world.now_s())
        return {"room": str(room.id), "ids": [str(message.msg_id) for message in messages]}

    # Breaking

    async def drop(self, request: Request) -> dict[str, Any]:
        """`{"code": 1011}`, or `{}` to cut the connections without a word.

        `count`: only so many of them. `announced`: a frame of the type `close` asks them to leave first.
        """
        room = self._room(request)
        body = await _body(request, {"code", "count", "announced"})
        code = body.get("code")
        if code is not None and (not isinstance(code, int) or not (code in _CLOSE_CODES or 3000 <= code < 5000)):
            raise BadRequest("code is a close code that may be sent")
        count = int(_number(body, "count", len(room.listeners), 0, 1_000_000))
        chosen = list(room.listeners)[:count]
        for listener in chosen:
            if body.get("announced"):
                listener.send(listener.protocol.close())
                listener.put(Close(code))
            else:
                listener.close(code)
        return {"room": str(room.id), "dropped": len(chosen)}

    async def stall(self, request: Request) -> dict[str, Any]:
        """`{"duration_s": 60}`: open connections stay open, and silent; what waits comes afterwards."""
        room = self._room(request)
        body = await _body(request, {"duration_s"})
        until_s = self._world.now_s() + _number(body, "duration_s", SECONDS_MAX, 0, SECONDS_MAX)
        for listener in room.listeners:
            listener.stall(until_s)
        return {"room": str(room.id), "stalled": len(room.listeners)}

    async def arm(self, request: Request) -> dict[str, Any]:
        """`{"kind", "room"?, "count"?, "duration_s"?, ...options}`; the overview lists kinds and options."""
        body = await _body(request, None)
        kind = body.pop("kind", None)
        if not isinstance(kind, str):
            raise BadRequest(f"kind is one of {', '.join(FAULTS)}")
        room = self._find(str(body.pop("room")))[1] if "room" in body else None
        count = int(_number(body, "count", 0, 1, 1_000_000)) if "count" in body else None
        duration_s = _number(body, "duration_s", 0, 0, SECONDS_MAX) if "duration_s" in body else None
        options = {name: value for name, value in body.items() if name not in {"count", "duration_s"}}
        now_s = self._world.now_s()
        try:
            fault = self._world.faults.arm(
                kind, now_s, room=room.id if room else 0, count=count, duration_s=duration_s, options=options
            )
        except BadFault as error:
            raise BadRequest(str(error)) from None
        return fault.describe(now_s)

    async def disarm(self, request: Request) -> dict[str, Any]:
        """Away with all faults, and with stalls."""
        for listener in self._world.connected:
            listener.resume(math.inf)
        return {"cleared": self._world.faults.clear()}

    # Helpers of the above

    def _guarded(
        self, answer: Callable[[Request], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return JSONResponse(await answer(request))
            except BadRequest as error:
                return JSONResponse({"error": str(error)}, 400)

        return endpoint

    def _find(self, text: str) -> tuple[Site, Room]:
        """The room that a text names, by its id or its host."""
        for site in self._world.sites.values():
            if room := site.find(text):
                return site, room
            if host := site.host(text.removeprefix("@")):
                return site, host.room
        raise BadRequest("no such room: give a room id, or @name of a host")

    def _room(self, request: Request) -> Room:
        return self._find(request.path_params["room"])[1]

    def _act(self, room: Room, action: ControlAction) -> dict[str, Any]:
        if room.status is RoomStatus.ENDED:
            raise BadRequest("the broadcast is over")
        room.control(action, self._world.now_ms(), self._world.now_s())
        return self._describe(room)

    def _describe(self, room: Room) -> dict[str, Any]:
        return {
            "room": str(room.id),
            "name": room.name,
            "status": room.status.name.lower(),
            "restricted": room.restricted,
            "rate": room.source.rate,
            "viewers": room.source.viewers,
            "connections_open": len(room.listeners),
            "counters": dict(room.counters),
            "messages": sum(room.methods.values()),
            "methods": dict(room.methods.most_common()),
            "gifts": dict(room.source.given),
        }


# What RFC 6455 lets an endpoint send.
_CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})


async def _body(request: Request, keys: set[str] | None) -> dict[str, Any]:
    """The request's JSON object, with no other keys than these."""
    size = request.headers.get("content-length", "0")
    if not size.isdecimal() or int(size) > BODY_MAX_BYTES:
        raise BadRequest(f"the body has at most {BODY_MAX_BYTES} bytes")
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = await request.json()
    except (UnicodeDecodeError, ValueError):
        raise BadRequest("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body is not a JSON object")
    if keys is not None and (unknown := body.keys() - keys):
        raise BadRequest(f"unknown: {', '.join(sorted(unknown))}; there is: {', '.join(sorted(keys))}")
    return body


def _number(body: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadRequest(f"{name} is a number of {low:g} to {high:g}")
    return float(value)


def _query_integer(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > 18:
        raise BadRequest(f"{name} is a whole number")
    return int(text)


def _message(item: object, room: Room, now_ms: int) -> Message:
    if not isinstance(item, dict) or not isinstance(item.get("method"), str) or not item["method"]:
        raise BadRequest("a message is an object with method, payload_b64 and perhaps id")
    message_id = item.get("id", room.source.ids.next(now_ms))
    try:
        payload = b64decode(item.get("payload_b64", ""), validate=True)
        message_id = int(message_id)
    except (Base64Error, TypeError, ValueError):
        raise BadRequest("payload_b64 is base64, id is a whole number") from None
    if not 0 <= message_id < 1 << 63:
        raise BadRequest("id is below 2^63")
    return placed(item["method"], payload, room.id, message_id)
