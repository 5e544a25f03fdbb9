"""`python -m gateway`: one gateway, until Ctrl-C or SIGTERM."""

import logging
import sys

import click

from gateway.app import create_app
from gateway.server import create_server
from gateway.settings import GatewaySettings
from shared import event_loop, logs
from shared.errors import ConfigError
from shared.redis_client import open_redis
from shared.settings import load

logger = logging.getLogger("gateway")


async def serve(settings: GatewaySettings) -> None:
    """Run the gateway."""
    redis = open_redis(settings.redis_url.get_secret_value(), name=settings.gateway_name)
    try:
        server = create_server(create_app(settings, redis), settings)
        logger.info("gateway starting name=%s host=%s port=%d", settings.gateway_name, settings.host, settings.port)
        await server.serve()
    finally:
        await redis.aclose()


@click.command()
def main() -> None:
    """Relay rooms to WebSocket clients. Settings are environment variables, listed in the README."""
    try:
        settings = load(GatewaySettings)
        logs.configure(settings.log_level, settings.log_format)
        event_loop.run(serve(settings))
    except ConfigError as error:
        sys.exit(f"gateway: {error}")


if __name__ == "__main__":
    main(prog_name="python -m gateway")
