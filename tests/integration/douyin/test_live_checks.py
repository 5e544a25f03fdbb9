"""Who is live on Douyin, and which door is asked."""

import contextlib
from collections.abc import Callable

import pytest
from starlette.responses import Response

from shared.errors import (
    Blocked,
    LoginRequired,
    RateLimited,
    RoomNotFound,
    RoomOffline,
    UpstreamError,
    UpstreamUnavailable,
)
from shared.room import RoomKey
from tests.douyin import (
    CAPTCHA,
    EMPTY,
    ENTER,
    ERROR,
    PAGE,
    RATE_LIMIT,
    ROOM,
    ROOM_ID,
    SHELL,
    TTWID,
    Make,
    account_only_page,
    code,
    enter,
    page,
)
from tests.scripted_server import ScriptedServer


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


NONCE = "0123456789abcdef01234"


def with_nonce(answer: Response) -> Response:
    answer.headers["Set-Cookie"] = f"__ac_nonce={NONCE}; Path=/"
    return answer


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
