"""Whose cookies Douyin gets, and who else gets to see them: nobody."""

import asyncio
import io
import json
import traceback

import pytest
from starlette.responses import Response

from shared.errors import UpstreamError, UpstreamUnavailable
from shared.room import RoomKey
from tests.connectors import closed
from tests.douyin import (
    BLOCKED,
    CAPTCHA,
    EMPTY,
    ENTER,
    ERROR,
    FETCH,
    PAGE,
    RATE_LIMIT,
    REFLOW,
    REGISTER,
    ROOM,
    ROOM_ID,
    SHELL,
    Make,
    connecting,
    cookie,
    enter,
    polled,
    receive,
    redirect,
)
from tests.scripted_server import ScriptedServer, as_json


async def test_the_first_visit_is_without_cookies(server: ScriptedServer, make: Make) -> None:
    await make(douyin_cookies="sessionid=s").check_live(ROOM)
    assert [(asked.path, bool(asked.cookies)) for asked in server.asked] == [("/", False), (ENTER, True)]


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


async def test_a_worn_out_cookie_is_renewed_before_the_next_try(
    server: ScriptedServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestor.connectors.douyin.visitor.YOUNG_S", 0.0)
    server.answers.update({"/": [cookie("1%7Cold"), cookie("1%7Cnew")], ENTER: [EMPTY, enter()], PAGE: [SHELL]})
    assert (await make().check_live(ROOM)).broadcast == ROOM_ID
    told = [asked.cookies.get("ttwid") for asked in server.asked if asked.path == ENTER]
    assert told == ["1%7Cold", "1%7Cnew"]


async def test_a_configured_visitor_is_not_exchanged(server: ScriptedServer, make: Make) -> None:
    server.refusals = [BLOCKED]
    await closed(await connecting(make(douyin_cookies="ttwid=own")))
    first, second = server.handshakes
    assert (first.cookies["ttwid"], second.cookies["ttwid"]) == ("own", "own")
    assert first.query["user_unique_id"] == second.query["user_unique_id"]


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
