"""`python -m ingestor record`, and rooms that are recorded as they run: real processes, and no secrets in the files."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from ingestor.recording import Kind, Reader
from protos.webcast_pb2 import PushFrame
from shared.room import RoomKey
from simulator import lead
from simulator.config import SimulatorConfig
from tests.conftest import REPO_ROOT
from tests.recordings import ingesting
from tests.simulators import DEMO, DOUYIN_DEMO, Simulator, read, running_simulator

SECRET = "5ec2e7c00c1e"
COOKIES = dict.fromkeys(("ROOMCAST_TIKTOK_COOKIES", "ROOMCAST_DOUYIN_COOKIES"), f"sessionid={SECRET}")


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with running_simulator(SimulatorConfig(rate=30, push_s=0.1)) as simulator:
        yield simulator


async def run(simulator: Simulator, *arguments: str, env: Mapping[str, str]) -> "asyncio.subprocess.Process":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROOMCAST_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ingestor", *arguments),
        cwd=REPO_ROOT, env=environment | lead.settings(simulator.url) | dict(env), stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def finished(process: "asyncio.subprocess.Process") -> tuple[int | None, str, bytes]:
    """Exit code, errors and output."""
    async with asyncio.timeout(30):
        output, errors = await process.communicate()
    return process.returncode, errors.decode(), output


async def decoded(simulator: Simulator, file: Path) -> list[dict[str, object]]:
    code, errors, output = await finished(await run(simulator, "decode", str(file), env={}))
    assert (code, errors) == (0, "")
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize(
    ("asked", "room"), [("tiktok:@demo", f"tiktok:{DEMO}"), ("@demo", f"tiktok:{DEMO}"), (f"douyin:{DOUYIN_DEMO}", "")]
)
async def test_a_room_is_recorded_for_so_long_and_the_file_is_decoded(
    simulator: Simulator, tmp_path: Path, asked: str, room: str
) -> None:
    file = tmp_path / "one.rec"
    process = await run(simulator, "record", asked, "-o", str(file), "--seconds", "3", env=COOKIES)
    code, errors, _ = await finished(process)
    assert code == 0, errors
    assert "connected" in errors
    told = await decoded(simulator, file)
    assert len(told) > 10
    assert {f"{event['platform']}:{event['room']}" for event in told} == {room or asked}
    assert "chat" in {event["type"] for event in told}


async def test_it_ends_when_it_is_told_to_and_keeps_what_came(simulator: Simulator, tmp_path: Path) -> None:
    file = tmp_path / "one.rec"
    process = await run(simulator, "record", str(DEMO), "-o", str(file), env={})
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b"connected" not in await process.stderr.readline():
            assert process.returncode is None
    process.send_signal(signal.SIGINT)
    code, errors, _ = await finished(process)
    assert code == 0, errors
    assert await decoded(simulator, file)


async def test_it_ends_with_the_broadcast(simulator: Simulator, tmp_path: Path) -> None:
    file = tmp_path / "one.rec"
    process = await run(simulator, "record", str(DEMO), "-o", str(file), env={})
    room = simulator.world.room(DEMO)
    assert room is not None
    async with asyncio.timeout(30):
        while not room.listeners:
            await asyncio.sleep(0.02)
    await simulator.ask("POST", f"/rooms/{DEMO}/end")
    code, errors, _ = await finished(process)
    assert code == 0, errors
    assert (await decoded(simulator, file))[-1]["type"] == "ended"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("@offline", "-o", "one.rec"), "record: the user is not live"),
        (("@demo", "-o", "there.rec"), "there is such a file already"),
        (("@demo", "-o", "one.gz"), "ends with .rec"),
        (("a b", "-o", "one.rec"), "ROOM"),
        (("@demo", "-o", "missing/one.rec"), "No such file"),
    ],
)
async def test_what_cannot_be_recorded_is_told(
    simulator: Simulator, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "there.rec").write_bytes(b"")
    room, option, file = arguments
    process = await run(simulator, "record", room, option, str(tmp_path / file), "--seconds", "2", env={})
    code, errors, _ = await finished(process)
    assert code in (1, 2)
    assert words in errors
    assert not (tmp_path / "one.rec").exists()


def wholly_unzipped(file: Path) -> Iterator[bytes]:
    """All that a recording holds; frames as they are, and what they hold."""
    with file.open("rb") as stream:
        reader = Reader(stream)
        yield reader.header.line()
        for record in reader:
            yield record.content
            if record.kind == Kind.FRAME:
                frame = PushFrame.FromString(record.content)
                yield read(frame).SerializeToString() if frame.payload_type == b"msg" else b""


async def test_recordings_hold_no_cookies_and_no_addresses_of_ours(simulator: Simulator, tmp_path: Path) -> None:
    settings = {**lead.settings(simulator.url), **COOKIES}
    overrides = {name.removeprefix("ROOMCAST_").lower(): value for name, value in settings.items()}
    rooms = [RoomKey("tiktok", str(DEMO)), RoomKey("douyin", DOUYIN_DEMO)]
    async with ingesting(overrides, record_dir=str(tmp_path)) as ingestor:
        for room in rooms:
            await ingestor.wants(room)
        for room in rooms:
            await ingestor.has(room, 20)
    files = sorted(tmp_path.iterdir())
    assert [file.name.split("-")[0] for file in files] == ["douyin", "tiktok"]
    for file in files:
        unzipped = b"".join(wholly_unzipped(file))
        assert b"WebcastChatMessage" in unzipped
        for word in (SECRET, "sessionid", "signature", "wrss", "ws://", simulator.url.removeprefix("http://")):
            assert word.encode() not in unzipped, word
