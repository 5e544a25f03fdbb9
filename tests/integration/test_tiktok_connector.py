"""The TikTok connector against a server that plays platform and providers, over real sockets."""

import asyncio
import io
import json
import logging
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import Response

from ingestor.connectors.base import Connector, LiveRoom, SeenIds, Upstream
from ingestor.connectors.tiktok.connector import TikTokConnector
from ingestor.connectors.tiktok.settings import TikTokSettings
from protos import webcast_pb2 as pb
from shared.errors import (
    Blocked,
    ConfigError,
    KeyRefused,
    RateLimited,
    RoomNotFound,
    RoomOffline,
    RoomRestricted,
    UpstreamError,
    UpstreamUnavailable,
)
from shared.room import RoomKey
from tests.connectors import closed, making
from tests.scripted_server import ScriptedServer, as_json, scripted_server
from tests.socks_proxy import Socks5Proxy

ANA = RoomKey("tiktok", "@ana")
ROOM = RoomKey("tiktok", "7300000000000000001")
TTWID = "1%7Cabc-_%7C1763700000%7C00ff"
USER_ROOM = "/api-live/user/room/"
PAGE = "/@ana/live"
ALIVE = "/webcast/room/check_alive/"
INFO = "/webcast/room/info/"
TIKHUB = "/api/v1/tiktok/web/fetch_live_im_fetch"
EULER = "/webcast/fetch"
CAPTCHA = Response("<div id=tiktok-verify-page></div>")
RATE_LIMIT = as_json({"message": "slow down"}, 429, Retry_After="60")


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        server.answers["/"] = [Response(headers={"Set-Cookie": f"ttwid={TTWID}; Path=/; HttpOnly"})]
        yield server


Make = Callable[..., TikTokConnector]


@pytest.fixture
async def make(server: ScriptedServer) -> AsyncIterator[Make]:
    addresses = {
        "tiktok_web_url": server.url,
        "tiktok_webcast_url": server.url,
        "tiktok_socket_url": server.socket_url,
        "tikhub_base_url": server.url,
        "euler_base_url": server.url,
        "provider_retry_s": 0.01,
        "upstream_timeout_s": 5,
        "tikhub_api_key": "",
        "tiktok_cookies": "",
    }
    async with making(TikTokConnector, TikTokSettings, addresses) as make:
        yield make


def connecting(connector: Connector, position: str = "", seen: SeenIds | None = None) -> Awaitable[Upstream]:
    return connector.connect(ROOM, LiveRoom(), position, SeenIds() if seen is None else seen)


# --- names ------------------------------------------------------------------------------------------------------------


def user_room(*, status: int = 2, room_id: str = ROOM.room) -> dict[str, Any]:
    return {"user": {"roomId": room_id, "status": status}, "liveRoom": {"status": status}}


def live_page(found: object) -> Response:
    state = json.dumps({"LiveRoom": {"liveRoomUserInfo": found}})
    return Response(f'<script id="SIGI_STATE" type="application/json">{state}</script>')


async def test_a_name_is_looked_up_as_a_browser_does(server: ScriptedServer, make: Make) -> None:
    server.answers[USER_ROOM] = [as_json({"statusCode": 0, "data": user_room()})]
    assert await make(tiktok_cookies="sessionid=s%3D1; other=2").resolve(ANA) == ROOM
    (asked,) = server.asked
    assert (asked.query["uniqueId"], asked.query["sourceType"], asked.query["aid"]) == ("ana", "54", "1988")
    assert asked.headers["user-agent"].endswith(asked.query["browser_version"])
    assert asked.headers["origin"] == server.url
    assert asked.cookies == {"tt-target-idc": "useast1a", "sessionid": "s%3D1", "other": "2"}


@pytest.mark.parametrize("refusal", [CAPTCHA, Response(status_code=403), Response(status_code=502), Response(b"")])
async def test_where_json_is_refused_the_live_page_is_read(
    server: ScriptedServer, make: Make, refusal: Response
) -> None:
    server.answers[USER_ROOM] = [refusal]
    server.answers[PAGE] = [live_page(user_room())]
    assert await make().resolve(ANA) == ROOM
    assert server.paths() == [USER_ROOM, PAGE]


@pytest.mark.parametrize(
    ("json_says", "page_says", "error"),
    [
        (as_json({"statusCode": 0, "data": user_room(status=4)}), None, RoomOffline),
        (as_json({"statusCode": 19881007, "message": "user_not_found", "data": None}), None, RoomNotFound),
        (as_json({"statusCode": 4003110, "data": None}), None, RoomRestricted),
        (RATE_LIMIT, None, RateLimited),
        (CAPTCHA, CAPTCHA, Blocked),
        (CAPTCHA, Response(status_code=500), Blocked),
        (Response(status_code=500), CAPTCHA, UpstreamUnavailable),
        (CAPTCHA, live_page(user_room(status=4)), RoomOffline),
        (CAPTCHA, RATE_LIMIT, RateLimited),
    ],
)
async def test_a_name_without_a_room_says_why(
    server: ScriptedServer, make: Make, json_says: Response, page_says: Response | None, error: type[UpstreamError]
) -> None:
    server.answers[USER_ROOM] = [json_says]
    server.answers[PAGE] = [page_says] if page_says else []
    with pytest.raises(error) as raised:
        await make().resolve(ANA)
    assert type(raised.value) is error
    assert server.paths() == ([USER_ROOM, PAGE] if page_says else [USER_ROOM])


async def test_too_many_requests_hold_for_all_rooms(server: ScriptedServer, make: Make) -> None:
    server.answers[USER_ROOM] = [RATE_LIMIT]
    connector = make()
    for question in (connector.resolve(ANA), connector.resolve(RoomKey("tiktok", "@bob")), connector.check_live(ROOM)):
        with pytest.raises(RateLimited) as raised:
            await question
        assert raised.value.retry_after_s == pytest.approx(60, abs=5)
    assert len(server.asked) == 1


# --- live checks ------------------------------------------------------------------------------------------------------

LIVE = as_json({"data": [{"alive": True, "room_id_str": ROOM.room}], "status_code": 0})
OVER = as_json({"data": [{"alive": False, "room_id_str": ROOM.room}], "status_code": 0})
UNKNOWN = as_json({"data": [], "status_code": 0})
DETAILS = as_json({"status_code": 0, "data": {"id_str": ROOM.room, "status": 2, "title": "Night", "user_count": 3}})
RESTRICTED = as_json({"status_code": 4003110, "data": {"prompts": "adults only"}})
NO_ROOM = as_json({"status_code": 30003, "data": {"message": "room has finished", "room_id": "0"}})
ERROR = Response(status_code=500)


@pytest.mark.parametrize(
    ("alive", "info", "live"),
    [
        (LIVE, DETAILS, LiveRoom(title="Night", viewer_count=3)),
        (LIVE, ERROR, LiveRoom()),
        (LIVE, CAPTCHA, LiveRoom()),
        (LIVE, RATE_LIMIT, LiveRoom()),
        (LIVE, NO_ROOM, LiveRoom()),
        (UNKNOWN, DETAILS, LiveRoom(title="Night", viewer_count=3)),
        (CAPTCHA, DETAILS, LiveRoom(title="Night", viewer_count=3)),
        (ERROR, DETAILS, LiveRoom(title="Night", viewer_count=3)),
    ],
)
async def test_a_room_is_live_when_one_door_says_so(
    server: ScriptedServer, make: Make, alive: Response, info: Response, live: LiveRoom
) -> None:
    server.answers.update({ALIVE: [alive], INFO: [info]})
    assert await make().check_live(ROOM) == live
    assert (server.asked[0].query["room_ids"], server.asked[1].query["room_id"]) == (ROOM.room, ROOM.room)


@pytest.mark.parametrize(
    ("alive", "info", "error"),
    [
        (OVER, None, RoomOffline),
        (LIVE, RESTRICTED, RoomRestricted),
        (UNKNOWN, RESTRICTED, RoomRestricted),
        (UNKNOWN, NO_ROOM, RoomNotFound),
        (UNKNOWN, CAPTCHA, Blocked),
        (CAPTCHA, NO_ROOM, Blocked),
        (ERROR, NO_ROOM, UpstreamUnavailable),
        (RATE_LIMIT, None, RateLimited),
    ],
)
async def test_a_room_that_is_not_live_says_why(
    server: ScriptedServer, make: Make, alive: Response, info: Response | None, error: type[UpstreamError]
) -> None:
    server.answers.update({ALIVE: [alive], INFO: [info] if info else []})
    with pytest.raises(error) as raised:
        await make().check_live(ROOM)
    assert type(raised.value) is error
    assert len(server.asked) == (2 if info else 1)


# --- bootstraps and sockets -------------------------------------------------------------------------------------------


def bootstrap(server: ScriptedServer, **changes: Any) -> pb.Response:
    fields = {
        "messages": [pb.Message(method=b"WebcastChatMessage", payload=b"hi", msg_id=11)],
        "cursor": b"now_1",
        "internal_ext": b"fetch_time:1|seq:1",
        "push_server": server.socket_url.encode(),
        "heartbeat_duration": 7,
        "route_params": [pb.RouteParam(key=b"wrss", value=b"w_1-2"), pb.RouteParam(key=b"imprp", value=b"")],
    }
    return pb.Response(**{**fields, **changes})


def euler(server: ScriptedServer, cookies: str = f"ttwid={TTWID}; Path=/", **changes: Any) -> Response:
    return Response(bootstrap(server, **changes).SerializeToString(), headers={"X-Set-TT-Cookie": cookies})


def tikhub(server: ScriptedServer, *, wrss: str = "w_1-2", as_text: bool = False) -> Response:
    data: Any = {
        "messages": [{"method": "WebcastChatMessage", "payload": b64encode(b"hi").decode(), "msgId": "11"}],
        "cursor": "now_1",
        "internalExt": "fetch_time:1|seq:1",
        "pushServer": server.socket_url,
        "heartbeatDuration": "7",
        "routeParams": {"wrss": wrss, "imprp": ""},
    }
    return as_json({"code": 200, "data": json.dumps(data) if as_text else data})


BLOCKED = Response(b"", 200, {"Handshake-Status": "415", "Handshake-Msg": "DEVICE_BLOCKED"})


@pytest.mark.parametrize("provider", ["tikhub", "euler"])
async def test_a_provided_socket_opens_and_speaks(server: ScriptedServer, make: Make, provider: str) -> None:
    server.answers.update({TIKHUB: [tikhub(server)], EULER: [euler(server)]})
    server.greeting = {"Handshake-Options": "ping-interval=3;"}
    seen = SeenIds()
    upstream = await connecting(make(tiktok_providers=provider, tikhub_api_key="k"), seen=seen)
    assert [(message.id, message.history) for message in upstream.first] == [("11", True)]
    assert not seen.add("11")
    assert (upstream.protocol.position, upstream.protocol.heartbeat_s) == ("now_1", 3)

    (handshake,) = server.handshakes
    query = handshake.query
    assert handshake.raw_query.startswith("wrss=w_1-2&version_code=180800&")
    assert (query["cursor"], query["internal_ext"]) == ("now_1", "fetch_time:1|seq:1")
    assert (query["room_id"], query["ws_direct"]) == (ROOM.room, "0")
    assert handshake.cookies == {"tt-target-idc": "useast1a", "ttwid": TTWID}
    assert handshake.headers["user-agent"].endswith(query["browser_version"])
    assert handshake.headers["origin"] == server.url

    peer = await server.socket()
    await upstream.transport.send(upstream.protocol.frames_to_send())
    types = [pb.PushFrame.FromString(await peer.receive_bytes()).payload_type for _ in range(2)]
    assert types == [b"hb", b"im_enter_room"]
    await closed(upstream)


async def test_without_a_handshakes_word_the_bootstrap_sets_the_heartbeat(server: ScriptedServer, make: Make) -> None:
    server.answers[EULER] = [euler(server)]
    assert (await closed(await connecting(make(tiktok_providers="euler")))).protocol.heartbeat_s == 7


async def test_a_direct_socket_needs_no_provider(server: ScriptedServer, make: Make) -> None:
    upstream = await closed(await connecting(make(tiktok_providers="direct")))
    (handshake,) = server.handshakes
    assert (handshake.query["ws_direct"], handshake.cookies["ttwid"]) == ("1", TTWID)
    assert handshake.query.keys().isdisjoint({"cursor", "internal_ext", "wrss"})
    assert (list(upstream.first), upstream.protocol.position) == ([], "")
    assert server.paths() == ["/"]


@pytest.mark.parametrize("provider", ["tikhub", "euler", "direct"])
async def test_a_connection_goes_on_at_the_place_of_the_last_one(
    server: ScriptedServer, make: Make, provider: str
) -> None:
    server.answers.update({TIKHUB: [tikhub(server)], EULER: [euler(server)]})
    connector = make(tiktok_providers=provider, tikhub_api_key="k")
    upstream = await closed(await connecting(connector, position="then_1"))
    assert server.handshakes[0].query["cursor"] == "then_1"
    assert (upstream.protocol.position, upstream.position, upstream.room_id) == ("then_1", "then_1", ROOM.room)
    if provider == "euler":
        assert server.asked[-1].query["cursor"] == "then_1"


async def test_every_connection_has_a_token_of_its_own(server: ScriptedServer, make: Make) -> None:
    first = [pb.RouteParam(key=b"wrss", value=b"first")]
    second = [pb.RouteParam(key=b"wrss", value=b"second")]
    server.answers[EULER] = [euler(server, route_params=first), euler(server, route_params=second)]
    connector = make(tiktok_providers="euler")
    for _ in range(2):
        await closed(await connecting(connector))
    assert [handshake.query["wrss"] for handshake in server.handshakes] == ["first", "second"]


async def test_providers_are_asked_in_order_until_one_opens(server: ScriptedServer, make: Make) -> None:
    server.answers.update({TIKHUB: [ERROR], EULER: [Response(b"")]})
    await closed(await connecting(make(tikhub_api_key="k")))
    assert [path for path in server.paths() if path != "/"] == [TIKHUB, EULER]
    assert server.handshakes[0].query["ws_direct"] == "1"


async def test_a_refused_socket_makes_room_for_the_next_provider(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED]
    server.answers[EULER] = [euler(server)]
    await closed(await connecting(make(tiktok_providers="direct, euler")))
    assert [handshake.query["ws_direct"] for handshake in server.handshakes] == ["1", "0"]


async def test_when_all_fail_the_most_telling_error_is_raised(server: ScriptedServer, make: Make) -> None:
    server.answers.update({TIKHUB: [Response(status_code=402)], EULER: [ERROR]})
    server.refusals = [BLOCKED]
    with pytest.raises(KeyRefused):
        await connecting(make(tikhub_api_key="k"))


def test_a_provider_without_its_key_is_left_out_and_that_is_said(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    make()
    assert (
        "provider has no key, without which it is left out platform=tiktok provider=tikhub setting=TIKHUB_API_KEY"
    ) in caplog.messages
    assert (
        "provider has no key, without which it answers a few requests a minute "
        "platform=tiktok provider=euler setting=ROOMCAST_EULER_API_KEY"
    ) in caplog.messages
    assert "providers chosen platform=tiktok order=euler,direct" in caplog.messages
    assert [key_of("tikhub"), key_of("euler"), key_of("direct")] == [0, 0, None]


def test_a_key_is_said_to_be_there_and_not_what_it_is(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    make(tikhub_api_key="precious", tiktok_providers="tikhub")
    assert "provider has a key platform=tiktok provider=tikhub" in caplog.messages
    assert "precious" not in caplog.text
    assert "euler" not in caplog.text  # nobody asks it
    assert key_of("tikhub") == 1


def key_of(provider: str) -> float | None:
    return sample("roomcast_upstream_provider_key", provider=provider)


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"platform": "tiktok", **labels})


def attempts(provider: str, result: str) -> float:
    return sample("roomcast_upstream_tokens_total", provider=provider, result=result) or 0.0


def timed(provider: str) -> float:
    return sample("roomcast_upstream_token_seconds_count", provider=provider) or 0.0


async def test_attempts_are_counted_and_timed_by_provider(server: ScriptedServer, make: Make) -> None:
    server.answers.update({TIKHUB: [ERROR], EULER: [euler(server)]})
    failed, opened = attempts("tikhub", "upstream_lost"), attempts("euler", "ok")
    timed_before = timed("tikhub"), timed("euler")
    await closed(await connecting(make(tikhub_api_key="k")))
    assert (attempts("tikhub", "upstream_lost"), attempts("euler", "ok")) == (failed + 1, opened + 1)
    assert (timed("tikhub"), timed("euler")) == (timed_before[0] + 1, timed_before[1] + 1)


@pytest.mark.parametrize("status", [200, 429])
async def test_what_a_provider_says_is_left_of_its_quota_is_told(
    server: ScriptedServer, make: Make, status: int
) -> None:
    left = 1000 + status
    server.answers[TIKHUB] = [as_json({"code": 500}, status, X_RateLimit_Remaining=str(left))]
    server.answers[EULER] = [as_json({"code": 500}, status, RateLimit_Remaining=str(left + 1))]
    server.answers["/sign"] = [as_json({}, status, ratelimit_remaining=str(left + 2))]
    connector = make(tikhub_api_key="k", tiktok_sign_url=f"{server.url}/sign")
    with pytest.raises(UpstreamError):
        await connecting(connector)
    name = "roomcast_upstream_quota_remaining"
    assert [sample(name, provider=who) for who in ("tikhub", "euler", "direct")] == [left, left + 1, left + 2]


def test_a_start_without_any_provider_is_refused(make: Make) -> None:
    with pytest.raises(ConfigError, match="TIKHUB_API_KEY"):
        make(tiktok_providers="tikhub")


# --- TikHub -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["bare-key", "Bearer key"])
async def test_the_key_is_sent_as_it_was_set(server: ScriptedServer, make: Make, key: str) -> None:
    server.answers[TIKHUB] = [tikhub(server, as_text=True)]
    await closed(await connecting(make(tiktok_providers="tikhub", tikhub_api_key=f" {key}\n")))
    assert server.asked[-1].headers["authorization"] == key
    assert server.asked[-1].query == {"room_id": ROOM.room, "user_unique_id": ""}


async def test_a_missing_signature_is_asked_for_again(server: ScriptedServer, make: Make) -> None:
    server.answers[TIKHUB] = [*[tikhub(server, wrss="")] * 4, tikhub(server)]
    await closed(await connecting(make(tiktok_providers="tikhub", tikhub_api_key="k")))
    assert server.paths().count(TIKHUB) == 5


async def test_a_signature_that_stays_away_is_given_up(server: ScriptedServer, make: Make) -> None:
    server.answers[TIKHUB] = [tikhub(server, wrss="")]
    with pytest.raises(UpstreamUnavailable):
        await connecting(make(tiktok_providers="tikhub", tikhub_api_key="k"))
    assert server.paths().count(TIKHUB) == 5


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(status_code=401), KeyRefused),
        (Response(status_code=402), KeyRefused),
        (as_json({"detail": {"code": 403}}, 403), KeyRefused),
        (RATE_LIMIT, RateLimited),
        (ERROR, UpstreamUnavailable),
        (Response(status_code=400), UpstreamUnavailable),
        (as_json({"code": 401}), KeyRefused),
        (as_json({"code": 429}, Retry_After="9"), RateLimited),
        (as_json({"code": 404}), RoomNotFound),
        (as_json({"code": 500, "message": "x"}), UpstreamUnavailable),
        (as_json({"data": {}}), UpstreamUnavailable),
        (as_json({"code": 200, "data": None}), RoomOffline),
        (as_json({"code": 200, "data": "no json"}), RoomOffline),
        (as_json({"code": 200, "data": "\ud800"}), RoomOffline),
        (as_json({"code": []}), UpstreamUnavailable),
        (as_json({"code": 200, "data": {"status_code": 4003110}}), RoomRestricted),
        (Response(b"<html>"), UpstreamUnavailable),
        (
            as_json({"code": 200, "data": {"pushServer": "https://x/", "routeParams": {"wrss": "w"}}}),
            UpstreamUnavailable,
        ),
    ],
)
async def test_each_failure_of_tikhub_has_its_type(
    server: ScriptedServer, make: Make, answer: Response, error: type[UpstreamError]
) -> None:
    server.answers[TIKHUB] = [answer]
    with pytest.raises(error) as raised:
        await connecting(make(tiktok_providers="tikhub", tikhub_api_key="k"))
    assert type(raised.value) is error
    assert server.paths().count(TIKHUB) == 1


async def test_a_refused_key_is_not_tried_again_by_any_room(server: ScriptedServer, make: Make) -> None:
    server.answers[TIKHUB] = [Response(status_code=402)]
    connector = make(tiktok_providers="tikhub", tikhub_api_key="k")
    for _ in range(3):
        with pytest.raises(KeyRefused):
            await connecting(connector)
    assert server.paths().count(TIKHUB) == 1


async def test_a_provider_without_an_address_for_the_socket_gets_the_usual_one(
    server: ScriptedServer, make: Make
) -> None:
    server.answers[TIKHUB] = [as_json({"code": 200, "data": {"routeParams": {"wrss": "w"}}})]
    await closed(await connecting(make(tiktok_providers="tikhub", tikhub_api_key="k")))
    assert server.handshakes[0].query["wrss"] == "w"


# --- EulerStream ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "euler-key"])
async def test_euler_is_asked_with_and_without_a_key(server: ScriptedServer, make: Make, key: str) -> None:
    server.answers[EULER] = [euler(server)]
    await closed(await connecting(make(tiktok_providers="euler", euler_api_key=key)))
    (asked,) = server.asked
    assert asked.headers.get("x-api-key", "") == key
    assert (asked.query["room_id"], asked.query["client_enter"]) == (ROOM.room, "true")
    assert asked.query["user_agent"] == server.handshakes[0].headers["user-agent"]
    assert "cursor" not in asked.query


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(status_code=401), KeyRefused),
        (Response(status_code=402), KeyRefused),
        (as_json({"code": 403, "message": "x"}), KeyRefused),
        (as_json({"message": "x", "limit_label": "minute"}, 429, X_RateLimit_Reset="9"), RateLimited),
        (ERROR, UpstreamUnavailable),
        (Response(b""), Blocked),
        (as_json({"code": 200}), UpstreamUnavailable),
        (Response(b"\x0a\xff\xff"), UpstreamUnavailable),
        (as_json({"code": 4003110}), RoomRestricted),
    ],
)
async def test_each_failure_of_euler_has_its_type(
    server: ScriptedServer, make: Make, answer: Response, error: type[UpstreamError]
) -> None:
    server.answers[EULER] = [answer]
    with pytest.raises(error) as raised:
        await connecting(make(tiktok_providers="euler"))
    assert type(raised.value) is error
    assert server.paths() == [EULER]


@pytest.mark.parametrize("missing", [{"cursor": b""}, {"push_server": b""}, {"route_params": []}])
async def test_an_empty_bootstrap_means_blocked(server: ScriptedServer, make: Make, missing: dict[str, Any]) -> None:
    server.answers[EULER] = [euler(server, **missing)]
    with pytest.raises(Blocked):
        await connecting(make(tiktok_providers="euler"))


async def test_a_bootstrap_without_cookies_is_asked_for_again(server: ScriptedServer, make: Make) -> None:
    server.answers[EULER] = [euler(server, cookies=""), euler(server)]
    await closed(await connecting(make(tiktok_providers="euler")))
    assert server.paths() == [EULER, EULER]


async def test_a_wait_announced_to_one_room_holds_for_all(server: ScriptedServer, make: Make) -> None:
    server.answers[EULER] = [RATE_LIMIT]
    connector = make(tiktok_providers="euler")
    for _ in range(3):
        with pytest.raises(RateLimited) as raised:
            await connecting(connector)
        assert raised.value.retry_after_s == pytest.approx(60, abs=5)
    assert server.paths() == [EULER]


# --- cookies and signatures -------------------------------------------------------------------------------------------


async def test_the_visitors_cookie_is_fetched_once_for_all_rooms(server: ScriptedServer, make: Make) -> None:
    connector = make(tiktok_providers="direct")
    async with asyncio.TaskGroup() as rooms:
        opening = [rooms.create_task(connector.connect(ROOM, LiveRoom(), "", SeenIds())) for _ in range(10)]
    for task in opening:
        await closed(task.result())
    assert server.paths() == ["/"]
    assert {handshake.cookies["ttwid"] for handshake in server.handshakes} == {TTWID}


async def test_a_refused_visitor_comes_back_with_another_cookie(server: ScriptedServer, make: Make) -> None:
    server.answers["/"].append(Response(headers={"Set-Cookie": "ttwid=1%7Cnew; Path=/"}))
    server.refusals = [BLOCKED]
    connector = make(tiktok_providers="direct")
    with pytest.raises(Blocked, match="device"):
        await connecting(connector)
    await closed(await connecting(connector))
    assert [handshake.cookies["ttwid"] for handshake in server.handshakes] == [TTWID, "1%7Cnew"]


async def test_a_site_that_gives_no_cookie_blocks(server: ScriptedServer, make: Make) -> None:
    server.answers["/"] = [CAPTCHA]
    connector = make(tiktok_providers="direct")
    for _ in range(2):
        with pytest.raises(Blocked):
            await connecting(connector)
    assert server.paths() == ["/"]  # a moment later it would be the same


async def test_a_session_brings_its_own_cookies(server: ScriptedServer, make: Make) -> None:
    await closed(await connecting(make(tiktok_providers="direct", tiktok_cookies="ttwid=1%7Cmine; sessionid=s")))
    assert server.paths() == []
    cookies = server.handshakes[0].cookies
    assert (cookies["ttwid"], cookies["sessionid"]) == ("1%7Cmine", "s")


async def test_a_session_is_shown_to_the_platform_only(server: ScriptedServer, make: Make) -> None:
    elsewhere = server.socket_url.replace("127.0.0.1", "localhost").encode()
    server.answers[EULER] = [euler(server), euler(server, push_server=elsewhere)]
    connector = make(tiktok_providers="euler", tiktok_cookies="sessionid=s; ttwid=mine")
    for _ in range(2):
        await closed(await connecting(connector))
    at_home, abroad = (handshake.cookies for handshake in server.handshakes)
    assert (at_home["sessionid"], at_home["ttwid"]) == ("s", TTWID)  # what was signed with goes before ours
    assert "sessionid" not in abroad


async def test_a_signer_may_change_address_and_browser(server: ScriptedServer, make: Make) -> None:
    async def sign(request: Request) -> Response:
        asked = await request.json()
        return as_json({"url": asked["url"] + "&X-Gnarly=a%2Fb", "user_agent": "Mozilla/5.0 (signed)"})

    server.answers["/sign"] = [sign]
    await closed(await connecting(make(tiktok_providers="direct", tiktok_sign_url=f"{server.url}/sign")))
    (handshake,) = server.handshakes
    assert handshake.raw_query.endswith("&version_code=270000&X-Gnarly=a%2Fb")
    assert handshake.headers["user-agent"] == "Mozilla/5.0 (signed)"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (as_json({"url": "https://example.org/"}), UpstreamUnavailable),
        (as_json({"url": 7}), UpstreamUnavailable),
        (as_json({"url": "wss://h/", "user_agent": "a\r\nb: c"}), UpstreamUnavailable),
        (Response(b"no"), UpstreamUnavailable),
        (ERROR, UpstreamUnavailable),
        (RATE_LIMIT, RateLimited),
        (Response(status_code=403), KeyRefused),
    ],
)
async def test_each_failure_of_a_signer_has_its_type(
    server: ScriptedServer, make: Make, answer: Response, error: type[UpstreamError]
) -> None:
    server.answers["/sign"] = [answer]
    with pytest.raises(error) as raised:
        await connecting(make(tiktok_providers="direct", tiktok_sign_url=f"{server.url}/sign"))
    assert type(raised.value) is error
    assert server.handshakes == []


@pytest.mark.parametrize(
    ("refusal", "error", "says"),
    [
        (BLOCKED, Blocked, "device"),
        (Response(b"", 415, {"Handshake-Msg": "DEVICE_BLOCKED"}), Blocked, "device"),
        (Response(b"", 200, {"Handshake-Msg": "http: named cookie not present"}), Blocked, "cookie"),
        (Response(b"", 200, {"Handshake-Msg": "illegal secret key"}), Blocked, "signature"),
        (Response(b"", 200, {"Handshake-Msg": "illegal app_id"}), Blocked, "query"),
        (Response(b"", 429, {"Retry-After": "9"}), RateLimited, "429"),
        (Response(b"", 503), UpstreamUnavailable, "503"),
    ],
)
async def test_each_refusal_of_the_socket_has_its_type(
    server: ScriptedServer, make: Make, refusal: Response, error: type[UpstreamError], says: str
) -> None:
    server.refusals = [refusal]
    with pytest.raises(error, match=says) as raised:
        await connecting(make(tiktok_providers="direct"))
    assert type(raised.value) is error
    assert len(server.handshakes) == 1  # an address is never tried twice


async def test_an_attempt_that_fails_passes_no_messages_on(server: ScriptedServer, make: Make) -> None:
    server.answers[EULER] = [euler(server)]
    server.refusals = [BLOCKED]
    seen = SeenIds()
    with pytest.raises(Blocked):
        await connecting(make(tiktok_providers="euler"), seen=seen)
    assert len(seen) == 0


# --- the way out ------------------------------------------------------------------------------------------------------


async def test_a_socks_proxy_carries_requests_and_sockets(server: ScriptedServer, make: Make) -> None:
    proxy = Socks5Proxy(server.port)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        connector = make(
            tiktok_providers="direct",
            tiktok_web_url="http://web.invalid",
            tiktok_socket_url="ws://socket.invalid/socket",
            upstream_proxy_url=f"socks5h://127.0.0.1:{port}",
        )
        await closed(await connecting(connector))
        await connector.aclose()
    assert proxy.asked == [("web.invalid", 80), ("socket.invalid", 80)]


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRETS = "TIKHUB-SECRET EULER-SECRET SESSION-SECRET TTWID-SECRET WRSS-SECRET EXT-SECRET SIGN-SECRET".split()


async def test_no_secret_reaches_a_log_or_an_error(server: ScriptedServer, make: Make, all_logs: io.StringIO) -> None:
    params = [pb.RouteParam(key=b"wrss", value=b"WRSS-SECRET")]
    good = euler(server, "ttwid=TTWID-SECRET", route_params=params, internal_ext=b"EXT-SECRET")
    unreachable = euler(server, "ttwid=TTWID-SECRET", route_params=params, push_server=b"ws://socket.invalid/socket")
    told = as_json({"message": "key TIKHUB-SECRET is wrong", "code": 500})
    server.answers["/"] = [Response(headers={"Set-Cookie": "ttwid=TTWID-SECRET"})]
    server.answers["/sign"] = [as_json({"url": f"{server.socket_url}?x=SIGN-SECRET"})]
    for providers in ("tikhub", "euler", "direct"):
        connector = make(
            tiktok_providers=providers,
            tikhub_api_key="TIKHUB-SECRET",
            euler_api_key="EULER-SECRET",
            tiktok_cookies="sessionid=SESSION-SECRET",
            tiktok_sign_url=f"{server.url}/sign",
        )
        for at_tikhub, elsewhere in ((tikhub(server, wrss="WRSS-SECRET"), good), (told, unreachable), (ERROR, ERROR)):
            server.answers.update({TIKHUB: [at_tikhub], EULER: [elsewhere], ALIVE: [elsewhere], INFO: [elsewhere]})
            server.refusals = [BLOCKED]
            for question in (connecting(connector), connector.check_live(ROOM)):
                with pytest.raises(UpstreamError) as raised:
                    await question
                all_logs.write("".join(traceback.format_exception_only(raised.value)) + str(vars(raised.value)))
                all_logs.write(repr(raised.value.__cause__))
        all_logs.write(repr(connector) + repr(vars(connector)["_settings"]))
    said = all_logs.getvalue()
    assert said.count("token provider failed") == 9
    assert [secret for secret in SECRETS if secret in said] == []
