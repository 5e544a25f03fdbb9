"""The simulator's Douyin over real sockets, seen by clients that know nothing but schemas and protocol notes."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from protos import douyin_pb2 as pb
from protos.webcast_pb2 import AnyMessage, PushFrame, Response
from simulator.config import SimulatorConfig
from simulator.source import ControlAction, action_of
from tests.simulators import (
    DEADLINE_S,
    DOUYIN_DEMO,
    DOUYIN_SOCKET_PATH,
    STANDING,
    TTWID,
    VISITOR,
    DouyinClient,
    Simulator,
    douyin_joined,
    douyin_query,
    douyin_signature,
    douyin_url,
    one_key_rc4,
    read,
    running_simulator,
    spelled,
)

QUIET, OFFLINE, UNKNOWN, ENDING = "728804746625", "728804746640", "728804746641", "728804746642"
MASKED, LOGIN, GENERATED = "728804746643", "728804746644", "728804800001"
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36"
)
VISITING = {"User-Agent": AGENT, "Cookie": f"ttwid={TTWID}; __ac_nonce=0123407cc00a9e438deb4"}
LOGGED_IN = {**VISITING, "Cookie": f"{VISITING['Cookie']}; sessionid=somebody"}
ENTER = {"aid": "6383", "app_name": "douyin_web", "live_id": "1", "device_platform": "web"}
LIVELY = SimulatorConfig(rate=300.0, rooms=2, push_s=0.05)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> AsyncIterator[Simulator]:
    """For tests that leave it as they found it."""
    async with running_simulator(LIVELY) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def own_simulator() -> AsyncIterator[Simulator]:
    """For one test, which may do to it what it likes."""
    async with running_simulator(LIVELY) as running:
        yield running


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def get(
    simulator: Simulator, path: str, headers: Mapping[str, str] = VISITING, /, **query: str
) -> httpx.Response:
    simulator.http.cookies.clear()  # only those of the headers
    return await simulator.http.get(path, params=query or None, headers=dict(headers))


async def enter(simulator: Simulator, web_rid: str, headers: Mapping[str, str] = VISITING, **query: str) -> Any:
    answer = await get(simulator, "/webcast/room/web/enter/", headers, **ENTER, web_rid=web_rid, **query)
    return answer.json()


def state_of(html: str) -> list[dict[str, Any]]:
    """The states in a room page, references followed."""
    pieces = re.findall(r'self\.__pace_f\.push\(\[1,("(?:[^"\\]|\\.)*")\]\)', html)
    rest = "".join(json.loads(piece) for piece in pieces).encode()
    rows: dict[str, Any] = {}
    while rest:
        row_id, _, rest = rest.partition(b":")
        if rest.startswith(b"T"):
            size, _, rest = rest[1:].partition(b",")
            rows[row_id.decode()], rest = rest[: int(size, 16)].decode(), rest[int(size, 16) :]
        else:
            line, _, rest = rest.partition(b"\n")
            rows[row_id.decode()] = json.loads(line)

    def followed(value: Any) -> Any:
        match value:
            case str() if value.startswith("$$"):
                return value[1:]
            case str() if value[:1] == "$" and value[1:] in rows:
                return followed(rows[value[1:]])
            case dict():
                return {name: followed(one) for name, one in value.items() if one != "$undefined"}
            case list():
                return [followed(one) for one in value]
        return value

    elements = [followed(row) for row in rows.values() if isinstance(row, list)]
    return [element[3]["state"] for element in elements]


async def room_info(simulator: Simulator, web_rid: str, headers: Mapping[str, str] = VISITING) -> dict[str, Any]:
    states = state_of((await get(simulator, f"/{web_rid}", headers)).text)
    info: dict[str, Any] = states[-1]["roomStore"]["roomInfo"]
    return info


# The room page


async def test_a_stranger_is_challenged_first_and_let_in_with_the_answer(simulator: Simulator) -> None:
    first = await get(simulator, f"/{DOUYIN_DEMO}", {"User-Agent": AGENT})
    cookies = dict(line.partition(";")[0].split("=", 1) for line in first.headers.get_list("set-cookie"))
    assert cookies.keys() == {"__ac_nonce", "ttwid"}
    assert re.fullmatch("[0-9a-f]{21}", cookies["__ac_nonce"])
    assert first.status_code == 200
    assert "roomInfo" not in first.text
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    second = await get(simulator, f"/{DOUYIN_DEMO}", {"User-Agent": AGENT, "Cookie": cookie})
    assert "roomInfo" in second.text
    assert "set-cookie" not in second.headers


async def test_a_room_page_streams_room_and_visitor_behind_an_empty_state(simulator: Simulator) -> None:
    page = await get(simulator, f"/{DOUYIN_DEMO}")
    room = simulator.douyin_room()
    first, second = state_of(page.text)
    assert first["roomStore"]["roomInfo"] == {}
    info = second["roomStore"]["roomInfo"]
    assert (info["roomId"], info["web_rid"]) == (str(room.id), DOUYIN_DEMO)
    assert (info["room"]["id_str"], info["room"]["status"], info["room"]["title"]) == (str(room.id), 2, room.title)
    assert info["room"]["owner"]["id_str"] == info["anchor"]["id_str"]
    assert info["anchor"]["avatar_thumb"]["url_list"]
    assert info["anchor"]["signature"].count("\n") > 10
    visitor = second["userStore"]["odin"]["user_unique_id"]
    assert re.fullmatch("7[3-9][0-9]{17}", visitor)
    again = state_of((await get(simulator, f"/{QUIET}")).text)
    assert again[-1]["userStore"]["odin"]["user_unique_id"] == visitor  # it belongs to the cookie


async def test_a_title_that_begins_with_a_dollar_is_itself(simulator: Simulator) -> None:
    assert (await room_info(simulator, QUIET))["room"]["title"].startswith("$5 ")


async def test_the_room_id_can_be_found_by_the_expression_that_public_clients_use(simulator: Simulator) -> None:
    for _ in range(20):  # pieces are cut elsewhere for each visitor
        cookie = f"ttwid=1%7C{hashlib.md5(str(_).encode()).hexdigest()}%7C1700000000%7C00ff; __ac_nonce=0"
        page = (await get(simulator, f"/{DOUYIN_DEMO}", {"User-Agent": AGENT, "Cookie": cookie})).text
        assert re.findall(r'roomId\\":\\"(\d+)\\"', page) == [str(simulator.douyin_room().id)]


async def test_a_host_who_was_never_live_is_an_account_without_a_room(simulator: Simulator) -> None:
    info = await room_info(simulator, OFFLINE)
    assert "room" not in info
    assert info["roomId"]  # which says nothing
    assert info["anchor"]["nickname"] == "周五再见"


async def test_a_page_says_when_the_broadcast_is_over_or_paused(own_simulator: Simulator) -> None:
    await own_simulator.ask("POST", f"/rooms/{DOUYIN_DEMO}/pause")
    assert (await room_info(own_simulator, DOUYIN_DEMO))["room"]["status"] == 3
    await own_simulator.ask("POST", f"/rooms/{DOUYIN_DEMO}/end")
    room = (await room_info(own_simulator, DOUYIN_DEMO))["room"]
    assert (room["status"], "owner" in room) == (4, False)


async def test_pages_of_nobody_of_phones_and_of_closed_rooms(simulator: Simulator) -> None:
    assert (await get(simulator, f"/{UNKNOWN}")).status_code == 404
    phone = await get(simulator, f"/{DOUYIN_DEMO}", {**VISITING, "User-Agent": "Mozilla/5.0 (iPhone) Mobile Safari"})
    assert phone.status_code == 302
    shell = (await get(simulator, f"/{LOGIN}")).text
    assert ("roomInfo" in shell, "user_unique_id" in shell) == (False, True)
    assert (await room_info(simulator, LOGIN, LOGGED_IN))["room"]["status"] == 2


# web/enter, reflow, cookies, links


async def test_entering_tells_the_room_as_recorded(simulator: Simulator) -> None:
    room = simulator.douyin_room()
    answer = await enter(simulator, DOUYIN_DEMO)
    assert (answer["status_code"], abs(answer["extra"]["now"] - simulator.world.now_ms()) < 60_000) == (0, True)
    told = answer["data"]
    assert (told["enter_room_id"], told["room_status"]) == (str(room.id), 0)
    (live,) = told["data"]
    assert (live["id_str"], live["status"], live["status_str"], live["title"]) == (str(room.id), 2, "2", room.title)
    assert (live["stats"]["user_count_str"], live["user_count_str"]) == ("2665", "2000+")
    assert (live["room_view_stats"]["display_value"], live["room_view_stats"]["display_type"]) == (2665, 1)
    assert live["owner"]["id_str"] == told["user"]["id_str"]
    assert told["user"]["sec_uid"].startswith("MS4wLjABAAAA")


async def test_a_room_id_tells_when_the_broadcast_began(simulator: Simulator) -> None:
    room = simulator.douyin_room()
    assert room.id >> 32 == room.started_ms // 1000
    assert room.id != simulator.douyin_room(GENERATED).id


async def test_entering_tells_offline_unknown_and_closed_rooms_apart(simulator: Simulator) -> None:
    offline = (await enter(simulator, OFFLINE))["data"]
    assert (offline["room_status"], offline["data"][0]["status"]) == (2, 4)
    assert ("owner" in offline["data"][0], offline["user"]["nickname"]) == (False, "周五再见")
    unknown = await enter(simulator, UNKNOWN)
    assert (unknown["status_code"], unknown["data"]) == (4001038, {"prompts": "该内容暂时无法无法查看"})
    assert (await enter(simulator, LOGIN))["status_code"] == 20003
    assert (await enter(simulator, LOGIN, LOGGED_IN))["status_code"] == 0
    assert (await enter(simulator, GENERATED))["data"]["room_status"] == 0
    assert (await enter(simulator, "demo"))["status_code"] == 4001038  # that is somebody elsewhere


@pytest.mark.parametrize("name", ["aid", "app_name", "web_rid"])
async def test_entering_takes_some_parameters(simulator: Simulator, name: str) -> None:
    query = {key: value for key, value in {**ENTER, "web_rid": DOUYIN_DEMO}.items() if key != name}
    assert (await get(simulator, "/webcast/room/web/enter/", VISITING, **query)).json()["status_code"] == 10011


@pytest.mark.parametrize("cookie", ["", "ttwid=", f"ttwid={TTWID.replace('%7C', '|')}"])
@pytest.mark.parametrize("path", ["/webcast/room/web/enter/", "/webcast/im/fetch/"])
async def test_without_a_cookie_as_it_was_given_the_answer_is_empty(
    simulator: Simulator, path: str, cookie: str
) -> None:
    answer = await get(simulator, path, {"User-Agent": AGENT, "Cookie": cookie}, **ENTER, web_rid=DOUYIN_DEMO)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_bogus_is_looked_at_and_not_insisted_on(own_simulator: Simulator) -> None:
    counters = own_simulator.douyin_room().counters
    assert (await enter(own_simulator, DOUYIN_DEMO))["status_code"] == 0
    assert (await enter(own_simulator, DOUYIN_DEMO, a_bogus="00000000"))["status_code"] == 0
    assert (counters["a_bogus_missing"], counters["a_bogus_bad"], counters["a_bogus_good"]) == (1, 1, 0)


async def test_reflow_tells_whose_a_broadcast_is_without_a_cookie(simulator: Simulator) -> None:
    room = simulator.douyin_room()
    path = "/webcast/room/reflow/info/"
    told = (await get(simulator, path, {"User-Agent": AGENT}, room_id=str(room.id), app_id="6383")).json()
    assert (told["data"]["room"]["owner"]["web_rid"], told["data"]["room"]["status"]) == (DOUYIN_DEMO, 2)
    assert told["data"]["room"]["start_time"] == room.started_ms // 1000
    for unknown in ("7300000000000000001", "1", "x"):
        assert (await get(simulator, path, room_id=unknown)).json()["status_code"] == 30003


async def test_a_cookie_can_be_had_at_two_doors(simulator: Simulator) -> None:
    front = await get(simulator, "/", {"User-Agent": AGENT})
    body = {"region": "cn", "aid": 1768, "needFid": False, "service": "www.ixigua.com", "union": True}
    register = await simulator.http.post("/ttwid/union/register/", json=body)
    for answer in (front, register):
        ttwid = answer.headers["set-cookie"].partition(";")[0]
        assert re.fullmatch(r"ttwid=1%7C[\w-]+%7C[0-9]+%7C[0-9a-f]+", ttwid)
        assert await enter(simulator, DOUYIN_DEMO, {"User-Agent": AGENT, "Cookie": ttwid})
    assert "set-cookie" not in (await simulator.http.post("/ttwid/union/register/", content=b"[")).headers


async def test_short_links_lead_to_the_page_or_to_the_broadcast(simulator: Simulator) -> None:
    page = await get(simulator, "/_short/demo/")
    broadcast = await get(simulator, "/_short/broadcast/")
    assert (page.status_code, urlsplit(page.headers["location"]).path) == (302, f"/{DOUYIN_DEMO}")
    path = urlsplit(broadcast.headers["location"]).path
    assert path == f"/douyin/webcast/reflow/{simulator.douyin_room().id}"
    assert (await get(simulator, "/_short/nothing/")).status_code == 404


# Polling


async def fetch(simulator: Simulator, last: Response | None = None, headers: Mapping[str, str] = LOGGED_IN) -> Response:
    query = {"room_id": str(simulator.douyin_room().id), "user_unique_id": VISITOR, "aid": "6383"}
    place = {"cursor": "", "internal_ext": ""}
    if last is not None:
        place = {"cursor": last.cursor.decode(), "internal_ext": last.internal_ext.decode()}
    query |= {"need_persist_msg_count": "15", "resp_content_type": "protobuf", **place}
    return Response.FromString((await get(simulator, "/webcast/im/fetch/", headers, **query)).content)


async def test_a_polled_room_lives_and_misses_nothing(own_simulator: Simulator) -> None:
    room = own_simulator.douyin_room()
    first = last = await fetch(own_simulator)
    assert {message.method for message in first.messages if message.is_history} == set(STANDING) | {
        b"WebcastResidentGuestMessage",
        b"WebcastRoomStreamAdaptationMessage",
    }
    assert [message.method for message in first.messages][-6:] == [b"WebcastChatMessage"] * 6
    assert (first.fetch_interval, first.need_ack) == (1000, False)
    assert first.push_server_v2.decode() == douyin_url(own_simulator, {}).partition("?")[0]
    ids: list[int] = []
    while len(ids) < 60:
        last = await fetch(own_simulator, last)
        ids += [message.msg_id for message in last.messages]
    assert ids == [listed.id for listed in room.listed][: len(ids)]
    assert (room.counters["fetches_odd"], room.counters["connections_opened"]) == (0, 0)
    query = dict(parse_qsl(last.internal_ext.decode().replace("|", "&").replace(":", "=")))
    assert (query["wss_push_room_id"], query["wss_push_did"]) == (str(room.id), VISITOR)
    assert int(query["seq"]) > 1


async def test_a_poll_that_forgets_internal_ext_is_odd(own_simulator: Simulator) -> None:
    first = await fetch(own_simulator)
    await fetch(own_simulator, Response(cursor=first.cursor))
    assert own_simulator.douyin_room().counters["fetches_odd"] == 1


async def test_polls_withhold_gifts_from_strangers(own_simulator: Simulator) -> None:
    room = own_simulator.douyin_room()
    last = await fetch(own_simulator, headers=VISITING)
    while room.counters["gifts_withheld"] < 3:
        last = await fetch(own_simulator, last, VISITING)
        assert b"WebcastGiftMessage" not in {message.method for message in last.messages}


async def test_a_poll_may_be_a_post(simulator: Simulator) -> None:
    query = {"room_id": str(simulator.douyin_room().id), "user_unique_id": VISITOR}
    answer = await simulator.http.post("/webcast/im/fetch/", params=query, headers=VISITING)
    assert Response.FromString(answer.content).messages


async def test_a_room_that_is_over_is_told_in_json(simulator: Simulator) -> None:
    for room_id in (str(simulator.douyin_room(OFFLINE).id), "7690183442860198697"):
        answer = await get(simulator, "/webcast/im/fetch/", room_id=room_id, user_unique_id=VISITOR)
        assert (answer.json()["status_code"], answer.json()["data"]["message"]) == (30003, "room has finished")


# HTTP faults


ALL_DOORS = ["/webcast/room/web/enter/", "/webcast/im/fetch/", "/webcast/room/reflow/info/", f"/{DOUYIN_DEMO}"]


@pytest.mark.parametrize("path", ALL_DOORS)
async def test_all_doors_can_fail(simulator: Simulator, path: str) -> None:
    await simulator.ask("POST", "/faults", kind="rate_limit", count=1, retry_after_s=7)
    limited = await get(simulator, path)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    await simulator.ask("POST", "/faults", kind="provider_error", count=1, status=502)
    assert (await get(simulator, path)).status_code == 502
    await simulator.ask("POST", "/faults", kind="provider_empty", count=1)
    assert (await get(simulator, path)).content == b""


async def test_a_captcha_is_an_empty_answer_with_a_header_and_a_page_without_state(simulator: Simulator) -> None:
    await simulator.ask("POST", "/faults", kind="captcha", count=2)
    answer = await get(simulator, "/webcast/room/web/enter/", VISITING, **ENTER, web_rid=DOUYIN_DEMO)
    assert (answer.status_code, answer.content, "bdturing-verify" in answer.headers) == (200, b"", True)
    assert "roomInfo" not in (await get(simulator, f"/{DOUYIN_DEMO}")).text
    assert "roomInfo" in (await get(simulator, f"/{DOUYIN_DEMO}")).text


# The handshake


async def refusal(simulator: Simulator, url: str, *, cookie: str = f"ttwid={TTWID}", agent: str | None = AGENT) -> str:
    """Be refused as the platform does; returns the name of the check."""
    before = simulator.world.refused.copy()
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers={"Cookie": cookie}, user_agent_header=agent):
            pass
    answer = refused.value.response
    assert (answer.status_code, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")
    assert (answer.headers["handshake-msg"], answer.headers["handshake-status"]) == ("DEVICE_BLOCKED", "415")
    ((name, times),) = (simulator.world.refused - before).items()
    assert times == 1
    return name


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("ws_aid", {"aid": ""}),
        ("ws_app_name", {"app_name": ""}),
        ("ws_live_id", {"live_id": ""}),
        ("ws_did_rule", {"did_rule": ""}),
        ("ws_identity", {"identity": ""}),
        ("ws_device_platform", {"device_platform": ""}),
        ("ws_version_code", {"version_code": ""}),
        ("ws_sdk_version", {"webcast_sdk_version": "1.3.0"}),
        ("ws_room_id", {"room_id": DOUYIN_DEMO}),
        ("ws_user_unique_id", {"user_unique_id": "101220697463"}),
    ],
)
async def test_what_a_signed_address_lacks_is_refused(simulator: Simulator, name: str, query: dict[str, str]) -> None:
    address = douyin_query(simulator.douyin_room().id, **query)
    assert await refusal(simulator, douyin_url(simulator, address)) == name


@pytest.mark.parametrize("cookie", ["", f"ttwid={TTWID.replace('%7C', '|')}", "sessionid=somebody"])
async def test_a_socket_takes_the_visitors_cookie(simulator: Simulator, cookie: str) -> None:
    url = douyin_url(simulator, douyin_query(simulator.douyin_room().id))
    assert await refusal(simulator, url, cookie=cookie) == "ws_ttwid"


async def test_a_socket_takes_a_user_agent(simulator: Simulator) -> None:
    url = douyin_url(simulator, douyin_query(simulator.douyin_room().id))
    assert await refusal(simulator, url, agent=None) == "ws_user_agent"


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("missing", lambda signature: ""),
        ("length", lambda signature: signature[:-1]),
        ("alphabet", lambda signature: signature[:-1] + "-"),
        ("mode", lambda signature: "D" + signature[1:]),
        ("checksum", lambda signature: signature[:-1] + ("k" if signature[-1] == "D" else "D")),
    ],
)
async def test_a_spoilt_signature_is_refused(simulator: Simulator, name: str, spoil: Callable[[str], str]) -> None:
    query = douyin_query(simulator.douyin_room().id)
    url = douyin_url(simulator, query, spoil(douyin_signature(query)))
    assert await refusal(simulator, url) == f"signature_{name}"


async def test_a_signature_of_another_address_or_with_a_body_is_refused(simulator: Simulator) -> None:
    query = douyin_query(simulator.douyin_room().id)
    other = douyin_signature({**query, "user_unique_id": "7319483754668557239"})
    assert await refusal(simulator, douyin_url(simulator, query, other)) == "signature_stub"
    plain = [1, 0, 1, 14, 0, 0, 0, 0, 63]
    with_body = spelled(bytes([0x40, 5]) + one_key_rc4(5, bytes([*plain, 1 ^ 1 ^ 14 ^ 63])))
    assert await refusal(simulator, douyin_url(simulator, query, with_body)) == "signature_body"


async def test_every_signature_is_let_in_however_its_plus_is_written(own_simulator: Simulator) -> None:
    query = douyin_query(own_simulator.douyin_room().id)
    signatures = (douyin_signature(query, key=key) for key in range(255))
    with_plus = next(signature for signature in signatures if "+" in signature and "/" in signature)
    escaped = douyin_url(own_simulator, query, with_plus)
    raw = escaped.replace("%2B", "+").replace("%2F", "/")
    assert ("%2B" in escaped, "+" in raw) == (True, True)
    for url in (escaped, raw):
        async with connect(url, additional_headers={"Cookie": f"ttwid={TTWID}"}):
            pass
    assert own_simulator.douyin_room().counters["signatures_unescaped"] == 1
    as_a_space = escaped.replace("%2B", "%20")
    assert await refusal(own_simulator, as_a_space) == "signature_alphabet"


async def test_one_of_two_hosts_can_refuse(own_simulator: Simulator) -> None:
    await own_simulator.ask("POST", "/faults", kind="refuse_handshake", room=DOUYIN_DEMO, path="/webcast/")
    with pytest.raises(InvalidStatus) as refused:
        async with douyin_joined(own_simulator):
            pass
    assert refused.value.response.headers["handshake-msg"] == "DEVICE_BLOCKED"
    async with douyin_joined(own_simulator, path=f"/hl{DOUYIN_SOCKET_PATH}") as (client, _):
        await client.messages(1)


@pytest.mark.parametrize("room_id", [None, "7690183442860198697"])
async def test_a_room_that_is_over_or_unknown_closes_at_once(simulator: Simulator, room_id: str | None) -> None:
    query = douyin_query(simulator.douyin_room(OFFLINE).id, **({} if room_id is None else {"room_id": room_id}))
    async with connect(douyin_url(simulator, query), additional_headers={"Cookie": f"ttwid={TTWID}"}) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000


# The room


async def test_a_connection_begins_with_how_things_stand_and_the_last_messages(own_simulator: Simulator) -> None:
    async with douyin_joined(own_simulator) as (client, _):
        await client.messages(60)
    told = client.news()
    async with douyin_joined(own_simulator, need_persist_msg_count="15") as (again, first):
        assert b"wss_msg_type:wrds" in first.internal_ext
        assert re.fullmatch(rb"t-[0-9]+_r-1_d-1_u-1", first.cursor)
        assert {message.method for message in first.messages if message.is_history} >= set(STANDING)
        frame, history = await again.next()
        assert (frame.seq_id, len(history.messages)) == (2, 15)
        assert {message.msg_id for message in history.messages} <= set(told) | set(again.listed_news())


async def test_a_made_up_cursor_begins_now_and_a_given_one_misses_nothing(own_simulator: Simulator) -> None:
    async with douyin_joined(own_simulator) as (client, _), douyin_joined(own_simulator) as (witness, _):
        await client.messages(10)
        cursor = read(client.frames[-1]).cursor.decode()
        seen = client.news()
        await client.socket.close()
        await witness.messages(60)
        async with douyin_joined(own_simulator, cursor=cursor) as (again, _):
            await again.messages(30)
            listed = again.listed_news()
            start = listed.index(seen[-1]) + 1
            assert again.news() == listed[start : start + len(again.news())]


async def test_gifts_are_told_to_sessions_only(own_simulator: Simulator) -> None:
    room = own_simulator.douyin_room()
    async with douyin_joined(own_simulator) as (known, _), douyin_joined(own_simulator, cookies="") as (stranger, _):
        while room.counters["gifts_withheld"] < 5:
            await stranger.next()
            await known.next()
        await known.messages(50)

    def gifts(client: DouyinClient) -> int:
        methods = [message.method for frame in client.frames for message in read(frame).messages]
        return methods.count(b"WebcastGiftMessage")

    assert gifts(known) >= 5
    assert gifts(stranger) == 0


async def test_acks_and_heartbeats_are_counted() -> None:
    async with running_simulator(replace(LIVELY, ack_s=0.2)) as simulator:
        room = simulator.douyin_room()
        async with douyin_joined(simulator) as (client, _):
            await client.heartbeat()
            answer, _ = await client.next("hb")
            assert answer.log_id == 0
            frame, response = await client.next()
            assert response.need_ack
            await client.ack(frame, response.internal_ext + b"!")
            await eventually(lambda: room.counters["acks_bad"] == 1)
            while not room.counters["acks_good"]:
                frame, response = await client.next()
                await client.ack(frame, response.internal_ext)
            await eventually(lambda: room.counters["acks_missing"] > 0)
        shown = await simulator.ask("GET", f"/rooms/{room.id}")
        assert (shown["name"], shown["counters"]["heartbeats"]) == (DOUYIN_DEMO, 1)


async def test_a_heartbeat_may_come_inside_a_ping(own_simulator: Simulator) -> None:
    async with douyin_joined(own_simulator) as (client, _):
        (listener,) = client.room.listeners
        before = listener.heard_s
        await (await client.socket.ping(b"\x3a\x02hb"))  # answered as the standard says
        assert (client.room.counters["pings"], listener.heard_s > before) == (1, True)


async def test_a_masked_room_tells_nobody_apart(simulator: Simulator) -> None:
    async with douyin_joined(simulator, simulator.douyin_room(MASKED)) as (client, _):
        messages = await client.messages(60)
    chats = [pb.ChatMessage.FromString(one.payload) for one in messages if one.method == b"WebcastChatMessage"]
    assert chats
    assert {chat.user.id for chat in chats} == {111111}
    assert all(re.fullmatch(r".\*\*\*", chat.user.nickname.decode()) for chat in chats)


async def test_messages_name_the_broadcast(simulator: Simulator) -> None:
    async with douyin_joined(simulator) as (client, first):
        messages = [*first.messages, *await client.messages(30)]
    assert {AnyMessage.FromString(message.payload).common.room_id for message in messages} == {client.room.id}


async def test_the_ending_host_comes_back_with_another_broadcast() -> None:
    async with running_simulator(replace(LIVELY, broadcast_s=0.2, break_s=0.2)) as simulator:
        first = simulator.douyin_room(ENDING)
        async with douyin_joined(simulator, first) as (client, _):
            with pytest.raises(ConnectionClosed):
                while True:
                    messages = (await client.next())[1].messages
        assert action_of(messages[-1]) is ControlAction.ENDED
        await eventually(lambda: simulator.douyin_room(ENDING).id > first.id)
        assert (await enter(simulator, ENDING))["data"]["enter_room_id"] == str(simulator.douyin_room(ENDING).id)
        told = await get(simulator, "/webcast/room/reflow/info/", room_id=str(first.id))
        assert told.json()["data"]["room"]["status"] == 4


async def test_offline_can_go_live(own_simulator: Simulator) -> None:
    room_id = int((await own_simulator.ask("POST", f"/rooms/{OFFLINE}/live"))["room"])
    assert (await room_info(own_simulator, OFFLINE))["room"]["id_str"] == str(room_id)
    async with douyin_joined(own_simulator, own_simulator.douyin_room(OFFLINE)) as (client, _):
        await client.messages(1)


# Somebody else's client


async def test_a_client_that_nobody_here_wrote_passes_and_gets_its_messages(own_simulator: Simulator) -> None:
    """The flow of the popular Python client of 2024 and 2025, step by step, with its constants and its omissions.

    It joins its cookies wrongly, hard-codes nonce, visitor, cursor and browser, sends no Origin of ours and no escapes
    in the address, beats inside of WebSocket pings, and answers with what its protobuf library writes.
    """
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"  # noqa: E501
    front = await own_simulator.http.get("/", headers={"User-Agent": agent})
    ttwid = front.headers["set-cookie"].partition("ttwid=")[2].partition(";")[0]
    token = "A" * 182
    page = await own_simulator.http.get(
        f"/{DOUYIN_DEMO}",
        headers={"User-Agent": agent, "cookie": f"ttwid={ttwid}&msToken={token}; __ac_nonce=0123407cc00a9e438deb4"},
    )
    match = re.search(r'roomId\\":\\"(\d+)\\"', page.text)
    assert match is not None
    room_id = match[1]
    url = (
        f"{own_simulator.url.replace('http', 'ws')}/webcast/im/push/v2/?app_name=douyin_web"
        "&version_code=180800&webcast_sdk_version=1.0.14-beta.0"
        "&update_version_code=1.0.14-beta.0&compress=gzip&device_platform=web&cookie_enabled=true"
        "&screen_width=1536&screen_height=864&browser_language=zh-CN&browser_platform=Win32"
        "&browser_name=Mozilla"
        "&browser_version=5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,"
        "%20like%20Gecko)%20Chrome/126.0.0.0%20Safari/537.36"
        "&browser_online=true&tz_name=Asia/Shanghai"
        "&cursor=d-1_u-1_fh-7392091211001140287_t-1721106114633_r-1"
        f"&internal_ext=internal_src:dim|wss_push_room_id:{room_id}|wss_push_did:7319483754668557238"
        "|first_req_ms:1721106114541|fetch_time:1721106114633|seq:1|wss_info:0-1721106114633-0-0|"
        "wrds_v:7392094459690748497"
        "&host=https://live.douyin.com&aid=6383&live_id=1&did_rule=3&endpoint=live_pc&support_wrds=1"
        "&user_unique_id=7319483754668557238&im_path=/webcast/im/fetch/&identity=audience"
        f"&need_persist_msg_count=15&insert_task_id=&live_reason=&room_id={room_id}&heartbeatDuration=0"
    )
    query = {part.split("=")[0]: part.split("=")[-1] for part in urlsplit(url).query.split("&")}
    url += f"&signature={douyin_signature(query, key=200)}"
    headers = {"cookie": f"ttwid={ttwid}", "user-agent": agent}
    kinds: list[str] = []
    async with connect(url, additional_headers=headers, compression=None, ping_interval=None) as socket:
        while len(kinds) < 60:
            await (await socket.ping(PushFrame(payload_type=b"hb").SerializeToString()))
            async with asyncio.timeout(DEADLINE_S):
                frame = PushFrame.FromString(await socket.recv(decode=False))
            response = read(frame)
            if response.need_ack:
                receipt = PushFrame(log_id=frame.log_id, payload_type=b"ack", payload=response.internal_ext)
                await socket.send(receipt.SerializeToString())
            kinds += [message.method.decode() for message in response.messages]
    room = own_simulator.douyin_room()
    await eventually(lambda: not room.listeners)
    counters = room.counters
    assert not own_simulator.world.refused
    assert {"WebcastChatMessage", "WebcastMemberMessage", "WebcastLikeMessage", "WebcastRoomStatsMessage"} <= set(kinds)
    assert (counters["acks_bad"], counters["acks_odd"], counters["bad_frames"]) == (0, 0, 0)
    assert counters["acks_good"] > 3
    assert counters["pings"] > 3
