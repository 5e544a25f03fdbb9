"""A terminal with a program in it, as somebody in front of it would see it."""

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable

import pyte

from tests.conftest import REPO_ROOT

DEADLINE_S = 20.0
LINES, COLUMNS = 40, 140
CTRL_C = b"\x03"


class Terminal:
    """What a program shows; `output` is all that it ever wrote."""

    def __init__(self, process: "subprocess.Popen[bytes]", keyboard: int) -> None:
        self.process = process
        self.output = b""
        self._keyboard = keyboard
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self._news = asyncio.Event()

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self._screen.display)

    @property
    def cursor_is_shown(self) -> bool:
        """Whether whoever types next sees where."""
        return not self._screen.cursor.hidden

    def take(self) -> None:
        """Read what the program wrote."""
        try:
            part = os.read(self._keyboard, 65536)
        except OSError:  # how a terminal says that nobody writes to it any more
            part = b""
        if not part:
            asyncio.get_running_loop().remove_reader(self._keyboard)
        self.output += part
        self._stream.feed(part)
        self._news.set()

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._keyboard, keys)

    async def until(self, shows: Callable[[str], bool]) -> str:
        """Return the screen when it looks like that."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not shows(self.text):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(self.text) from None
        return self.text

    async def ended(self) -> int:
        """The exit code."""
        async with asyncio.timeout(DEADLINE_S):
            while (code := self.process.poll()) is None:
                await asyncio.sleep(0.01)
        return code


@contextlib.asynccontextmanager
async def terminal(*command: str) -> AsyncIterator[Terminal]:
    """A Python program of the project in a terminal; it is ended with the block."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=REPO_ROOT,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    )
    os.close(theirs)
    shown = Terminal(process, ours)
    asyncio.get_running_loop().add_reader(ours, shown.take)
    try:
        yield shown
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(ours)
