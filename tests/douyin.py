"""The platform's side of the Douyin connector's tests: its addresses, and what it answers."""

import json
from collections.abc import Awaitable, Callable

from prometheus_client import REGISTRY
from starlette.responses import Response

from ingestor.connectors.base import LiveRoom, SeenIds, Upstream
from ingestor.connectors.douyin.connector import DouyinConnector
from protos import webcast_pb2 as pb
from shared.room import RoomKey
from tests.scripted_server import as_json

ROOM = RoomKey("douyin", "728804746624")
ROOM_ID = "7690183442860198697"
LIVE = LiveRoom(broadcast=ROOM_ID)
TTWID = "1%7Cabc-_%7C1763700000%7C00ff"
VISITOR = "7659797852999091746"
ENTER = "/webcast/room/web/enter/"
PAGE = f"/{ROOM.room}"
FETCH = "/webcast/im/fetch/"
REFLOW = "/webcast/room/reflow/info/"
REGISTER = "/ttwid/union/register/"

EMPTY = Response(b"")
CAPTCHA = Response(b"", headers={"bdturing-verify": "{}"})
SHELL = Response(f'<html><script>window.x={{"user_unique_id":"{VISITOR}"}}</script></html>')
ERROR = Response(status_code=502)
RATE_LIMIT = as_json({}, 429, Retry_After="60")
BLOCKED = Response(b"", 200, {"Handshake-Status": "415", "Handshake-Msg": "DEVICE_BLOCKED"})

Make = Callable[..., DouyinConnector]
"""The fixture `make`: a connector that has nothing but its addresses changed; keyword arguments are settings."""


def cookie(value: str = TTWID) -> Response:
    return Response(headers={"Set-Cookie": f"ttwid={value}; Path=/; HttpOnly"})


def enter(*, status: int = 2, room_id: str = ROOM_ID) -> Response:
    owner = {
        "id_str": "11",
        "nickname": "Maple",
        "sec_uid": "MS4wLjABAAAAx",
        "avatar_thumb": {"url_list": ["https://p/a"]},
    }
    room = {"id_str": room_id, "status": status, "title": "Night", "owner": owner, "stats": {"user_count_str": "91"}}
    return as_json({"status_code": 0, "data": {"data": [room], "user": owner, "room_status": 0}})


def code(number: int) -> Response:
    return as_json({"status_code": number, "data": {"prompts": "x"}})


def page(*, status: int = 2, room_id: str = ROOM_ID) -> Response:
    room = {"id_str": room_id, "status": status, "title": "Night"}
    anchor = {"id_str": "11", "nickname": "Maple"}
    state = {
        "roomStore": {"roomInfo": {"room": room, "roomId": room_id, "web_rid": ROOM.room, "anchor": anchor}},
        "userStore": {"odin": {"user_unique_id": VISITOR}},
    }
    piece = json.dumps(f"5:{json.dumps(['$', {'state': state}])}\n")
    return Response(f'<html><script nonce="">self.__pace_f.push([1,{piece}])</script></html>')


def account_only_page() -> Response:
    info = {"roomStore": {"roomInfo": {"anchor": {"id_str": "11", "nickname": "Maple"}, "web_rid": ROOM.room}}}
    return Response(f"<script>self.__pace_f.push([1,{json.dumps('5:' + json.dumps(info))}])</script>")


def redirect(location: str) -> Response:
    return Response(status_code=302, headers={"Location": location})


def polled(*ids: int, cursor: str = "t-1_r-5_d-1_u-1") -> Response:
    messages = [pb.Message(method=b"WebcastChatMessage", payload=b"", msg_id=number) for number in ids]
    response = pb.Response(
        messages=messages,
        cursor=cursor.encode(),
        internal_ext=b"internal_src:dim",
        now=1,
        fetch_interval=1,
        need_ack=True,
    )
    return Response(response.SerializeToString(), media_type="application/protobuf")


async def receive(upstream: Upstream) -> list[str]:
    (frame,) = await upstream.transport.receive()
    return [message.id for message in upstream.protocol.receive_frame(frame)]


def connecting(
    connector: DouyinConnector, position: str = "", live: LiveRoom = LIVE, seen: SeenIds | None = None
) -> Awaitable[Upstream]:
    return connector.connect(ROOM, live, position, SeenIds() if seen is None else seen)


def sample(what: str) -> float:
    """How much of what came was not passed on so far, by the reason."""
    return REGISTRY.get_sample_value("roomcast_upstream_unused_total", {"platform": "douyin", "what": what}) or 0.0
