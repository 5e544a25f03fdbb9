"""Events as lines of JSON in a file, which is put aside when it is full.

A line is an event's JSON, as clients get it. Lines are whole: what a crash or a full disk left of one is removed. The
place is noted after the lines, so that after a crash some may come twice, and none is missing.
"""

import asyncio
import errno
import logging
import os
import random
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from gateway.forward.target import Places
from gateway.frames import Frame
from shared.backoff import Backoff
from shared.cursor import Cursor
from shared.errors import ConfigError
from shared.events import ENTRY_MAX_BYTES

logger = logging.getLogger(__name__)

RETRY: Final = Backoff(base_s=0.5, cap_s=30.0)
LINE_BEGINS: Final = b'{"type":"'
LINE_MAX_BYTES: Final = ENTRY_MAX_BYTES + 128  # of an event's JSON, and what its cursor adds


class JsonLines:
    """See `Target`. One file for all rooms."""

    def __init__(
        self, path: Path, places: Places, *, max_bytes: int, kept: int, retry_s: Callable[[int], float] | None = None
    ) -> None:
        """Open it, or go on with it.

        Args:
            path: of the file.
            places: noted there when lines are written.
            max_bytes: from here on it is put aside.
            kept: files put aside.
            retry_s: the pause after the n-th failure, n = 0, 1, 2 ...

        Raises:
            ConfigError: it cannot be written, or is not a file of ours.
        """
        self._path = path
        self._places = places
        self._max_bytes = max_bytes
        self._kept = kept
        self._retry_s = retry_s or (lambda attempt: RETRY.delay_s(attempt, random.random))
        self._turn = asyncio.Lock()
        try:
            self._size = self._mend()
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from None

    async def put(self, room: str, frames: Sequence[Frame], place: Cursor | None) -> None:
        """See `Target`. A full disk is waited for."""
        steps = deque([partial(self._places.save, room, place)])
        if frames:
            steps.appendleft(partial(self._write, b"".join(frame.payload + b"\n" for frame in frames)))
        async with self._turn:
            attempt = 0
            while True:
                writing = asyncio.create_task(asyncio.to_thread(_go_through, steps))
                try:
                    await asyncio.shield(writing)
                    return
                except asyncio.CancelledError:
                    await asyncio.wait({writing})  # a thread cannot be called back: it ends before the file is closed
                    raise
                except OSError as error:
                    if not attempt:
                        what = "events not written" if len(steps) > 1 else "place not noted"
                        logger.warning("%s, trying again file=%s: %s", what, self._path.name, error.strerror)
                await asyncio.sleep(self._retry_s(attempt))
                attempt += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, lines: bytes) -> None:
        if self._size >= self._max_bytes:
            self._put_aside()
        try:
            if self._file.write(lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(self._size)
            raise
        self._size += len(lines)

    def _put_aside(self) -> None:
        if self._path.exists():  # else it was moved, and a new one could not be opened then
            for number in range(self._kept - 1, 0, -1):
                if (older := self._aside(number)).exists():
                    older.replace(self._aside(number + 1))
            self._path.replace(self._aside(1))
        self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._size = 0

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _mend(self) -> int:
        """Cut off a line that is not whole; returns the size.

        Raises:
            ConfigError: what it ends with was never the beginning of a line of ours.
        """
        with self._path.open("a+b") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - LINE_MAX_BYTES - 1))
            end = stream.read()
            torn = end[end.rfind(b"\n") + 1 :]
            if len(torn) > LINE_MAX_BYTES or torn[: len(LINE_BEGINS)] != LINE_BEGINS[: len(torn)]:
                raise ConfigError(f"{self._path} is not a file of ours: it ends with no line of one")
            if torn:
                stream.truncate(size - len(torn))
            return size - len(torn)


def _go_through(steps: deque[partial[None]]) -> None:
    """Take steps, and each away when it is done: one that raises is the first one the next time."""
    while steps:
        steps[0]()
        steps.popleft()
