"""One held name (`@someone`): looks up which room it points to, and keeps the pointer fresh while somebody wants it.

A name has a lease like a room, so that one ingestor of the cluster asks the platform, but no upstream and no events.
"""

import asyncio
import logging

from ingestor.connectors.base import Connector
from ingestor.room_worker import Services, now_ms
from shared.errors import BrokerUnavailable, RoomNotLive, UpstreamError
from shared.lease import Lease, Renewed
from shared.phases import RESTING, Phase, RoomPhase
from shared.room import RoomKey

logger = logging.getLogger(__name__)

TARGET_TTL_S = 60


class NameWorker:
    """Runs one name for as long as its lease holds and somebody wants it."""

    def __init__(self, services: Services, connector: Connector, lease: Lease) -> None:
        self._services = services
        self._connector = connector
        self._lease = lease
        self._target: RoomKey | None = None
        self._recheck = asyncio.Event()
        self._stopping = False

    @classmethod
    async def open(cls, services: Services, connector: Connector, lease: Lease) -> "NameWorker":
        """A worker for a lease just acquired; there is nothing to be read first."""
        logger.debug("name acquired name=%s", lease.room)
        return cls(services, connector, lease)

    def __repr__(self) -> str:
        return f"<NameWorker {self.room} target={self._target}>"

    @property
    def room(self) -> RoomKey:
        """The name it runs."""
        return self._lease.room

    def stop(self) -> None:
        """Leave the name to somebody else, soon."""
        self._stopping = True
        self._recheck.set()

    def poke(self) -> None:
        """What clients want may have changed: look now."""
        self._recheck.set()

    async def run(self) -> None:
        """Keep the pointer until the name is unwanted, points nowhere, is lost or stopped; then release it."""
        try:
            over = await self._keep_pointing()
            if over is not None:
                logger.info("name rests name=%s code=%s: %s", self.room, over.code, over.detail)
                await self._services.demand.clear_target(self.room)
                await self._tell(over)
                if over.phase is Phase.NOT_LIVE:
                    await self._services.demand.drop(self.room)
            released = await self._services.leases.release(
                self._lease, only_if_idle=over is None and not self._stopping, acknowledged=None
            )
            logger.debug("name released name=%s how=%s", self.room, released)
            if self._stopping:
                await self._services.demand.wake(self.room)
        except BrokerUnavailable as error:
            logger.warning("name left without release name=%s: %s", self.room, error)

    async def _keep_pointing(self) -> RoomPhase | None:
        """Resolve, and again when the broadcast is over. Returns the phase it ends in, None when it is unwanted."""
        settings, demand = self._services.settings, self._services.demand
        await self._tell(RoomPhase(phase=Phase.ACQUIRED, at=now_ms()))
        await self._tell(RoomPhase(phase=Phase.RESOLVING, at=now_ms()))
        while not self._stopping:
            if self._target is None:
                try:
                    self._target = await self._connector.resolve(self.room)
                except UpstreamError as error:
                    return self._resting(error)
                except Exception:
                    logger.exception("resolving failed name=%s", self.room)
                    return self._resting(UpstreamError("internal fault"))
                logger.info("name resolved name=%s target=%s", self.room, self._target)
                await demand.set_target(self.room, self._target, TARGET_TTL_S)
                await self._tell(RoomPhase(phase=Phase.TARGET, at=now_ms(), target=self._target.room))
            wanted = await demand.look(self.room)
            if wanted.remaining_ms <= 0:
                return None
            try:
                async with asyncio.timeout(min(settings.lease_ttl_s / 3, wanted.remaining_ms / 1000)):
                    await self._recheck.wait()
            except TimeoutError:
                pass
            self._recheck.clear()
            if not isinstance(await self._services.leases.renew(self._lease), Renewed):
                logger.info("name lost name=%s", self.room)
                return None
            await demand.set_target(self.room, self._target, TARGET_TTL_S)
            state = await self._services.broker.state(self._target)
            if state.phase is not None and state.phase.phase in RESTING - {Phase.FAILED}:
                self._target = None  # the broadcast is over: is there another?
        return None

    def _resting(self, error: UpstreamError) -> RoomPhase:
        settings = self._services.settings
        phase, rest_s = Phase.FAILED, settings.failed_ttl_s
        if isinstance(error, RoomNotLive):
            phase, rest_s = Phase.NOT_LIVE, settings.offline_ttl_s
        wait_s = error.retry_after_s or 0.0
        return RoomPhase(
            phase=phase,
            at=now_ms(),
            code=error.code,
            detail=error.detail,
            retry_in_ms=int(wait_s * 1000),
            retry_at=now_ms() + int(max(rest_s, wait_s) * 1000),
        )

    async def _tell(self, phase: RoomPhase) -> None:
        if not await self._services.broker.set_phase(self._lease, phase):
            logger.info("name lost name=%s", self.room)
