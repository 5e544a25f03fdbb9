"""`python -m simulator`: stands in for the platforms on one port, until it is interrupted."""

import asyncio
import signal
import sys
from pathlib import Path

import click

from shared.http_server import GuestServer
from simulator.app import create_app
from simulator.config import SimulatorConfig
from simulator.platforms import PLATFORMS
from simulator.playback import BadPayloads
from simulator.server import server
from simulator.world import GENERATED_MAX, World

_DEFAULT = SimulatorConfig()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8100, show_default=True, type=click.IntRange(1, 65535))
@click.option("--public-url", default=None, help="Where browsers reach the pictures.  [default: http://HOST:PORT]")
@click.option(
    "--rooms",
    default=0,
    show_default=True,
    type=click.IntRange(0, GENERATED_MAX),
    help="Generated rooms, on each platform.",
)
@click.option(
    "--rate",
    default=_DEFAULT.rate,
    show_default=True,
    type=click.FloatRange(0, 5000),
    help="Messages a second in a room.",
)
@click.option("--seed", default=_DEFAULT.seed, show_default=True, help="Same seed, same rooms.")
@click.option("--payloads", multiple=True, help="JSONL files or directories, played by a host of its own.")
@click.argument("more_payloads", nargs=-1)
@click.option("--payload-rate", default=_DEFAULT.payload_rate, show_default=True, type=click.FloatRange(0, 5000))
@click.option("--direct/--no-direct", default=True, show_default=True, help="Let in sockets without a token.")
@click.option("--key", multiple=True, help="An API key the providers accept; any, when not given.")
@click.option("--strict-acks", is_flag=True, help="A wrong or missing ack ends the connection.")
@click.option("--ping-interval", default=_DEFAULT.ping_interval_s, show_default=True, type=click.IntRange(1, 60))
def main(
    host: str,
    port: int,
    public_url: str | None,
    rooms: int,
    rate: float,
    seed: int,
    payloads: tuple[str, ...],
    more_payloads: tuple[str, ...],
    payload_rate: float,
    direct: bool,
    key: tuple[str, ...],
    strict_acks: bool,
    ping_interval: int,
) -> None:
    """Speak the platforms' HTTP and WebSocket protocols, with made-up rooms in which a lot happens."""
    if more_payloads and not payloads:
        raise click.UsageError(f"unexpected argument {more_payloads[0]}")
    url = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"  # noqa: S104 - compared, not bound
    config = SimulatorConfig(
        seed=seed,
        rooms=rooms,
        rate=rate,
        payloads=tuple(Path(path) for path in (*payloads, *more_payloads)),
        payload_rate=payload_rate,
        public_url=(public_url or url).rstrip("/"),
        direct=direct,
        keys=frozenset(key),
        strict_acks=strict_acks,
        ping_interval_s=ping_interval,
    )
    try:
        app = create_app(config)
    except BadPayloads as error:
        sys.exit(str(error))
    _print_rooms(app.state.world, url)
    asyncio.run(_serve_until_signal(server(app, host, port)))


async def _serve_until_signal(simulator: GuestServer) -> None:
    def stop(*_: object) -> None:
        simulator.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            asyncio.get_running_loop().add_signal_handler(number, stop)
        except NotImplementedError:  # on Windows
            signal.signal(number, stop)
    await simulator.serve()


def _print_rooms(world: World, url: str) -> None:
    print(f"simulator on {url}   (change things: {url}/_control/)")
    print("lead an ingestor, or app.py, to it with")
    settings = [f"{name}={value}" for row in PLATFORMS for name, value in row.settings(url).items()]
    print(" \\\n".join(f"  {setting}" for setting in settings))
    for row in PLATFORMS:
        site = world.sites[row.platform.name]
        print(f"rooms of {row.platform.name}")
        for name, host in site.hosts.items():
            about = "offline" if not host.profile.live else "restricted" if host.profile.restricted else "live"
            print(f"  {host.room.id}  {row.called(name):<13} {about:<11} {host.profile.title}")
        if rooms := world.config.rooms:
            first, last = (row.called(row.platform.generated(number)[0]) for number in (0, rooms - 1))
            print(f"  and {first} to {last}, live")


if __name__ == "__main__":
    main()
