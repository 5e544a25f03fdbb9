"""How many clients each room has at each gateway, as the gateways tell the cluster.

Only what changed is told, and so much at once that 100 gateways with 10,000 rooms each keep Redis busy for a hundredth
of its time: with fewer rooms the numbers are one beat old, with so many they may be a minute old. They are for people.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest

from shared.demand import HEARTBEAT_TTL_S
from shared.errors import Malformed
from shared.keys import clients_of
from shared.redis_client import RedisClient
from shared.room import RoomKey

NEWS_MAX = 1_000  # rooms told in one beat


class Headcount:
    """The clients of each room, here and elsewhere.

    Args:
        redis: where it is told.
        gateway: the name of this one.
        news_max: rooms told at once.
    """

    def __init__(self, redis: RedisClient, gateway: str, *, news_max: int = NEWS_MAX) -> None:
        self._redis = redis
        self._key = clients_of(gateway)
        self._news_max = news_max
        self._told: dict[RoomKey, int] = {}
        """What Redis knows; the room told longest ago comes first."""

    async def tell(self, clients: Mapping[RoomKey, int]) -> None:
        """Tell what changed since the last time. To be repeated within HEARTBEAT_TTL_S.

        Args:
            clients: of every room that has any here.

        Raises:
            BrokerUnavailable: not known; it is told again the next time.
        """
        news = {room: clients.get(room) for room in islice(self._changed(clients), self._news_max)}
        there = {str(room): count for room, count in news.items() if count is not None}
        gone = [str(room) for room, count in news.items() if count is None]
        async with self._redis.turn() as commands:
            pipeline = commands.pipeline(transaction=False)
            pipeline.expire(self._key, HEARTBEAT_TTL_S)
            if there:
                pipeline.hset(self._key, mapping=there)
            if gone:
                pipeline.hdel(self._key, *gone)
            pipeline.expire(self._key, HEARTBEAT_TTL_S)
            was_there, *_ = await pipeline.execute()
        if not was_there:
            self._told.clear()  # nothing was told yet, or Redis forgot it
        for room, count in news.items():
            self._told.pop(room, None)
            if count is not None:
                self._told[room] = count

    def _changed(self, clients: Mapping[RoomKey, int]) -> Iterator[RoomKey]:
        """Rooms that are left first, then others and new ones by turns: neither kind may keep the other out."""
        yield from (room for room in self._told if room not in clients)
        others = (room for room, count in self._told.items() if clients.get(room, count) != count)
        new = (room for room in clients if room not in self._told)
        for pair in zip_longest(others, new):
            yield from (room for room in pair if room is not None)

    async def read(self, gateways: Sequence[str], rooms: Sequence[RoomKey]) -> list[int]:
        """The clients of each room, over all these gateways.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        if not gateways or not rooms:
            return [0] * len(rooms)
        names = [str(room) for room in rooms]
        answers = await self._redis.read_each(("HMGET", clients_of(gateway), *names) for gateway in gateways)
        told = [answer for answer in answers if not isinstance(answer, Malformed)]
        return [sum(map(_count, column)) for column in zip(*told, strict=True)] or [0] * len(rooms)

    async def leave(self) -> None:
        """Say goodbye.

        Raises:
            BrokerUnavailable: not known; it is forgotten after HEARTBEAT_TTL_S.
        """
        async with self._redis.turn() as commands:
            await commands.delete(self._key)


def _count(value: bytes | None) -> int:
    return int(value) if value is not None and value.isdigit() and len(value) < 10 else 0
