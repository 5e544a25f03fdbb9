"""`python -m gateway forward`: rooms into a file, or to a webhook, until Ctrl-C or SIGTERM."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gateway.forward.follower import Follower
from gateway.forward.jsonl import JsonLines
from gateway.forward.settings import ForwardSettings
from gateway.forward.target import Places, Target
from gateway.forward.webhook import Webhook
from gateway.options import EventFilter, read_options
from gateway.relay import Relay
from gateway.settings import GatewaySettings
from shared import event_loop, logs
from shared.errors import BadRoom, ConfigError
from shared.platforms import room_called
from shared.redis_client import open_redis
from shared.room import RoomKey
from shared.settings import load
from shared.signals import stop_event


async def forward(rooms: Sequence[RoomKey], wanted: EventFilter, file: Path | None, places: Path | None) -> None:
    """Forward until told to stop.

    Raises:
        ConfigError: a setting, or the file, cannot be used.
    """
    stop = stop_event()
    settings, how = load(GatewaySettings), load(ForwardSettings)
    async with contextlib.AsyncExitStack() as stack:
        noted = Places(places or (file and file.with_name(f"{file.name}.places")))
        target: Target
        if file is not None:
            target = lines = JsonLines(file, noted, max_bytes=how.forward_file_bytes, kept=how.forward_files_kept)
            stack.callback(lines.close)
        else:
            target = webhook = Webhook(how, noted)
            stack.push_async_callback(webhook.aclose)
        redis = open_redis(settings.redis_url.get_secret_value(), name=settings.gateway_name)
        stack.push_async_callback(redis.aclose)
        relay = await stack.enter_async_context(Relay(settings, redis))
        async with asyncio.TaskGroup() as tasks:
            following = [
                tasks.create_task(
                    Follower(relay, room, wanted, target, noted, linger_s=how.forward_linger_ms / 1000).run()
                )
                for room in rooms
            ]
            await stop.wait()
            for task in following:
                task.cancel()


@click.command("forward")
@click.argument("rooms", nargs=-1, required=True, metavar="[PLATFORM:]ROOM...")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="A line of JSON for each event.")
@click.option("--webhook", is_flag=True, help="Post events to ROOMCAST_FORWARD_WEBHOOK_URL.")
@click.option("--events", default="", help="Types with commas between, as in `events=` of a socket's address.")
@click.option(
    "--places",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where is noted how far rooms are forwarded.  [default: FILE.places; for a webhook nowhere]",
)
def forward_command(rooms: Sequence[str], file: Path | None, webhook: bool, events: str, places: Path | None) -> None:
    """Forward the events of rooms into a file or to a webhook, from now on or from where it was left."""
    if (file is None) != webhook:
        raise click.UsageError("say where to: --file FILE, or --webhook")
    try:
        keys = list(dict.fromkeys(map(room_called, rooms)))
    except BadRoom as error:
        raise click.BadParameter(str(error), param_hint="ROOM") from None
    options = read_options({"events": events} if events else {})
    if options.problems:
        raise click.BadParameter("; ".join(detail for _, detail in options.problems), param_hint="--events")
    try:
        settings = load(GatewaySettings)
        logs.configure(settings.log_level, settings.log_format)
        event_loop.run(forward(keys, options.wanted, file, places))
    except ConfigError as error:
        sys.exit(f"forward: {error}")
