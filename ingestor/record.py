"""One room into one file, without Redis or gateways: `python -m ingestor record`."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Final

import click

from ingestor.connectors.base import Connector, Decoder, SeenIds
from ingestor.connectors.registry import connectors
from ingestor.outage import Outage
from ingestor.recorder import SUFFIX, Limits, Recorder, Recording
from ingestor.settings import IngestorSettings
from ingestor.upstream import Arrival, running
from shared import event_loop, events, logs
from shared.errors import (
    BadRoom,
    ConfigError,
    RemoteProtocolError,
    RoomNotLive,
    UpstreamClosed,
    UpstreamError,
    UpstreamLeft,
)
from shared.platforms import is_name, room_called
from shared.room import RoomKey
from shared.settings import load
from shared.signals import stop_event

NO_LIMITS: Final = Limits(file_bytes=2**63, file_s=2**31, total_bytes=2**63)


class NotRecorded(Exception):
    """The file cannot be written. The text says why."""


class Session:
    """One room, from its first connection to the end of its broadcast."""

    def __init__(self, room: RoomKey, connector: Connector, recorder: Recorder, settings: IngestorSettings) -> None:
        """Begin; nothing is asked yet."""
        self.frames = self.messages = 0
        self._room = room
        self._connector = connector
        self._recorder = recorder
        self._settings = settings
        self._seen = SeenIds()
        self._position = ""

    async def run(self) -> None:
        """Record until the broadcast is over.

        Raises:
            UpstreamError: the room is not live, or not reachable any more.
            NotRecorded: the file cannot be written.
        """
        room = await self._connector.resolve(self._room) if is_name(self._room) else self._room
        recording, decoder = self._recorder.of(room), self._connector.decoder(room)
        outage = Outage(self._settings.upstream_retries, self._settings.upstream_backoff_s)
        try:
            while True:
                try:
                    if await self._connection(room, recording, decoder, outage):
                        return
                except UpstreamLeft:
                    outage.over()
                except RoomNotLive:
                    if self.messages:
                        return  # it was live, and is over
                    raise
                except (UpstreamError, RemoteProtocolError) as error:
                    lost = error if isinstance(error, UpstreamError) else UpstreamClosed(str(error))
                    delay_s = outage.delay_s(lost)
                    if delay_s is None:
                        raise lost from None
                    click.echo(f"{room}: {lost}; trying again in {delay_s:.0f} s", err=True)
                    await asyncio.sleep(delay_s)
        finally:
            recording.close()

    async def _connection(self, room: RoomKey, recording: Recording, decoder: Decoder, outage: Outage) -> bool:
        """One connection; whether the broadcast ended with it."""
        live = await self._connector.check_live(room)
        upstream = await self._connector.connect(room, live, self._position, self._seen)
        click.echo(f"{room}: connected", err=True)
        at_ms = upstream.clock()
        recording.opened(at_ms, live, upstream)
        async with running(upstream, silence_s=self._settings.upstream_silence_s) as arrivals:
            async for arrival in arrivals:
                at_ms = upstream.clock()
                self._take(recording, at_ms, arrival)
                self._position = upstream.protocol.position
                if arrival.messages:
                    outage.over()
                found = (event for message in arrival.messages for event in decoder.decode(message, at_ms))
                if any(isinstance(event, events.Ended) for event in found):
                    return True
        raise AssertionError("arrivals end by an exception")

    def _take(self, recording: Recording, at_ms: int, arrival: Arrival) -> None:
        self.messages += len(arrival.messages)
        if arrival.frame:
            self.frames += 1
            recording.frame(at_ms, arrival.frame)
        if self._recorder.fault:
            raise NotRecorded(self._recorder.fault)


async def record(room: RoomKey, file: Path, seconds: float | None) -> None:
    """Record until the broadcast is over, the time is, or somebody says so; tells how it went.

    Raises:
        ConfigError: a setting cannot be used.
        UpstreamError: the room is not live, or not reachable any more.
        NotRecorded: the file cannot be written.
    """
    stop = stop_event()
    recorder = Recorder(file.parent, NO_LIMITS, name=lambda header: file.name.removesuffix(SUFFIX))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(recorder.aclose)
        opened = await stack.enter_async_context(connectors())
        session = Session(room, opened[room.platform], recorder, load(IngestorSettings))
        recording, stopping = asyncio.create_task(session.run()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({recording, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            recording.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await recording
            click.echo(f"{room}: {session.frames} frames, {session.messages} messages", err=True)
    if recorder.fault:
        raise NotRecorded(recorder.fault)


@click.command("record")
@click.argument("room", metavar="[PLATFORM:]ROOM")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help=f"*{SUFFIX}")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after so long.")
def record_command(room: str, output: Path, seconds: float | None) -> None:
    """Record what a platform sends of one room, until its broadcast is over or Ctrl-C."""
    try:
        key = room_called(room)
    except BadRoom as error:
        raise click.BadParameter(str(error), param_hint="ROOM") from None
    if output.suffix != SUFFIX:
        raise click.BadParameter(f"the name of a recording ends with {SUFFIX}", param_hint="-o")
    if output.exists():
        raise click.BadParameter("there is such a file already", param_hint="-o")
    logs.configure("WARNING", "human")
    try:
        event_loop.run(record(key, output, seconds))
    except (ConfigError, UpstreamError, NotRecorded) as error:
        sys.exit(f"record: {error}")
