"""Recording rooms into files: each can be played by itself, and no fault of the disk reaches a room."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from ingestor import recorder as module
from ingestor.connectors.base import LiveRoom, Message, SeenIds, Upstream
from ingestor.recorder import MEMBER_BYTES, MEMBER_S, REST_S, Limits, Recorder, Recording
from ingestor.recording import Header, Kind, Opened, Reader, Record
from shared.room import RoomKey
from tests.fakes import FakeUpstream

ROOM = RoomKey("tiktok", "7300000000000000001")
T0 = 1_765_432_100_000
LIVE = LiveRoom(title="Morning")
WIDE = Limits(file_bytes=10**9, file_s=10**6, total_bytes=10**12)
FIRST = Message("WebcastChatMessage", b"first", "1", history=True)


def upstream(position: str = "") -> Upstream:
    fake = FakeUpstream(SeenIds(), position=position)
    return Upstream(fake, fake, [FIRST], room_id=ROOM.room, position=position)


def opened(position: str = "", *, overlapped: bool = False) -> Opened:
    return Opened(live=LIVE, room_id=ROOM.room, position=position, overlapped=overlapped)


def files(folder: Path) -> list[tuple[Header, list[Record]]]:
    """What the recordings hold, in order of name."""
    found = []
    for path in sorted(folder.glob("*.rec")):
        with path.open("rb") as stream:
            reader = Reader(stream)
            found.append((reader.header, list(reader)))
            assert reader.torn == ""
    return found


def noise(size: int) -> bytes:
    return os.urandom(size)  # takes as many bytes when it is compressed


def faults() -> float:
    return REGISTRY.get_sample_value("roomcast_ingestor_recording_faults_total") or 0.0


async def settled(recorder: Recorder) -> None:
    """Wait until all that was handed over is written, or was not."""
    await asyncio.wrap_future(recorder._disk.submit(int))


def blocked(recorder: Recorder) -> Callable[[], None]:
    """Nothing more is written until the value is called."""
    release = threading.Event()
    recorder._disk.submit(release.wait)
    return release.set


def fill(recording: Recording, frames: int, *, since_ms: int = T0) -> None:
    for number in range(frames):
        recording.frame(since_ms + number, noise(MEMBER_BYTES))


async def test_a_room_is_a_file_that_is_called_after_it_and_holds_what_came(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, WIDE)
    recording = recorder.of(ROOM)
    recording.opened(T0, LIVE, upstream("p1"))
    recording.frame(T0 + 5, b"one")
    recording.opened(T0 + 10, LIVE, upstream())
    recording.close()
    await recorder.aclose()
    assert [path.name for path in tmp_path.iterdir()] == ["tiktok-7300000000000000001-20251211T054820.rec"]
    ((header, records),) = files(tmp_path)
    assert header == Header(platform="tiktok", room=ROOM.room, started_at=T0)
    assert records == [
        Record.opened(T0, opened("p1")),
        Record.message(T0, FIRST),
        Record.frame(T0 + 5, b"one"),
        Record.opened(T0 + 10, opened()),
        Record.message(T0 + 10, FIRST),
    ]


async def test_what_came_is_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    """A process that is killed has recorded all but the last seconds."""
    recorder = Recorder(tmp_path, WIDE)
    recording = recorder.of(ROOM)
    recording.opened(T0, LIVE, upstream())
    recording.frame(T0 + 5, b"one")
    recording.frame(T0 + int(MEMBER_S * 1000), b"two")
    recording.frame(T0 + int(MEMBER_S * 1000) + 1, b"waits for more")
    await recorder.aclose()
    ((_, records),) = files(tmp_path)
    assert [record.content for record in records if record.kind == Kind.FRAME] == [b"one", b"two"]


async def test_a_full_file_is_followed_by_one_that_goes_on_where_it_ends(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, Limits(file_bytes=10**9, file_s=60, total_bytes=10**12))
    recording, connection = recorder.of(ROOM), upstream("p0")
    recording.opened(T0, LIVE, connection)
    recording.frame(T0 + 59_999, b"one")
    assert isinstance(connection.transport, FakeUpstream)
    connection.transport.position = "p1"
    recording.frame(T0 + 60_000, b"two")
    recording.close()
    await recorder.aclose()
    assert [records for _, records in files(tmp_path)] == [
        [Record.opened(T0, opened("p0")), Record.message(T0, FIRST), Record.frame(T0 + 59_999, b"one")],
        [Record.opened(T0 + 60_000, opened("p1", overlapped=True)), Record.frame(T0 + 60_000, b"two")],
    ]


async def test_files_have_a_size_and_names_are_never_taken_twice(tmp_path: Path) -> None:
    size = 3 * MEMBER_BYTES
    for _ in range(3):
        recorder = Recorder(tmp_path, Limits(file_bytes=size, file_s=60, total_bytes=10**12))
        recording = recorder.of(ROOM)
        recording.opened(T0, LIVE, upstream())
        fill(recording, 4)
        recording.close()
        await recorder.aclose()
        recording.frame(T0, b"after the end")
    assert len(files(tmp_path)) >= 3
    assert all(path.stat().st_size < size + 2 * MEMBER_BYTES for path in tmp_path.iterdir())


async def test_the_oldest_recordings_make_room_for_new_ones(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"old-{number}.rec").write_bytes(bytes(MEMBER_BYTES))
        os.utime(tmp_path / f"old-{number}.rec", (number + 1, number + 1))
    (tmp_path / "notes.txt").write_bytes(bytes(100 * MEMBER_BYTES))
    recorder = Recorder(tmp_path, Limits(file_bytes=10**9, file_s=60, total_bytes=4 * MEMBER_BYTES))
    recording = recorder.of(ROOM)
    recording.opened(T0, LIVE, upstream())
    fill(recording, 2)
    recording.close()
    await recorder.aclose()
    assert {path.name for path in tmp_path.iterdir()} == {
        "old-2.rec", "notes.txt", "tiktok-7300000000000000001-20251211T054820.rec"
    }  # fmt: skip
    assert recorder.fault == ""


async def test_a_file_that_is_open_is_not_removed_and_the_limit_stands(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, Limits(file_bytes=10**9, file_s=60, total_bytes=4 * MEMBER_BYTES))
    recording = recorder.of(ROOM)
    recording.opened(T0, LIVE, upstream())
    fill(recording, 10)
    recording.close()
    await recorder.aclose()
    assert recorder.fault == "recordings that are being written take up all that is allowed"
    (path,) = tmp_path.iterdir()
    assert MEMBER_BYTES < path.stat().st_size <= 4 * MEMBER_BYTES


async def test_another_process_removes_no_file_that_is_open(tmp_path: Path) -> None:
    """Two recorders know no more of each other than two processes do."""
    limits = Limits(file_bytes=10**9, file_s=60, total_bytes=4 * MEMBER_BYTES)
    one, other = Recorder(tmp_path, limits), Recorder(tmp_path, limits)
    first, second = one.of(ROOM), other.of(RoomKey("tiktok", "@ana"))
    first.opened(T0, LIVE, upstream())
    fill(first, 2)
    await settled(one)
    second.opened(T0, LIVE, upstream())
    fill(second, 4)
    await settled(other)
    assert other.fault == "recordings that are being written take up all that is allowed"
    assert len(files(tmp_path)) == 2
    first.close()
    await one.aclose()
    third = other.of(RoomKey("tiktok", "@ben"))
    third.opened(T0, LIVE, upstream())
    fill(third, 2)
    third.close()
    second.close()
    await other.aclose()
    assert [header.room for header, _ in files(tmp_path)] == ["@ana", "@ben"]


async def test_a_file_that_was_removed_while_it_was_open_is_a_fault(tmp_path: Path) -> None:
    recorder, before = Recorder(tmp_path, WIDE), faults()
    recording = recorder.of(ROOM)
    recording.opened(T0, LIVE, upstream())
    fill(recording, 1)
    await settled(recorder)
    (path,) = tmp_path.iterdir()
    path.unlink()
    fill(recording, 1)
    recording.close()
    await recorder.aclose()
    assert (recorder.fault, faults() - before) == ("the file was removed", 1)


def no_folder(folder: Path) -> Path:
    return folder / "missing"


def a_file(folder: Path) -> Path:
    (folder / "file").write_bytes(b"")
    return folder / "file"


@pytest.mark.parametrize("folder", [no_folder, a_file])
async def test_a_folder_that_cannot_be_written_is_told_once_and_tried_again_later(
    tmp_path: Path, folder: Callable[[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    path, before = folder(tmp_path), faults()
    recorder = Recorder(path, WIDE)
    recordings = [recorder.of(ROOM), recorder.of(RoomKey("tiktok", "@ana"))]
    with caplog.at_level(logging.WARNING):
        for recording in recordings:
            recording.opened(T0, LIVE, upstream())
            recording.frame(T0 + 10_000, b"lost")
            recording.frame(T0 + 11_000, b"lost")
        await settled(recorder)
        for recording in recordings:
            recording.frame(T0 + 12_000, b"not written, for a while")
        assert (faults() - before, len(caplog.records)) == (2, 1)
        path.unlink(missing_ok=True)
        path.mkdir()
        for recording in recordings:
            recording.frame(T0 + 12_000 + int(REST_S * 1000), b"kept")
            recording.close()
        await recorder.aclose()
    assert (faults() - before, len(caplog.records)) == (2, 1)
    assert [[record.content for record in records][1:] for _, records in files(path)] == [[b"kept"]] * 2
    assert [records[0].as_opened().overlapped for _, records in files(path)] == [True] * 2


async def test_a_disk_that_is_slower_than_the_rooms_costs_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_MAX_BYTES", 3 * MEMBER_BYTES)
    recorder, before = Recorder(tmp_path, WIDE), faults()
    release = blocked(recorder)
    recording = recorder.of(ROOM)
    recording.opened(T0, LIVE, upstream())
    fill(recording, 10)
    assert (recorder.fault, faults() - before) == ("the disk is too slow", 1)
    release()
    recording.close()
    await recorder.aclose()


async def test_what_is_played_is_not_recorded_again(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, WIDE)
    recording, live, ticks = recorder.of(ROOM), upstream(), count()
    recording.opened(T0, LIVE, Upstream(live.transport, live.protocol, clock=lambda: next(ticks)))
    recording.frame(T0, b"played")
    recording.close()
    await recorder.aclose()
    assert list(tmp_path.iterdir()) == []
