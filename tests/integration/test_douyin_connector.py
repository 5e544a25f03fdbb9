"""The Douyin connector against a server that plays the platform, over real sockets."""

import asyncio
import contextlib
import gzip
import io
import json
import os
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from prometheus_client import REGISTRY
from starlette.responses import Response

from ingestor.connectors.base import LiveRoom, SeenIds, Upstream
from ingestor.connectors.douyin.connector import DouyinConnector
from ingestor.connectors.douyin.polling import MAX_ANSWER_BYTES
from ingestor.connectors.douyin.settings import DouyinSettings
from ingestor.connectors.http_client import BodyTooLarge
from ingestor.connectors.webcast import MAX_UNZIPPED_BYTES
from protos import webcast_pb2 as pb
from shared.errors import (
    Blocked,
    ConfigError,
    LoginRequired,
    RateLimited,
    RoomNotFound,
    RoomOffline,
    UpstreamError,
    UpstreamLeft,
    UpstreamUnavailable,
)
from shared.room import RoomKey
from tests.scripted_server import ScriptedServer, as_json, scripted_server
from tests.socks_proxy import Socks5Proxy

ROOM = RoomKey("douyin", "728804746624")
ROOM_ID = "7690183442860198697"
LIVE = LiveRoom(broadcast=ROOM_ID)
TTWID = "1%7Cabc-_%7C1763700000%7C00ff"
VISITOR = "7659797852999091746"
NONCE = "0123456789abcdef01234"
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


def with_nonce(answer: Response) -> Response:
    answer.headers["Set-Cookie"] = f"__ac_nonce={NONCE}; Path=/"
    return answer


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        server.answers["/"] = [cookie()]
        server.answers[ENTER] = [enter()]
        yield server


Make = Callable[..., DouyinConnector]


@pytest.fixture
async def make(server: ScriptedServer) -> AsyncIterator[Make]:
    """A connector that has nothing but its addresses changed; keyword arguments are settings."""
    made: list[DouyinConnector] = []

    def make(**settings: object) -> DouyinConnector:
        addresses = {
            "douyin_web_url": server.url,
            "douyin_ttwid_url": server.url,
            "douyin_reflow_url": server.url,
            "douyin_short_url": f"{server.url}/_short",
            "douyin_socket_urls": (f"{server.socket_url}/one", f"{server.socket_url}/two"),
            "douyin_poll_interval_s": 0.05,
            "upstream_timeout_s": 5,
        }
        made.append(DouyinConnector(DouyinSettings.model_validate({**addresses, **settings})))
        return made[-1]

    yield make
    for connector in made:
        await connector.aclose()


async def closed(upstream: Upstream) -> Upstream:
    """Close it; what it was can still be looked at."""
    await upstream.transport.aclose()
    return upstream


def connecting(
    connector: DouyinConnector, position: str = "", live: LiveRoom = LIVE, seen: SeenIds | None = None
) -> Awaitable[Upstream]:
    return connector.connect(ROOM, live, position, SeenIds() if seen is None else seen)


# --- live checks ------------------------------------------------------------------------------------------------------


async def test_a_live_room_is_asked_about_as_a_browser_does(server: ScriptedServer, make: Make) -> None:
    live = await make(douyin_cookies="sessionid=s%3D1").check_live(ROOM)
    assert (live.broadcast, live.title, live.viewer_count, live.gifts) == (ROOM_ID, "Night", 91, True)
    assert live.started_at == (int(ROOM_ID) >> 32) * 1000
    assert live.owner is not None
    assert live.owner.nickname == "Maple"
    asked = server.asked[-1]
    assert server.paths() == ["/", ENTER]
    assert (asked.query["web_rid"], asked.query["aid"], asked.query["app_name"]) == (ROOM.room, "6383", "douyin_web")
    assert f"{asked.query['browser_name']}/{asked.query['browser_version']}" in asked.headers["user-agent"]
    assert asked.headers["referer"] == f"{server.url}/{ROOM.room}"
    assert asked.cookies["ttwid"] == TTWID  # as it came, with its escapes
    assert asked.cookies["sessionid"] == "s%3D1"
    assert asked.raw_query.rpartition("&")[2].startswith("a_bogus=")
    assert "+" not in asked.raw_query
    assert "/" not in asked.raw_query


async def test_without_a_login_no_gifts_are_expected(make: Make) -> None:
    by_room = {ROOM.room: "sessionid=s"}
    assert not (await make().check_live(ROOM)).gifts
    assert (await make(douyin_room_cookies=by_room).check_live(ROOM)).gifts
    assert not (await make(douyin_room_cookies=by_room).check_live(RoomKey("douyin", "728804746625"))).gifts


async def test_the_cookie_is_fetched_once_for_rooms_that_start_together(server: ScriptedServer, make: Make) -> None:
    connector = make()
    await asyncio.gather(*(connector.check_live(ROOM) for _ in range(5)))
    assert server.paths().count("/") == 1


async def test_a_configured_cookie_is_used_instead(server: ScriptedServer, make: Make) -> None:
    await make(douyin_cookies="ttwid=own").check_live(ROOM)
    assert server.paths() == [ENTER]
    assert server.asked[0].cookies["ttwid"] == "own"


@pytest.mark.parametrize("front", [EMPTY, ERROR, Response(status_code=403)])
async def test_where_the_site_gives_no_cookie_another_door_does(
    server: ScriptedServer, make: Make, front: Response
) -> None:
    server.answers.update({"/": [front], REGISTER: [cookie("1%7Cother")]})
    await make().check_live(ROOM)
    assert server.paths() == ["/", REGISTER, ENTER]
    assert json.loads(server.asked[1].body)["aid"] == 1768
    assert server.asked[2].cookies["ttwid"] == "1%7Cother"


@pytest.mark.parametrize("refusal", [EMPTY, CAPTCHA, Response("<html>"), Response(status_code=403)])
async def test_the_page_stands_in_for_web_enter_and_is_asked_first_after_a_refusal(
    server: ScriptedServer, make: Make, refusal: Response
) -> None:
    server.answers.update({ENTER: [refusal], PAGE: [page()]})
    connector = make()
    assert (await connector.check_live(ROOM)).broadcast == ROOM_ID
    assert server.paths() == ["/", ENTER, PAGE]
    await connector.check_live(ROOM)
    assert server.paths()[3:] == [PAGE]
    server.answers[PAGE] = [SHELL]
    server.answers[ENTER] = [enter()]
    await connector.check_live(ROOM)
    assert server.paths()[4:] == [PAGE, ENTER]


@pytest.mark.parametrize("trouble", [ERROR, code(20003)])
async def test_what_is_no_refusal_of_us_leaves_the_order_of_the_doors(
    server: ScriptedServer, make: Make, trouble: Response
) -> None:
    server.answers.update({ENTER: [trouble, enter()], PAGE: [page()]})
    connector = make()
    for _ in range(2):
        assert (await connector.check_live(ROOM)).broadcast == ROOM_ID
    assert server.paths() == ["/", ENTER, PAGE, ENTER]


async def test_a_challenge_is_answered_by_asking_again_with_its_cookie(server: ScriptedServer, make: Make) -> None:
    server.answers.update({ENTER: [EMPTY], PAGE: [with_nonce(Response("<html></html>")), page()]})
    assert (await make().check_live(ROOM)).broadcast == ROOM_ID
    assert server.paths() == ["/", ENTER, PAGE, PAGE]
    assert server.asked[-1].cookies["__ac_nonce"] == NONCE
    assert server.asked[-1].cookies["__ac_signature"].startswith("_02B4Z6wo00f01")


@pytest.mark.parametrize(
    ("answer", "error"),
    [(page, None), (account_only_page, RoomOffline), (lambda: Response("gone", 404), RoomNotFound)],
    ids=["live", "offline", "gone"],
)
async def test_a_whole_page_that_brings_the_cookie_of_a_challenge_is_asked_for_once(
    server: ScriptedServer, make: Make, answer: Callable[[], Response], error: type[UpstreamError] | None
) -> None:
    server.answers.update({ENTER: [EMPTY], PAGE: [with_nonce(answer()), page()]})
    connector = make()
    with pytest.raises(error) if error else contextlib.nullcontext():
        await connector.check_live(ROOM)
    assert server.paths() == ["/", ENTER, PAGE]
    await connector.check_live(ROOM)
    assert server.asked[-1].path == PAGE
    assert server.asked[-1].cookies["__ac_nonce"] == NONCE  # kept for the next time


async def test_the_pause_of_a_host_is_told(server: ScriptedServer, make: Make) -> None:
    server.answers[ENTER] = [enter(status=3)]
    assert (await make().check_live(ROOM)).paused


@pytest.mark.parametrize(
    ("enter_says", "page_says", "error"),
    [
        (enter(status=4), page(status=4), RoomOffline),
        (enter(status=4), account_only_page(), RoomOffline),
        (enter(status=4), ERROR, RoomOffline),
        (enter(status=4), RATE_LIMIT, RoomOffline),
        (code(4001038), Response("gone", 404), RoomNotFound),
        (code(4001038), account_only_page(), RoomOffline),
        (code(4001038), SHELL, RoomNotFound),
        (enter(status=4), Response("gone", 404), RoomOffline),
        (EMPTY, Response("gone", 404), RoomNotFound),
        (EMPTY, account_only_page(), RoomOffline),
        (code(20003), SHELL, LoginRequired),
        (ERROR, ERROR, UpstreamUnavailable),
        (RATE_LIMIT, None, RateLimited),
    ],
)
async def test_a_room_that_is_not_live_says_why(
    server: ScriptedServer, make: Make, enter_says: Response, page_says: Response | None, error: type[UpstreamError]
) -> None:
    server.answers.update({ENTER: [enter_says], PAGE: [page_says] if page_says else []})
    with pytest.raises(error) as raised:
        await make().check_live(ROOM)
    assert type(raised.value) is error
    assert server.paths() == ["/", ENTER, PAGE] if page_says else ["/", ENTER]


async def test_offline_at_one_door_and_live_at_the_other_is_live(server: ScriptedServer, make: Make) -> None:
    server.answers.update({ENTER: [enter(status=4)], PAGE: [page()]})
    assert (await make().check_live(ROOM)).broadcast == ROOM_ID


async def test_refused_at_every_door_the_room_rests_for_long(server: ScriptedServer, make: Make) -> None:
    server.answers.update({ENTER: [CAPTCHA], PAGE: [SHELL]})
    with pytest.raises(Blocked) as raised:
        await make(douyin_blocked_rest_s=300).check_live(ROOM)
    assert raised.value.retry_after_s == 300
    assert server.paths() == ["/", ENTER, PAGE]  # a fresh cookie is not thrown away


async def test_too_many_requests_hold_for_all_rooms(server: ScriptedServer, make: Make) -> None:
    server.answers[ENTER] = [RATE_LIMIT]
    connector = make()
    for room in (ROOM, RoomKey("douyin", "728804746625")):
        with pytest.raises(RateLimited):
            await connector.check_live(room)
    assert server.paths().count(ENTER) == 1


# --- names ------------------------------------------------------------------------------------------------------------


def redirect(location: str) -> Response:
    return Response(status_code=302, headers={"Location": location})


async def test_a_broadcast_leads_to_its_room(server: ScriptedServer, make: Make) -> None:
    server.answers[REFLOW] = [as_json({"data": {"room": {"id_str": ROOM_ID, "owner": {"web_rid": ROOM.room}}}})]
    assert await make().resolve(RoomKey("douyin", f"room.{ROOM_ID}")) == ROOM
    assert server.asked[-1].query["room_id"] == ROOM_ID


async def test_a_short_link_is_followed_hop_by_hop(server: ScriptedServer, make: Make) -> None:
    server.answers["/_short/iRNBho6u/"] = [redirect("/_short/further")]
    server.answers["/_short/further"] = [redirect(f"{server.url}/{ROOM.room}?from=share")]
    assert await make().resolve(RoomKey("douyin", "link.iRNBho6u")) == ROOM


async def test_a_short_link_to_a_broadcast_is_looked_up(server: ScriptedServer, make: Make) -> None:
    server.answers["/_short/abc/"] = [redirect(f"{server.url}/douyin/webcast/reflow/{ROOM_ID}?x=1")]
    server.answers[REFLOW] = [as_json({"status_code": 0, "data": {"room": {"owner": {"web_rid": ROOM.room}}}})]
    assert await make().resolve(RoomKey("douyin", "link.abc")) == ROOM


@pytest.mark.parametrize("cookies", ["", "sessionid=s; ttwid=t"])
async def test_cookies_are_for_the_site_alone(server: ScriptedServer, make: Make, cookies: str) -> None:
    server.answers["/_short/abc/"] = [redirect(f"{server.url}/douyin/webcast/reflow/{ROOM_ID}?x=1")]
    server.answers[REFLOW] = [as_json({"data": {"room": {"owner": {"web_rid": ROOM.room}}}})]
    connector = make(douyin_cookies=cookies)
    await connector.check_live(ROOM)  # a visitor has a cookie by now
    await connector.resolve(RoomKey("douyin", "link.abc"))
    site, *elsewhere = (asked for asked in server.asked if asked.path != "/")
    assert "ttwid" in site.cookies
    assert [(asked.path, asked.cookies) for asked in elsewhere] == [("/_short/abc/", {}), (REFLOW, {})]


async def test_the_first_visit_is_without_cookies(server: ScriptedServer, make: Make) -> None:
    await make(douyin_cookies="sessionid=s").check_live(ROOM)
    assert [(asked.path, bool(asked.cookies)) for asked in server.asked] == [("/", False), (ENTER, True)]


async def test_nothing_of_the_site_is_asked_for_where_a_redirect_leads(server: ScriptedServer, make: Make) -> None:
    away = redirect(f"{server.url}/elsewhere")
    server.refusals = [BLOCKED] * 2
    server.answers.update({ENTER: [away], PAGE: [away], FETCH: [polled(1), away]})
    connector = make(douyin_cookies="sessionid=s")
    upstream = await connecting(connector)
    assert await receive(upstream) == ["1"]
    for question in (receive(upstream), connector.check_live(ROOM)):
        with pytest.raises(UpstreamUnavailable):
            await question
    assert server.paths() == ["/", FETCH, FETCH, ENTER, PAGE]


@pytest.mark.parametrize(
    "location", ["https://evil.example/728804746624", "/_short/abc/", "https://live.douyin.com/a/b", ""]
)
async def test_a_link_that_leads_elsewhere_or_in_circles_is_no_room(
    server: ScriptedServer, make: Make, location: str
) -> None:
    server.answers["/_short/abc/"] = [redirect(location)]
    with pytest.raises(RoomNotFound):
        await make().resolve(RoomKey("douyin", "link.abc"))
    assert len(server.asked) <= 6


# --- sockets ----------------------------------------------------------------------------------------------------------


async def test_a_socket_is_opened_with_a_signed_address(server: ScriptedServer, make: Make) -> None:
    upstream = await connecting(make(douyin_cookies="sessionid=s"))
    (handshake,) = server.handshakes
    query = handshake.query
    assert (query["room_id"], query["aid"], query["identity"], query["compress"]) == (
        ROOM_ID,
        "6383",
        "audience",
        "gzip",
    )
    assert query["cursor"].startswith("h-1_t-")
    assert f"wss_push_did:{query['user_unique_id']}" in query["internal_ext"]
    assert len(query["user_unique_id"]) == 19
    assert len(query["signature"]) == 16
    assert parse_qs(handshake.raw_query)["signature"] == [query["signature"]]
    assert handshake.cookies["ttwid"] == TTWID
    assert handshake.cookies["sessionid"] == "s"
    assert handshake.headers["origin"] == server.url
    assert handshake.headers["user-agent"].endswith(query["browser_version"])
    assert upstream.protocol.position == ""
    socket = await server.socket()
    for frame in upstream.protocol.frames_to_send():
        await upstream.transport.send(frame)
    assert await socket.receive_bytes() == b"\x3a\x02hb"
    await closed(upstream)


async def test_a_place_is_carried_on_with_a_new_signature(server: ScriptedServer, make: Make) -> None:
    connector = make()
    position = f"{ROOM_ID} 1790519971000 t-1_r-5_d-1_u-1 internal_src:pushserver|wss_msg_type:r"
    for _ in range(2):
        upstream = await closed(await connecting(connector, position))
        assert upstream.protocol.position == position
    first, second = server.handshakes
    assert first.query["cursor"] == second.query["cursor"] == "t-1_r-5_d-1_u-1"
    assert first.query["internal_ext"] == "internal_src:pushserver|wss_msg_type:r"
    assert first.query["user_unique_id"] == second.query["user_unique_id"]
    assert first.query["signature"] != second.query["signature"]


async def test_a_place_in_another_broadcast_is_not(server: ScriptedServer, make: Make) -> None:
    upstream = await closed(await connecting(make(), "7690183442860198698 1 t-1_r-5_d-1_u-1 ext"))
    assert upstream.protocol.position == ""
    assert server.handshakes[0].query["cursor"].startswith("h-1_t-")


async def test_a_refused_socket_is_tried_at_the_next_host_with_a_new_signature(
    server: ScriptedServer, make: Make
) -> None:
    server.refusals = [BLOCKED]
    connector = make()
    await closed(await connecting(connector))
    first, second = server.handshakes
    assert (first.path, second.path) == ("/socket/one", "/socket/two")
    assert first.query["signature"] != second.query["signature"]
    await closed(await connecting(connector))
    assert server.handshakes[2].path == "/socket/two"


async def test_a_host_that_fails_hands_on_to_the_next(server: ScriptedServer, make: Make) -> None:
    connector = make(douyin_socket_urls=("ws://127.0.0.1:9/socket", f"{server.socket_url}/two"))
    for _ in range(2):
        await closed(await connecting(connector))
    assert [handshake.path for handshake in server.handshakes] == ["/socket/two"] * 2


async def test_when_no_host_can_be_reached_that_is_told(make: Make) -> None:
    with pytest.raises(UpstreamUnavailable):
        await connecting(make(douyin_socket_urls=("ws://127.0.0.1:9/socket",)))


# --- signers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Response("Remote+Signed/01\n"), as_json({"signature": "Remote+Signed/01"})])
async def test_a_remote_signer_can_stand_in(server: ScriptedServer, make: Make, answer: Response) -> None:
    server.answers["/sign"] = [answer]
    connector = make(
        douyin_signers="remote",
        douyin_sign_url=f"{server.url}/sign?key=k&stub={{stub}}&room={{room_id}}&did={{user_unique_id}}&ua={{user_agent}}",
    )
    await closed(await connecting(connector))
    (handshake,) = server.handshakes
    assert handshake.query["signature"] == "Remote+Signed/01"
    assert "signature=Remote%2BSigned%2F01" in handshake.raw_query
    asked = next(asked for asked in server.asked if asked.path == "/sign")
    assert (asked.query["room"], asked.query["did"]) == (ROOM_ID, handshake.query["user_unique_id"])
    assert asked.query["ua"] == handshake.headers["user-agent"]
    assert len(asked.query["stub"]) == 32


async def test_the_next_signer_is_asked_when_the_signature_of_the_first_is_refused(
    server: ScriptedServer, make: Make
) -> None:
    server.answers["/sign"] = [as_json({"signature": "RemoteSigned0001"})]
    server.refusals = [BLOCKED, BLOCKED]
    await closed(await connecting(make(douyin_sign_url=f"{server.url}/sign?stub={{stub}}")))
    assert server.handshakes[-1].query["signature"] == "RemoteSigned0001"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(status_code=401), "key_refused"),
        (Response(status_code=500), "upstream_lost"),
        (as_json({"signature": 5}), "upstream_lost"),
        (as_json({}), "upstream_lost"),
        (Response("two words"), "upstream_lost"),
    ],
)
async def test_a_signer_that_does_not_sign_says_why(
    server: ScriptedServer, make: Make, answer: Response, error: str
) -> None:
    server.answers["/sign"] = [answer]
    with pytest.raises(UpstreamError) as raised:
        await connecting(make(douyin_signers="remote", douyin_sign_url=f"{server.url}/sign?stub={{stub}}"))
    assert raised.value.code == error


def test_a_remote_signer_needs_an_address(make: Make) -> None:
    with pytest.raises(ConfigError):
        make(douyin_signers="remote")


@pytest.mark.parametrize(
    "url", ["ftp://x/{stub}", "http://x/", "http://x/{stub", "http://x/{cookie}", "http://x/ {stub}"]
)
def test_an_address_that_cannot_work_is_refused_at_the_start(make: Make, url: str) -> None:
    with pytest.raises(ValueError, match="douyin_sign_url"):
        make(douyin_sign_url=url)


# --- polling ----------------------------------------------------------------------------------------------------------


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
    return [message.id for message in upstream.protocol.receive_frame(await upstream.transport.receive())]


async def test_a_room_whose_socket_is_refused_is_polled(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(1, 2), polled(2, 3, cursor="t-2_r-6_d-1_u-1"), polled()]
    upstream = await connecting(make())
    assert [await receive(upstream) for _ in range(3)] == [["1", "2"], ["3"], []]
    for frame in upstream.protocol.frames_to_send():
        await upstream.transport.send(frame)
    first, second, third = (asked for asked in server.asked if asked.path == FETCH)
    assert (first.query["cursor"], first.query["internal_ext"]) == ("", "")
    assert (second.query["cursor"], second.query["internal_ext"]) == ("t-1_r-5_d-1_u-1", "internal_src:dim")
    assert third.query["cursor"] == "t-2_r-6_d-1_u-1"
    assert first.query["room_id"] == ROOM_ID
    assert first.query["resp_content_type"] == "protobuf"
    await closed(upstream)


async def test_polling_goes_on_where_the_socket_left_off(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled()]
    await closed(await connecting(make(), f"{ROOM_ID} 1 t-9_r-9_d-1_u-1 ext"))
    assert server.asked[-1].query["cursor"] == "t-9_r-9_d-1_u-1"


async def test_a_room_that_is_over_is_not_called_blocked_by_a_poll(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [as_json({"status_code": 30003})]
    with pytest.raises(RoomOffline):
        await connecting(make())


@pytest.mark.parametrize(("answer", "error"), [(ERROR, UpstreamUnavailable), (RATE_LIMIT, RateLimited)])
async def test_while_the_socket_rests_a_poll_that_fails_says_why(
    server: ScriptedServer, make: Make, answer: Response, error: type[UpstreamError]
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(), answer]
    connector = make()
    await closed(await connecting(connector))
    with pytest.raises(error):
        await connecting(connector)


async def test_a_signer_in_trouble_does_not_keep_a_refused_room_from_being_polled(
    server: ScriptedServer, make: Make
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers.update({"/sign": [Response(status_code=401)], FETCH: [polled(1)]})
    upstream = await connecting(make(douyin_sign_url=f"{server.url}/sign?stub={{stub}}"))
    assert await receive(upstream) == ["1"]


async def test_a_worn_out_cookie_is_renewed_before_the_next_try(
    server: ScriptedServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestor.connectors.douyin.visitor.YOUNG_S", 0.0)
    server.answers.update({"/": [cookie("1%7Cold"), cookie("1%7Cnew")], ENTER: [EMPTY, enter()], PAGE: [SHELL]})
    assert (await make().check_live(ROOM)).broadcast == ROOM_ID
    told = [asked.cookies.get("ttwid") for asked in server.asked if asked.path == ENTER]
    assert told == ["1%7Cold", "1%7Cnew"]


async def test_a_room_with_a_session_of_its_own_is_refused_for_itself_alone(server: ScriptedServer, make: Make) -> None:
    other = RoomKey("douyin", "728804746625")
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled()]
    connector = make(douyin_room_cookies={other.room: "sessionid=worn-out"})
    await closed(await connector.connect(other, LIVE, "", SeenIds()))
    await closed(await connecting(connector))
    assert len(server.handshakes) == 3


async def test_a_configured_visitor_is_not_exchanged(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED]
    await closed(await connecting(make(douyin_cookies="ttwid=own")))
    first, second = server.handshakes
    assert (first.cookies["ttwid"], second.cookies["ttwid"]) == ("own", "own")
    assert first.query["user_unique_id"] == second.query["user_unique_id"]


async def test_a_poll_that_goes_on_at_a_place_leaves_nothing_out(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled()]
    connector = make()
    for position, joined in (("", False), (f"{ROOM_ID} 1 t-9_r-9_d-1_u-1 ext", True)):
        upstream = await closed(await connecting(connector, position))
        assert upstream.protocol.overlapped is joined


async def test_the_refused_socket_rests_for_all_rooms_and_then_is_tried_again(
    server: ScriptedServer, make: Make
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled()]
    connector = make(douyin_socket_rest_s=1)
    first = await connecting(connector)
    await closed(await connecting(connector))
    assert len(server.handshakes) == 2
    with pytest.raises(UpstreamLeft):
        async with asyncio.timeout(10):
            while True:
                await receive(first)
    await closed(await connecting(connector))
    assert len(server.handshakes) == 3


@pytest.mark.parametrize(
    "answer",
    [EMPTY, CAPTCHA, as_json({"status_code": 9}), Response(b"\xff\xff"), ERROR],
)
async def test_refused_by_socket_and_poll_it_is_blocked_for_long(
    server: ScriptedServer, make: Make, answer: Response
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [answer]
    with pytest.raises(Blocked) as raised:
        await connecting(make(douyin_blocked_rest_s=300))
    assert raised.value.retry_after_s == 300
    assert "device" in raised.value.detail


HUGE = Response(pb.Response(cursor=b"t-1_r-5", internal_ext=b"x" * 100_000).SerializeToString())


@pytest.mark.parametrize("answer", [EMPTY, ERROR, Response(b"\xff\xff"), RATE_LIMIT, HUGE])
async def test_a_poll_that_fails_later_ends_the_connection(
    server: ScriptedServer, make: Make, answer: Response
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(1), answer]
    upstream = await connecting(make())
    assert await receive(upstream) == ["1"]
    with pytest.raises(UpstreamError):
        await receive(upstream)


def polled_in(size: int, *, zipped: bool) -> Response:
    """An answer of so many bytes, unzipped, with one message; it unzips to some four times its size."""

    def answer(payload_bytes: int) -> bytes:
        payload = os.urandom(payload_bytes // 4) + bytes(payload_bytes - payload_bytes // 4)
        return pb.Response(messages=[pb.Message(msg_id=2, payload=payload)]).SerializeToString()

    body = answer(2 * size - len(answer(size)))
    assert len(body) == size
    return Response(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"}) if zipped else Response(body)


@pytest.mark.parametrize("zipped", [False, True])
async def test_the_largest_answer_of_a_poll_arrives(server: ScriptedServer, make: Make, zipped: bool) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(1), polled_in(MAX_ANSWER_BYTES, zipped=zipped)]
    upstream = await connecting(make())
    assert [await receive(upstream) for _ in range(2)] == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("size", "zipped"), [(MAX_ANSWER_BYTES + 1, False), (MAX_ANSWER_BYTES + 1, True), (2 * MAX_ANSWER_BYTES, True)]
)
async def test_a_larger_one_is_counted_and_ends_its_connection_alone(
    server: ScriptedServer, make: Make, size: int, zipped: bool
) -> None:
    server.refusals = [BLOCKED] * 2
    server.answers[FETCH] = [polled(1), polled(9), polled_in(size, zipped=zipped), polled(10)]
    connector = make()
    upstream, other = await connecting(connector), await connecting(connector)
    assert [await receive(upstream), await receive(other)] == [["1"], ["9"]]
    position, before = upstream.protocol.position, sample("large_answer")
    with pytest.raises(BodyTooLarge):
        await receive(upstream)
    assert (upstream.protocol.position, sample("large_answer") - before) == (position, 1)
    assert await receive(other) == ["10"]


# --- frames that are not as they should be ----------------------------------------------------------------------------


def pushed(response: pb.Response, **fields: Any) -> bytes:
    payload = gzip.compress(response.SerializeToString())
    return pb.PushFrame(**{"log_id": 9, "payload_type": b"msg", "payload": payload, **fields}).SerializeToString()


def told(*messages: tuple[str, int]) -> pb.Response:
    items = [pb.Message(method=method.encode(), payload=b"", msg_id=number) for method, number in messages]
    return pb.Response(messages=items, internal_ext=b"internal_src:x|wss_msg_type:r", now=1)


GOOD = told(("WebcastChatMessage", 1))
EDGE_FRAMES = {
    "gzip that is none": pushed(pb.Response(), payload=b"\x1f\x8b\x08" + b"Z" * 40),
    "gzip cut short": pushed(
        pb.Response(), payload=gzip.compress(told(("WebcastChatMessage", 1)).SerializeToString())[:-4]
    ),
    "cut short": pushed(GOOD)[:-5],
    "a bomb of 64 MiB": pushed(pb.Response(), payload=gzip.compress(bytes(64 * 1024 * 1024))),
    "no protobuf": b"\xff" * 24,
    "a response of groups": pushed(pb.Response(), payload=b"\x0b\x0c"),
}


async def test_of_frames_that_are_not_as_they_should_be_the_good_ones_arrive_and_the_bad_are_counted(
    server: ScriptedServer, make: Make
) -> None:
    upstream = await connecting(make())
    socket = await server.socket()
    before = sample("bad_frame")
    arrived: list[tuple[str, str]] = []
    tracemalloc.start()
    for number, bad in enumerate(EDGE_FRAMES.values(), start=1):
        await socket.send_bytes(bad)
        await socket.send_bytes(
            pushed(told(("WebcastNobodyKnowsMessage", 2 * number), ("WebcastChatMessage", 2 * number + 1)))
        )
        for _ in range(2):
            messages = upstream.protocol.receive_frame(await upstream.transport.receive())
            arrived += [(message.method, message.id) for message in messages]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert arrived == [
        message
        for number in range(1, len(EDGE_FRAMES) + 1)
        for message in (("WebcastNobodyKnowsMessage", f"{2 * number}"), ("WebcastChatMessage", f"{2 * number + 1}"))
    ]
    assert sample("bad_frame") - before == len(EDGE_FRAMES)
    assert peak < 2 * MAX_UNZIPPED_BYTES
    await closed(upstream)


def sample(what: str) -> float:
    return REGISTRY.get_sample_value("roomcast_upstream_unused_total", {"platform": "douyin", "what": what}) or 0.0


# --- proxies and secrets ------------------------------------------------------------------------------------------


async def test_a_socks_proxy_carries_requests_and_sockets(server: ScriptedServer, make: Make) -> None:
    proxy = Socks5Proxy(server.port)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        connector = make(
            douyin_web_url="http://web.invalid",
            douyin_socket_urls="ws://socket.invalid/socket",
            upstream_proxy_url=f"socks5h://127.0.0.1:{port}",
        )
        await connector.check_live(ROOM)
        await closed(await connecting(connector))
        await connector.aclose()
    assert set(proxy.asked) == {("web.invalid", 80), ("socket.invalid", 80)}


SECRETS = "SESSION-SECRET ROOM-SECRET TTWID-SECRET SIGNED-SECRET KEY-SECRET".split()


async def test_no_secret_reaches_a_log_or_an_error(server: ScriptedServer, make: Make, all_logs: io.StringIO) -> None:
    server.answers["/"] = [cookie("TTWID-SECRET")]
    server.answers["/sign"] = [as_json({"signature": "SIGNED-SECRET"})]
    connector = make(
        douyin_cookies="sessionid=SESSION-SECRET",
        douyin_room_cookies={ROOM.room: "sessionid=ROOM-SECRET"},
        douyin_sign_url=f"{server.url}/sign?key=KEY-SECRET&stub={{stub}}",
    )
    await closed(await connecting(connector))
    for answer in (ERROR, CAPTCHA, RATE_LIMIT):
        server.refusals = [BLOCKED] * 4
        server.answers.update({ENTER: [answer], PAGE: [answer], FETCH: [answer], "/sign": [answer]})
        for question in (connecting(connector), connector.check_live(ROOM)):
            with pytest.raises(UpstreamError) as raised:
                await question
            all_logs.write("".join(traceback.format_exception_only(raised.value)) + str(vars(raised.value)))
            all_logs.write(repr(raised.value.__cause__))
    all_logs.write(repr(connector) + repr(vars(connector)["_settings"]))
    said = all_logs.getvalue()
    assert said.count("socket not opened") > 6
    signatures = [handshake.query["signature"] for handshake in server.handshakes]
    assert [secret for secret in (*SECRETS, *signatures) if secret in said] == []
