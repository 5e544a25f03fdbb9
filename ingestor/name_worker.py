"""One held name (`@someone`): looks up which room it points to, and keeps the pointer fresh while somebody wants it.

A name has a lease like a room, so that one ingestor of the cluster asks the platform, but no upstream and no events.
"""

import asyncio
import logging

from ingestor.connectors.base import Connector
from ingestor.lease_keeper import keep_lease
from ingestor.outage import Outage, given_up, resting
from ingestor.services import Services
from ingestor.waiting import with_next_look
from shared.clock import now_ms
from shared.demand import Wish
from shared.errors import BrokerUnavailable, LeaseLost, RoomOffline, UpstreamError
from shared.lease import Lease, Renewed
from shared.phases import Phase, RoomPhase
from shared.platforms import is_one_broadcast
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
        self._pointing: asyncio.Task[RoomPhase] | None = None
        self._stopping = False
        self._recheck = asyncio.Event()

    @classmethod
    async def open(cls, services: Services, connector: Connector, lease: Lease) -> "NameWorker":
        """A worker for a lease just acquired; there is nothing to be read first."""
        logger.debug("name acquired room=%s epoch=%d", lease.room, lease.epoch)
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
        if self._pointing is not None:
            self._pointing.cancel()

    def poke(self) -> None:
        """What clients want may have changed: look now."""
        self._recheck.set()

    async def run(self) -> bool:
        """Keep the pointer until the name is unwanted, points nowhere, is lost or stopped; then release it.

        False when it was lost.
        """
        lost = False
        try:
            async with asyncio.TaskGroup() as tasks:
                keeping = tasks.create_task(
                    keep_lease(
                        self.room,
                        renew=self._renew,
                        demand=self._services.demand,
                        on_wish=self._on_wish,
                        recheck=self._recheck,
                        ttl_s=self._services.settings.lease_ttl_s,
                        epoch=lambda: self._lease.epoch,
                    )
                )
                self._pointing = tasks.create_task(self._keep_pointing())
                if self._stopping:
                    self._pointing.cancel()
                await asyncio.wait({self._pointing})
                keeping.cancel()
                await self._leave(None if self._pointing.cancelled() else self._pointing.result())
        except* LeaseLost:
            lost = True
            logger.info("name lost room=%s epoch=%d", self.room, self._lease.epoch)
        except* BrokerUnavailable as errors:
            logger.warning(
                "name left without release room=%s epoch=%d: %s", self.room, self._lease.epoch, errors.exceptions[0]
            )
        return not lost

    async def _leave(self, over: RoomPhase | None) -> None:
        """Tell how it ended, unless somebody else goes on, and release the name."""
        demand = self._services.demand
        if over is not None:
            over = await with_next_look(self._services, self.room, over)
            logger.info("name rests room=%s epoch=%d code=%s: %s", self.room, self._lease.epoch, over.code, over.detail)
            await demand.clear_target(self.room)
            await self._tell(over)
            if over.phase is Phase.NOT_LIVE:
                await demand.drop(self.room)
        await self._services.leases.release(self._lease, only_if_idle=False, acknowledged=None)
        if over is None:
            await demand.wake(self.room)  # we stop, or it is wanted again: for whoever takes it now

    async def _renew(self) -> None:
        if not isinstance(await self._services.leases.renew(self._lease), Renewed):
            raise LeaseLost(f"lease lost room={self.room}")

    def _on_wish(self, wish: Wish) -> None:
        if not wish.remaining_ms and self._pointing is not None:
            self._pointing.cancel()

    async def _keep_pointing(self) -> RoomPhase:
        """Resolve, and again when the broadcast is over; returns the phase it ends in."""
        settings = self._services.settings
        await self._tell(RoomPhase(phase=Phase.ACQUIRED, at=now_ms()))
        await self._tell(RoomPhase(phase=Phase.RESOLVING, at=now_ms()))
        while True:
            try:
                target = await self._resolve()
                if target == self._target:
                    raise RoomOffline("the broadcast it points to is over")  # and the platform is slow to say so
                self._target = target
            except UpstreamError as error:
                return given_up(error, settings, now_ms())
            except Exception:
                logger.exception("resolving failed room=%s epoch=%d", self.room, self._lease.epoch)
                return resting(Phase.FAILED, "internal", settings.failed_ttl_s, now_ms())
            logger.info("name resolved room=%s epoch=%d target=%s", self.room, self._lease.epoch, target)
            await self._services.demand.set_target(self.room, target, TARGET_TTL_S)
            await self._tell(RoomPhase(phase=Phase.TARGET, at=now_ms(), target=target.room))
            await self._until_over(target)

    async def _until_over(self, target: RoomKey) -> None:
        """Keep the pointer fresh until the broadcast it leads to is over; for ever where it leads to more than one."""
        while True:
            await asyncio.sleep(self._services.settings.lease_ttl_s / 3)
            if is_one_broadcast(target):
                state = await self._services.broker.state(target)
                if state.phase is not None and state.phase.phase in (Phase.ENDED, Phase.NOT_LIVE):
                    return
            await self._services.demand.set_target(self.room, target, TARGET_TTL_S)

    async def _resolve(self) -> RoomKey:
        """Look the name up, as often as its outage allows.

        Raises:
            UpstreamError: the last answer.
        """
        outage = Outage(self._services.settings.upstream_retries, self._services.settings.upstream_backoff_s)
        while True:
            try:
                return await self._connector.resolve(self.room)
            except UpstreamError as error:
                delay_s = outage.delay_s(error)
                if delay_s is None:
                    raise
                logger.info(
                    "name not resolved room=%s epoch=%d code=%s delay_s=%.1f: %s",
                    self.room, self._lease.epoch, error.code, delay_s, error,
                )  # fmt: skip
            await asyncio.sleep(delay_s)

    async def _tell(self, phase: RoomPhase) -> None:
        if not await self._services.broker.set_phase(self._lease, phase):
            raise LeaseLost(f"lease lost room={self.room}")
