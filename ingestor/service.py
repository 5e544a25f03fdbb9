"""Life of an ingestor: open, run, drain. `python -m ingestor` and the all-in-one process both live by it."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from ingestor import plugins
from ingestor.connectors.base import Connector
from ingestor.connectors.registry import connectors as open_connectors
from ingestor.door import answering
from ingestor.recorder import Limits, Recorder
from ingestor.services import Services
from ingestor.settings import IngestorSettings
from ingestor.supervisor import Supervisor
from shared import event_loop, logs, loop_lag, metrics
from shared.broker import Broker
from shared.channels import WakeChannel
from shared.demand import Demand
from shared.errors import ConfigError
from shared.http_server import listen
from shared.lease import Leases
from shared.redis_client import RedisClient, open_redis
from shared.settings import load
from shared.signals import stop_event

logger = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def running(
    settings: IngestorSettings,
    redis: RedisClient,
    connectors: Mapping[str, Connector],
    *,
    listener: socket.socket | None = None,
) -> AsyncIterator[Supervisor]:
    """An ingestor that takes rooms while the block runs. At its end every lease is released.

    Args:
        settings: read once, by the caller.
        redis: open; the caller closes it.
        connectors: platform name -> connector; the caller closes them.
        listener: where HTTP is answered, to the last moment; None: nowhere. It is closed at the end.

    Raises:
        ConfigError: a plug-in cannot be loaded.
    """
    services = _services(settings, redis)
    supervisor = Supervisor(services, connectors)
    wakes = WakeChannel(redis, supervisor.wake, supervisor.rescan)

    def fault() -> str:
        return supervisor.fault or ("" if wakes.up else "redis is away")

    metrics.ROOMS_LIMIT.set(settings.max_rooms)
    for platform in connectors:
        metrics.begin_platform(platform)
    door = answering(listener, fault) if listener else contextlib.nullcontext()
    async with wakes, door, asyncio.TaskGroup() as tasks:
        supervising = tasks.create_task(supervisor.run())
        logger.info("ingestor started name=%s platforms=%s", settings.ingestor_name, ",".join(connectors))
        try:
            yield supervisor
        finally:
            supervisor.stop()
            await asyncio.wait({supervising}, timeout=settings.drain_s + 1)
            if supervising.cancel():
                logger.warning("ingestor stopped late: leases left behind expire by themselves")
            if services.recorder is not None:
                await services.recorder.aclose()
            logger.info("ingestor stopped name=%s", settings.ingestor_name)


def _services(settings: IngestorSettings, redis: RedisClient) -> Services:
    history_ttl_s, history_len = settings.history_ttl_s, settings.history_len
    return Services(
        broker=Broker(redis, history_ttl_s=history_ttl_s, history_len=history_len),
        leases=Leases(redis, ttl_s=settings.lease_ttl_s, history_ttl_s=history_ttl_s, history_len=history_len),
        demand=Demand(redis, idle_timeout_s=settings.idle_timeout_s),
        settings=settings,
        recorder=_recorder(settings),
        plugins=plugins.load(settings.plugins),
    )


def _recorder(settings: IngestorSettings) -> Recorder | None:
    if not settings.record_dir:
        return None
    limits = Limits(settings.record_file_bytes, settings.record_file_s, settings.record_total_bytes)
    return Recorder(Path(settings.record_dir), limits)


async def serve(settings: IngestorSettings) -> None:
    """Run one ingestor until SIGINT or SIGTERM.

    Raises:
        ConfigError: the Redis URL, a connector's setting or the port cannot be used.
    """
    stop = stop_event()
    async with contextlib.AsyncExitStack() as stack:
        listener = None
        if settings.ingestor_port:
            listener = stack.enter_context(listen(settings.host, settings.ingestor_port))
        redis = open_redis(settings.redis_url.get_secret_value(), name="ingestor")
        stack.push_async_callback(redis.aclose)
        connectors = await stack.enter_async_context(open_connectors())
        await stack.enter_async_context(running(settings, redis, connectors, listener=listener))
        watching = asyncio.create_task(loop_lag.watch())
        try:
            await stop.wait()
        finally:
            watching.cancel()


def run() -> None:
    """`python -m ingestor`: read the settings and serve."""
    try:
        settings = load(IngestorSettings)
        logs.configure(settings.log_level, settings.log_format)
        event_loop.run(serve(settings))
    except ConfigError as error:
        sys.exit(f"ingestor: {error}")
