"""The command line of `python -m gateway watch`."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import click

from gateway.options import LAST_MAX
from gateway.texts import Lang
from gateway.watch.plain_text import escaped, shown
from shared.cursor import Cursor
from shared.errors import BadCursor, BadRoom, ConfigError
from shared.platforms import room_called
from shared.room import RoomKey

if TYPE_CHECKING:
    from gateway.watch.follower import Followed

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM

_CONTROLS = re.compile(r"[\x00-\x1f]")


class _Enough(Exception):
    """Whoever reads our output has enough of it, as `head` has."""


def _rooms(_: click.Context, __: click.Parameter, texts: Sequence[str]) -> list[RoomKey]:
    try:
        return list(dict.fromkeys(map(room_called, texts)))
    except BadRoom as error:
        raise click.BadParameter(str(error)) from None


def _cursor(_: click.Context, __: click.Parameter, text: str) -> str:
    try:
        return str(Cursor.parse(text)) if text else ""
    except BadCursor as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("rooms", nargs=-1, required=True, metavar="ROOM...", callback=_rooms)
@click.option("--url", default="ws://localhost:8000", show_default=True, help="Of a gateway or balancer.")
@click.option("--events", default="", metavar="TYPES", help="Only these types, with commas between.")
@click.option("--lang", default="en", show_default=True, type=click.Choice([lang.value for lang in Lang]))
@click.option("--last", default=0, type=click.IntRange(0, LAST_MAX), help="Begin with so many of the latest events.")
@click.option("--since", default="", metavar="CURSOR", callback=_cursor, help="Go on behind this event, in one room.")
@click.option("--json", "as_json", is_flag=True, help="Print each frame as a line of JSON.")
def watch(rooms: list[RoomKey], url: str, events: str, lang: str, last: int, since: str, as_json: bool) -> None:
    """Show rooms, called PLATFORM:ROOM or by a link.

    Ends when every room is over: with 0 if each broadcast ended, with 1 if one could not be had.
    """
    from gateway.watch.follower import Followed, Follower  # its WebSocket client: nothing for a gateway that starts

    if since and len(rooms) > 1:
        raise click.UsageError("--since is a place in one room")
    followed = [Followed(room, since) for room in rooms]
    query = {"lang": lang} | ({"events": events} if events else {})
    url = re.sub("^http", "ws", url)
    if as_json:
        work = Follower(url, followed, _print_frame, _print_loss, query=query, last=last).run()
    else:
        work = _show(followed, url, query, last)
    try:
        code = asyncio.run(_until_terminated(work))
    except KeyboardInterrupt:
        code = INTERRUPTED
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    except _Enough:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains on its way out
        code = 1
    if code and len(followed) == 1 and followed[0].cursor:
        click.echo(f"to go on from here: --since {followed[0].cursor}", err=True)
    sys.exit(code or any(room.over != "ended" for room in followed))


async def _until_terminated(work: Coroutine[Any, Any, None]) -> int:
    """The exit code of the work: SIGTERM ends it as Ctrl-C does, so that the terminal is left in order."""
    task = asyncio.ensure_future(work)
    with contextlib.suppress(NotImplementedError):  # Windows has no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()
        await asyncio.wait([task])
    if task.cancelled():
        return TERMINATED
    task.result()
    return 0


def _show(followed: list["Followed"], url: str, query: dict[str, str], last: int) -> Coroutine[Any, Any, None]:
    try:
        from rich.console import Console

        from gateway.watch.follower import Follower
        from gateway.watch.screen import Screen
    except ImportError:
        raise click.ClickException("the live view needs rich (pip install rich); --json does without it") from None
    screen = Screen(Console(highlight=False), followed, url)
    return screen.show(Follower(url, followed, screen.on_frame, screen.on_loss, query=query, last=last))


def _print_frame(text: str, frame: dict[str, Any], _: "Followed | None") -> None:
    if _CONTROLS.search(text):
        text = json.dumps(frame)  # lawful between the parts of an object, but then it is not one line
    try:
        sys.stdout.buffer.write(escaped(text).encode() + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise _Enough from None


def _print_loss(fault: str, pause_s: float) -> None:
    click.echo(f"no connection: {shown(fault)}; again in {pause_s:.1f} s", err=True)
