"""A look at the cluster, for operators: its rooms, one of them, its members. Everything here is asked of Redis.

What an answer does not know is absent from it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from gateway.fresh import Fresh
from gateway.front import owner_of
from gateway.rates import rates
from gateway.relay import Relay
from shared.broker import RoomState
from shared.clock import now_ms
from shared.demand import Kind, Member
from shared.errors import BadRoom, Malformed
from shared.phases import RoomPhase
from shared.platforms import is_name
from shared.room import RoomKey

ROOMS_MAX = 200  # listed, the latest demanded first
READERS_MAX = 16  # rooms looked at at once
FRESH_S = 2.0  # one look serves all who ask within this time
TAIL_ENTRIES, TAIL_BYTES = 1_000, 1024 * 1024  # read of a log to tell how much is said

Found = dict[str, Any]


class Survey:
    """What can be seen from this gateway, as of a moment ago.

    Attributes:
        rooms: all rooms, by None.
        cluster: gateways, ingestors and sums, by None.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._members = Fresh(self._look_at_members, fresh_s=FRESH_S)
        self._wanted = Fresh(self._look_at_demand, fresh_s=FRESH_S)
        self._room = Fresh(self._look_at_room, fresh_s=FRESH_S, looks_max=READERS_MAX)
        self.rooms = Fresh(self._look_at_rooms, fresh_s=FRESH_S)
        self.cluster = Fresh(self._look_at_cluster, fresh_s=FRESH_S)

    # --- rooms -------------------------------------------------------------------------------------------------------

    async def _look_at_rooms(self, _: None) -> Found:
        wanted = await self._wanted.get(None)
        listed = wanted[:ROOMS_MAX]
        clients = await self._clients(listed)
        turns = asyncio.Semaphore(READERS_MAX)

        async def look_at(key: RoomKey, clients: int) -> Found:
            try:
                async with turns:
                    state = await self._relay.broker.state(key)
                    cursor = await self._relay.broker.last_id(key)
            except Malformed as error:
                return self._of_fault(key, error) | {"clients": clients}
            found = self._of_state(key, state) | {"clients": clients, "cursor": str(cursor) if cursor else None}
            return _known(found)

        return {"total": len(wanted), "rooms": await asyncio.gather(*map(look_at, listed, clients))}

    async def _look_at_demand(self, _: None) -> list[RoomKey]:
        return [key for key in await self._relay.demand.wanted() if not _is_pointer(key)]

    async def room(self, key: RoomKey) -> Found | None:
        """One room, or a name with the room it points to; None where nobody asks for it and nothing is left of it.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        found = await self._room.get(key)
        if found is None or "target" not in found:
            return found
        target = RoomKey(key.platform, found["target"])
        return found | {"target": await self._room.get(target) or {"platform": target.platform, "room": target.room}}

    async def _look_at_room(self, key: RoomKey) -> Found | None:
        try:
            return await self._look_closely(key)
        except Malformed as error:
            return self._of_fault(key, error)

    async def _look_closely(self, key: RoomKey) -> Found | None:
        relay = self._relay
        state = await relay.broker.state(key)
        wish = await relay.demand.look(key)
        extent = await relay.broker.extent(key)
        if extent is None and not wish.remaining_ms and state == RoomState() and key not in relay.rooms:
            return None
        phase, error = state.phase, state.last_error
        found = self._of_state(key, state) | {
            "clients": (await self._clients([key]))[0],
            "wanted_ms": wish.remaining_ms,
            "raw": wish.raw or None,
            "epoch": epoch if isinstance(epoch := _integer(state.holder.partition(" ")[0]), int) else None,
            "detail": phase.detail if phase else None,
            "attempt": (phase.attempt or None) if phase else None,
            "retry_at": (phase.retry_at or None) if phase else None,
            "owner": None if (owner := owner_of(state)) is UNSET else msgspec.to_builtins(owner),
            "paused": state.paused or None,
            "last_error": _error(error) if error else None,
        }
        if _is_pointer(key):
            target = await relay.demand.target(key)
            found["target"] = target.room if target is not None and target.platform == key.platform else None
        elif extent is not None:
            tail = await relay.broker.tail(key, TAIL_ENTRIES, TAIL_BYTES)
            found["log"] = _known(
                {
                    "length": extent.length,
                    "first": str(extent.first) if extent.first else None,
                    "last": str(extent.last),
                }
            )
            found["rates"] = rates(tail, now_ms())
        return _known(found)

    def _of_fault(self, key: RoomKey, fault: Malformed) -> Found:
        """A room with a key that is none of ours: it must not hide the others."""
        return {"platform": key.platform, "room": key.room, "clients_here": self._here(key), "fault": str(fault)}

    def _of_state(self, key: RoomKey, state: RoomState) -> Found:
        phase = state.phase
        return {
            "platform": key.platform,
            "room": key.room,
            "clients_here": self._here(key),
            "phase": phase.phase if phase else None,
            "code": phase.code if phase else None,
            "since": phase.at if phase else None,
            # The lease's value is `<epoch> <ingestor>/<random>`.
            "holder": state.holder.partition(" ")[2].rpartition("/")[0],
            "title": state.title,
            "viewers": state.viewer_count,
            "gifts": state.gifts,
        }

    def _here(self, key: RoomKey) -> int:
        room = self._relay.rooms.get(key)
        return len(room.members) if room is not None else 0

    async def _clients(self, rooms: list[RoomKey]) -> list[int]:
        """The clients of each room in the whole cluster: those elsewhere as of the last that their gateways told."""
        name = self._relay.settings.gateway_name
        others = [member.name for member in await self._members.get("gateway") if member.name != name]
        elsewhere = await self._relay.headcount.read(others, rooms)
        return [self._here(room) + count for room, count in zip(rooms, elsewhere, strict=True)]

    # --- members -----------------------------------------------------------------------------------------------------

    async def _look_at_members(self, kind: Kind) -> list[Member]:
        return await self._relay.demand.members(kind)

    async def _look_at_cluster(self, _: None) -> Found:
        relay = self._relay
        gateways = [_shown(member) for member in await self._members.get("gateway")]
        ingestors = [_shown(member) for member in await self._members.get("ingestor")]
        wanted = await self._wanted.get(None)
        return {
            "clients": _sum(gateways, "clients"),
            "clients_left": sum(
                max(0, _number(load, "clients_max") - _number(load, "clients"))
                for load in gateways
                if not load.get("draining")
            ),
            "rooms_wanted": len(wanted),
            "rooms_held": _sum(ingestors, "rooms"),
            "rooms_unowned": (await relay.broker.left_alone_ms(wanted, now_ms())).count(0),
            "rooms_left": sum(max(0, _number(load, "max_rooms") - _number(load, "rooms")) for load in ingestors),
            "gateways": gateways,
            "ingestors": ingestors,
        }


def _is_pointer(key: RoomKey) -> bool:
    try:
        return is_name(key)
    except BadRoom:
        return False  # of a platform that only a newer version knows


def _known(found: Mapping[str, Any]) -> Found:
    return {field: value for field, value in found.items() if value not in ("", None)}


def _error(error: RoomPhase) -> Found:
    return _known({"at": error.at, "phase": error.phase, "code": error.code, "detail": error.detail})


def _shown(member: Member) -> Found:
    """A member and whatever it told of itself, which another version may have more or less of."""
    told = {field: _integer(value) for field, value in member.load.items()}
    return told | _known({"name": member.name, "age_s": round(member.age_s, 1), "fault": member.fault})


def _integer(text: str) -> int | str:
    """The number that the text is, or else the text."""
    return int(text) if text.isdecimal() and len(text) < 17 else text


def _number(load: Mapping[str, Any], field: str) -> int:
    value = load.get(field)
    return value if isinstance(value, int) else 0


def _sum(loads: Iterable[Mapping[str, Any]], field: str) -> int:
    return sum(_number(load, field) for load in loads)
