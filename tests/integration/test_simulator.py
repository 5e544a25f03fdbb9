"""The simulator over real sockets, seen by clients that know nothing but the schema of frames: TikTok, and what both
platforms have in common. What is Douyin's alone is in `test_simulator_douyin.py`.
"""

import asyncio
import json
import signal
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from protos import tiktok_pb2 as pb
from protos.webcast_pb2 import AnyMessage, Message, PushFrame, Response
from simulator.config import SimulatorConfig
from simulator.source import ControlAction, action_of
from tests.conftest import REPO_ROOT, free_port
from tests.simulators import (
    DEADLINE_S,
    DEMO,
    DOUYIN_DEMO,
    STANDING,
    TTWID,
    Simulator,
    SimulatorClient,
    douyin_joined,
    joined,
    read,
    running_simulator,
)

OFFLINE, RESTRICTED, UNKNOWN = 7300000000000000400, 7300000000000000401, 7300000000000099999
BROWSER = {"User-Agent": "Mozilla/5.0"}
LIVELY = SimulatorConfig(rate=300.0, rooms=2, push_s=0.05)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ON_BOTH = pytest.mark.parametrize(
    ("join", "room"), [(joined, "@demo"), (douyin_joined, DOUYIN_DEMO)], ids=["tiktok", "douyin"]
)
Join = Callable[[Simulator], AbstractAsyncContextManager[tuple[SimulatorClient, Response]]]
"""Enters the room of that name as a client."""


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


async def get(simulator: Simulator, path: str, **options: Any) -> httpx.Response:
    return await simulator.http.get(path, **{**options, "headers": BROWSER | options.get("headers", {})})


# Pages and JSON


async def test_the_front_page_gives_a_cookie(simulator: Simulator) -> None:
    cookie = (await get(simulator, "/")).headers["set-cookie"]
    assert cookie.startswith("ttwid=1%7C")
    assert "set-cookie" not in (await get(simulator, "/", headers={"Cookie": cookie.split(";")[0]})).headers


@pytest.mark.parametrize(("name", "status"), [("demo", 2), ("DEMO", 2), ("offline", 4), ("room1", 2)])
async def test_live_page_and_json_tell_room_and_status(simulator: Simulator, name: str, status: int) -> None:
    page = (await get(simulator, f"/@{name}/live")).text
    assert 'id="SIGI_STATE"' in page
    answer = (await get(simulator, f"/api-live/user/room/?uniqueId={name}&sourceType=54")).json()
    user = answer["data"]["user"]
    assert (answer["statusCode"], user["status"], answer["data"]["liveRoom"]["status"]) == (0, status, status)
    assert f'"roomId": "{user["roomId"]}"' in page


async def test_nobody_is_told_apart_from_offline(simulator: Simulator) -> None:
    assert "LiveRoom" not in (await get(simulator, "/@nobody/live")).text
    answer = (await get(simulator, "/api-live/user/room?uniqueId=nobody")).json()
    assert (answer["message"], answer["data"]) == ("user_not_found", None)
    assert (await get(simulator, "/api-live/user/room/")).json()["message"] == "params_error"


async def test_alive_is_told_for_several_rooms_in_their_order(simulator: Simulator) -> None:
    path = f"/webcast/room/check_alive/?room_ids={OFFLINE},{UNKNOWN},{DEMO},junk"
    data = (await get(simulator, path)).json()["data"]
    assert [(room["room_id_str"], room["alive"]) for room in data] == [(str(OFFLINE), False), (str(DEMO), True)]


async def test_room_info_tells_live_ended_restricted_and_unknown_apart(simulator: Simulator) -> None:
    answers = [
        (await get(simulator, f"/webcast/room/info/?room_id={room}")).json()
        for room in (DEMO, OFFLINE, RESTRICTED, UNKNOWN)
    ]
    assert [answer["status_code"] for answer in answers] == [0, 0, 4003110, 30003]
    assert [answer["data"]["status"] for answer in answers[:2]] == [2, 4]
    assert "prompts" in answers[2]["data"]


async def test_a_session_opens_the_restricted_room(simulator: Simulator) -> None:
    path = f"/webcast/room/info/?room_id={RESTRICTED}"
    assert (await get(simulator, path, headers={"Cookie": "sessionid=x"})).json()["status_code"] == 0


async def test_webcast_refuses_an_origin_with_a_slash(simulator: Simulator) -> None:
    path = f"/webcast/room/check_alive/?room_ids={DEMO}"
    answer = await get(simulator, path, headers={"Origin": "https://www.tiktok.com/"})
    assert answer.status_code == 403


async def test_pictures_are_drawn(simulator: Simulator) -> None:
    for path in ("/avatar/6800000003594706848.svg", "/gift/5655.svg", "/emote/3.svg"):
        answer = await get(simulator, path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert (await get(simulator, "/secret/1.svg")).status_code == 404


# Token providers


@pytest.mark.parametrize(
    "path", ["/webcast/fetch?room_id={}", "/webcast/fetch/?room_id={}", "/webcast/rooms/{}/connect"]
)
async def test_a_bootstrap_opens_one_socket(simulator: Simulator, path: str) -> None:
    answer = await get(simulator, path.format(DEMO))
    bootstrap = Response.FromString(answer.content)
    route = {param.key.decode(): param.value.decode() for param in bootstrap.route_params}
    assert answer.headers["x-set-tt-cookie"].startswith("ttwid=1%7C")
    assert (bootstrap.is_first, bootstrap.need_ack) == (True, False)
    assert [message.is_history for message in bootstrap.messages] == [False, False] + [True] * 6
    assert bootstrap.push_server.decode() == simulator.socket_url().partition("?")[0]
    async with joined(simulator, ws_direct=None, wrss=route["wrss"]):
        pass
    with pytest.raises(InvalidStatus):
        async with joined(simulator, ws_direct=None, wrss=route["wrss"]):
            pass


async def test_both_providers_say_what_is_left_of_a_quota(simulator: Simulator) -> None:
    key = {"Authorization": "Bearer any"}
    for path, header in (
        (f"/webcast/fetch?room_id={DEMO}", "ratelimit-remaining"),
        (f"/api/v1/tiktok/web/fetch_check_live_alive?room_id={DEMO}", "x-ratelimit-remaining"),
    ):
        assert 0 < int((await get(simulator, path, headers=key)).headers[header]) < 1000


async def test_tikhub_answers_the_same_in_its_json(simulator: Simulator) -> None:
    tikhub, key = "/api/v1/tiktok/web", {"Authorization": "Bearer any"}
    answer = (await get(simulator, f"{tikhub}/fetch_live_im_fetch?room_id={DEMO}", headers=key)).json()
    data = answer["data"]
    assert answer["code"] == 200
    assert b"Night kitchen" in b"".join(b64decode(message["payload"]) for message in data["messages"])
    async with joined(simulator, cursor=data["cursor"], ws_direct=None, wrss=data["routeParams"]["wrss"]):
        pass
    alive = (await get(simulator, f"{tikhub}/fetch_check_live_alive?room_id={DEMO}", headers=key)).json()
    assert alive["data"]["live_room_status"]["data"][0]["alive"] is True
    ttwid = (await get(simulator, f"{tikhub}/generate_ttwid?user_agent=x", headers=key)).json()
    assert ttwid["data"]["ttwid"].startswith("1%7C")


async def test_rooms_that_cannot_be_watched_get_no_token(simulator: Simulator) -> None:
    for room in (OFFLINE, RESTRICTED, UNKNOWN):
        bootstrap = Response.FromString((await get(simulator, f"/webcast/fetch?room_id={room}")).content)
        assert not bootstrap.route_params
        assert not bootstrap.push_server


async def test_keys_can_be_limited() -> None:
    async with running_simulator(replace(LIVELY, keys=frozenset({"good"}))) as simulator:
        path = f"/api/v1/tiktok/web/fetch_check_live_alive?room_id={DEMO}"
        codes = [
            (await get(simulator, path, headers={"Authorization": key})).status_code for key in ("good", "bad", "")
        ]
        assert codes == [200, 401, 401]
        assert (await get(simulator, f"/webcast/fetch?room_id={DEMO}")).status_code == 401
        assert (await get(simulator, f"/webcast/fetch?room_id={DEMO}&apiKey=good")).status_code == 200


# The handshake


@pytest.mark.parametrize(
    ("headers", "query", "status", "message"),
    [
        ({}, {}, "417", "http: named cookie not present"),
        ({"Cookie": f"ttwid={TTWID}", "User-Agent": ""}, {}, "415", "DEVICE_BLOCKED"),
        ({"Cookie": f"ttwid={TTWID.replace('%7C', '|')}"}, {}, "415", "DEVICE_BLOCKED"),
        ({"Cookie": f"ttwid={TTWID}"}, {"aid": None}, "417", "illegal app_id"),
        ({"Cookie": f"ttwid={TTWID}"}, {"wrss": "made-up"}, "417", "illegal secret key"),
        ({"Cookie": f"ttwid={TTWID}"}, {"ws_direct": "0"}, "417", "illegal secret key"),
    ],
)
async def test_a_wrong_handshake_is_refused_as_the_platform_does(
    simulator: Simulator, headers: dict[str, str], query: dict[str, str | None], status: str, message: str
) -> None:
    before = sum(simulator.world.refused.values())
    url = simulator.socket_url(**query)
    agent = headers.pop("User-Agent", "test") or None
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=headers, user_agent_header=agent):
            pass
    answer = refused.value.response
    assert (answer.status_code, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")
    assert (answer.headers["Handshake-Status"], answer.headers["Handshake-Msg"]) == (status, message)
    assert sum(simulator.world.refused.values()) == before + 1


async def test_a_socket_without_a_room_is_a_bad_request(simulator: Simulator) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(simulator.socket_url(room_id="x")):
            pass
    assert refused.value.response.status_code == 400


async def test_direct_mode_can_be_forbidden() -> None:
    async with running_simulator(replace(LIVELY, direct=False)) as simulator:
        with pytest.raises(InvalidStatus):
            async with joined(simulator):
                pass


async def test_a_welcome_client_is_told_the_ping_interval_and_gets_neither_subprotocol_nor_compression(
    simulator: Simulator,
) -> None:
    headers = {"Cookie": f"ttwid={TTWID}"}
    async with connect(simulator.socket_url(), additional_headers=headers, subprotocols=["echo-protocol"]) as socket:  # type: ignore[list-item]
        assert socket.response is not None
        answer = socket.response.headers
        assert (answer["Handshake-Status"], answer["Handshake-Msg"]) == ("0", "OK")
        assert answer["Handshake-Options"] == "ping-interval=10;"
        assert "Sec-WebSocket-Protocol" not in answer
        assert "Sec-WebSocket-Extensions" not in answer


# The room


async def test_entering_tells_the_welcome_and_the_last_chats(simulator: Simulator) -> None:
    async with joined(simulator) as (_, first):
        assert [message.method for message in first.messages[:2]] == [b"RoomMessage", b"WebcastLiveIntroMessage"]
        assert [message.is_history for message in first.messages] == [False, False] + [True] * 6
        assert (first.need_ack, first.internal_ext, first.is_first) == (False, b"-", False)


async def test_older_clients_are_in_the_room_without_asking(simulator: Simulator) -> None:
    url = simulator.socket_url(client_enter=None)
    async with connect(url, additional_headers={"Cookie": f"ttwid={TTWID}"}) as socket:
        async with asyncio.timeout(DEADLINE_S):
            frame = PushFrame.FromString(await socket.recv(decode=False))
        assert frame.payload_type == b"im_enter_room_resp"


@ON_BOTH
async def test_everybody_gets_what_the_control_endpoint_lists(own_simulator: Simulator, join: Join, room: str) -> None:
    async with join(own_simulator) as (one, _), join(own_simulator) as (two, _):
        await one.messages(40)
        await two.messages(40)
        listed = (await own_simulator.ask("GET", f"/rooms/{room}/messages"))["messages"]
        ids = [int(message["id"]) for message in listed if message["method"].encode() not in STANDING]
        for client in (one, two):
            start = ids.index(client.news()[0])
            assert client.news() == ids[start : start + len(client.news())]
        assert ids == sorted(set(ids))


async def test_who_comes_back_with_its_cursor_misses_nothing(own_simulator: Simulator) -> None:
    async with joined(own_simulator) as (client, _), joined(own_simulator) as (witness, _):
        await client.messages(10)
        last, cursor = (answer := read(client.frames[-1])).messages[-1].msg_id, answer.cursor.decode()
        await client.socket.close()
        await witness.messages(60)
        async with joined(own_simulator, cursor=cursor) as (again, first):
            assert all(message.msg_id <= last for message in first.messages if message.is_history)
            bootstrap = Response.FromString(
                (await get(own_simulator, f"/webcast/fetch?room_id={DEMO}&cursor={cursor}")).content
            )
            assert all(message.msg_id <= last for message in bootstrap.messages if message.is_history)
            assert bootstrap.cursor.decode() == cursor
            missed = await again.messages(30)
    listed = (await own_simulator.ask("GET", "/rooms/@demo/messages"))["messages"]
    ids = [int(message["id"]) for message in listed]
    start = ids.index(last) + 1
    assert [message.msg_id for message in missed] == ids[start : start + len(missed)]


async def test_history_overlaps_with_what_was_told_before(own_simulator: Simulator) -> None:
    async with joined(own_simulator) as (client, _):
        await client.messages(60)
    async with joined(own_simulator) as (_, first):
        history = [str(message.msg_id) for message in first.messages if message.is_history]
    listed = (await own_simulator.ask("GET", "/rooms/@demo/messages"))["messages"]
    assert len(history) == 6
    assert set(history) <= {message["id"] for message in listed}


async def test_acks_and_heartbeats_are_counted() -> None:
    async with running_simulator(replace(LIVELY, ack_s=0.2)) as simulator:
        room = simulator.world.room(DEMO)
        assert room is not None
        async with joined(simulator) as (client, _):
            await client.heartbeat()
            await client.next("hb")
            asking = [frame for frame in [(await client.next())[0] for _ in range(12)] if read(frame).need_ack]
            await client.ack(asking[-1], read(asking[-1]).internal_ext + b"!")
            await eventually(lambda: room.counters["acks_bad"] == 1)
            while True:
                frame, response = await client.next()
                if response.need_ack:
                    break
            await client.ack(frame, response.internal_ext)
            await eventually(lambda: room.counters["acks_good"] == 1)
            await eventually(lambda: room.counters["acks_missing"] > 0)
        shown = await simulator.ask("GET", f"/rooms/{DEMO}")
        assert (shown["counters"]["heartbeats"], shown["counters"]["enter_rooms"]) == (1, 1)
        assert shown["counters"]["connections_opened"] == 1


async def test_strict_acks_end_the_connection() -> None:
    async with running_simulator(replace(LIVELY, strict_acks=True)) as simulator:
        async with joined(simulator) as (client, _):
            await client.ack(PushFrame(log_id=1), b"-")
            with pytest.raises(ConnectionClosed) as closed:
                await client.next("never")
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "payload_handler_ack")


async def test_a_client_without_heartbeats_is_closed() -> None:
    async with running_simulator(replace(LIVELY, silence_s=0.3)) as simulator, joined(simulator) as (client, _):
        with pytest.raises(ConnectionClosed) as closed:
            await client.next("never")
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "payload_handler_hb")


async def test_pings_get_an_empty_pong(simulator: Simulator) -> None:
    async with joined(simulator) as (client, _):
        pong = await client.socket.ping(b"abc")
        assert isinstance(pong, asyncio.Future)
        await client.heartbeat()
        await client.next("hb")
        assert not pong.done()  # the pong that came was not for this payload


async def test_a_room_that_is_not_live_closes_at_once(simulator: Simulator) -> None:
    async with joined(simulator, OFFLINE) as (client, _):
        with pytest.raises(ConnectionClosed) as closed:
            await client.next("never")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000


async def test_the_ending_host_comes_back_with_another_room() -> None:
    async with running_simulator(replace(LIVELY, broadcast_s=0.2, break_s=0.2)) as simulator:
        first = 7300000000000000003
        async with joined(simulator, first) as (client, _):
            with pytest.raises(ConnectionClosed):
                while True:
                    messages = (await client.next())[1].messages
        assert action_of(messages[-1]) is ControlAction.ENDED
        await eventually(lambda: simulator.world.sites["tiktok"].hosts["ending"].room.id == first + 1000)
        answer = (await get(simulator, "/api-live/user/room/?uniqueId=ending")).json()
        assert (answer["data"]["user"]["roomId"], answer["data"]["user"]["status"]) == (str(first + 1000), 2)
        assert (await get(simulator, f"/webcast/room/info/?room_id={first}")).json()["data"]["status"] == 4


# The control endpoint


async def test_rate_and_viewers_can_be_changed(own_simulator: Simulator) -> None:
    changed = await own_simulator.ask("PATCH", "/rooms/@demo", rate=2.5, viewers=77)
    assert (changed["rate"], changed["viewers"]) == (2.5, 77)


async def test_offline_can_go_live_under_a_new_id(own_simulator: Simulator) -> None:
    room_id = int((await own_simulator.ask("POST", "/rooms/@offline/live"))["room"])
    assert room_id == OFFLINE + 1000
    async with joined(own_simulator, room_id) as (client, _):
        await client.messages(1)


@pytest.mark.parametrize(
    ("join", "room", "banned", "action"),
    [
        (joined, "@demo", False, ControlAction.ENDED),
        (joined, "@demo", True, ControlAction.BANNED),
        (douyin_joined, DOUYIN_DEMO, False, ControlAction.ENDED),
        (douyin_joined, DOUYIN_DEMO, True, ControlAction.ENDED),  # which gives a reason instead
    ],
)
async def test_a_room_can_be_ended(
    own_simulator: Simulator, join: Join, room: str, banned: bool, action: ControlAction
) -> None:
    async with join(own_simulator) as (client, _):
        await own_simulator.ask("POST", f"/rooms/{room}/end", banned=banned)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                messages = (await client.next())[1].messages
    assert action_of(messages[-1]) is action
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000


@ON_BOTH
async def test_a_room_can_be_paused_and_resumed(own_simulator: Simulator, join: Join, room: str) -> None:
    async with join(own_simulator) as (client, _):
        assert (await own_simulator.ask("POST", f"/rooms/{room}/pause"))["status"] == "paused"
        assert (await own_simulator.ask("POST", f"/rooms/{room}/resume"))["status"] == "live"
        actions: list[ControlAction] = []
        while len(actions) < 2:
            actions += [action for message in (await client.next())[1].messages if (action := action_of(message))]
    assert actions == [ControlAction.PAUSED, ControlAction.RESUMED]


@ON_BOTH
async def test_messages_can_be_injected(own_simulator: Simulator, join: Join, room: str) -> None:
    header = pb.Common(method=b"WebcastChatMessage", room_id=5)
    payload = pb.ChatMessage(common=header, content=b"from outside").SerializeToString()
    message = {"method": "WebcastChatMessage", "payload_b64": b64encode(payload).decode()}
    async with join(own_simulator) as (client, _):
        messages = [message, {**message, "id": "42"}]
        ids = (await own_simulator.ask("POST", f"/rooms/{room}/messages", messages=messages))["ids"]
        found: list[Message] = []
        while len(found) < 2:
            found += [message for message in (await client.next())[1].messages if b"from outside" in message.payload]
    assert [str(message.msg_id) for message in found] == ids
    assert ids[1] == "42"
    assert {AnyMessage.FromString(message.payload).common.room_id for message in found} == {client.room.id}


@pytest.mark.parametrize(
    ("method", "path", "body", "reason"),
    [
        ("GET", "/rooms/@nobody", None, "no such room"),
        ("PATCH", "/rooms/@demo", b"{", "not JSON"),
        ("PATCH", "/rooms/@demo", b"[]", "not a JSON object"),
        ("PATCH", "/rooms/@demo", b'{"speed": 1}', "unknown: speed; there is: rate, viewers"),
        ("PATCH", "/rooms/@demo", b'{"rate": -1}', "rate is a number of 0 to 5000"),
        ("PATCH", "/rooms/@demo", b'{"rate": NaN}', "rate is a number of 0 to 5000"),
        ("POST", "/rooms/@demo/drop", b'{"code": 1006}', "a close code that may be sent"),
        ("POST", "/rooms/@demo/messages", b'{"messages": []}', "messages is a list of 1 to 1000"),
        ("POST", "/rooms/@demo/messages", b'{"messages": [{}]}', "method, payload_b64"),
        ("POST", "/rooms/@demo/messages", b'{"messages": [{"method": "A", "payload_b64": "?"}]}', "is base64"),
        ("POST", "/rooms/@demo/messages", b'{"messages": [{"method": "A", "id": -1}]}', "id is below"),
        ("POST", "/rooms/@offline/end", b"{}", "the broadcast is over"),
        ("POST", "/faults", b'{"kind": "explode"}', "kind is one of"),
        ("POST", "/faults", b"{}", "kind is one of"),
        ("POST", "/faults", b'{"kind": "delay", "count": 0}', "count is a number of 1"),
        ("GET", "/rooms/@demo/messages?after=x", None, "after is a whole number"),
    ],
)
async def test_nonsense_is_refused_with_a_reason(
    simulator: Simulator, method: str, path: str, body: bytes | None, reason: str
) -> None:
    answer = await simulator.http.request(method, f"/_control{path}", content=body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


# Faults


@ON_BOTH
@pytest.mark.parametrize(("body", "code"), [({"code": 1011}, 1011), ({}, None)])
async def test_connections_can_be_dropped(
    own_simulator: Simulator, join: Join, room: str, body: dict[str, int], code: int | None
) -> None:
    async with join(own_simulator) as (client, _):
        assert (await own_simulator.ask("POST", f"/rooms/{room}/drop", **body))["dropped"] == 1
        with pytest.raises(ConnectionClosed) as closed:
            await client.next("never")
    assert (closed.value.rcvd and closed.value.rcvd.code) == code


@ON_BOTH
async def test_a_client_can_be_asked_to_leave(own_simulator: Simulator, join: Join, room: str) -> None:
    async with join(own_simulator) as (client, _):
        await own_simulator.ask("POST", f"/rooms/{room}/drop", code=1000, announced=True)
        frame, _ = await client.next("close")
        with pytest.raises(ConnectionClosed):
            await client.next("never")
    assert client.frames[-1] == frame


@ON_BOTH
async def test_a_stalled_connection_is_silent_and_told_the_rest_afterwards(
    own_simulator: Simulator, join: Join, room: str
) -> None:
    async with join(own_simulator) as (client, _):
        await client.messages(5)
        await own_simulator.ask("POST", f"/rooms/{room}/stall", duration_s=600)
        before = len(client.room.listed)
        async with join(own_simulator) as (witness, _):
            await witness.messages(30)  # the room goes on for others
        assert len(client.room.listed) > before
        await own_simulator.ask("DELETE", "/faults")
        await client.messages(30)
        assert client.news() == client.listed_news()[: len(client.news())]


@ON_BOTH
async def test_frames_can_be_corrupted_and_the_sound_ones_follow(
    own_simulator: Simulator, join: Join, room: str
) -> None:
    async with join(own_simulator) as (client, _):
        for kind in ("corrupt_frame", "corrupt_gzip", "unknown_frame", "delay"):
            await own_simulator.ask("POST", "/faults", kind=kind, room=room, count=1)
        odd: list[object] = []
        while len(client.news()) < 40:
            async with asyncio.timeout(DEADLINE_S):
                data = await client.socket.recv()
            try:
                assert isinstance(data, bytes)
                frame = PushFrame.FromString(data)
                if frame.payload_type == b"msg":
                    read(frame)
                    client.frames.append(frame)
                else:
                    odd.append(frame.payload_type)
            except Exception as error:
                odd.append(type(error).__name__)
    assert odd == ["DecodeError", b"mystery", "AssertionError", "EOFError"]
    assert client.news() == client.listed_news()[: len(client.news())]


@ON_BOTH
async def test_messages_can_come_twice_and_in_another_order(own_simulator: Simulator, join: Join, room: str) -> None:
    async with join(own_simulator) as (client, _):
        await own_simulator.ask("POST", "/faults", kind="duplicate", count=3)
        await own_simulator.ask("POST", "/faults", kind="reorder", count=5)
        ids = [message.msg_id for message in await client.messages(40)]
    assert len(set(ids)) < len(ids)
    assert client.news() != sorted(client.news())


@ON_BOTH
async def test_a_payload_can_be_corrupted(own_simulator: Simulator, join: Join, room: str) -> None:
    async with join(own_simulator) as (client, _):
        await own_simulator.ask("POST", "/faults", kind="corrupt_payload", room=room, count=1)
        broken: list[Message] = []
        while not broken:
            broken = [message for message in (await client.next())[1].messages if message.payload[1:2] == b"\xff"]
    listed = (await own_simulator.ask("GET", f"/rooms/{room}/messages"))["messages"]
    assert str(broken[0].msg_id) in {message["id"] for message in listed}


@ON_BOTH
async def test_the_handshake_can_be_refused_for_some_tries(own_simulator: Simulator, join: Join, room: str) -> None:
    await own_simulator.ask("POST", "/faults", kind="refuse_handshake", room=room, count=1, reason="bad_secret")
    with pytest.raises(InvalidStatus) as refused:
        async with join(own_simulator):
            pass
    assert refused.value.response.headers["Handshake-Msg"] == "illegal secret key"
    async with join(own_simulator):
        pass
    overview = await own_simulator.ask("GET", "/")
    assert (overview["refused"], overview["struck"]) == ({"bad_secret": 1}, {"refuse_handshake": 1})


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "rate_limit", "retry_after_s": 7}, 429),
        ({"kind": "refuse_key"}, 401),
        ({"kind": "provider_error"}, 503),
    ],
)
async def test_providers_can_fail(simulator: Simulator, fault: dict[str, Any], status: int) -> None:
    await simulator.ask("POST", "/faults", count=1, **fault)
    answer = await get(simulator, f"/webcast/fetch?room_id={DEMO}")
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert (await get(simulator, f"/webcast/fetch?room_id={DEMO}")).status_code == 200


async def test_providers_can_succeed_with_nothing(simulator: Simulator) -> None:
    await simulator.ask("POST", "/faults", kind="provider_empty", count=2)
    assert (await get(simulator, f"/webcast/fetch?room_id={DEMO}")).content == b""
    path = f"/api/v1/tiktok/web/fetch_live_im_fetch?room_id={DEMO}"
    answer = (await get(simulator, path, headers={"Authorization": "key"})).json()
    assert (answer["code"], answer["data"]["routeParams"]) == (200, {})


async def test_pages_can_turn_into_a_captcha(simulator: Simulator) -> None:
    await simulator.ask("POST", "/faults", kind="captcha", count=1)
    assert "tiktok-verify-page" in (await get(simulator, "/@demo/live")).text
    assert "SIGI_STATE" in (await get(simulator, "/@demo/live")).text


# The process


async def test_the_process_ends_cleanly_on_a_signal_and_closes_its_connections() -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", "--port", str(port), "--rooms", "2", cwd=REPO_ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            assert f":{port}" in (await process.stdout.readline()).decode()
            said = ""
            while "728804800000 to 728804800001" not in said:
                said += (await process.stdout.readline()).decode()
            for told in ("@demo", "@room0 to @room1", "728804746624", "ROOMCAST_TIKTOK_WEB_URL=", "/_short \\\n"):
                assert told in said
            headers = {"Cookie": f"ttwid={TTWID}"}
            url = f"ws://127.0.0.1:{port}/webcast/im/ws_proxy/ws_reuse_supplement/?aid=1988&ws_direct=1&room_id={DEMO}"
            while True:
                try:
                    socket = await connect(url, additional_headers=headers, open_timeout=1)
                    break
                except OSError:
                    await asyncio.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
            await socket.wait_closed()
        assert socket.close_code == 1012
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


# Recorded payloads


@pytest.mark.parametrize(("platform", "player"), [("tiktok", "payloads"), ("douyin", "728804746900")])
async def test_payload_files_are_played_once_in_order_and_end_the_room(
    tmp_path: Path, platform: str, player: str
) -> None:
    end = pb.ControlMessage(common=pb.Common(method=b"WebcastControlMessage", msg_id=1, room_id=5), action=3)
    lines = [{"method": "WebcastControlMessage", "payload_b64": b64encode(end.SerializeToString()).decode()}]
    for number in range(2, 22):
        chat = pb.ChatMessage(common=pb.Common(method=b"WebcastChatMessage", msg_id=number, room_id=5), content=b"x")
        lines.append({"method": "WebcastChatMessage", "payload_b64": b64encode(chat.SerializeToString()).decode()})
    (tmp_path / "recorded.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    async with running_simulator(replace(LIVELY, payloads=(tmp_path,), payload_rate=1000.0)) as simulator:
        room = simulator.world.sites[platform].hosts[player].room
        join = joined(simulator, room.id) if platform == "tiktok" else douyin_joined(simulator, room)
        async with join as (client, first):
            messages = list(first.messages)
            assert platform == "douyin" or not messages
            with pytest.raises(ConnectionClosed):
                while True:
                    messages += (await client.next())[1].messages
    assert list(dict.fromkeys(message.msg_id for message in messages)) == [*range(2, 22), 1]
    assert {AnyMessage.FromString(message.payload).common.room_id for message in messages} == {room.id}
