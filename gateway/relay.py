"""All rooms of this gateway: the first client of a room opens it, some time after the last one it is closed.

The relay hears the one pub/sub link of the process and hands what it hears to the room concerned.
"""

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from gateway.feed import Cluster
from gateway.flusher import Flusher
from gateway.headcount import Headcount
from gateway.room import Member, Room
from gateway.settings import GatewaySettings
from gateway.subscriber import Sink
from shared.broker import Broker, Entry
from shared.channels import Channels
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.demand import Demand
from shared.errors import BrokerUnavailable
from shared.phases import RESTING, Phase, RoomPhase
from shared.platforms import is_name
from shared.redis_client import RedisClient
from shared.room import RoomKey
from shared.version import VERSION

logger = logging.getLogger(__name__)

TICK_S = 0.25
LOG_READERS_MAX = 64  # clients for which the log is read at once; each may hold as much as the log does meanwhile
HEARTBEAT_S = 5.0
LINK_WAIT_S = 2.0  # at the start; a gateway without Redis takes clients, and tells them


class Relay:
    """Rooms by key. Used as `async with`: within it the link to Redis is kept up.

    Attributes:
        draining: this gateway leaves; clients should be sent to others.
        slow_sinks: of clients that do not take now what they are sent.
    """

    def __init__(self, settings: GatewaySettings, redis: RedisClient) -> None:
        self.settings = settings
        self.broker = Broker(redis, history_ttl_s=settings.history_ttl_s, history_len=settings.history_len)
        self.demand = Demand(redis, idle_timeout_s=settings.idle_timeout_s)
        self.channels = Channels(redis, self)
        self.headcount = Headcount(redis, settings.gateway_name)
        self.log_readers = asyncio.Semaphore(LOG_READERS_MAX)
        self.draining = False
        self.clients = 0
        self.slow_sinks: set[Sink] = set()
        self._started_at = now_ms()
        self._rooms: dict[RoomKey, Room] = {}
        self._looks: dict[RoomKey, asyncio.Task[bool | None]] = {}
        self._tasks = asyncio.TaskGroup()
        self._cluster = Cluster(
            self.broker, self.channels, self.demand, self._tasks, settings, Flusher(settings.flush_max_s)
        )
        self._background: list[asyncio.Task[None]] = []
        self._link_up = asyncio.Event()
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._resources.enter_async_context(self.channels)
        await self._resources.enter_async_context(self._tasks)
        self._background = [self._tasks.create_task(self._tick()), self._tasks.create_task(self._keep_beating())]
        try:
            async with asyncio.timeout(LINK_WAIT_S):
                await self._link_up.wait()
        except TimeoutError:
            logger.warning("started without Redis")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._background:
            task.cancel()
        for room in list(self._rooms.values()):
            await self._close(room)
        await self._resources.__aexit__(kind, error, trace)

    @property
    def up(self) -> bool:
        """Whether the link to Redis delivers, as far as is known."""
        return self.channels.up

    @property
    def rooms(self) -> dict[RoomKey, Room]:
        """The rooms open here."""
        return self._rooms

    async def runs_elsewhere(self, key: RoomKey) -> bool | None:
        """Whether a client may have this room, which is not open here, without anything being started for it.

        None: Redis cannot tell. One look serves all who ask meanwhile, and goes on without those who leave.
        """
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = self._tasks.create_task(self._look(key))
            look.add_done_callback(lambda _: self._looks.pop(key))
        return await asyncio.shield(look)

    async def _look(self, key: RoomKey) -> bool | None:
        try:
            if is_name(key) and await self.demand.target(key) is not None:
                return True
            state = await self.broker.state(key)
        except BrokerUnavailable as error:
            logger.debug("room not looked at room=%s: %s", key, error)
            return None
        except Exception:
            logger.exception("room not looked at room=%s", key)
            return None
        if state.phase is None or state.phase.phase is Phase.TARGET:
            return False
        if state.phase.phase in RESTING:
            return state.phase.rests(now_ms())
        return bool(state.holder)

    def attach(self, member: Member, key: RoomKey) -> Room:
        """Put a client into a room; it is opened if it is not open yet."""
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = Room(key, self._cluster)
            logger.debug("room opened room=%s", key)
        room.attach(member)
        return room

    # --- what the channels say ---------------------------------------------------------------------------------------

    def on_entry(self, key: RoomKey, entry: Entry) -> None:
        """An entry or a marker of a room."""
        if (room := self._rooms.get(key)) is not None:
            room.feed.on_entry(entry)

    def on_alive(self, key: RoomKey, last: Cursor) -> None:
        """A heartbeat of a room's holder."""
        if (room := self._rooms.get(key)) is not None:
            room.feed.on_alive(last)

    def on_phase(self, key: RoomKey, phase: RoomPhase) -> None:
        """A phase of a room."""
        if (room := self._rooms.get(key)) is not None:
            room.feed.on_phase(phase)

    def on_resubscribed(self, key: RoomKey) -> None:
        """Messages of a room may have been lost."""
        if (room := self._rooms.get(key)) is not None:
            room.feed.on_resubscribed()

    def on_link(self, up: bool) -> None:
        """The link was lost, or is back; each room hears of its own channel when that is subscribed again."""
        if up:
            self._link_up.set()
        for room in list(self._rooms.values()):
            room.feed.on_link(up)

    # --- as time passes ----------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            for room in list(self._rooms.values()):
                try:
                    room.tick(now)
                    if not room.members and now - room.empty_since > self.settings.linger_s:
                        await self._close(room)
                except Exception:
                    logger.exception("room failed room=%s", room.key)

    async def _close(self, room: Room) -> None:
        del self._rooms[room.key]
        logger.debug("room closed room=%s", room.key)
        try:
            await room.aclose()
        except BrokerUnavailable:
            pass  # without a link there is no subscription either

    async def beat(self) -> None:
        """Tell the cluster that this gateway is alive, and what it has to do.

        Raises:
            BrokerUnavailable: not known.
        """
        load: dict[str, int | str] = {
            "clients": self.clients,
            "clients_max": self.settings.clients_max,
            "rooms": len(self._rooms),
            "draining": int(self.draining),
            "started": self._started_at,
            "version": VERSION,
        }
        await self.demand.heartbeat("gateway", self.settings.gateway_name, load)
        await self.headcount.tell({key: count for key, room in self._rooms.items() if (count := len(room.members))})

    async def _keep_beating(self) -> None:
        failing = False  # told when it begins and when it ends: what Redis refuses to this, it refuses to rooms too
        try:
            while True:
                try:
                    await self.beat()
                    if failing:
                        logger.info("heartbeat works again")
                    failing = False
                except BrokerUnavailable as error:
                    if not failing:
                        logger.warning("heartbeat failed: %s", error)
                    failing = True
                except Exception:
                    logger.exception("heartbeat failed")
                await asyncio.sleep(HEARTBEAT_S)
        finally:
            try:
                async with asyncio.timeout(1):
                    await self.demand.leave("gateway", self.settings.gateway_name)
                    await self.headcount.leave()
            except (BrokerUnavailable, TimeoutError):
                logger.debug("left without saying goodbye")
