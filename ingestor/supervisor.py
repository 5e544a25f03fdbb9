"""Finds demanded rooms, claims those the assigner chose, runs a worker for each lease won, and relieves itself.

To relieve itself it does with some rooms what it does with all when it stops: it releases and wakes, so that others go
on within milliseconds at the upstream's cursor; and for a moment it does not try for them.
"""

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Iterable, Mapping, Set
from typing import Protocol

from ingestor import assigner
from ingestor.assigner import Holding, Load, Relief
from ingestor.connectors.base import Connector
from ingestor.name_worker import NameWorker
from ingestor.room_worker import RoomWorker
from ingestor.services import Services
from shared import metrics
from shared.clock import now_ms
from shared.demand import Member
from shared.errors import BrokerUnavailable, NotDone
from shared.lease import Held, Lease, new_owner
from shared.platforms import is_name
from shared.room import RoomKey
from shared.version import VERSION

logger = logging.getLogger(__name__)

RESCAN_MIN_S = 1.0  # however often a link comes and goes; each costs two questions for every room
HAND_OVER_REST_S = 1.0  # others take a room within milliseconds; what nobody took by then is ours again
ASKED_ABOUT_MAX = 500  # rooms, in a scan of a full ingestor; all the full ones ask, and Redis has better to do
HEARTBEAT_GRACE_S = 1.0  # a busy peer, a slow Redis


class Worker(Protocol):
    """What runs one lease."""

    async def run(self) -> bool:
        """Until the lease is released or lost. False when it was lost."""

    def stop(self) -> None:
        """Ask `run` to release the lease and return."""

    def poke(self) -> None:
        """Ask it to look at the room's demand now, and to try again what Redis did not take."""


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
        self._started_at = now_ms()
        self._workers: dict[RoomKey, Worker | None] = {}
        """Rooms held; None while the lease is being claimed, or left to others."""
        self._resting: dict[RoomKey, float] = {}
        """Rooms to leave alone, and until when (monotonic)."""
        self._woken: dict[RoomKey, None] = {}
        self._claim_again: set[RoomKey] = set()
        """Rooms that we were woken for while we asked for their lease: the answer may be out of date."""
        self._others: list[Load] = []
        """What the other ingestors told, as of the last scan."""
        self._known: Set[str] = frozenset()
        """Who told something, as of the last scan."""
        self._handing_over: set[RoomKey] = set()
        """Rooms that are being released, and those released a moment ago."""
        self._calm_since = -math.inf
        """When the last hand-over was over (monotonic)."""
        self._relief_from = -math.inf
        """Nothing is handed over before (monotonic)."""
        self._next_scan = -math.inf
        """When to look at all rooms, at the latest (monotonic)."""
        self._doubtful = False
        """What is known of Redis may be out of date: see `rescan`."""
        self._dispelled_at = -math.inf
        """When that was last looked after (monotonic)."""
        self._redis_fault = "redis is away"
        """What was wrong with Redis at the last scan."""
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def fault(self) -> str:
        """Why no rooms are taken; empty when they are."""
        return "stopping" if self._stopping.is_set() else self._redis_fault

    @property
    def rooms(self) -> int:
        """Rooms held, without names."""
        return sum(isinstance(worker, RoomWorker) for worker in self._workers.values())

    def wake(self, room: RoomKey) -> None:
        """Somebody wants this room now."""
        worker = self._workers.get(room)
        if worker is not None:
            worker.poke()
        elif room in self._workers:
            self._claim_again.add(room)
        else:
            self._resting.pop(room, None)
            self._woken[room] = None
            self._wake.set()

    def rescan(self) -> None:
        """Wakes may have been missed, and what we know of others' leases be out of date: look at all rooms now."""
        self._doubtful = True
        self._next_scan = min(self._next_scan, self._dispelled_at + RESCAN_MIN_S)
        self._wake.set()

    def stop(self) -> None:
        """Release every lease at once, so that others take over; `run` then returns."""
        self._stopping.set()
        for worker in self._workers.values():
            if worker is not None:
                worker.stop()
        self._wake.set()

    async def run(self) -> None:
        """Until stopped. Ends when all workers have."""
        async with asyncio.TaskGroup() as tasks:
            while not self._stopping.is_set():
                woken, self._woken = list(self._woken), {}
                self._start_claims(tasks, woken)
                if time.monotonic() >= self._next_scan:
                    self._next_scan = time.monotonic() + self._settings.scan_interval_s
                    self._dispel_doubt()
                    wanted = await self._scan()
                    self._start_claims(tasks, wanted)
                    self._relieve()
                    await self._count_unowned(wanted)
                try:
                    async with asyncio.timeout(max(0.0, self._next_scan - time.monotonic())):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()
            # Before our rooms are gone: nobody shall hand one over to us.
            with contextlib.suppress(BrokerUnavailable):
                await self._services.demand.leave("ingestor", self._settings.ingestor_name)

    def _dispel_doubt(self) -> None:
        if self._doubtful:
            self._doubtful = False
            self._dispelled_at = time.monotonic()
            self._resting.clear()
            for worker in self._workers.values():
                if worker is not None:
                    worker.poke()

    async def _scan(self) -> list[RoomKey]:
        """Tell our load, look at that of the others, and list the rooms in demand."""
        now = time.monotonic()
        self._resting = {room: until for room, until in self._resting.items() if until > now}
        demand, name = self._services.demand, self._settings.ingestor_name
        wanted: list[RoomKey] = []
        self._others = []
        try:
            await demand.heartbeat("ingestor", name, self._told_load())
            wanted = [room for room in await demand.wanted() if room.platform in self._connectors]
            metrics.ROOMS_WANTED.set(sum(not is_name(room) for room in wanted))
            members = await demand.members("ingestor")
            loads = {member.name: load for member in members if (load := _load(member)) is not None}
            # Who came since the last scan may not hear wakes yet.
            self._others = [load for other, load in loads.items() if other != name and other in self._known]
            self._known = loads.keys()
            self._redis_fault = ""
        except BrokerUnavailable as error:
            self._redis_fault = "redis refuses" if isinstance(error, NotDone) else "redis is away"
            logger.warning("scan failed: %s", error)
        except Exception:  # a foreign key under one of our names must not end the rooms that run
            logger.exception("scan failed")
        return wanted

    def _told_load(self) -> dict[str, int | str]:
        """What the cluster is told of this ingestor, besides that it is alive."""
        return {
            "rooms": self.rooms,
            "max_rooms": self._settings.max_rooms,
            "started": self._started_at,
            "version": VERSION,
        }

    async def _count_unowned(self, wanted: Iterable[RoomKey]) -> None:
        """Tell how many rooms wait for a place. An ingestor that has one takes them, so only a full one has to ask."""
        if self._redis_fault:
            return  # what was wanted is not known
        now = time.monotonic()
        unclear = [
            room
            for room in wanted
            if not is_name(room) and room not in self._workers and self._resting.get(room, now) <= now
        ]
        # Any of them, not the newest: rooms whose holder has died are of every age.
        asked = random.sample(unclear, min(len(unclear), ASKED_ABOUT_MAX))
        unowned = 0
        try:
            left_alone_ms = await self._services.broker.left_alone_ms(asked, now_ms()) if asked else []
        except BrokerUnavailable as error:
            logger.warning("rooms without a holder not counted: %s", error)
            return
        for room, rest_ms in zip(asked, left_alone_ms, strict=True):
            if not rest_ms:
                unowned += 1
            elif room not in self._woken:  # else the answer may be out of date
                self._resting[room] = now + rest_ms / 1000
        metrics.ROOMS_UNOWNED.set(round(unowned * len(unclear) / max(1, len(asked))))

    def _relieve(self) -> None:
        """Hand rooms over, if others hold clearly fewer."""
        now, settings = time.monotonic(), self._settings
        if self._handing_over or now < self._relief_from or self._stopping.is_set():
            return
        workers = {room: worker for room, worker in self._workers.items() if isinstance(worker, RoomWorker)}
        for room in assigner.relieve(
            {room: Holding(now - worker.since, worker.events) for room, worker in workers.items()},
            Load(len(workers), settings.max_rooms),
            self._others,
            calm_s=now - self._calm_since,
            relief=Relief(
                rooms=settings.relief_rooms,
                excess=settings.relief_excess_percent / 100,
                held_s=settings.relief_held_s,
                fresh_s=2 * settings.scan_interval_s + HEARTBEAT_GRACE_S,
            ),
        ):
            logger.info("hand-over begun room=%s rooms=%d", room, len(workers))
            self._handing_over.add(room)
            workers[room].stop()

    def _start_claims(self, tasks: asyncio.TaskGroup, wanted: Iterable[RoomKey]) -> None:
        known = (room for room in wanted if room.platform in self._connectors)
        rooms, capacity = self.rooms, self._settings.max_rooms
        for index, room in enumerate(
            assigner.plan(known, self._workers.keys(), capacity=capacity, resting=self._resting, now=time.monotonic())
        ):
            self._workers[room] = None
            delay_s = assigner.claim_delay_s(Load(rooms + index, capacity), self._others)
            tasks.create_task(self._claim_and_run(room, delay_s))

    async def _claim_and_run(self, room: RoomKey, delay_s: float) -> None:
        """Run a room if its lease can be won; again when it was handed over and nobody took it."""
        try:
            await asyncio.sleep(delay_s)
            while not self._stopping.is_set():
                self._claim_again.discard(room)
                lease = await self._claim(room)
                if lease is not None:
                    if room in self._handing_over:
                        self._not_taken(room)
                    if not await self._run_worker(lease):
                        return
                    await self._leave_to_others()
                elif room not in self._claim_again:
                    return
        except BrokerUnavailable as error:
            logger.warning("room not taken room=%s: %s", room, error)
        except Exception:
            logger.exception("worker failed room=%s", room)
        finally:
            del self._workers[room]
            self._claim_again.discard(room)
            self._handing_over.discard(room)

    async def _run_worker(self, lease: Lease) -> bool:
        """Run what the lease is of, until it is given up. True when it was handed over."""
        room = lease.room
        kind = NameWorker if is_name(room) else RoomWorker
        worker: Worker = await kind.open(self._services, self._connectors[room.platform], lease)
        self._workers[room] = worker
        if self._stopping.is_set():
            worker.stop()
        kept = await worker.run()
        self._workers[room] = None
        handed_over = room in self._handing_over
        metrics.LEASES.labels("lost" if not kept else "handed_over" if handed_over else "left").inc()
        return handed_over

    async def _leave_to_others(self) -> None:
        """Wait while a room that was handed over is not to be claimed, whoever wakes us for it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HAND_OVER_REST_S):
                await self._stopping.wait()
        self._calm_since = time.monotonic()

    def _not_taken(self, room: RoomKey) -> None:
        """A room handed over is ours again: there is something that the others' loads do not tell."""
        logger.warning("room handed over was taken by nobody room=%s", room)
        metrics.LEASES.labels("taken_back").inc()
        self._handing_over.discard(room)
        self._relief_from = time.monotonic() + self._settings.relief_held_s

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


def _load(member: Member) -> Load | None:
    """What an ingestor told of itself, as far as it can be understood."""
    try:
        load = Load(int(member.load["rooms"]), int(member.load["max_rooms"]), member.age_s)
    except (KeyError, ValueError):
        return None
    return load if load.rooms >= 0 and load.max_rooms > 0 else None
