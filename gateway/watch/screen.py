"""Rooms in a terminal: what is said scrolls by, and below it stands what adds up."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.watch.follower import Followed, Follower
from gateway.watch.lines import line_of
from gateway.watch.plain_text import shown
from gateway.watch.tally import Streak, Tally

REFRESH_S = 0.2
LINES_MAX = 200  # of one refresh; who gets more could not read them
STREAKS_SHOWN = 3


class Screen:
    """The live view.

    Args:
        console: where to.
        rooms: what is followed.
        url: of the gateway.
    """

    def __init__(self, console: Console, rooms: Sequence[Followed], url: str) -> None:
        self._console = console
        self._tallies = {room: Tally() for room in rooms}
        self._url = url
        self._lines: deque[Text] = deque(maxlen=LINES_MAX)
        self._fault = ""

    def on_frame(self, _: str, frame: dict[str, Any], room: Followed | None) -> None:
        """Take a frame in."""
        if room is not None:
            self._tallies[room].take(frame, time.time())
        if parts := line_of(frame):
            where = f"{room.asked}  " if room is not None and len(self._tallies) > 1 else ""
            clock = time.strftime("%H:%M:%S", time.localtime(frame["time"] / 1000 if "time" in frame else None))
            self._lines.append(Text.assemble((f"{clock}  {where}", "dim"), *parts))

    def on_loss(self, fault: str, pause_s: float) -> None:
        """Take a loss of the connection in."""
        self._fault = f"{shown(fault, 100)}; again in {pause_s:.1f} s"
        self._lines.append(Text(f"no connection to {self._url}: {self._fault}", "yellow"))

    async def show(self, follower: Follower) -> None:
        """Show what comes until every room is over."""
        following = asyncio.create_task(follower.run())
        live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        try:
            with live or nullcontext():
                while not following.done():
                    await asyncio.wait([following], timeout=REFRESH_S)
                    if live is not None:
                        live.update(self._board(follower))
                    self._print()
                    if live is not None:
                        live.refresh()
        finally:
            following.cancel()
            await asyncio.wait([following])
        following.result()

    def _print(self) -> None:
        if self._lines:
            self._console.print(Text("\n").join(self._lines), soft_wrap=not self._console.is_terminal)
            self._lines.clear()

    def _board(self, follower: Follower) -> Group:
        now = time.time()
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in ("room", "state", "viewers", "events/s", "delay", "chat", "gifts", "♦", "likes", "missing"):
            table.add_column(title, justify="left" if title in ("room", "state") else "right", no_wrap=True)
        streaks: list[Streak] = []
        for room, tally in self._tallies.items():
            table.add_row(
                str(room.asked),
                Text(shown(room.over or tally.state, 20), "bold" if not room.over else "yellow"),
                "–" if tally.viewers is None else f"{tally.viewers:,}",
                f"{tally.rate(now):.1f}",
                "–" if tally.delay_ms is None else f"{tally.delay_ms / 1000:.1f} s",
                f"{tally.chats:,}",
                f"{tally.gifts:,}",
                f"{tally.diamonds:,}",
                f"{tally.likes:,}",
                Text(f"{tally.gaps} gaps, {tally.dropped} dropped" if tally.gaps or tally.dropped else "–", "red"),
            )
            streaks += tally.streaks(now)
        running = [
            Text.assemble((streak.giver, "bold cyan"), "  ", (f"{streak.gift} × {streak.total}", "bold magenta"))
            for streak in streaks[:STREAKS_SHOWN]
        ]
        return Group("", *running, table, self._link(follower))

    def _link(self, follower: Follower) -> Text:
        link = follower.link
        if not link.up:
            return Text(f"{self._url}  not connected: {self._fault or 'connecting'}", "yellow")
        lost = f"  lost {link.lost} times" if link.lost else ""
        return Text(f"{self._url}  connected  ping {link.latency_ms} ms{lost}", "dim")
