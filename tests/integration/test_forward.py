"""Rooms forwarded into a file or to a webhook: every event, in order, over restarts; what is lost is said."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import resource
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn import Config, Server

from gateway.forward.follower import Follower
from gateway.forward.jsonl import JsonLines
from gateway.forward.settings import ForwardSettings
from gateway.forward.target import Places, Target
from gateway.forward.webhook import Webhook
from gateway.frames import Frame, event_frame
from gateway.options import DEFAULT_FILTER, EventFilter
from gateway.relay import Relay
from gateway.settings import GatewaySettings
from shared.cursor import Cursor
from shared.errors import ConfigError
from shared.redis_client import open_redis
from shared.room import RoomKey
from tests.conftest import free_port
from tests.events import like
from tests.holder import HolderClient
from tests.servers import served

ROOM = "tiktok:7300000000000000001"
OTHER = "tiktok:7300000000000000002"
SECRET = "a5ecret"


@contextlib.asynccontextmanager
async def following(
    redis_url: str, target: Target, places: Places, *rooms: str, wanted: EventFilter = DEFAULT_FILTER
) -> AsyncIterator[Relay]:
    """Forward rooms while the block runs."""
    redis = open_redis(redis_url, name="forward")
    values: dict[str, Any] = {"linger_s": 0}
    try:
        async with Relay(GatewaySettings(**values), redis) as relay, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(Follower(relay, RoomKey.parse(room), wanted, target, places, linger_s=0).run())
                for room in rooms
            ]
            yield relay
            for task in running:
                task.cancel()
    finally:
        await redis.aclose()


@contextlib.contextmanager
def lines_into(path: Path, **options: Any) -> Iterator[tuple[JsonLines, Places]]:
    places = Places(path.with_name("places"))
    lines = JsonLines(path, places, **{"max_bytes": 10**9, "kept": 3, "retry_s": lambda attempt: 0.01, **options})
    try:
        yield lines, places
    finally:
        lines.close()


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf8").splitlines()]


def said(events: Sequence[dict[str, Any]]) -> list[str]:
    """The contents of chats; other types by name."""
    return [event.get("content") or event["type"] for event in events]


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not happened():
            await asyncio.sleep(0.005)


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


@pytest.fixture
async def holders(redis_url: str) -> AsyncIterator[HolderClient]:
    async with HolderClient(redis_url) as client:
        yield client


# --- from the log -----------------------------------------------------------------------------------------------------


async def test_a_file_gets_every_event_from_the_beginning_of_a_new_room(
    holders: HolderClient, redis_url: str, tmp_path: Path
) -> None:
    path, holder = tmp_path / "events.jsonl", holders.holder(ROOM)
    with lines_into(path) as (target, places):
        async with following(redis_url, target, places, ROOM):
            await holder.wanted()
            await holder.go_live()
            last = await holder.chat(*numbers(1, 500))
            await until(lambda: len(read(path)) == 500)
    assert said(read(path)) == numbers(1, 500)
    assert {(event["platform"], event["room"]) for event in read(path)} == {("tiktok", "7300000000000000001")}
    assert places.of(ROOM) == last


async def test_the_next_process_goes_on_where_this_one_stopped(
    holders: HolderClient, redis_url: str, tmp_path: Path
) -> None:
    path, holder = tmp_path / "events.jsonl", holders.holder(ROOM)
    await holder.go_live()
    await holder.chat("before anybody listened")
    for run in range(3):
        with lines_into(path) as (target, places):
            async with following(redis_url, target, places, ROOM) as relay:
                await until(lambda relay=relay: RoomKey.parse(ROOM) in relay.rooms)  # type: ignore[misc]
                await relay.rooms[RoomKey.parse(ROOM)].feed.started.wait()
                await holder.chat(f"while {run}")
                await until(lambda run=run: f"while {run}" in path.read_text())  # type: ignore[misc]
        await holder.chat(f"between {run}")
    told = ["while 0", "between 0", "while 1", "between 1", "while 2"]
    assert said(read(path)) == told


async def test_what_the_log_does_not_hold_any_more_is_said(
    holders: HolderClient, redis_url: str, tmp_path: Path
) -> None:
    path, holder = tmp_path / "events.jsonl", holders.holder(ROOM, history_len=50)
    with lines_into(path) as (target, places):
        async with following(redis_url, target, places, ROOM):
            await holder.wanted()
            await holder.go_live()
            first = await holder.chat("first")
            await until(lambda: path.read_text() != "")
    for number in range(1000):
        await holder.chat(str(number))
    with lines_into(path) as (target, places):
        async with following(redis_url, target, places, ROOM):
            await until(lambda: '"content":"999"' in path.read_text())
    events = read(path)
    assert said(events[:2]) == ["first", "gap"]
    assert (events[1]["reason"], events[1]["after"]) == ("trimmed", str(first))
    rest = said(events[2:])
    assert rest == numbers(1000 - len(rest), 999)
    assert len(rest) >= 50


async def test_a_target_that_takes_nothing_holds_up_no_other_room_and_misses_nothing(
    holders: HolderClient, redis_url: str, tmp_path: Path
) -> None:
    class Choosy:
        """Takes nothing of one room for now."""

        def __init__(self) -> None:
            self.taken: dict[str, list[str]] = {ROOM: [], OTHER: []}
            self.open = asyncio.Event()

        async def put(self, room: str, frames: Sequence[Frame], place: Cursor | None) -> None:
            if room == ROOM:
                await self.open.wait()
            self.taken[room] += said([json.loads(frame.payload) for frame in frames])

    target, both = Choosy(), [holders.holder(ROOM), holders.holder(OTHER)]
    async with following(redis_url, target, Places(None), ROOM, OTHER):
        for holder in both:
            await holder.wanted()
            await holder.go_live()
        for number in range(300):
            for holder in both:
                await holder.chat(str(number))
        await until(lambda: len(target.taken[OTHER]) == 300)
        assert target.taken[ROOM] == []
        target.open.set()
        await until(lambda: len(target.taken[ROOM]) == 300)
    assert target.taken == {ROOM: numbers(0, 299), OTHER: numbers(0, 299)}


async def test_only_the_types_asked_for_are_forwarded(holders: HolderClient, redis_url: str, tmp_path: Path) -> None:
    path, holder = tmp_path / "events.jsonl", holders.holder(ROOM)
    with lines_into(path) as (target, places):
        only_likes = EventFilter(frozenset({"like"}), rest=False)
        async with following(redis_url, target, places, ROOM, wanted=only_likes):
            await holder.wanted()
            await holder.go_live()
            await holder.chat("no")
            await holder.publish(like(holder.room, 5))
            await until(lambda: path.read_text() != "")
    assert said(read(path)) == ["like"]


async def test_the_place_moves_on_though_nothing_is_wanted(
    holders: HolderClient, redis_url: str, tmp_path: Path
) -> None:
    path, holder = tmp_path / "events.jsonl", holders.holder(ROOM)
    only_likes = EventFilter(frozenset({"like"}), rest=False)
    with lines_into(path) as (target, places):
        async with following(redis_url, target, places, ROOM, wanted=only_likes):
            await holder.wanted()
            await holder.go_live()
            await holder.chat("no")
            await until(lambda: places.of(ROOM) is not None)
    assert path.read_bytes() == b""


async def test_a_name_is_followed_to_where_it_points(holders: HolderClient, redis_url: str, tmp_path: Path) -> None:
    path, name = tmp_path / "events.jsonl", holders.holder("tiktok:@ana")
    with lines_into(path) as (target, places):
        async with following(redis_url, target, places, "tiktok:@ana") as relay:
            await name.wanted()
            await name.acquire()
            for room in (ROOM, OTHER):
                await name.point_to(room.partition(":")[2])
                holder = holders.holder(room)
                await holder.wanted()
                await holder.go_live()
                await holder.chat(f"in {room}")
                await until(lambda room=room: f"in {room}" in path.read_text())  # type: ignore[misc]
            await until(lambda: not relay.rooms[RoomKey.parse(ROOM)].members)
    assert said(read(path)) == [f"in {ROOM}", f"in {OTHER}"]


async def test_a_place_of_a_log_that_is_gone_is_forgotten_and_told(
    holders: HolderClient, redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, holder = tmp_path / "events.jsonl", holders.holder(ROOM)
    Places(tmp_path / "places").save(ROOM, Cursor(2**52, 7))
    await holder.go_live()
    await holder.chat("old")
    with caplog.at_level(logging.WARNING), lines_into(path) as (target, places):
        async with following(redis_url, target, places, ROOM):
            await until(lambda: "place forgotten" in caplog.text)
            await holder.chat("new")
            await until(lambda: path.read_text() != "")
    assert said(read(path)) == ["new"]


# --- files ------------------------------------------------------------------------------------------------------------


def frames(*texts: str) -> list[Frame]:
    return [event_frame("chat", json.dumps({"content": text}).encode(), Cursor(1, int(text))) for text in texts]


async def test_a_full_file_is_put_aside_and_so_many_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with lines_into(path, max_bytes=1, kept=2) as (target, _):
        for number in range(5):
            await target.put(ROOM, frames(str(number)), Cursor(1, number))
    held = {file.name: said(read(file)) for file in tmp_path.glob("events*")}
    assert held == {"events.jsonl": ["4"], "events.jsonl.1": ["3"], "events.jsonl.2": ["2"]}


async def test_a_line_that_is_not_whole_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for torn in (b"", b'{"content":"1"}\n{"type":"chat","conte', b'{"ty', b'{"type":"chat","conte'):
        path.write_bytes(torn)
        with lines_into(path) as (target, _):
            await target.put(ROOM, frames("2"), Cursor(1, 2))
        assert said(read(path))[-1] == "2"
        assert path.read_bytes().count(b"\n") == len(read(path))


async def test_a_full_disk_is_waited_for_and_leaves_whole_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, limits = tmp_path / "events.jsonl", resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with lines_into(path) as (target, places), caplog.at_level(logging.WARNING):
        await target.put(ROOM, frames("1"), Cursor(1, 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 5, limits[1]))
        try:
            writing = asyncio.create_task(target.put(ROOM, frames("2", "3"), Cursor(1, 3)))
            await until(lambda: "trying again" in caplog.text)
            assert (said(read(path)), places.of(ROOM)) == (["1"], Cursor(1, 1))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        await writing
    assert (said(read(path)), places.of(ROOM)) == (["1", "2", "3"], Cursor(1, 3))
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "foreign",
    [b"\x01" * 3_000_000, b'{"precious": 1}', b'{"type":"' + b"x" * 3_000_000, b"a table\nof numbers", b"7"],
    ids=["binary", "json", "long", "text", "digit"],
)
def test_a_file_of_others_is_left_as_it_is_and_stops_the_start(tmp_path: Path, foreign: bytes) -> None:
    path = tmp_path / "precious"
    path.write_bytes(foreign)
    with pytest.raises(ConfigError, match="not a file of ours"):
        JsonLines(path, Places(None), max_bytes=1, kept=1)
    assert path.read_bytes() == foreign


async def test_a_place_that_cannot_be_noted_is_waited_for_and_no_line_comes_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, folder = tmp_path / "events.jsonl", tmp_path / "places"
    folder.mkdir()
    places = Places(folder / "places")
    (folder / "places").unlink()
    folder.rmdir()
    tries: list[int] = []

    def retry_s(attempt: int) -> float:
        tries.append(attempt)
        return 0.001

    lines = JsonLines(path, places, max_bytes=10**9, kept=1, retry_s=retry_s)
    try:
        writing = asyncio.create_task(lines.put(ROOM, frames("1"), Cursor(1, 1)))
        await until(lambda: len(tries) > 3)
        folder.mkdir()
        await writing
        await lines.put(ROOM, frames("2"), Cursor(1, 2))
    finally:
        lines.close()
    assert said(read(path)) == ["1", "2"]
    assert Places(folder / "places").of(ROOM) == Cursor(1, 2)
    assert [record.getMessage() for record in caplog.records] == [
        "place not noted, trying again file=events.jsonl: No such file or directory"
    ]


async def test_a_write_that_has_begun_ends_before_its_file_is_closed(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Places):
        def save(self, room: str, place: Cursor | None) -> None:
            begun.set()
            go_on.wait(15)

    lines = JsonLines(tmp_path / "events.jsonl", Slow(None), max_bytes=10**9, kept=1)
    writing = asyncio.create_task(lines.put(ROOM, frames("1"), None))
    await asyncio.to_thread(begun.wait, 15)
    writing.cancel()
    await asyncio.wait({writing}, timeout=0.1)
    still_writing = not writing.done()
    go_on.set()
    await asyncio.wait({writing})
    lines.close()
    assert still_writing


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        JsonLines(tmp_path / "missing" / "x", Places(None), max_bytes=1, kept=1)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": "b"}', '{"a": 5}', "\xff"])
def test_places_that_cannot_be_read_stop_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "places").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match="no file of places"):
        Places(tmp_path / "places")


def test_places_that_cannot_be_written_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        Places(tmp_path / "missing" / "places")


# --- webhooks ---------------------------------------------------------------------------------------------------------


class Receiver:
    """Who is posted to. `answers` are statuses of the next posts; then all are taken."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.posts: list[tuple[Request, bytes]] = []
        self.taken: list[Any] = []
        self.app = Starlette(routes=[Route("/hook", self.post, methods=["POST"])])

    async def post(self, request: Request) -> Response:
        body = await request.body()
        self.posts.append((request, body))
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.taken += json.loads(body)
        return Response(status_code=status, headers={"Location": "/elsewhere"} if status == 307 else None)


@contextlib.asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    async with served(Server(Config(receiver.app, port=port, log_config=None))) as port:
        yield receiver, f"http://127.0.0.1:{port}/hook?key={SECRET}"


@contextlib.asynccontextmanager
async def hooked(url: str, places: Places | None = None, **settings: Any) -> AsyncIterator[Webhook]:
    values = {"forward_webhook_url": url, "forward_webhook_secret": SECRET, **settings}
    webhook = Webhook(
        ForwardSettings(**values), places or Places(None), retry_s=lambda attempt: 0.01, clock=lambda: 1_765_432_100.9
    )
    try:
        yield webhook
    finally:
        await webhook.aclose()


async def test_events_are_posted_as_an_array_that_says_who_posted_it(tmp_path: Path) -> None:
    places = Places(tmp_path / "places")
    async with receiving() as (receiver, url), hooked(url, places) as webhook:
        await webhook.put(ROOM, frames("1", "2"), Cursor(1, 5))
    ((request, body),) = receiver.posts
    assert said(json.loads(body)) == ["1", "2"]
    assert request.headers["content-type"] == "application/json"
    assert request.headers["roomcast-room"] == ROOM
    assert request.headers["roomcast-timestamp"] == "1765432100"
    signature = hmac.new(SECRET.encode(), b"1765432100." + body, hashlib.sha256).hexdigest()
    assert request.headers["roomcast-signature"] == f"sha256={signature}"
    assert Places(tmp_path / "places").of(ROOM) == Cursor(1, 5)


async def test_without_a_key_nothing_is_signed() -> None:
    async with receiving() as (receiver, url), hooked(url, forward_webhook_secret="") as webhook:
        await webhook.put(ROOM, frames("1"), None)
    assert "roomcast-signature" not in receiver.posts[0][0].headers


@pytest.mark.parametrize(
    ("settings", "sizes"),
    [({"forward_batch_events": 2}, [2, 2, 1]), ({"forward_batch_bytes": 64 * 1024}, [1, 1, 1, 1, 1]), ({}, [5])],
)
async def test_many_events_are_several_posts_and_each_moves_the_place(
    settings: dict[str, Any], sizes: list[int]
) -> None:
    noted: list[Cursor | None] = []

    class Noting(Places):
        def save(self, room: str, place: Cursor | None) -> None:
            noted.append(place)

    large = "x" * (40 * 1024 if "forward_batch_bytes" in settings else 1)
    five = [event_frame("chat", json.dumps({"content": large}).encode(), Cursor(1, n)) for n in range(5)]
    async with receiving() as (receiver, url), hooked(url, Noting(None), **settings) as webhook:
        await webhook.put(ROOM, five, Cursor(1, 9))
    assert [len(json.loads(body)) for _, body in receiver.posts] == sizes
    ends = [sum(sizes[: number + 1]) - 1 for number in range(len(sizes) - 1)]
    assert noted == [*(Cursor(1, end) for end in ends), Cursor(1, 9)]


@pytest.mark.parametrize("status", [500, 503, 408, 425, 429])
async def test_a_receiver_in_trouble_is_tried_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    async with receiving() as (receiver, url), hooked(url) as webhook:
        receiver.answers = [status] * 3
        with caplog.at_level(logging.WARNING):
            await webhook.put(ROOM, frames("1"), None)
            await webhook.put(ROOM, frames("2"), None)
    assert said(receiver.taken) == ["1", "2"]
    assert [record.getMessage() for record in caplog.records] == [
        f"webhook failed, trying again room={ROOM}: HTTP {status}"
    ]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [400, 401, 404, 410, 307])
async def test_what_a_receiver_refuses_is_told_and_left_out(status: int, caplog: pytest.LogCaptureFixture) -> None:
    async with receiving() as (receiver, url), hooked(url) as webhook:
        receiver.answers = [status]
        await webhook.put(ROOM, frames("1"), None)
        await webhook.put(ROOM, frames("2"), None)
    assert said(receiver.taken) == ["2"]
    assert len(receiver.posts) == 2
    assert f"webhook refused events room={ROOM} status={status}" in caplog.text
    assert SECRET not in caplog.text


async def test_a_receiver_that_is_away_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    async with hooked(f"http://127.0.0.1:{port}/hook") as webhook:
        putting = asyncio.create_task(webhook.put(ROOM, frames("1"), None))
        await until(lambda: "trying again" in caplog.text)
        async with receiving(port) as (receiver, _):
            await putting
    assert said(receiver.taken) == ["1"]


async def test_a_receiver_that_answers_drop_by_drop_is_given_up_in_time(caplog: pytest.LogCaptureFixture) -> None:
    """Each of its bytes comes soon enough, its answer never."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, hooked(f"http://127.0.0.1:{port}/", forward_timeout_s=0.1) as webhook:
        putting = asyncio.create_task(webhook.put(ROOM, frames("1"), None))
        await until(lambda: "trying again" in caplog.text)
        putting.cancel()
        await asyncio.wait({putting})
        async with asyncio.timeout(15):
            await gone.wait()
    assert f"webhook failed, trying again room={ROOM}: TimeoutError" in caplog.text


@pytest.mark.parametrize("url", ["", "hook.example", "ftp://x/", "http://"])
def test_what_is_no_address_stops_the_start(url: str) -> None:
    values: dict[str, Any] = {"forward_webhook_url": url}
    with pytest.raises(ConfigError, match="the webhook is"):
        Webhook(ForwardSettings(**values), Places(None))


async def test_a_room_is_posted_in_order_and_once_though_the_receiver_fails(
    holders: HolderClient, redis_url: str
) -> None:
    holder, places = holders.holder(ROOM), Places(None)
    async with receiving() as (receiver, url), hooked(url, places, forward_batch_events=7) as webhook:
        receiver.answers = [500, 204, 500, 500, 204, 503]
        async with following(redis_url, webhook, places, ROOM):
            await holder.wanted()
            await holder.go_live()
            await holder.chat(*numbers(1, 100))
            await until(lambda: len(receiver.taken) == 100)
    assert said(receiver.taken) == numbers(1, 100)
