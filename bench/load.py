"""The load client: a process with up to 10,000 connections, on a core of its own. Run as `python -m bench.load`.

It answers a line of JSON on standard input with one on standard output: `connect`, `begin`, `wait`, `figures`.
"""

import asyncio
import gc
import itertools
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench.child import obey
from bench.clients import Client, CountingClient, Dialect, FollowingClient, ReadingClient, Target, is_closed, open_slow
from bench.counter import Tally
from bench.errors import BenchError
from shared import event_loop

CONNECTIONS_MAX = 10_000
AT_ONCE, CONNECT_S = 100, 120  # handshakes under way; for all of them
SAMPLED, SAMPLED_DEFLATED = 50, 10  # clients that read every frame, spread over all; to inflate costs most


class Load:
    """All connections, and what they got since `begin`."""

    def __init__(self) -> None:
        self._clients: list[Client] = []
        self._slow: list[socket.socket] = []
        self._tally = Tally()
        self._begun: list[int] = []
        self._faults = 0
        self._cpu_s = 0.0

    async def connect(self, port: int, paths: list[str], clients: int, dialect: str, slow: int = 0) -> dict[str, Any]:
        """Open `clients` more connections for each path; with them `slow` that never read."""
        targets = [Target(port, path, Dialect(dialect)) for path in paths]
        if len(self._clients) + len(targets) * clients + slow > CONNECTIONS_MAX:
            raise BenchError(f"more than {CONNECTIONS_MAX} connections")
        started = time.monotonic()
        self._slow += [open_slow(targets[0]) for _ in range(slow)]
        wanted = itertools.chain.from_iterable([target] * clients for target in targets)
        sampled = SAMPLED_DEFLATED if Dialect(dialect) is Dialect.DEFLATE else SAMPLED
        every = max(1, len(targets) * clients // sampled)
        factories = [self._make(target, sampled=n % every == 0) for n, target in enumerate(wanted)]
        loop = asyncio.get_running_loop()
        async with patience(CONNECT_S, f"not all of {len(factories)} clients were let in"):
            for first in range(0, len(factories), AT_ONCE):
                batch = factories[first : first + AT_ONCE]
                opening = (loop.create_connection(lambda c=client: c, "127.0.0.1", port) for client in batch)  # type: ignore[misc]
                await asyncio.gather(*opening)
                await asyncio.gather(*(client.ready for client in batch))
                self._clients += batch
        gc.freeze()  # thousands of long-lived objects, which each collection would walk through
        return {"clients": len(self._clients), "seconds": time.monotonic() - started}

    def _make(self, target: Target, *, sampled: bool) -> Client:
        if sampled:
            return ReadingClient(target, self._tally)
        if target.dialect is Dialect.DEFLATE:
            return FollowingClient(target, self._tally)
        return CountingClient(target, self._tally)

    async def begin(self) -> dict[str, Any]:
        """Count from here on."""
        self._tally.clear()
        self._begun = [client.sequence.last for client in self._clients]
        self._faults = self._all_faults()
        self._cpu_s = time.process_time()
        return {}

    async def wait(self, number: int, at_most_s: float) -> dict[str, Any]:
        """Until every client has seen event `number`, at most so long; `behind` counts those that have not."""
        deadline = time.monotonic() + at_most_s
        while True:
            behind = sum(client.sequence.last < number for client in self._clients)
            lost = [client.lost for client in self._clients if client.lost]
            if not behind or lost or time.monotonic() > deadline:
                return {"behind": behind, "lost": len(lost), "why": lost[0] if lost else ""}
            await asyncio.sleep(0.02)

    async def figures(self) -> dict[str, Any]:
        """What was counted since `begin`."""
        tally = self._tally
        pairs = zip(self._clients, self._begun, strict=True)
        return {
            "events": sum(client.sequence.last - begun for client, begun in pairs),
            "faults": self._all_faults() - self._faults,
            "lost": sum(bool(client.lost) for client in self._clients),
            "reads": tally.reads,
            "bytes": tally.bytes,
            "cpu_s": time.process_time() - self._cpu_s,
            "slow_closed": sum(is_closed(connection) for connection in self._slow),
            "latencies_ms": tally.percentiles_ms(50, 99, 99.9, 100),
        }

    def _all_faults(self) -> int:
        return sum(client.sequence.gaps + client.sequence.doubles for client in self._clients)


@asynccontextmanager
async def patience(seconds: float, otherwise: str) -> AsyncIterator[None]:
    """Let it take so long.

    Raises:
        BenchError: it took longer, with this text.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BenchError(f"{otherwise} within {seconds:g} s") from None


async def serve() -> None:
    """Do as standard input says."""
    load = Load()
    await obey({"connect": load.connect, "begin": load.begin, "wait": load.wait, "figures": load.figures})


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    event_loop.run(serve())
