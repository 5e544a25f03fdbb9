"""All hosts and their broadcasts: which rooms exist, who is live, what comes next. Nothing here waits.

A host has one broadcast at a time, and a new room id for each, as on the platforms. Rooms are made when somebody first
asks for them.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final

from simulator.config import SimulatorConfig
from simulator.faults import Faults
from simulator.listener import Listener
from simulator.platform import HostProfile, Platform
from simulator.playback import Payload, Playback, load_payloads
from simulator.room import Room, RoomStatus
from simulator.source import ControlAction, Source

TICK_S = 0.05
GENERATED_MAX: Final = 1_000_000
ROOMS_KEPT = 5_000  # ended broadcasts of a platform are forgotten, the oldest first, when there are more


class Host:
    """Somebody with a channel."""

    def __init__(self, name: str, profile: HostProfile, room: Room) -> None:
        self.name = name
        self.profile = profile
        self.room = room
        self.broadcasts = 1
        self.live_again_s: float | None = None


class World:
    """All there is. `now_ms` is the clock people see, `now_s` the one that only counts."""

    def __init__(
        self,
        config: SimulatorConfig,
        platforms: Iterable[Platform],
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.now_ms = now_ms
        self.now_s = now_s
        self.faults = Faults()
        self.random = Random(f"{config.seed}/world")
        self.refused: Counter[str] = Counter()
        self.connected: set[Listener] = set()
        payloads = load_payloads(config.payloads)
        self.sites = {platform.name: Site(self, platform, payloads) for platform in platforms}

    # Looking things up, on all platforms

    def room(self, room_id: int) -> Room | None:
        """The broadcast with this id, running or over."""
        return next((room for site in self.sites.values() if (room := site.room(room_id))), None)

    def rooms(self) -> list[Room]:
        """All broadcasts anybody asked for so far."""
        return [room for site in self.sites.values() for room in site.rooms()]

    # Acting

    def tick(self) -> None:
        """Let a moment go by."""
        now_ms, now_s = self.now_ms(), self.now_s()
        for room in self.rooms():
            if room.is_watched(now_s):
                room.tick(now_ms, now_s)
        for listener in self.connected:
            listener.resume(now_s)
            if listener.protocol.expire_acks(now_s) and self.config.strict_acks:
                listener.close(1000, "payload_handler_ack")
            elif now_s - listener.heard_s >= self.config.silence_s:
                listener.close(1000, "payload_handler_hb")
        for site in self.sites.values():
            site.come_and_go(now_ms, now_s)

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)


class Site:
    """One platform: its hosts and their broadcasts."""

    def __init__(self, world: World, platform: Platform, payloads: Sequence[Payload]) -> None:
        self.world = world
        self.platform = platform
        self.hosts: dict[str, Host] = {}
        self._payloads = payloads
        self._rooms: dict[int, Room] = {}
        for name, profile in platform.hosts.items():
            self._add_host(name, profile)
        if payloads:
            self._add_host(*platform.player)

    # Looking things up

    def host(self, name: str) -> Host | None:
        """Who goes by this name; names are case-insensitive."""
        name = name.lower()
        if name in self.hosts:
            return self.hosts[name]
        return self._generate(self.platform.number_of(name))

    def room(self, room_id: int) -> Room | None:
        """The broadcast with this id, running or over."""
        if room_id not in self._rooms:
            self._generate(self.platform.number_of_room(room_id))
        return self._rooms.get(room_id)

    def find(self, room_id: str) -> Room | None:
        """The same, of an id as it stands in a query."""
        return self.room(int(room_id)) if room_id.isascii() and room_id.isdecimal() and len(room_id) <= 20 else None

    def rooms(self) -> list[Room]:
        """All broadcasts anybody asked for so far."""
        return list(self._rooms.values())

    # Acting

    def go_live(self, host: Host) -> Room:
        """The running broadcast, or a new one with a new id."""
        if host.room.status is RoomStatus.ENDED:
            host.broadcasts += 1
            host.room = self._open(host.name, host.profile, RoomStatus.LIVE, host.room.id, host.broadcasts)
            host.live_again_s = None
        return host.room

    def come_and_go(self, now_ms: int, now_s: float) -> None:
        """End, begin and pause broadcasts, where it is time."""
        for host in self.hosts.values():
            if host.profile.comes_and_goes:
                self._come_or_go(host, now_ms, now_s)

    def _come_or_go(self, host: Host, now_ms: int, now_s: float) -> None:
        room, config = host.room, self.world.config
        if room.status is RoomStatus.ENDED:
            if host.live_again_s is None:
                host.live_again_s = now_s + config.break_s
            elif now_s >= host.live_again_s:
                self.go_live(host)
        elif room.entered_s is not None:
            part = (now_s - room.entered_s) / config.broadcast_s
            if part >= 1:
                room.control(ControlAction.ENDED, now_ms, now_s)
            elif host.profile.pauses and (1 / 3 <= part < 2 / 3) != (room.status is RoomStatus.PAUSED):
                paused = room.status is RoomStatus.PAUSED
                room.control(ControlAction.RESUMED if paused else ControlAction.PAUSED, now_ms, now_s)

    # Making rooms

    def _new_id(self, profile: HostProfile, previous: int, now_ms: int, random: Random) -> int:
        room_id = self.platform.room_id(profile, previous=previous, now_ms=now_ms, random=random)
        while room_id in self._rooms or (previous and self._is_promised(room_id)):
            previous = room_id
            room_id = self.platform.room_id(profile, previous=previous, now_ms=now_ms, random=random)
        return room_id

    def _is_promised(self, room_id: int) -> bool:
        """Whether the first room of a generated host has this id, or will have it."""
        number = self.platform.number_of_room(room_id)
        return number is not None and 0 <= number < self.world.config.rooms

    def _generate(self, number: int | None) -> Host | None:
        if number is None or not 0 <= number < self.world.config.rooms:
            return None
        name, profile = self.platform.generated(number)
        if name not in self.hosts:
            self._add_host(name, profile)
        return self.hosts[name]

    def _add_host(self, name: str, profile: HostProfile) -> None:
        room = self._open(name, profile, RoomStatus.LIVE if profile.live else RoomStatus.ENDED, 0, 1)
        self.hosts[name] = Host(name, profile, room)

    def _open(self, name: str, profile: HostProfile, status: RoomStatus, previous: int, number: int) -> Room:
        """The host's n-th broadcast; `previous` is the id of the one before, or 0."""
        world, platform = self.world, self.platform
        # Not of the id: that may come from the clock.
        seed = f"{world.config.seed}/{platform.name}/{name}/{number}"
        now_ms = world.now_ms()
        room_id = self._new_id(profile, previous, now_ms, Random(f"{seed}/id"))
        room = Room(
            room_id,
            name,
            profile.title,
            self._source(name, profile, room_id, Random(seed)),
            platform,
            world.faults,
            Random(f"{seed}/frames"),
            push_s=world.config.push_s,
            started_ms=now_ms,
            status=status,
            restricted=profile.restricted,
        )
        self._rooms[room_id] = room
        if len(self._rooms) > ROOMS_KEPT + world.config.rooms:
            running = {host.room.id for host in self.hosts.values()}
            del self._rooms[next(old for old in self._rooms if old not in running)]
        return room

    def _source(self, name: str, profile: HostProfile, room_id: int, random: Random) -> Source:
        config, platform = self.world.config, self.platform
        if profile is platform.player[1]:
            return Playback(self._payloads, room_id, random, rate=config.payload_rate, control=platform.control)
        return platform.scenario(
            room_id, name, profile, random, rate=config.rate * profile.pace, pictures=config.public_url
        )
