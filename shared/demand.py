"""Which rooms clients want, what names point to, and who is alive: gateways tell, ingestors read.

A room is wanted for as long as its demand key lives; nobody has to take the wish back. `rc:wake` tells it at once,
`rc:rooms` to whoever missed that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

from shared import clock, metrics
from shared.errors import BadRoom, Malformed
from shared.keys import GATEWAYS, INGESTORS, ROOMS, WAKE, RoomKeys, load_of, looks_of
from shared.redis_client import PIPELINE_MAX, RedisClient
from shared.room import RoomKey
from shared.scripts import Script

WANTED_MAX = 20_000  # rooms looked at in one scan, the newest; far above what a cluster can run
HEARTBEAT_TTL_S = 20  # from the last heartbeat; several are sent in this time
_FORGET_AFTER_S = 3600  # members that never said goodbye leave the index

_forget_rooms = Script("forget_rooms")
_book_look = Script("book_look")

Kind = Literal["ingestor", "gateway"]
_INDEX: Mapping[Kind, str] = {"ingestor": INGESTORS, "gateway": GATEWAYS}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a room.

    Attributes:
        remaining_ms: how long it is still wanted unless somebody asks again; 0 when nobody does.
        raw: somebody asks for `raw` events.
        wait: somebody stays while it is not live.
    """

    remaining_ms: int
    raw: bool
    wait: bool = False


class Member(NamedTuple):
    """An ingestor or gateway that is alive.

    Attributes:
        name: unique among its kind.
        age_s: of its last heartbeat, by the clock of Redis.
        load: how busy it said it is.
        fault: why that cannot be read, where it cannot.
    """

    name: str
    age_s: float
    load: dict[str, str]
    fault: str = ""


class Demand:
    """The wishes of all clients.

    Args:
        idle_timeout_s: how long a wish lives.
    """

    def __init__(self, redis: RedisClient, *, idle_timeout_s: float) -> None:
        self._redis = redis
        self._idle_ms = int(idle_timeout_s * 1000)

    # --- rooms -------------------------------------------------------------------------------------------------------

    async def announce(self, room: RoomKey) -> None:
        """Somebody wants this room: tell every ingestor, now and for as long as the wish lives.

        Raises:
            BrokerUnavailable: not known. Announce again.
        """
        # In this order: who sees the index, or hears the wake, finds the demand.
        async with self._redis.turn() as commands:
            await commands.set(RoomKeys.of(room).demand, "1", px=self._idle_ms)
            await commands.zadd(ROOMS, {str(room): clock.now_ms()})
            await commands.publish(WAKE, str(room))

    async def refresh(self, room: RoomKey) -> None:
        """Somebody still wants this room.

        Raises:
            BrokerUnavailable: not known.
        """
        async with self._redis.turn() as commands:
            # SET would be refused when memory is used up; this is not.
            alive = await commands.pexpire(RoomKeys.of(room).demand, self._idle_ms)
        if not alive:
            await self.announce(room)

    async def want_raw(self, room: RoomKey) -> None:
        """Somebody wants the room's `raw` events too, for as long as a demand lives.

        Raises:
            BrokerUnavailable: not known.
        """
        async with self._redis.turn() as commands:
            await commands.set(RoomKeys.of(room).raw, "1", px=self._idle_ms)

    async def want_wait(self, room: RoomKey) -> None:
        """Somebody stays while the room is not live, for as long as a demand lives.

        Raises:
            BrokerUnavailable: not known.
        """
        async with self._redis.turn() as commands:
            await commands.set(RoomKeys.of(room).wait, "1", px=self._idle_ms)

    async def look(self, room: RoomKey) -> Wish:
        """What is wanted of the room now.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        keys = RoomKeys.of(room)
        async with self._redis.turn() as commands:
            pipeline = commands.pipeline(transaction=False)
            pipeline.pttl(keys.demand).exists(keys.raw).exists(keys.wait)
            remaining_ms, raw, wait = await pipeline.execute()
        return Wish(max(0, remaining_ms), bool(raw), bool(wait))

    async def book_look(self, platform: str, *, rest_s: float, gap_s: float) -> float:
        """Book the next look at a room that is not live and waited for: the seconds until then.

        Args:
            platform: of the room.
            rest_s: until then at least.
            gap_s: from the last look booked at any room of the platform, at least.

        Raises:
            BrokerUnavailable: not known.
        """
        wait_ms: int = await _book_look(self._redis, [looks_of(platform)], [int(rest_s * 1000), int(gap_s * 1000)])
        return wait_ms / 1000

    async def is_held(self, room: RoomKey) -> bool:
        """Whether somebody has the room's lease.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        async with self._redis.turn() as commands:
            return bool(await commands.exists(RoomKeys.of(room).lease))

    async def wanted(self) -> dict[RoomKey, int]:
        """Every wanted room, with the time it was last announced in ms; the newest first.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        async with self._redis.turn() as commands:
            rows = await commands.zrevrange(ROOMS, 0, WANTED_MAX - 1, withscores=True)
        found: dict[RoomKey, int] = {}
        gone: list[str | bytes | int] = []
        waiting = iter(rows)
        while batch := list(islice(waiting, PIPELINE_MAX)):
            rooms = [_room(member) for member, _ in batch]
            asked = [("EXISTS", RoomKeys.of(room).demand) for room in rooms if room is not None]
            answers = iter(await self._redis.read_each(asked))
            for room, (member, score) in zip(rooms, batch, strict=True):
                if room is not None and next(answers):
                    found[room] = int(score)
                else:
                    gone += member, int(score)
        if gone:
            await _forget_rooms(self._redis, [ROOMS], gone)
        return found

    async def wake(self, room: RoomKey) -> None:
        """Tell ingestors that the room can be taken.

        Raises:
            BrokerUnavailable: not known; the next scan finds the room.
        """
        async with self._redis.turn() as commands:
            await commands.publish(WAKE, str(room))

    async def drop(self, room: RoomKey) -> None:
        """There is nothing to want in this room: who still waits has to announce it anew.

        Raises:
            BrokerUnavailable: not known.
        """
        async with self._redis.turn() as commands:
            await commands.delete(RoomKeys.of(room).demand)
            await commands.zrem(ROOMS, str(room))

    # --- names -------------------------------------------------------------------------------------------------------

    async def set_target(self, name: RoomKey, target: RoomKey, ttl_s: float) -> None:
        """Let a name point to a room for so long.

        Raises:
            BrokerUnavailable: not known.
        """
        async with self._redis.turn() as commands:
            await commands.set(RoomKeys.of(name).target, str(target), px=int(ttl_s * 1000))

    async def target(self, name: RoomKey) -> RoomKey | None:
        """The room a name points to, where that is known.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        async with self._redis.turn() as commands:
            target = await commands.get(RoomKeys.of(name).target)
        return None if target is None else _room(target)

    async def clear_target(self, name: RoomKey) -> None:
        """Let a name point nowhere.

        Raises:
            BrokerUnavailable: not known.
        """
        async with self._redis.turn() as commands:
            await commands.delete(RoomKeys.of(name).target)

    # --- members -----------------------------------------------------------------------------------------------------

    async def heartbeat(self, kind: Kind, name: str, load: Mapping[str, int | str]) -> None:
        """Say that a process is alive, and how busy. To be repeated within HEARTBEAT_TTL_S.

        Raises:
            BrokerUnavailable: not known.
        """
        key, now_ms = load_of(f"{kind}:{name}"), clock.now_ms()
        async with self._redis.turn() as commands:
            pipeline = commands.pipeline(transaction=False)
            pipeline.hset(key, mapping=dict(load))
            pipeline.expire(key, HEARTBEAT_TTL_S)
            pipeline.zadd(_INDEX[kind], {name: now_ms})
            pipeline.zremrangebyscore(_INDEX[kind], "-inf", now_ms - _FORGET_AFTER_S * 1000)
            await pipeline.execute()

    async def members(self, kind: Kind) -> list[Member]:
        """Who is alive.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        async with self._redis.turn() as commands:
            rows = await commands.zrevrange(_INDEX[kind], 0, WANTED_MAX - 1)
        names = [member.decode("utf8", "replace") for member in rows]
        keys = [load_of(f"{kind}:{name}") for name in names]
        answers = await self._redis.read_each(command for key in keys for command in (("HGETALL", key), ("PTTL", key)))
        return [
            _member(name, load, remaining_ms)
            for name, load, remaining_ms in zip(names, answers[::2], answers[1::2], strict=True)
            if load
        ]

    async def leave(self, kind: Kind, name: str) -> None:
        """Say goodbye.

        Raises:
            BrokerUnavailable: not known; it is forgotten after HEARTBEAT_TTL_S.
        """
        async with self._redis.turn() as commands:
            await commands.delete(load_of(f"{kind}:{name}"))
            await commands.zrem(_INDEX[kind], name)


def _member(name: str, load: dict[bytes, bytes] | Malformed, remaining_ms: int) -> Member:
    age_s = max(0.0, HEARTBEAT_TTL_S - remaining_ms / 1000)
    if isinstance(load, Malformed):
        return Member(name, age_s, {}, str(load))
    told = {field.decode("utf8", "replace"): value.decode("utf8", "replace") for field, value in load.items()}
    return Member(name, age_s, told)


def _room(text: bytes) -> RoomKey | None:
    try:
        return RoomKey.parse(text.decode("utf8", "replace"))
    except BadRoom:
        metrics.REDIS_MALFORMED.labels("room").inc()
        return None
