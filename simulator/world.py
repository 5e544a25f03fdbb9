"""All hosts and their broadcasts: which rooms exist, who is live, what comes next. Nothing here waits.

A host has one broadcast at a time, and a new room id for each, as on the platform. Rooms are made when somebody first
asks for them.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Final

from simulator.config import SimulatorConfig
from simulator.faults import Faults
from simulator.listener import Listener
from simulator.playback import Playback, load_payloads
from simulator.room import Room, RoomStatus
from simulator.scenario import Scenario
from simulator.source import ControlAction, Source
from simulator.tickets import Tickets

TICK_S = 0.05
FIRST_ID: Final = 7300000000000000000
GENERATED_FROM: Final = FIRST_ID + 10_000
GENERATED_MAX: Final = 1_000_000
NEXT_BROADCAST: Final = 1_000  # added to a room id for the host's next broadcast
ROOMS_KEPT = 5_000  # ended broadcasts are forgotten, the oldest first, when there are more


@dataclass(frozen=True, slots=True)
class HostProfile:
    """A host everybody can count on.

    Attributes:
        pace: share of the configured rate.
        live: whether a broadcast runs at the start.
        comes_and_goes: the broadcast ends a while after its first viewer came, and there is another one after a break.
    """

    number: int
    title: str
    pace: float = 1.0
    viewers: int = 0
    live: bool = True
    restricted: bool = False
    comes_and_goes: bool = False


FIXED_HOSTS: Final[Mapping[str, HostProfile]] = MappingProxyType(
    {
        "demo": HostProfile(1, "Night kitchen: ramen, music, your questions", viewers=1800),
        "quiet": HostProfile(2, "Slow morning, tea and sketching", pace=0.025, viewers=14),
        "ending": HostProfile(3, "Just a minute!", viewers=240, comes_and_goes=True),
        "offline": HostProfile(400, "See you on Friday", viewers=0, live=False),
        "restricted": HostProfile(401, "After dark", viewers=320, restricted=True),
    }
)
PAYLOADS_HOST: Final = HostProfile(900, "Recorded payloads", viewers=100)


class Host:
    """Somebody with a channel."""

    def __init__(self, name: str, profile: HostProfile, room: Room) -> None:
        self.name = name
        self.profile = profile
        self.room = room
        self.live_again_s: float | None = None


class World:
    """All there is. `now_ms` is the clock people see, `now_s` the one that only counts."""

    def __init__(
        self,
        config: SimulatorConfig,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.now_ms = now_ms
        self.now_s = now_s
        self.faults = Faults()
        self.random = Random(f"{config.seed}/world")
        self.tickets = Tickets(Random(f"{config.seed}/tickets"))
        self.refused: Counter[str] = Counter()
        self.connected: set[Listener] = set()
        self._payloads = load_payloads(config.payloads)
        self.hosts: dict[str, Host] = {}
        self._rooms: dict[int, Room] = {}
        for name, profile in FIXED_HOSTS.items():
            self._add_host(name, profile, FIRST_ID + profile.number)
        if self._payloads:
            self._add_host("payloads", PAYLOADS_HOST, FIRST_ID + PAYLOADS_HOST.number)

    # Looking things up

    def host(self, name: str) -> Host | None:
        """Who goes by this name; names are case-insensitive."""
        name = name.lower()
        if name in self.hosts:
            return self.hosts[name]
        number = name.removeprefix("room")
        if name.startswith("room") and number.isdecimal() and str(int(number)) == number:
            return self._generate(int(number))
        return None

    def room(self, room_id: int) -> Room | None:
        """The broadcast with this id, running or over."""
        if room_id not in self._rooms:
            self._generate(room_id - GENERATED_FROM)
        return self._rooms.get(room_id)

    def find(self, room_id: str) -> Room | None:
        """The same, of an id as it stands in a query."""
        return self.room(int(room_id)) if room_id.isdecimal() and len(room_id) <= 20 else None

    def rooms(self) -> list[Room]:
        """All broadcasts anybody asked for so far."""
        return list(self._rooms.values())

    # Acting

    def go_live(self, host: Host) -> Room:
        """The running broadcast, or a new one with a new id."""
        if host.room.status is RoomStatus.ENDED:
            room_id = host.room.id + NEXT_BROADCAST
            while self._is_taken(room_id):
                room_id += NEXT_BROADCAST
            host.room = self._open(host.name, host.profile, room_id, RoomStatus.LIVE)
            host.live_again_s = None
        return host.room

    def tick(self) -> None:
        """Let a moment go by."""
        now_ms, now_s = self.now_ms(), self.now_s()
        for room in list(self._rooms.values()):
            if room.listeners:
                room.tick(now_ms, now_s)
        for listener in self.connected:
            listener.resume(now_s)
            if listener.protocol.expire_acks(now_s) and self.config.strict_acks:
                listener.close(1000, "payload_handler_ack")
            elif now_s - listener.heard_s >= self.config.silence_s:
                listener.close(1000, "payload_handler_hb")
        for host in self.hosts.values():
            if host.profile.comes_and_goes:
                self._come_and_go(host, now_ms, now_s)

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def _come_and_go(self, host: Host, now_ms: int, now_s: float) -> None:
        room = host.room
        if room.status is RoomStatus.ENDED:
            if host.live_again_s is None:
                host.live_again_s = now_s + self.config.break_s
            elif now_s >= host.live_again_s:
                self.go_live(host)
        elif room.entered_s is not None and now_s - room.entered_s >= self.config.broadcast_s:
            room.control(ControlAction.ENDED, now_ms, now_s)

    # Making rooms

    def _is_taken(self, room_id: int) -> bool:
        return room_id in self._rooms or 0 <= room_id - GENERATED_FROM < self.config.rooms

    def _generate(self, number: int) -> Host | None:
        if not 0 <= number < self.config.rooms:
            return None
        name = f"room{number}"
        if name not in self.hosts:
            profile = HostProfile(GENERATED_FROM - FIRST_ID + number, f"Room {number}", viewers=50 + number % 500)
            self._add_host(name, profile, GENERATED_FROM + number)
        return self.hosts[name]

    def _add_host(self, name: str, profile: HostProfile, room_id: int) -> None:
        room = self._open(name, profile, room_id, RoomStatus.LIVE if profile.live else RoomStatus.ENDED)
        self.hosts[name] = Host(name, profile, room)

    def _open(self, name: str, profile: HostProfile, room_id: int, status: RoomStatus) -> Room:
        room = Room(
            room_id,
            name,
            profile.title,
            self._source(name, profile, room_id),
            self.faults,
            Random(f"{self.config.seed}/{room_id}/frames"),
            push_s=self.config.push_s,
            started_ms=self.now_ms(),
            status=status,
            restricted=profile.restricted,
        )
        self._rooms[room_id] = room
        if len(self._rooms) > ROOMS_KEPT + self.config.rooms:
            running = {host.room.id for host in self.hosts.values()}
            del self._rooms[next(old for old in self._rooms if old not in running)]
        return room

    def _source(self, name: str, profile: HostProfile, room_id: int) -> Source:
        random = Random(f"{self.config.seed}/{room_id}")
        if profile is PAYLOADS_HOST:
            return Playback(self._payloads, room_id, random, rate=self.config.payload_rate)
        return Scenario(
            room_id,
            name,
            profile.title,
            random,
            rate=self.config.rate * profile.pace,
            viewers=profile.viewers,
            pictures=self.config.public_url,
        )
