"""A process of the benchmark that is told what to do in JSON lines, and answers in them: both ends."""

import asyncio
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.errors import BenchError

_PR_SET_PDEATHSIG = 1


@contextmanager
def process(
    command: Sequence[str], cores: set[int], *, environment: dict[str, str] | None = None, talks: bool = False
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process on these cores, and all that it started; it is killed at the end, or when this process dies."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        os.sched_setaffinity(0, cores)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    running = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
        stdout=subprocess.PIPE if talks else subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=prepare,
    )
    try:
        yield running
    finally:
        try:
            os.killpg(running.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        running.wait()
        for pipe in (running.stdin, running.stdout):
            if pipe is not None:
                pipe.close()


class Child:
    """The driver's end."""

    def __init__(self, running: "subprocess.Popen[bytes]") -> None:
        self.pid = running.pid
        self._running = running
        self._unread = b""

    def ask(self, command: str, *, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Have something done; the answer.

        Raises:
            BenchError: it failed, died, or took too long.
        """
        self.write(json.dumps([command, arguments]))
        answer: dict[str, Any] = json.loads(self.line(timeout_s))
        if "error" in answer:
            raise BenchError(f"{command}: {answer['error']}")
        return answer

    def write(self, line: str) -> None:
        """Write a line to it.

        Raises:
            BenchError: it died.
        """
        assert self._running.stdin is not None
        try:
            self._running.stdin.write(line.encode() + b"\n")
            self._running.stdin.flush()
        except BrokenPipeError:
            raise BenchError("the process ended") from None

    def line(self, timeout_s: float) -> bytes:
        """The next line it writes.

        Raises:
            BenchError: none came in time.
        """
        assert self._running.stdout is not None
        while b"\n" not in self._unread:
            if not select.select([self._running.stdout], [], [], timeout_s)[0]:
                raise BenchError(f"no answer within {timeout_s:g} s")
            data = os.read(self._running.stdout.fileno(), 1 << 16)
            if not data:
                raise BenchError("the process ended")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line


@contextmanager
def child(module: str, cores: set[int], *arguments: str) -> Iterator[Child]:
    """`python -m module`, ready."""
    command = [sys.executable, "-m", module, *arguments]
    with process(command, cores, talks=True) as running:
        yield Child(running)


async def obey(commands: dict[str, Callable[..., Awaitable[dict[str, Any]]]]) -> None:
    """The child's end: carry out what standard input says, until it ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command, arguments = json.loads(line)
        try:
            answer = await commands[command](**arguments)
        except (BenchError, OSError, TimeoutError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
