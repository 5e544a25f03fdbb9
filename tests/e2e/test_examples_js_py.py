"""The clients in `example/` for Python, Node and browsers, as their users run them, against a real cluster."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import pytest

from tests.chaos.proxy import Proxy
from tests.conftest import REPO_ROOT, free_port, need
from tests.e2e.cluster import Processes, until, wait_for
from tests.e2e.test_main_path import DEMO, between, control, inject, sent_ids

PYTHON = REPO_ROOT / "example" / "python"
JAVASCRIPT = REPO_ROOT / "example" / "javascript"
ROOMS = {
    "tiktok:@demo": DEMO,
    "douyin:728804746624": "728804746624",
    "tiktok:7300000000000010000": "7300000000000010000",
}
"""As a client asks for them, and as the simulator calls them."""
LOGGED_IN = {"ROOMCAST_DOUYIN_COOKIES": "sessionid=s"}
MARK = ("WebcastMark", b"")


class Running(Protocol):
    """A client that prints what it is told."""

    @property
    def lines(self) -> Sequence[dict[str, Any]]:
        """The JSON objects it printed."""

    def exit_code(self) -> int | None:
        """How it ended, if it did."""


Start = Callable[[str, Sequence[str]], contextlib.AbstractAsyncContextManager[Running]]
"""Starts a client: address of a gateway, rooms."""


class Program:
    """A process; what it prints is read from a file, so that it never waits for us."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self._process = process
        self._output = output

    @property
    def lines(self) -> list[dict[str, Any]]:
        whole, _, _ = self._output.read_text("utf8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def exit_code(self) -> int | None:
        return self._process.poll()


@contextlib.asynccontextmanager
async def running_program(
    command: Sequence[str], folder: Path, cwd: Path, url: str, rooms: Sequence[str]
) -> AsyncIterator[Running]:
    output, errors = folder / "client.jsonl", folder / "client.err"
    arguments = [*command, "--json", "--events=all", url, *rooms]
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(arguments, cwd=cwd, stdout=out, stderr=err)
    try:
        yield Program(process, output)
    finally:
        process.kill()
        process.wait()
        print(errors.read_text("utf8")[-5000:])


class Page:
    """A page; it logs what a program would print."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.problems: list[str] = []

    def exit_code(self) -> int | None:
        """A page has none: it is at its end with its rooms."""
        return 1 if self.problems else 0


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """What `python -m http.server` would serve."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextlib.asynccontextmanager
async def running_page(chromium: str, url: str, rooms: Sequence[str]) -> AsyncIterator[Running]:
    from playwright.async_api import ConsoleMessage, async_playwright

    running = Page()

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "log":
            running.lines.append(json.loads(message.text))

    query = urlencode([("url", url), ("json", ""), ("events", "all"), *(("room", room) for room in rooms)])
    with served(JAVASCRIPT) as site:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, headless=True)
            page = await browser.new_page()
            page.on("console", on_console)
            page.on("pageerror", lambda error: running.problems.append(str(error)))
            await page.goto(f"{site}/index.html?{query}")
            await page.locator("#lines li.chat").first.wait_for()
            yield running
            await browser.close()
    assert running.problems == []


def node_command() -> list[str]:
    """Node with a WebSocket of its own: since 22 as it is, in 20 behind a flag."""
    node = need("node", "nodejs")
    for command in ([node], [node, "--experimental-websocket"]):
        probe = [*command, "-e", "process.exit(globalThis.WebSocket ? 0 : 1)"]
        if subprocess.run(probe, capture_output=True, timeout=30, check=False).returncode == 0:
            return command
    pytest.skip("this Node has no WebSocket of its own; the package is tested")


def folder_with_ws(folder: Path) -> Path:
    """The example with the package `ws` beside it, as `npm install ws` leaves it."""
    npm = need("npm", "npm")
    copy = shutil.copytree(JAVASCRIPT, folder / "javascript", ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    result = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=90, check=False)
    if result.returncode != 0:
        reason = f"npm could not install ws: {result.stderr[-500:]}"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return copy


@pytest.fixture(params=["python", "node", "node-ws", "browser"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """One of the clients."""
    match request.param:
        case "python":
            return partial(running_program, [sys.executable, "-m", "roomcast"], tmp_path, PYTHON)
        case "node":
            return partial(running_program, [*node_command(), "main.js"], tmp_path, JAVASCRIPT)
        case "node-ws":
            return partial(running_program, [need("node", "nodejs"), "main.js"], tmp_path, folder_with_ws(tmp_path))
    return partial(running_page, need("chromium", "chromium"))


def ids(client: Running, room: str) -> list[str]:
    """The ids of the messages that a client printed of a room, in order."""
    return [line["id"] for line in client.lines if line.get("room") == room and "id" in line]


def overs(client: Running) -> dict[str, str]:
    """Which rooms it said are over, and why."""
    return {line["over"]: line["code"] for line in client.lines if "over" in line}


async def mark(processes: Processes, client: Running) -> Mapping[str, str]:
    """Something happens in every room, and the client prints it."""
    marks = {room: inject(processes, room, MARK)[0] for room in ROOMS.values()}
    await until(
        lambda: all(sent in ids(client, room) for room, sent in marks.items()), timeout_s=45, what=f"marks {marks}"
    )
    return marks


@pytest.mark.timeout(240)  # three rounds of growing pauses, and Chromium adds its own to those of sockets that failed
async def test_nothing_is_lost_or_doubled_over_restarts_and_cuts_and_the_end_of_a_room_is_told(
    processes: Processes, start: Start
) -> None:
    processes.simulator("--rooms", "1", "--rate", "20")
    processes.ingestor(**LOGGED_IN)
    port = free_port()

    def gateway() -> "subprocess.Popen[bytes]":
        process = processes.start("-m", "gateway", env={"PORT": str(port), "HOST": "127.0.0.1"})
        wait_for(f"http://127.0.0.1:{port}/readyz", process)
        return process

    serving = gateway()
    async with Proxy(port).running() as link, start(f"ws://127.0.0.1:{link.port}", list(ROOMS)) as client:
        await until(lambda: all(ids(client, room) for room in ROOMS.values()), what="events of all rooms")
        first = await mark(processes, client)
        for blow in (signal.SIGTERM, signal.SIGKILL):
            serving.send_signal(blow)
            await asyncio.to_thread(serving.wait, 20)
            serving = await asyncio.to_thread(gateway)
            await mark(processes, client)
        link.cut()
        last = await mark(processes, client)
        for room in ROOMS.values():
            sent = between(sent_ids(processes, room), first[room], last[room])
            assert between(ids(client, room), first[room], last[room]) == sent, room

        # One room ends: that disturbs no other. Then the others.
        ending, *others = ROOMS
        control(processes, f"/rooms/{ROOMS[ending]}/end", {})
        await until(lambda: overs(client) == {ending: "ended"}, what="the end of one room")
        after = inject(processes, ROOMS[others[0]], MARK)[0]
        await until(lambda: after in ids(client, ROOMS[others[0]]), what="events of another room")
        for room in others:
            control(processes, f"/rooms/{ROOMS[room]}/end", {})
        await until(lambda: client.exit_code() is not None, what="the end of the program")
        assert client.exit_code() == 0
        await until(lambda: len(overs(client)) == len(ROOMS), what="the end of all rooms")
    assert overs(client) == dict.fromkeys(ROOMS, "ended")
    assert [line["type"] for line in client.lines if line.get("type") in ("gap", "ended")] == ["ended"] * len(ROOMS)


async def test_rooms_that_cannot_be_watched_are_told_as_what_they_are(processes: Processes, start: Start) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor(**LOGGED_IN)
    address = processes.gateway()
    refused = {"tiktok:@offline": "offline", "tiktok:@nobody.here": "not_found", "tiktok:a b": "bad_room"}
    async with start(f"ws://{address}", ["tiktok:@demo", *refused, f"tiktok:{DEMO}"]) as client:
        await until(lambda: len(overs(client)) == 4, what="four refusals")
        told = overs(client)
        given_up = (told.keys() - refused.keys()).pop()  # whichever comes second, the name or what it points to
        assert given_up in ("tiktok:@demo", f"tiktok:{DEMO}")
        assert told == {**refused, given_up: "already_subscribed"}
        await until(lambda: bool(ids(client, DEMO)), what="events of the room that can be watched")
        control(processes, f"/rooms/{DEMO}/end", {})
        await until(lambda: len(overs(client)) == 5, what="the end of the last room")
        await until(lambda: client.exit_code() is not None, what="the end of the program")
        assert client.exit_code() == 0


@pytest.mark.parametrize("language", ["python", "js", "html"])
async def test_the_few_lines_of_the_documentation_print_chat(
    processes: Processes, tmp_path: Path, language: str
) -> None:
    processes.simulator("--rate", "20")
    processes.ingestor()
    address = processes.gateway()
    (lines,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", (REPO_ROOT / "examples.md").read_text("utf8"))
    lines = lines.replace("localhost:8000", address)
    example = shutil.copytree(PYTHON if language == "python" else JAVASCRIPT, tmp_path / "example")
    path = example / {"python": "few.py", "js": "few.js", "html": "few.html"}[language]
    path.write_text(lines, "utf8")
    if language == "html":
        return await page_shows_chat(example, path.name)
    command = [sys.executable] if language == "python" else node_command()
    output = tmp_path / "printed.txt"
    with output.open("wb") as out:
        process = subprocess.Popen([*command, str(path)], stdout=out, stderr=subprocess.STDOUT)
    try:
        await until(lambda: len(re.findall(r"(?m)^(?!tiktok:).+: .+$", output.read_text("utf8"))) > 5, what="chat")
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
        print(output.read_text("utf8")[-2000:])


async def page_shows_chat(folder: Path, name: str) -> None:
    from playwright.async_api import async_playwright

    with served(folder) as site:
        async with async_playwright() as playwright:
            chromium = need("chromium", "chromium")
            browser = await playwright.chromium.launch(executable_path=chromium, headless=True)
            page = await browser.new_page()
            await page.goto(f"{site}/{name}")
            await page.locator("#chat li").nth(2).wait_for()
            await browser.close()
