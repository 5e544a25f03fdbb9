"""Records rooms into files. A disk that is full, slow or gone costs the recording and never disturbs a room.

Rooms hand over what came without waiting; one thread compresses and writes it. Every file can be played by itself: it
begins with an opening, and where something could not be written it ends, and the next one begins a while later.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

from ingestor import file_lock
from ingestor.connectors.base import LiveRoom, Upstream
from ingestor.recording import Header, Opened, Record, member
from shared import metrics
from shared.room import RoomKey

logger = logging.getLogger(__name__)

SUFFIX: Final = ".rec"
MEMBER_BYTES: Final = 64 * 1024  # of records; larger ones compress little better
MEMBER_S: Final = 5.0  # what a killed process loses at most, and the pause to the next frame
WAITING_MAX_BYTES: Final = 32 * 1024 * 1024  # handed over and not written; beyond it the disk is too slow
REST_S: Final = 60.0  # after a fault, before the next file
NAMES_TRIED: Final = 100  # rooms whose files would be called the same, in one second


@dataclass(frozen=True, slots=True)
class Limits:
    """Of files: bytes and seconds of one, and bytes of all in the folder."""

    file_bytes: int
    file_s: float
    total_bytes: int


def name_of(header: Header) -> str:
    """How a recording is called, without suffix: fit for `replay:NAME`, and to be sorted by time within a room."""
    began = time.strftime("%Y%m%dT%H%M%S", time.gmtime(header.started_at / 1000))
    return f"{header.platform}-{header.room.replace('@', '_')[:24]}-{began}"


class _File:
    """One file, from its first member on. All but `size` and `broken` is the writing thread's."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.size = 0
        self.broken = False
        self.path: Path | None = None
        self.stream: FileIO | None = None


class Recorder:
    """Records the rooms of a process."""

    def __init__(self, folder: Path, limits: Limits, *, name: Callable[[Header], str] = name_of) -> None:
        """Nothing is opened yet.

        Args:
            folder: where the files go; other files in it are left alone.
            limits: when a file ends, and which ones are removed.
            name: of a new file, without its suffix.
        """
        self.fault = ""
        """Why the latest write failed; empty when it did not."""
        self.limits = limits
        self._folder = folder
        self._name = name
        self._disk = ThreadPoolExecutor(1, "recorder")
        self._handed_bytes = 0  # the loop counts these, the thread those: neither waits for the other
        self._written_bytes = 0
        self._total_bytes: int | None = None
        self._open: set[_File] = set()

    def of(self, room: RoomKey) -> "Recording":
        """A recording of a room that is held from now on."""
        return Recording(self, room)

    def hand(self, file: _File, data: bytes) -> None:
        """Have records written."""
        if file.broken:
            return
        if self._handed_bytes - self._written_bytes + len(data) > WAITING_MAX_BYTES:
            self._break(file, "the disk is too slow")
            return
        self._handed_bytes += len(data)
        self._disk.submit(self._write, file, data)

    def end(self, file: _File) -> None:
        """Have a file closed."""
        self._disk.submit(self._close, file)

    async def aclose(self) -> None:
        """Write what was handed over, and close what is open."""
        await asyncio.to_thread(self._disk.shutdown)
        for file in list(self._open):
            self._close(file)

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _write(self, file: _File, data: bytes) -> None:
        try:
            if file.broken:
                return
            stream = file.stream or self._create(file)
            if not os.fstat(stream.fileno()).st_nlink:
                raise OSError("the file was removed")
            zipped = member(data)
            self._make_room(len(zipped))
            if stream.write(zipped) < len(zipped):
                raise OSError("only a part could be written")
            file.size += len(zipped)
            metrics.RECORDED_BYTES.inc(len(zipped))
            self.fault = ""
        except OSError as error:
            self._break(file, error.strerror or str(error))
            self._close(file)
        finally:
            self._written_bytes += len(data)

    def _create(self, file: _File) -> FileIO:
        """Open a file that is new: none that is there is written over.

        Raises:
            OSError: there is no such folder, or no room in it.
        """
        name = self._name(file.header)
        for number in range(1, NAMES_TRIED + 1):
            path = self._folder / f"{name}{f'-{number}' if number > 1 else ''}{SUFFIX}"
            try:
                stream = path.open("xb", buffering=0)
            except FileExistsError:
                if number == NAMES_TRIED:
                    raise
                continue
            file_lock.hold(stream)
            file.path, file.stream = path, stream
            self._open.add(file)
            logger.info("recording begun room=%s:%s file=%s", file.header.platform, file.header.room, path.name)
            return stream
        raise AssertionError("the last number returns or raises")

    def _make_room(self, size: int) -> None:
        """Remove the oldest recordings, but for those that are open here or in another process, until there is room.

        Raises:
            OSError: the open ones alone take up all there is.
        """
        if self._total_bytes is None or self._total_bytes + size > self.limits.total_bytes:
            found = [(path.stat(), path) for path in self._folder.glob(f"*{SUFFIX}") if path.is_file()]
            found.sort(key=lambda each: each[0].st_mtime_ns)
            self._total_bytes = sum(stat.st_size for stat, _ in found)
            in_use = {file.path for file in self._open}
            for stat, path in found:
                if self._total_bytes + size <= self.limits.total_bytes:
                    break
                if path not in in_use and not file_lock.is_held(path):
                    path.unlink(missing_ok=True)
                    self._total_bytes -= stat.st_size
                    logger.info("recording removed file=%s", path.name)
            if self._total_bytes + size > self.limits.total_bytes:
                raise OSError("recordings that are being written take up all that is allowed")
        self._total_bytes += size

    def _close(self, file: _File) -> None:
        if file.stream is not None:
            file.stream.close()
        self._open.discard(file)

    def _break(self, file: _File, fault: str) -> None:
        file.broken = True
        metrics.RECORDING_FAULTS.inc()
        if not self.fault:  # told once, until something is written again
            logger.warning("recording failed room=%s:%s: %s", file.header.platform, file.header.room, fault)
        self.fault = fault


class Recording:
    """What is recorded of one room, from when it is held to when it is released: file after file."""

    def __init__(self, recorder: Recorder, room: RoomKey) -> None:
        """Begin with the first opening; `Recorder.of` makes one."""
        self._recorder = recorder
        self._room = room
        self._file: _File | None = None
        self._records = bytearray()
        self._since_ms = 0
        """When the first of the records came."""
        self._upstream: Upstream | None = None
        self._live = LiveRoom()
        self._not_before_ms = 0

    def opened(self, at_ms: int, live: LiveRoom, upstream: Upstream) -> None:
        """A connection is open. One that is played is not recorded again."""
        if upstream.played:
            return
        again = self._upstream is not None
        self._upstream, self._live = upstream, live
        if again and self._goes_on(at_ms):
            self._add(self._opening(upstream, at_ms))
        else:
            self._begin(upstream, at_ms)
        for message in upstream.first:
            self._add(Record.message(at_ms, message))

    def frame(self, at_ms: int, frame: bytes) -> None:
        """A frame came, and was read."""
        if self._upstream is None:
            return
        if not self._goes_on(at_ms):
            self._begin(self._upstream, at_ms, between=True)
        self._add(Record.frame(at_ms, frame))

    def close(self) -> None:
        """The room is over, or somebody else's."""
        self._end()
        self._upstream = None

    def _goes_on(self, at_ms: int) -> bool:
        """Whether there is a file that is not full; one that is broken stays for a while, and takes nothing."""
        file, limits = self._file, self._recorder.limits
        if file is None:
            return False
        if file.broken:
            self._not_before_ms = self._not_before_ms or at_ms + int(REST_S * 1000)
            return at_ms < self._not_before_ms
        return file.size < limits.file_bytes and at_ms - file.header.started_at < limits.file_s * 1000

    def _begin(self, upstream: Upstream, at_ms: int, *, between: bool = False) -> None:
        self._end()
        self._not_before_ms = 0
        self._file = _File(Header(platform=self._room.platform, room=self._room.room, started_at=at_ms))
        self._since_ms = at_ms
        self._records += self._file.header.line()
        self._add(self._opening(upstream, at_ms, between=between))

    def _opening(self, upstream: Upstream, at_ms: int, *, between: bool = False) -> Record:
        return Record.opened(
            at_ms,
            Opened(
                live=self._live,
                room_id=upstream.room_id,
                position=upstream.protocol.position if between else upstream.position,
                overlapped=between or upstream.protocol.overlapped,
            ),
        )

    def _add(self, record: Record) -> None:
        if self._file is None or self._file.broken:
            return
        if not self._records:
            self._since_ms = record.at_ms
        self._records += record.packed()
        if len(self._records) >= MEMBER_BYTES or not 0 <= record.at_ms - self._since_ms < MEMBER_S * 1000:
            self._flush(self._file)

    def _flush(self, file: _File) -> None:
        records, self._records = bytes(self._records), bytearray()
        if records:
            self._recorder.hand(file, records)

    def _end(self) -> None:
        if self._file is not None:
            self._flush(self._file)
            self._recorder.end(self._file)
            self._file = None
