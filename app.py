"""Everything in one process: a gateway, an ingestor, and with `--demo` a simulator with rooms to look at.

Needs no Redis: without `REDIS_URL` the in-process one serves. The parts are the same that run apart in a cluster; only
this file knows all of them.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator

import click
from starlette.applications import Starlette

from gateway import app as gateway
from gateway.server import OTHER_FILES, allow_open_files, create_server
from gateway.settings import GatewaySettings
from ingestor import service
from ingestor.connectors import registry
from ingestor.settings import IngestorSettings
from shared import event_loop, logs
from shared.errors import ConfigError
from shared.http_server import listen
from shared.redis_client import open_redis
from shared.settings import PREFIX, load
from simulator import lead
from simulator.app import create_app as create_simulator
from simulator.config import SimulatorConfig
from simulator.server import server as simulator_server

MEMORY_URL = "memory://laptop"
DEMO_ROOMS = 10  # on each platform, besides those with a name of their own
DEMO_SCREEN = (
    "  roomcast   with simulated rooms: @demo  @quiet  @ending (a minute on, a minute off)  @offline  @room0 to @room9",
    "             and of Douyin: 728804746624  728804746625 (quiet)  728804746640 (offline)  728804800000 to …09",
)


def create_app(*, demo: bool = False) -> Starlette:
    """The gateway's application, which also runs the ingestor (and the simulator) while it is served.

    Raises:
        ConfigError: a setting is wrong.
    """
    settings = load(GatewaySettings)
    logs.configure(settings.log_level, settings.log_format)
    redis_url = MEMORY_URL if "redis_url" not in settings.model_fields_set else settings.redis_url.get_secret_value()
    redis = open_redis(redis_url, name="laptop")

    @contextlib.asynccontextmanager
    async def around() -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(redis.aclose)
            overrides = await stack.enter_async_context(simulated_platforms()) if demo else {}
            connectors = await stack.enter_async_context(registry.connectors(overrides))
            await stack.enter_async_context(service.running(load(IngestorSettings), redis, connectors))
            yield

    return gateway.create_app(settings, redis, around=around)


@contextlib.asynccontextmanager
async def simulated_platforms() -> AsyncIterator[dict[str, object]]:
    """A simulator on a free port of this machine; the value is the settings that lead the connectors to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = simulator_server(create_simulator(SimulatorConfig(public_url=url, rooms=DEMO_ROOMS)), "127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield {name.removeprefix(PREFIX).lower(): value for name, value in lead.settings(url).items()}
    finally:
        server.should_exit = True
        await serving


@click.command()
@click.option("--demo", is_flag=True, help="With simulated rooms: no key, no platform, no Redis.")
@click.option("--host", help="Address to listen on.  [default: HOST, or 0.0.0.0]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: PORT, or 8000]")
def main(demo: bool, host: str | None, port: int | None) -> None:
    """Run a gateway and an ingestor in this process."""
    try:
        settings = load(GatewaySettings)
        app = create_app(demo=demo)
    except ConfigError as error:
        sys.exit(f"roomcast: {error}")
    host, port = host or settings.host, port or settings.port
    try:
        listener = listen(host, port)
    except ConfigError as error:
        sys.exit(f"roomcast: {error}; for another port say PORT=8200")
    print(first_screen(port, demo=demo, redis="redis_url" in settings.model_fields_set))
    allow_open_files(settings.clients_max + OTHER_FILES)
    event_loop.run(create_server(app, settings).serve([listener]))


def first_screen(port: int, *, demo: bool, redis: bool) -> str:
    """What the terminal shows first."""
    room = "@demo" if demo else "@NAME"
    url = f"localhost:{port}"
    lines = [
        "",
        *(DEMO_SCREEN if demo else ("  roomcast",)),
        "",
        f"  viewer     http://{url}/viewer" + (f"?room={room}" if demo else ""),
        f"  one line   .venv/bin/websockets 'ws://{url}/ws/{room}?lang=en'",
        f"             websocat 'ws://{url}/ws/{room}?lang=en'",
        f"  rooms      curl {url}/rooms",
        "",
        f"  Redis      {'as REDIS_URL says' if redis else 'in this process (set REDIS_URL for a real one)'}",
        "  Ctrl-C ends it.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
