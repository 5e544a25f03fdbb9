"""One recording, open to be played from some place on. What takes time happens in a thread."""

import asyncio
from collections import deque
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from ingestor.connectors.base import Message
from ingestor.recording import BadRecording, Header, Kind, Opened, Reader, Record
from shared.errors import RoomNotFound, UpstreamUnavailable

READ_AHEAD_BYTES: Final = 1024 * 1024
FIRST_MAX_BYTES: Final = 16 * 1024 * 1024  # of messages that came with an opening


class Reel:
    """Records from a place on, which is the number of records before it. Closed by `close`."""

    def __init__(self, stream: BinaryIO, reader: Reader, place: int) -> None:
        """Take over a file; use `open` instead."""
        self.header: Header = reader.header
        self.place = place
        self.usable = True
        """Whether it can be gone on with: not at its end, nor while what is read from it may get lost."""
        self._stream = stream
        self._reader = reader
        self._ahead: deque[Record] = deque()

    @classmethod
    async def open(cls, path: Path, place: int) -> tuple[Self, Opened]:
        """Open a recording; with it comes the opening that the record at this place stands behind, or is.

        Raises:
            RoomNotFound: there is no such recording, or it cannot be played.
            UpstreamUnavailable: the file cannot be read.
        """
        opening = asyncio.get_running_loop().run_in_executor(None, cls._open, path, place)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unwanted)  # a thread cannot be called back
            raise
        except BadRecording as error:
            raise RoomNotFound(str(error)) from None
        except OSError as error:
            raise UpstreamUnavailable(f"the recording cannot be read ({type(error).__name__})") from None

    @classmethod
    def _open(cls, path: Path, place: int) -> tuple[Self, Opened]:
        if not path.is_file():
            raise RoomNotFound("there is no recording of that name")
        stream = path.open("rb")
        try:
            reader = Reader(stream)
            opened: Opened | None = None
            for number, record in enumerate(reader):
                if record.kind == Kind.OPENED:
                    opened = record.as_opened()
                if number == place:
                    reel = cls(stream, reader, place)
                    reel._ahead.append(record)
                    break
            else:
                reel = cls(stream, reader, place)
            if opened is None:
                raise BadRecording("it begins with no opening, or is empty")
        except BaseException:
            stream.close()
            raise
        return reel, opened

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    async def peek(self) -> Record | None:
        """The record at this place, None at the end."""
        if not self._ahead:
            self.usable = False
            self._ahead.extend(await asyncio.to_thread(self._reader.batch, READ_AHEAD_BYTES))
            self.usable = bool(self._ahead)
        return self._ahead[0] if self._ahead else None

    def step(self) -> None:
        """Go on behind the record that `peek` returned."""
        self._ahead.popleft()
        self.place += 1

    async def opening(self) -> list[Message]:
        """Go on behind an opening; returns the messages that came with it.

        Raises:
            RoomNotFound: one of them cannot be read.
        """
        self.step()
        messages: list[Message] = []
        size = 0
        while (record := await self.peek()) is not None and record.kind == Kind.MESSAGE:
            self.step()
            size += len(record.content)
            if size <= FIRST_MAX_BYTES:
                try:
                    messages.append(record.as_message())
                except BadRecording as error:
                    raise RoomNotFound(str(error)) from None
        return messages


def _close_unwanted(opening: "asyncio.Future[Any]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        reel, _ = opening.result()
        reel.close()
