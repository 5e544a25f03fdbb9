"""Finds demanded rooms, claims those the assigner chose, and runs a worker for each lease won."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Protocol

from ingestor import assigner
from ingestor.connectors.base import Connector
from ingestor.name_worker import NameWorker
from ingestor.room_worker import RoomWorker
from ingestor.services import Services
from shared import metrics
from shared.clock import now_ms
from shared.errors import BrokerUnavailable
from shared.lease import Held, Lease, new_owner
from shared.platforms import is_name
from shared.room import RoomKey

logger = logging.getLogger(__name__)


class Worker(Protocol):
    """What runs one lease."""

    async def run(self) -> None:
        """Until the lease is released or lost."""

    def stop(self) -> None:
        """Ask `run` to release the lease and return."""

    def poke(self) -> None:
        """Ask it to look at the room's demand now."""


class Supervisor:
    """Holds as many rooms as this ingestor may, and no room twice.

    Args:
        services: what workers share.
        connectors: platform name -> connector.
    """

    def __init__(self, services: Services, connectors: Mapping[str, Connector]) -> None:
        self._services = services
        self._settings = services.settings
        self._connectors = connectors
        self._workers: dict[RoomKey, Worker | None] = {}
        """Rooms held; None while the lease is being claimed."""
        self._resting: dict[RoomKey, float] = {}
        """Rooms to leave alone, and until when (monotonic)."""
        self._woken: dict[RoomKey, None] = {}
        self._wake = asyncio.Event()
        self._stopping = False

    @property
    def rooms(self) -> int:
        """Rooms held, without names."""
        return sum(isinstance(worker, RoomWorker) for worker in self._workers.values())

    def wake(self, room: RoomKey) -> None:
        """Somebody wants this room now."""
        worker = self._workers.get(room)
        if worker is not None:
            worker.poke()
            return
        self._resting.pop(room, None)
        self._woken[room] = None
        self._wake.set()

    def stop(self) -> None:
        """Release every lease at once, so that others take over; `run` then returns."""
        self._stopping = True
        for worker in self._workers.values():
            if worker is not None:
                worker.stop()
        self._wake.set()

    async def run(self) -> None:
        """Until stopped. Ends when all workers have."""
        next_scan = 0.0
        async with asyncio.TaskGroup() as tasks:
            while not self._stopping:
                woken, self._woken = list(self._woken), {}
                self._start_claims(tasks, woken)
                if time.monotonic() >= next_scan:
                    next_scan = time.monotonic() + self._settings.scan_interval_s
                    self._start_claims(tasks, await self._scan())
                try:
                    async with asyncio.timeout(max(0.0, next_scan - time.monotonic())):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()

    async def _scan(self) -> list[RoomKey]:
        now = time.monotonic()
        self._resting = {room: until for room, until in self._resting.items() if until > now}
        demand, name = self._services.demand, self._settings.ingestor_name
        try:
            await demand.heartbeat("ingestor", name, {"rooms": self.rooms, "max_rooms": self._settings.max_rooms})
            return list(await demand.wanted())
        except BrokerUnavailable as error:
            logger.warning("scan failed: %s", error)
        except Exception:  # a foreign key under one of our names must not end the rooms that run
            logger.exception("scan failed")
        return []

    def _start_claims(self, tasks: asyncio.TaskGroup, wanted: Iterable[RoomKey]) -> None:
        known = (room for room in wanted if room.platform in self._connectors)
        for room in assigner.plan(
            known,
            self._workers.keys(),
            capacity=self._settings.max_rooms,
            resting=self._resting,
            now=time.monotonic(),
        ):
            self._workers[room] = None
            tasks.create_task(self._claim_and_run(room))

    async def _claim_and_run(self, room: RoomKey) -> None:
        try:
            await asyncio.sleep(assigner.claim_delay_s(len(self._workers) - 1, self._settings.max_rooms))
            lease = await self._claim(room)
            if lease is None:
                return
            kind = NameWorker if is_name(room) else RoomWorker
            worker: Worker = await kind.open(self._services, self._connectors[room.platform], lease)
            self._workers[room] = worker
            if self._stopping:
                worker.stop()
            await worker.run()
            metrics.LEASES.labels("left").inc()
        except BrokerUnavailable as error:
            logger.warning("room not taken room=%s: %s", room, error)
        except Exception:
            logger.exception("worker failed room=%s", room)
        finally:
            del self._workers[room]

    async def _claim(self, room: RoomKey) -> Lease | None:
        """Try for the lease, unless the room is to be left alone.

        Raises:
            BrokerUnavailable: not known whether we have it; it expires by itself.
        """
        state = await self._services.broker.state(room)
        if state.phase is not None and state.phase.rests(now_ms()):
            self._resting[room] = time.monotonic() + (state.phase.retry_at - now_ms()) / 1000
            return None
        answer = await self._services.leases.acquire(room, new_owner(self._settings.ingestor_name))
        if isinstance(answer, Lease):
            metrics.LEASES.labels("acquired").inc()
            return answer
        if isinstance(answer, Held):
            # Its holder renews it long before; a release wakes us.
            self._resting[room] = time.monotonic() + answer.remaining_ms / 1000
        logger.debug("room not ours room=%s answer=%s", room, answer)
        return None
