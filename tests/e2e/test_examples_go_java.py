"""The client libraries in Go and Java, by the programs that come with them.

They listen to real gateways that are restarted; what a real one says seldom is said by one that the test speaks for.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.conftest import REPO_ROOT, free_port, need
from tests.e2e.cluster import Processes, until, wait_for
from tests.e2e.test_main_path import DEMO, between, control, inject, sent_ids

EXAMPLES: Final = REPO_ROOT / "example"
GO_PACKAGES: Final = Path("/usr/share/gocode")  # where Debian has the sources of Go libraries
DOUYIN: Final = "728804746624"
WITHIN_S: Final = 30.0


def run(*command: str, folder: Path, env: Mapping[str, str] | None = None) -> str:
    """What a command that has to succeed prints."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | dict(env or {}), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class Go:
    """The Go library in a place where it can be built: with Debian's packages if they are there, or else its own."""

    def __init__(self, folder: Path) -> None:
        self._go = need("go", "golang")
        self._env = {"GOFLAGS": ""}
        if (GO_PACKAGES / "src/github.com/gorilla/websocket").is_dir():
            self._env |= {"GO111MODULE": "off", "GOPATH": f"{folder}:{GO_PACKAGES}"}
        elif os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail("gorilla/websocket is not installed (Debian package golang-github-gorilla-websocket-dev)")
        self.source = folder / "src/roomcast"
        shutil.copytree(EXAMPLES / "go", self.source)
        modules = "GO111MODULE" not in self._env
        if (
            modules
            and subprocess.run([self._go, "mod", "download"], cwd=self.source, timeout=100, check=False).returncode
        ):
            pytest.skip("no module proxy, and no Debian package golang-github-gorilla-websocket-dev")

    def __call__(self, *arguments: str) -> str:
        return run(self._go, *arguments, folder=self.source, env=self._env)


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Go:
    return Go(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def java_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Java library, compiled."""
    classes = tmp_path_factory.mktemp("java")
    sources = [str(path) for path in sorted((EXAMPLES / "java/roomcast").glob("*.java"))]
    compiler = [
        need("javac", "openjdk-17-jdk-headless"),
        "-Xlint:all",
        "-Werror",
        "--release",
        "17",
        "-d",
        str(classes),
    ]
    run(*compiler, *sources, folder=EXAMPLES)
    run(*compiler, "-cp", str(classes), "Watch.java", "JsonTest.java", folder=EXAMPLES / "java")
    return classes


@pytest.fixture(scope="module", params=["go", "java"])
def program(request: pytest.FixtureRequest) -> list[str]:
    """The command that listens to rooms."""
    if request.param == "java":
        return [
            "java",
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            str(request.getfixturevalue("java_classes")),
            "Watch",
        ]
    go: Go = request.getfixturevalue("go")
    go("build", "-o", "watch", "./cmd/watch")
    return [str(go.source / "watch")]


class Listener:
    """A running program: what it prints, line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self.notices: list[str] = []

    async def read(self) -> None:
        assert self.process.stdout is not None and self.process.stderr is not None
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._each(self.process.stdout, lambda line: self.events.append(json.loads(line))))
            tasks.create_task(self._each(self.process.stderr, self.notices.append))

    async def _each(self, stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
        async for line in stream:
            take(line.decode().rstrip("\n"))

    def ids(self, room: str) -> list[str]:
        """Of the messages it got of a room, without those from before the connection."""
        return [
            event["id"] for event in self.events if event["room"] == room and "id" in event and not event.get("history")
        ]

    def count(self, words: str) -> int:
        """How often a notice begins so."""
        return sum(notice.startswith(words) for notice in self.notices)

    async def says(self, words: str, times: int = 1) -> None:
        """Until that many notices begin so."""
        await until(lambda: self.count(words) >= times, what=f"{words!r}; notices: {self.notices[-8:]}")

    async def exit_code(self) -> int:
        """What it ends with, by itself."""
        async with asyncio.timeout(WITHIN_S):
            return await self.process.wait()

    @property
    def pauses_ms(self) -> list[int]:
        """How long it meant to wait after each loss."""
        told = (re.match(r"connection lost, next try in (\d+) ms", notice) for notice in self.notices)
        return [int(match[1]) for match in told if match]


@asynccontextmanager
async def listening(program: list[str], *arguments: str) -> AsyncIterator[Listener]:
    """The program, killed at the end if it is still there."""
    process = await asyncio.create_subprocess_exec(
        *program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=2**20
    )
    listener = Listener(process)
    reading = asyncio.create_task(listener.read())
    try:
        yield listener
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
        print("\n".join(listener.notices[-40:]), file=sys.stderr)


# --- a real gateway -------------------------------------------------------------------------------------------------


async def started_gateway(processes: Processes, port: int) -> "subprocess.Popen[bytes]":
    """A gateway on a port that is known before, as behind a balancer."""
    process = processes.start("-m", "gateway", env={"PORT": str(port), "HOST": "127.0.0.1"})
    await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}/readyz", process)
    return process


@pytest.mark.timeout(240)
async def test_nothing_is_missed_when_the_gateway_is_restarted_and_the_end_is_told_as_what_it_is(
    processes: Processes, program: list[str]
) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor(ROOMCAST_DOUYIN_COOKIES="sessionid=s")  # visitors are told no gifts
    port = free_port()
    gateway = await started_gateway(processes, port)
    rooms = {DEMO: "tiktok:@Demo", DOUYIN: f"douyin:{DOUYIN}"}
    asked = [*rooms.values(), "tiktok:@nobody.is.called.so", "tiktok:not a room"]
    async with listening(program, "--json", "--events", "all", f"ws://127.0.0.1:{port}", *asked) as client:
        for name in rooms.values():
            await client.says(f"{name} connected")
        first = await first_mark(processes, client)
        for times, how in enumerate((signal.SIGTERM, signal.SIGKILL), 1):
            gateway.send_signal(how)
            await asyncio.to_thread(gateway.wait, WITHIN_S)
            for room in rooms:
                inject(processes, room, ("WebcastMark", b""))  # while nobody listens
            gateway = await started_gateway(processes, port)
            for name in rooms.values():
                await client.says(f"{name} recovered complete=true", times)
        last = await mark(processes, client)
        for room in rooms:
            sent = between(sent_ids(processes, room), first[room], last[room])
            assert between(client.ids(room), first[room], last[room]) == sent
            assert len(set(client.ids(room))) == len(client.ids(room))
        assert not [notice for notice in client.notices if " gap " in notice or " problem " in notice]
        assert client.count("connection lost") >= 2

        for room in rooms:
            control(processes, f"/rooms/{room}/end", {})
        assert await client.exit_code() == 0
    for room, name in rooms.items():
        assert client.count(f"{name} over ended") == 1
        assert [event["type"] for event in client.events if event["room"] == room][-1] == "ended"
    assert client.count("tiktok:@nobody.is.called.so over not_found") == 1
    assert client.count("tiktok:not a room over bad_room") == 1


async def first_mark(processes: Processes, client: Listener) -> dict[str, str]:
    """As `mark`, once the holders know that somebody wants what has no mapping: they look now and then."""
    seen: dict[str, str] = {}

    def all_seen() -> bool:
        for event in client.events:
            if event["type"] == "raw" and event["method"] == "WebcastMark" and not event.get("history"):
                seen.setdefault(event["room"], event["id"])
        for room in {DEMO, DOUYIN} - seen.keys():
            inject(processes, room, ("WebcastMark", b""))
        return len(seen) == 2

    await until(all_seen, what=f"marks; {client.notices[-8:]}")
    return seen


async def mark(processes: Processes, client: Listener) -> dict[str, str]:
    """Something happens in each room, and the client has got it; the message ids."""
    ids = {room: inject(processes, room, ("WebcastMark", b""))[0] for room in (DEMO, DOUYIN)}
    await until(lambda: all(ids[room] in client.ids(room) for room in ids), what=f"marks; {client.notices[-8:]}")
    return ids


# --- a gateway that says what the test wants ------------------------------------------------------------------------


class Visit:
    """One connection of the client, from the gateway's side."""

    def __init__(self, socket: ServerConnection) -> None:
        self.path = socket.request.path if socket.request else ""
        self.commands: list[dict[str, Any]] = []
        self.over = asyncio.Event()
        self._socket = socket

    async def read(self) -> None:
        async for text in self._socket:
            self.commands.append(json.loads(text))

    async def say(self, *frames: object) -> None:
        for frame in frames:
            await self._socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def close(self, code: int) -> None:
        await self._socket.close(code)

    async def subscribes(self, number: int = 1) -> list[dict[str, Any]]:
        """The first so many subscribe commands."""

        def heard() -> list[dict[str, Any]]:
            return [command for command in self.commands if command.get("action") == "subscribe"]

        await until(lambda: len(heard()) >= number, what=f"{number} subscriptions; heard: {self.commands}")
        return heard()[:number]


class ScriptedGateway:
    """Notes who comes, and leaves the talking to the test."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []

    async def serve(self, socket: ServerConnection) -> None:
        visit = Visit(socket)
        self.visits.append(visit)
        await visit.read()
        visit.over.set()

    async def visit(self, number: int) -> Visit:
        """The connection of that number, from 1 on, once it is there."""
        await until(lambda: len(self.visits) >= number, what=f"connection {number}")
        return self.visits[number - 1]


@pytest.fixture
async def scripted() -> AsyncIterator[tuple[ScriptedGateway, str]]:
    """A gateway that the test speaks for, and its address."""
    gateway = ScriptedGateway()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(gateway.serve, "127.0.0.1", 0, ping_interval=None))
        yield gateway, f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def chat(number: int, room: str = "11", **more: object) -> dict[str, Any]:
    """An event of the room."""
    user = {"id": "1", "unique_id": "a", "nickname": "A", "avatar": "", "roles": [], "badges": []}
    common = {"type": "chat", "platform": "tiktok", "room": room, "id": str(number), "cursor": f"5-{number}", "time": 1}
    return common | {"user": user, "content": "hi", "emotes": [], "mentions": []} | more


def subscribed(command: dict[str, Any], room: str) -> dict[str, Any]:
    return {"type": "subscribed", "id": command["id"], "platform": "tiktok", "room": room}


def target(name: str, room: str) -> dict[str, Any]:
    return {"type": "target", "platform": "tiktok", "room": name, "target": room}


def failure(code: str, *, reconnect: bool, **more: object) -> dict[str, Any]:
    return {"error": "E", "detail": "D", "suggestion": "S", "reconnect": reconnect, "code": code, **more}


def in_room(room: str) -> dict[str, Any]:
    return {"platform": "tiktok", "room": room}


async def test_options_are_passed_on_and_frames_of_the_future_are_passed_over(
    scripted: tuple[ScriptedGateway, str], program: list[str]
) -> None:
    gateway, address = scripted
    options = ["--json", "--lang", "en", "--events", "chat,gift", "--last", "7", "--wait"]
    async with listening(program, *options, f"{address}/", "https://example.org/@a", "douyin:22") as client:
        visit = await gateway.visit(1)
        assert visit.path == "/ws?lang=en"
        first, second = await visit.subscribes(2)
        more = {"action": "subscribe", "last": 7, "events": ["chat", "gift"], "wait": True}
        assert first == more | {"id": first["id"], "platform": "tiktok", "room": "https://example.org/@a"}
        assert second == more | {"id": second["id"], "platform": "douyin", "room": "22"}
        assert first["id"] != second["id"]
        await visit.say(
            subscribed(first, "@a"), target("@a", "11"),
            "no JSON", "[]", "7", "null", '"text"', {}, {"type": 5}, {"status": []}, {"type": "chat", "room": {}},
            {"type": "of_tomorrow", **in_room("11"), "cursor": "5-1", "time": 1, "of_tomorrow": {"deep": [{}]}},
            chat(2, user=7, content=["no text"], reason={}, count="many", target=[], new={"more": None}),
            chat(3, content="\u2028🦊\u0000"), chat(4, room="99"),
        )  # fmt: skip
        await until(lambda: "3" in client.ids("11"), what="the last one")
        assert [event["cursor"] for event in client.events] == ["5-1", "5-2", "5-3"]
        assert client.events[2]["content"] == "\u2028🦊\u0000"
        assert client.notices == []


async def test_a_room_that_failed_is_asked_for_again_and_goes_on_while_others_stay(
    scripted: tuple[ScriptedGateway, str], program: list[str]
) -> None:
    gateway, address = scripted
    async with listening(program, "--json", address, "tiktok:11", "tiktok:22") as client:
        visit = await gateway.visit(1)
        first, second = await visit.subscribes(2)
        await visit.say(
            subscribed(first, "11"), subscribed(second, "22"), chat(1), chat(2),
            failure("upstream_lost", reconnect=True, **in_room("11")),
            failure("bad_option", reconnect=False, id=first["id"], **in_room("11")),
            chat(3), failure("internal", reconnect=True, **in_room("11")), chat(4, room="22"),
        )  # fmt: skip
        again = (await visit.subscribes(3))[2]
        assert (again["room"], again["since"]) == ("11", "5-3")
        await visit.say(subscribed(again, "11"), chat(5))
        await until(lambda: client.ids("11") == ["1", "2", "3", "5"], what="events from before and after")
        assert client.ids("22") == ["4"]
        for code in ("upstream_lost", "bad_option", "internal"):
            assert client.count(f"tiktok:11 problem {code}") == 1
        await visit.say(failure("already_subscribed", reconnect=False, id=second["id"], **in_room("11")))
        await client.says("tiktok:22 over already_subscribed")
        assert len(gateway.visits) == 1
        assert client.process.returncode is None


async def test_the_cursor_is_that_of_the_newest_event_or_pong_and_of_this_room(
    scripted: tuple[ScriptedGateway, str], program: list[str]
) -> None:
    gateway, address = scripted
    async with listening(program, "--json", "--ping", "0.2", address, "tiktok:@a") as client:

        async def comes(number: int, *frames: dict[str, Any]) -> object:
            """With what `since` it comes; then it is told these, and cut off."""
            visit = await gateway.visit(number)
            [command] = await visit.subscribes()
            await visit.say(subscribed(command, "@a"), target("@a", "11"), *frames)
            await until(lambda: {"type": "ping"} in visit.commands, what="a ping")
            await visit.close(1012)
            return command.get("since")

        connected = {"status": "connected", "message": "", "step": 4, "total_steps": 4, **in_room("11")}
        pong = {"type": "pong", "timestamp": 1, "cursors": {"tiktok:11": "5-9", "tiktok:99": "5-10"}}
        gap = {"type": "gap", **in_room("11"), "after": "5-9", "before": "6-1", "reason": "upstream"}
        assert await comes(1, connected | {"cursor": "5-1"}) is None
        assert await comes(2, chat(2), connected | {"cursor": "5-1"}) == "5-1"
        assert await comes(3, pong) == "5-2"
        assert await comes(4, gap | {"cursor": "6-1"}) == "5-9"
        assert await comes(5, failure("bad_cursor", reconnect=False, **in_room("11"))) == "6-1"
        assert await comes(6, chat(7)) is None
        assert await comes(7, target("@a", "22")) == "5-7"
        assert await comes(8, chat(1)) is None
        assert client.count("tiktok:@a gap upstream: 5-9 to 6-1") == 1


async def test_pauses_grow_and_are_as_long_as_the_gateway_wants_and_short_after_an_event(
    scripted: tuple[ScriptedGateway, str], program: list[str]
) -> None:
    gateway, address = scripted
    async with listening(program, "--json", address, "tiktok:11") as client:
        for number in (1, 2):
            await (await gateway.visit(number)).close(1011)
        visit = await gateway.visit(3)
        await visit.say(failure("overloaded", reconnect=True, retry_in_ms=2500))
        await visit.close(1013)
        visit = await gateway.visit(4)
        [command] = await visit.subscribes()
        closing = {"status": "closing", "message": "", "code": "draining", "reconnect": True, "retry_in_ms": 0}
        await visit.say(subscribed(command, "11"), chat(1), closing | {"cursors": {"tiktok:11": "5-9"}})
        await visit.close(1012)
        [command] = await (await gateway.visit(5)).subscribes()
        assert command["since"] == "5-1"
        await gateway.visits[4].say(failure("overloaded", reconnect=True, retry_in_ms=10**12))
        await gateway.visits[4].close(1013)
        await until(lambda: len(client.pauses_ms) == 5, what="the last pause")
        assert client.count("connection problem overloaded") == 2
    first, second, told, after, for_ever = client.pauses_ms
    assert 250 <= first <= 500 <= second <= 1000
    assert 2500 <= told <= 3000
    assert 250 <= after <= 500
    assert 600_000 <= for_ever <= 600_500


async def test_a_gateway_that_says_nothing_any_more_or_far_too_much_is_left(
    scripted: tuple[ScriptedGateway, str], program: list[str]
) -> None:
    gateway, address = scripted
    async with listening(program, "--json", "--ping", "0.2", "--timeout", "2", address, "tiktok:11"):
        visit = await gateway.visit(1)
        [command] = await visit.subscribes()
        await visit.say(subscribed(command, "11"), chat(1))
        [again] = await (await gateway.visit(2)).subscribes()
        assert {"type": "ping"} in visit.commands
        assert again["since"] == "5-1"
        visit = gateway.visits[1]
        await visit.say(subscribed(again, "11"), chat(2))
        with contextlib.suppress(ConnectionClosed):
            await visit.say(chat(3, content="x" * 2**21))
        [again] = await (await gateway.visit(3)).subscribes()
        assert again["since"] == "5-2"


async def test_where_coming_back_makes_no_sense_all_rooms_are_over(
    scripted: tuple[ScriptedGateway, str], program: list[str]
) -> None:
    gateway, address = scripted
    async with listening(program, "--json", address, "tiktok:11", "tiktok:22") as client:
        visit = await gateway.visit(1)
        await visit.say(failure("bad_option", reconnect=False), failure("too_large", reconnect=False))
        await visit.close(1009)
        assert await client.exit_code() == 0
        assert len(gateway.visits) == 1
    assert client.count("connection problem bad_option") == 1
    assert [client.count(f"tiktok:{room} over too_large") for room in ("11", "22")] == [1, 1]


@pytest.mark.parametrize("why", ["asked to", "all over"])
async def test_it_takes_leave(scripted: tuple[ScriptedGateway, str], program: list[str], why: str) -> None:
    gateway, address = scripted
    async with listening(program, "--json", address, "tiktok:11") as client:
        visit = await gateway.visit(1)
        [command] = await visit.subscribes()
        if why == "asked to":
            client.process.send_signal(signal.SIGTERM)
        else:
            await visit.say(failure("offline", reconnect=False, id=command["id"], **in_room("11")))
        await until(lambda: {"action": "close"} in visit.commands, what="its leave")
        assert client.process.returncode is None
        await visit.close(1000)
        assert await client.exit_code() in ((0,) if why == "all over" else (0, 128 + signal.SIGTERM))
        assert len(gateway.visits) == 1
    assert client.pauses_ms == []


async def test_a_room_that_is_too_long_is_refused_before_anything_is_asked(
    scripted: tuple[ScriptedGateway, str], program: list[str]
) -> None:
    gateway, address = scripted
    async with listening(program, "--json", address, "tiktok:11", "douyin:" + "🦊" * 513) as client:
        assert await client.exit_code() == 2
    assert client.count("a room has at most 512 characters") == 1
    assert gateway.visits == []
    async with listening(program, "--json", address, "tiktok:" + "x" * 512):
        visit = await gateway.visit(1)
        [command] = await visit.subscribes()
    assert command["room"] == "x" * 512


CHANGING: Final = {
    "go": """package main

import (
	"context"
	"os"

	"roomcast"
)

func main() {
	client := roomcast.New(os.Args[1], roomcast.Options{})
	client.Subscribe(roomcast.ParseRoom("11"))
	client.Run(context.Background(), func(message roomcast.Message) {
		if chat, ok := message.(*roomcast.Chat); ok && chat.Room == "11" {
			client.Subscribe(roomcast.Room{Platform: "tiktok", Name: "22", Since: "4-1"})
			client.Unsubscribe("tiktok", "11")
		} else if ok {
			client.Unsubscribe("tiktok", "22")
		}
	})
}
""",
    "java": """import roomcast.*;

public class Changing {
    public static void main(String[] arguments) throws InterruptedException {
        Client client = new Client(arguments[0], Client.Options.DEFAULT);
        client.subscribe(Room.parse("11"));
        client.run(message -> {
            if (message instanceof Event.Chat chat && chat.base().room().equals("11")) {
                client.subscribe(Room.parse("22").since("4-1"));
                client.unsubscribe(Room.parse("11"));
            } else if (message instanceof Event.Chat) {
                client.unsubscribe(Room.parse("22"));
            }
        });
    }
}
""",
}
"""Programs that leave a room for another one, and that one for none."""


@pytest.mark.parametrize("language", ["go", "java"])
async def test_rooms_come_and_go_while_it_runs(
    request: pytest.FixtureRequest, scripted: tuple[ScriptedGateway, str], tmp_path: Path, language: str
) -> None:
    gateway, address = scripted
    async with listening(compiled(request, tmp_path, "Changing", language, CHANGING[language]), address) as client:
        visit = await gateway.visit(1)
        [first] = await visit.subscribes()
        await visit.say(subscribed(first, "11"), chat(1))
        _, second = await visit.subscribes(2)
        assert (second["room"], second["since"]) == ("22", "4-1")
        await visit.say(chat(2), subscribed(second, "22"), chat(1, room="22"))
        await until(lambda: {"action": "close"} in visit.commands, what="its leave")
        await visit.close(1000)
        assert await client.exit_code() == 0
    given_up = [command["room"] for command in visit.commands if command.get("action") == "unsubscribe"]
    assert given_up == ["11", "22"]


def compiled(request: pytest.FixtureRequest, folder: Path, name: str, language: str, source: str) -> list[str]:
    """The command that runs a program of one file beside the library."""
    if language == "java":
        path = folder / f"{name}.java"
        path.write_text(source, "utf8")
        return ["java", "-cp", str(request.getfixturevalue("java_classes")), str(path)]
    go: Go = request.getfixturevalue("go")
    path = go.source / "cmd" / name / "main.go"
    path.parent.mkdir()
    path.write_text(source, "utf8")
    go("build", "-o", name, f"./cmd/{name}")
    return [str(go.source / name)]


# --- the documentation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["go", "java"])
async def test_the_few_lines_of_the_documentation_print_chat(
    request: pytest.FixtureRequest, processes: Processes, tmp_path: Path, language: str
) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor()
    address = processes.gateway()
    (lines,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", (REPO_ROOT / "examples.md").read_text("utf8"))
    lines = lines.replace("localhost:8000", address)
    command = compiled(request, tmp_path, "Few", language, lines)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            said = [await process.stdout.readline() for _ in range(5)]
        assert all(re.fullmatch(rb".+: .+\n", line) for line in said), said
    finally:
        process.kill()
        await process.communicate()


# --- the code itself ------------------------------------------------------------------------------------------------


def test_the_go_code_is_in_its_form(go: Go) -> None:
    go("vet", "./...")
    assert run(need("gofmt", "golang"), "-l", ".", folder=go.source) == ""


def test_the_json_parser_in_java_reads_json_and_nothing_else(java_classes: Path) -> None:
    assert run("java", "-cp", str(java_classes), "JsonTest", folder=EXAMPLES) == "all as it should be\n"
