"""One held room, from the lease to its release: check, connect, decode, number, publish, reconnect.

The worker knows no platform and no Redis command. Its connector knows the platform, its `LogWriter` is the only way
into the room's log.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from ingestor.anchors import Anchors
from ingestor.arithmetic import RoomArithmetic
from ingestor.broadcast import ToldBroadcast
from ingestor.connectors.base import Connector, LiveRoom, Message, SeenIds, Upstream
from ingestor.lease_keeper import keep_lease
from ingestor.log_writer import LogWriter
from ingestor.outage import Mute, Outage, given_up, resting
from ingestor.room_gauge import RoomGauge
from ingestor.services import Services
from ingestor.upstream import running
from ingestor.waiting import with_next_look
from shared import events, metrics
from shared.broker import Entry
from shared.clock import now_ms
from shared.demand import Wish
from shared.errors import (
    BrokerUnavailable,
    LeaseLost,
    RemoteProtocolError,
    RoomBanned,
    RoomNotLive,
    RoomOffline,
    UpstreamClosed,
    UpstreamError,
    UpstreamLeft,
)
from shared.lease import Lease
from shared.phases import Phase, RoomPhase
from shared.room import RoomKey

logger = logging.getLogger(__name__)

TAIL_ENTRIES = 2000  # of the log, read once after the lease was won
ARITHMETIC_TICK_S = 1.0  # how late a silent streak may be closed


class RoomWorker:
    """Runs one room for as long as its lease holds and somebody wants it."""

    def __init__(
        self,
        services: Services,
        connector: Connector,
        lease: Lease,
        tail: Sequence[Entry],
        *,
        position: str,
        raw_wanted: bool,
    ) -> None:
        """Start where the last holder stopped; `open` reads what that takes.

        Args:
            services: shared with the other workers.
            connector: of the room's platform.
            lease: just acquired.
            tail: the newest entries of the room's log.
            position: the upstream's cursor behind them, "" when it has none.
            raw_wanted: whether somebody asks for `raw` events; looked at again with each renewal.
        """
        settings = services.settings
        self._services = services
        self._settings = settings
        self._connector = connector
        self._writer = LogWriter(
            services.broker,
            services.leases,
            lease,
            tail=tail,
            history_len=settings.history_len,
            history_bytes=settings.history_bytes,
            buffer_bytes=settings.buffer_bytes,
        )
        self._decoder = connector.decoder(lease.room)
        self._arithmetic = RoomArithmetic(lease.room)
        self._anchors = Anchors()
        self._seen = SeenIds()
        self._position = position
        self.since = time.monotonic()
        """When the lease was won (monotonic)."""
        self.events = 0
        """Passed on since then: how lively the room is."""
        self._raw_wanted = raw_wanted
        self._clock: Callable[[], int] = now_ms
        """What time it is in the room."""
        self._recording = services.recorder.of(lease.room) if services.recorder else None
        self._outage = Outage(settings.upstream_retries, settings.upstream_backoff_s)
        self._log_from_ms = _began_ms(lease, tail)
        """What happened before and is told again may be at clients already, from a log that is lost."""
        self._broadcast = ToldBroadcast(lease.room)
        self._bug_told = False
        self._learn(tail)
        self._unproven = lease.prev is not None and not (self._broadcast.over or _is_silent(tail))
        """Something was, or may have been, missed since the last event in the log."""
        self._ingesting: asyncio.Task[RoomPhase] | None = None
        self._stopping = False
        self._recheck = asyncio.Event()
        self._gauge = RoomGauge(lease.room.platform)

    @classmethod
    async def open(cls, services: Services, connector: Connector, lease: Lease) -> "RoomWorker":
        """A worker for a lease just acquired.

        Raises:
            BrokerUnavailable: the room's log could not be read; the lease expires by itself.
        """
        tail = await services.broker.tail(lease.room, TAIL_ENTRIES)
        state = await services.broker.state(lease.room)
        logger.info("lease acquired room=%s epoch=%d after=%s", lease.room, lease.epoch, lease.prev)
        wish = await services.demand.look(lease.room)
        return cls(services, connector, lease, tail, position=state.position, raw_wanted=wish.raw)

    def __repr__(self) -> str:
        return f"<RoomWorker {self.room} epoch={self._writer.epoch} attempt={self._outage.attempt}>"

    @property
    def room(self) -> RoomKey:
        """The room it runs."""
        return self._writer.room

    def stop(self) -> None:
        """Leave the room to somebody else, soon: `run` returns after what is left was stored."""
        self._stopping = True
        if self._ingesting is not None:
            self._ingesting.cancel()

    def poke(self) -> None:
        """What clients want may have changed, or Redis be back: look now."""
        self._writer.hurry()
        self._recheck.set()

    async def run(self) -> bool:
        """Hold the room until it is over, unwanted, lost or stopped; then release it. False when it was lost."""
        with self._gauge:
            return await self._run()

    async def _run(self) -> bool:
        room = self.room
        lost = False
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(self._writer.run()),
                    tasks.create_task(
                        keep_lease(
                            room,
                            renew=self._writer.renew,
                            demand=self._services.demand,
                            on_wish=self._on_wish,
                            recheck=self._recheck,
                            ttl_s=self._settings.lease_ttl_s,
                            epoch=lambda: self._writer.epoch,
                        )
                    ),
                    tasks.create_task(self._close_silent_streaks()),
                ]
                while not await self._run_until_left(tasks):
                    logger.info("room wanted again room=%s epoch=%d", room, self._writer.epoch)
                for task in background:
                    task.cancel()
        except* LeaseLost:
            lost = True
            logger.info("lease lost room=%s epoch=%d", room, self._writer.epoch)
            with contextlib.suppress(BrokerUnavailable):
                await self._services.demand.wake(room)  # perhaps nobody has it
        finally:
            if self._recording is not None:
                self._recording.close()
        return not lost

    async def _run_until_left(self, tasks: asyncio.TaskGroup) -> bool:
        """Ingest, then give the room up. False when it is wanted again, and still ours."""
        self._ingesting = tasks.create_task(self._ingest())
        if self._stopping:
            self._ingesting.cancel()
        await asyncio.wait({self._ingesting})
        if not self._stopping:  # else the next holder goes on with the open streaks
            for gift in self._arithmetic.close(self._clock()):
                self._writer.add(gift, now_ms())
        over = None if self._ingesting.cancelled() else self._ingesting.result()
        demand = self._services.demand
        idle = over is None and not self._stopping
        try:
            async with asyncio.timeout(self._settings.drain_s):
                if over is not None:
                    over = await with_next_look(self._services, self.room, over)
                    logger.log(
                        logging.WARNING if over.phase is Phase.FAILED else logging.INFO,
                        "room over room=%s epoch=%d phase=%s code=%s: %s",
                        self.room, self._writer.epoch, over.phase, over.code, over.detail,
                    )  # fmt: skip
                    self._gauge.move(over.phase)
                    self._writer.tell(over)
                await self._writer.drain()
                if over is not None and over.phase in (Phase.NOT_LIVE, Phase.ENDED):
                    await demand.drop(self.room)
                if not await self._writer.release(only_if_idle=idle):
                    self._unproven = True
                    return False
                logger.info("lease released room=%s epoch=%d idle=%s", self.room, self._writer.epoch, idle)
                if self._stopping:
                    await demand.wake(self.room)
        except (BrokerUnavailable, TimeoutError) as error:
            logger.warning("room left without release room=%s epoch=%d: %r", self.room, self._writer.epoch, error)
        return True

    # --- background --------------------------------------------------------------------------------------------------

    def _on_wish(self, wish: Wish) -> None:
        self._raw_wanted = wish.raw
        if not wish.remaining_ms and self._ingesting is not None:
            self._ingesting.cancel()

    async def _close_silent_streaks(self) -> None:
        while True:
            await asyncio.sleep(ARITHMETIC_TICK_S)
            for gift in self._arithmetic.due(self._clock()):
                self._writer.add(gift, now_ms())

    # --- ingesting ---------------------------------------------------------------------------------------------------

    async def _ingest(self) -> RoomPhase:
        """Keep the upstream up until the room is over; returns how it ended."""
        self._tell(Phase.ACQUIRED)
        self._tell(Phase.RESOLVING)
        while True:
            try:
                return await self._connect_and_relay()
            except RoomNotLive as error:
                return self._not_live(error)
            except UpstreamLeft as error:  # it worked to its end, also where nothing was said
                logger.info("upstream left room=%s epoch=%d: %s", self.room, self._writer.epoch, error)
                self._outage.over()
                continue
            except UpstreamError as error:
                lost = error
            except RemoteProtocolError as error:
                lost = UpstreamClosed(str(error))
            except Exception:
                logger.exception("room failed room=%s epoch=%d", self.room, self._writer.epoch)
                return resting(Phase.FAILED, "internal", self._settings.failed_ttl_s, now_ms())
            metrics.UPSTREAM_LOSSES.labels(self.room.platform, lost.code).inc()
            delay_s = self._outage.delay_s(lost)
            if delay_s is None:
                return given_up(lost, self._settings, now_ms())
            attempt = self._outage.attempt
            logger.info(
                "upstream lost room=%s epoch=%d code=%s attempt=%d delay_s=%.1f: %s",
                self.room, self._writer.epoch, lost.code, attempt, delay_s, lost,
            )  # fmt: skip
            self._gauge.move(Phase.RECONNECTING)
            self._writer.tell(
                RoomPhase(
                    phase=Phase.RECONNECTING,
                    at=now_ms(),
                    code=lost.code,
                    detail=lost.detail,
                    attempt=attempt,
                    retry_in_ms=int(delay_s * 1000),
                )
            )
            await asyncio.sleep(delay_s)

    async def _connect_and_relay(self) -> RoomPhase:
        """One connection, from the live check to its end; returns when the broadcast ended.

        Raises:
            RoomNotLive, UpstreamError, RemoteProtocolError: how else it can end.
        """
        if self._outage.attempt == 0:
            self._tell(Phase.CHECKING_LIVE)
        live = await self._connector.check_live(self.room)
        upstream = await self._connector.connect(self.room, live, self._position, self._seen)
        metrics.UPSTREAM_CONNECTS.labels(self.room.platform).inc()
        self._clock = upstream.clock
        at_ms = upstream.clock()
        if self._recording is not None:
            self._recording.opened(at_ms, live, upstream)
        async with running(upstream, silence_s=self._settings.upstream_silence_s) as arrivals:
            logger.info("upstream connected room=%s epoch=%d", self.room, self._writer.epoch)
            self._tell_connected(live, at_ms)
            mute = Mute(self._settings.upstream_mute_s, time.monotonic())
            try:
                async for frame, messages in arrivals:
                    if frame:
                        at_ms = upstream.clock()
                        if self._recording is not None:
                            self._recording.frame(at_ms, frame)
                    if mute.doubted(bool(messages), time.monotonic()):
                        await self._check_still(live)
                    if self._publish(upstream, messages, at_ms):
                        return resting(Phase.ENDED, "ended", self._settings.offline_ttl_s, now_ms())
            finally:
                self._unproven = True
        raise AssertionError("frames end by an exception")

    async def _check_still(self, live: LiveRoom) -> None:
        """Ask whether a broadcast that says nothing still runs: the platform may just not tell us any more.

        Raises:
            RoomNotLive: it is over.
            UpstreamClosed: another one runs.
        """
        try:
            now = await self._connector.check_live(self.room)
        except RoomNotLive:
            raise
        except UpstreamError as error:
            logger.info("mute room not checked room=%s epoch=%d: %s", self.room, self._writer.epoch, error)
            return
        logger.info("mute room is live room=%s epoch=%d", self.room, self._writer.epoch)
        if now.broadcast != live.broadcast:
            raise UpstreamClosed("another broadcast has begun", close_code=1000)

    def _publish(self, upstream: Upstream, messages: list[Message], at_ms: int) -> bool:
        """Decode and hand over the messages of one frame, by the room's time. True when the broadcast is over."""
        if not messages:
            return False
        received_ms = now_ms()
        if not all(message.sync for message in messages):
            self._outage.over()
            if self._unproven and not upstream.protocol.overlapped:
                self._writer.add_gap(received_ms)
            self._unproven = False
        found = [event for message in messages for event in self._decode(message, at_ms)]
        # Whoever plays a recording has no clock that beats between its frames.
        ready: list[events.Event] = [*self._arithmetic.due(at_ms)]
        for event in found:
            if isinstance(event, events.Ended):
                ready += self._arithmetic.close(at_ms)
            elif isinstance(event, events.Raw) and not self._raw_wanted:
                continue
            ready += self._arithmetic.apply(self._anchors.complete(event), at_ms)
            if isinstance(event, events.Ended):
                break
        self._position = upstream.protocol.position
        self.events += len(ready)
        for event in ready:
            self._broadcast.hear(event)
            state = _state_of(event)
            if event is ready[-1]:
                state["cursor"] = self._position
            self._writer.add(event, received_ms, state)
        return bool(ready) and isinstance(ready[-1], events.Ended)

    def _decode(self, message: Message, at_ms: int) -> list[events.Event]:
        """The events of a message; none when there is a bug in its decoder, for one message never ends a room."""
        try:
            found = self._decoder.decode(message, at_ms)
        except Exception:
            metrics.MESSAGES_LOST.inc()
            level = logging.DEBUG if self._bug_told else logging.ERROR
            self._bug_told = True
            logger.log(
                level, "decoder failed room=%s epoch=%d method=%r", self.room, self._writer.epoch, message.method[:128],
                exc_info=True,
            )  # fmt: skip
            return []
        for plugin in self._services.plugins:
            found = plugin.apply(self.room, message, found, self._decoder.content)
        if self._clock is not now_ms:  # what is played happened before any log of it began
            return found
        return [replace(event, history=True) if event.time < self._log_from_ms else event for event in found]

    def _learn(self, tail: Sequence[Entry]) -> None:
        """Take up where the last holder stopped: what was passed on, and which streaks are open."""
        told: list[events.Event] = []
        for entry in tail:
            if entry.is_marker:
                continue
            try:
                event = events.decode(entry.data)
            except msgspec.DecodeError:
                continue  # of a newer version
            if not isinstance(event, events.Event):
                continue
            if event.id is not UNSET:
                self._seen.add(event.id)
            if self._broadcast.hear(event):
                told.clear()  # sums are those of a broadcast
            told.append(event)
        self._arithmetic.restore(told)
        self._anchors.restore(told)

    # --- telling -----------------------------------------------------------------------------------------------------

    def _tell(self, phase: Phase) -> None:
        self._gauge.move(phase)
        self._writer.tell(RoomPhase(phase=phase, at=now_ms()))

    def _tell_connected(self, live: LiveRoom, at_ms: int) -> None:
        state = {}
        if live.title is not None:
            state["title"] = live.title
        if live.owner is not None:
            state["owner"] = msgspec.json.encode(live.owner).decode()
        if live.viewer_count is not None:
            state["viewer_count"] = str(live.viewer_count)
        state["gifts"] = "1" if live.gifts else "0"
        self._gauge.move(Phase.CONNECTED)
        self._writer.tell(RoomPhase(phase=Phase.CONNECTED, at=now_ms()), state)
        event = self._broadcast.news(live, at_ms)
        if event is None:
            return
        if self._broadcast.hear(event):
            for gift in self._arithmetic.close(at_ms):
                self._writer.add(gift, now_ms())
            self._arithmetic = RoomArithmetic(self.room)
        self._writer.add(event, now_ms(), _state_of(event))

    def _not_live(self, error: RoomNotLive) -> RoomPhase:
        """The room is not live: over, when the log says that it was; otherwise there was nothing to see."""
        if self._broadcast.live and isinstance(error, RoomOffline | RoomBanned):
            at = self._clock()
            detail = events.EndedDetail(reason="banned" if isinstance(error, RoomBanned) else "unknown")
            ended = events.Ended(platform=self.room.platform, room=self.room.room, time=at, ended=detail)
            for event in (*self._arithmetic.close(at), ended):
                self._writer.add(event, now_ms())
            return resting(Phase.ENDED, "ended", self._settings.offline_ttl_s, now_ms())
        return given_up(error, self._settings, now_ms())


def _began_ms(lease: Lease, tail: Sequence[Entry]) -> int:
    """When an earlier holder began the log that `tail` is the end of, by the clock of Redis; 0 when that is not known.

    Never in the future, where a clock that was set back leaves epochs: all that happens would be history.
    """
    if not tail or not tail[0].is_marker or tail[0].marker_prev is not None or tail[0].cursor.epoch == lease.epoch:
        return 0
    return min(tail[0].cursor.epoch // 1000, now_ms())


def _is_silent(tail: Sequence[Entry]) -> bool:
    """Whether the holders that the end of a log knows of all had nothing to tell: the room was not live."""
    prev = tail[0].marker_prev if tail else None
    return all(entry.is_marker for entry in tail) and (prev is None or not prev.offset)


def _state_of(event: events.Event) -> dict[str, str]:
    """The fields of the room's state that an event makes true."""
    if isinstance(event, events.LiveStatus):
        return {"paused": "1" if event.live_status.state == "paused" else "0"}
    if isinstance(event, events.RoomStats):
        return {"viewer_count": str(event.viewer_count)}
    if isinstance(event, events.RoomUpdate) and event.room_update.title is not UNSET:
        return {"title": event.room_update.title}
    return {}
