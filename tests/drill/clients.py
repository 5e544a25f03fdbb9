"""`python -m tests.drill.clients`: clients of a running cluster that notice when something goes missing.

They know no more than a client can: an address, and what they are told. Whatever is done to the cluster meanwhile, at
the end each must have all that any other of its room had.
"""

import asyncio
import contextlib
import json
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from gateway.server import OTHER_FILES, allow_open_files
from shared import event_loop
from shared.cursor import Cursor
from tests.drill.report import Report, report
from tests.drill.viewer import Viewer

SERVED_WITHIN_S: Final = 60.0  # of the last connection; who is not by then is late, unless it comes yet
SETTLES_WITHIN_S: Final = 15.0  # at the end: for whoever is just on its way back
LOOK_EVERY_S: Final = 0.1


async def drill(
    url: str, rooms: Sequence[str], *, clients: int, seconds: float, per_s: float, stop: asyncio.Event
) -> Report:
    """Watch rooms for a while.

    Args:
        url: `ws://host:port`.
        rooms: clients take turns with them.
        clients: how many.
        seconds: how long, from when all of them were told an event, or could have been.
        per_s: how many connect in a second.
        stop: ends it early.
    """
    viewers = [Viewer(rooms[n % len(rooms)], lambda: url, random.Random(n)) for n in range(clients)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.TaskGroup() as tasks:
        watching = [tasks.create_task(_begin(viewer, n / per_s)) for n, viewer in enumerate(viewers)]
        try:
            ends = began + clients / per_s + SERVED_WITHIN_S
            while not stop.is_set() and loop.time() < ends and not all(viewer.here for viewer in viewers):
                await _pass(LOOK_EVERY_S, stop)
            served = sum(viewer.here != "" for viewer in viewers)
            print(f"served {served} of {clients} clients after {loop.time() - began:.1f} s", flush=True)
            await _pass(seconds, stop)
            finish = _newest(viewers)
            ends = loop.time() + SETTLES_WITHIN_S
            while (late := _late(viewers, finish)) and loop.time() < ends:
                await asyncio.sleep(LOOK_EVERY_S)
            return report(viewers, late, loop.time() - began)
        finally:
            for task in watching:
                task.cancel()


async def _begin(viewer: Viewer, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await viewer.run()


async def _pass(seconds: float, stop: asyncio.Event) -> None:
    """Let time go by, or less when it is to end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _newest(viewers: Sequence[Viewer]) -> dict[str, Cursor]:
    """How far each room is."""
    newest: dict[str, Cursor] = {}
    for viewer in viewers:
        if viewer.track is not None and viewer.track.last is not None:
            newest[viewer.here] = max(newest.get(viewer.here, viewer.track.last), viewer.track.last)
    return newest


def _late(viewers: Sequence[Viewer], finish: dict[str, Cursor]) -> list[Viewer]:
    """Who has not come so far yet, is away, or was never told anything."""
    return [
        viewer
        for viewer in viewers
        if viewer.away
        or viewer.track is None
        or viewer.track.last is None
        or viewer.track.last < finish.get(viewer.here, viewer.track.last)
    ]


@click.command()
@click.option("--url", default="ws://127.0.0.1:8000", show_default=True, help="Of a gateway, or of what balances them.")
@click.option("--rooms", default="@demo", show_default=True, help="With commas between; `PLATFORM/ROOM` or `ROOM`.")
@click.option("--clients", default=300, show_default=True, type=click.IntRange(1, 20_000))
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(0, 86_400), help="Once all are served."
)
@click.option(
    "--per-second", default=100.0, show_default=True, type=click.FloatRange(0.1), help="New clients, at first."
)
@click.option("--report", "path", type=click.Path(path_type=Path), help="JSON file for what came of it.")
def main(url: str, rooms: str, clients: int, seconds: float, per_second: float, path: Path | None) -> None:
    """Watch rooms as many clients, until the time is over or Ctrl-C; fail when a client lost or doubled something."""
    allow_open_files(clients + OTHER_FILES)

    async def run() -> Report:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        names = [room for room in rooms.split(",") if room]
        return await drill(url.rstrip("/"), names, clients=clients, seconds=seconds, per_s=per_second, stop=stop)

    found = event_loop.run(run())
    print(found.table())
    if path is not None:
        path.write_text(json.dumps(found.as_dict(), indent=1) + "\n", "utf8")
    sys.exit(0 if found.is_clean else 1)


if __name__ == "__main__":
    main(prog_name="python -m tests.drill.clients")
