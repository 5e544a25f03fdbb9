"""`python -m gateway`: one gateway, or several behind one port, until Ctrl-C or SIGTERM; with a command, other things
that listen to rooms."""

import logging
import sys

import click
from uvicorn.supervisors import Multiprocess

from gateway.app import create_app
from gateway.forward.command import forward_command
from gateway.server import OTHER_FILES, allow_open_files, create_server, worker_config
from gateway.settings import GatewaySettings
from gateway.watch.command import watch
from shared import event_loop, logs
from shared.errors import ConfigError
from shared.redis_client import open_redis
from shared.settings import load

logger = logging.getLogger("gateway")


async def serve(settings: GatewaySettings) -> None:
    """Run the gateway."""
    allow_open_files(settings.clients_max + OTHER_FILES)
    redis = open_redis(settings.redis_url.get_secret_value(), name=settings.gateway_name)
    try:
        server = create_server(create_app(settings, redis), settings)
        logger.info("gateway starting name=%s host=%s port=%d", settings.gateway_name, settings.host, settings.port)
        await server.serve()
    finally:
        await redis.aclose()


def supervise(settings: GatewaySettings, workers: int) -> None:
    """Run several gateways that share nothing but the port; one that dies is replaced."""
    allow_open_files(settings.clients_max + OTHER_FILES)  # which the workers inherit
    config = worker_config(settings, workers)
    logger.info("gateways starting workers=%d host=%s port=%d", workers, settings.host, settings.port)
    Multiprocess(config, [config.bind_socket()]).run()


@click.group(invoke_without_command=True)
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes that share the port."
)
@click.pass_context
def main(context: click.Context, workers: int) -> None:
    """Relay rooms to WebSocket clients. Settings are environment variables, listed in the README."""
    if context.invoked_subcommand is not None:
        return
    try:
        settings = load(GatewaySettings)
        logs.configure(settings.log_level, settings.log_format)
        if workers == 1:
            event_loop.run(serve(settings))
        else:
            supervise(settings, workers)
    except ConfigError as error:
        sys.exit(f"gateway: {error}")


main.add_command(forward_command)
main.add_command(watch)


if __name__ == "__main__":
    main(prog_name="python -m gateway")
