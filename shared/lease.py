"""Who may ingest a room: acquire, renew, release. Answers are values; only Redis being away is an exception.

A lease's epoch is its fencing token: larger than any before, and part of every id its holder writes. The decisions are
in `shared/lua`.
"""

import random
import secrets
from dataclasses import dataclass
from enum import Enum, StrEnum

from shared.cursor import Cursor
from shared.errors import LocalProtocolError
from shared.keys import RoomKeys
from shared.redis_client import RedisClient
from shared.room import RoomKey
from shared.scripts import Script

_acquire, _renew, _release = Script("acquire"), Script("renew"), Script("release")


def new_owner(ingestor: str) -> str:
    """An owner's name, new for every acquire: an old holder of the same process must not pass for the present one."""
    return f"{ingestor}/{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a room's log.

    Attributes:
        prev: the log's last id before this epoch; None where there was no log.
        clean: the holder before left nothing unsent.
    """

    room: RoomKey
    epoch: int
    owner: str
    prev: Cursor | None
    clean: bool

    @property
    def token(self) -> str:
        """The value of the lease key while this lease is valid."""
        return f"{self.epoch} {self.owner}"


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else has it, for so long if it is not renewed."""

    token: str
    remaining_ms: int


class Idle(Enum):
    """Nobody wants the room."""

    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Renewed:
    """Still ours; `last` is the last id in the log."""

    last: Cursor


@dataclass(frozen=True, slots=True)
class Lost:
    """The lease is somebody else's, or expired. Renewing revives one that expired and that nobody took."""


@dataclass(frozen=True, slots=True)
class NoLog:
    """The room has no log any more: only a new epoch can begin one."""


class Released(StrEnum):
    """What became of the wish to give a room up."""

    OK = "OK"
    """It is free."""
    WANTED = "WANTED"
    """Somebody wants it again: it is still held."""
    LOST = "LOST"
    """It was not held any more."""


class Leases:
    """The leases of all rooms.

    Args:
        ttl_s: how long a lease lives without renewal.
        history_ttl_s: how long a log lives after the last publish or renewal.
        history_len: entries a log keeps.
    """

    def __init__(self, redis: RedisClient, *, ttl_s: float, history_ttl_s: float, history_len: int) -> None:
        self.ttl_s = ttl_s
        self._redis = redis
        self._ttl_ms = int(ttl_s * 1000)
        self._history_ttl_ms = int(history_ttl_s * 1000)
        self._history_len = history_len

    async def acquire(
        self, room: RoomKey, owner: str, *, need_demand: bool = True, replaces: str = "", floor: int = 0
    ) -> Lease | Held | Idle:
        """Try to become the holder, and begin an epoch in the log.

        Args:
            room: which.
            owner: from `new_owner`; asking again with the same one is answered as the first time.
            need_demand: only if somebody wants the room.
            replaces: an owner whose lease is taken over, as if it were free.
            floor: the largest epoch known to have been used.

        Raises:
            BrokerUnavailable: not known; what was perhaps acquired expires by itself.
        """
        keys = RoomKeys.of(room)
        jitter = random.randrange(1_000_000)
        match await _acquire(
            self._redis,
            [keys.lease, keys.log, keys.state, keys.demand],
            [
                owner, self._ttl_ms, self._history_ttl_ms, self._history_len, int(need_demand), replaces, floor, jitter,
                keys.events,
            ],
        ):  # fmt: skip
            case [b"OK", epoch, prev, clean]:
                return Lease(room, int(epoch), owner, None if prev == b"-" else Cursor.parse(prev), clean == b"1")
            case [b"HELD", token, remaining_ms]:
                return Held(token.decode("utf8", "replace"), remaining_ms)
            case [b"IDLE"]:
                return Idle.IDLE
            case answer:
                raise LocalProtocolError(f"acquire answered {answer!r}")

    async def renew(self, lease: Lease) -> Renewed | Lost | NoLog:
        """Keep the lease, and revive it when it expired and nobody came.

        Raises:
            BrokerUnavailable: not known; the lease holds until its time is over.
        """
        keys = RoomKeys.of(lease.room)
        match await _renew(
            self._redis,
            [keys.lease, keys.log, keys.state],
            [lease.token, self._ttl_ms, self._history_ttl_ms, keys.events],
        ):
            case [b"OK", last]:
                return Renewed(Cursor.parse(last))
            case [b"LOST"]:
                return Lost()
            case [b"NOLOG"]:
                return NoLog()
            case answer:
                raise LocalProtocolError(f"renew answered {answer!r}")

    async def release(self, lease: Lease, *, only_if_idle: bool, acknowledged: Cursor | None) -> Released:
        """Give the room up. Waking the others is the caller's.

        Args:
            lease: the lease.
            only_if_idle: not if somebody wants the room.
            acknowledged: the last id known to be stored, None with events unsent: tells the next holder whether
                anything can be missing.

        Raises:
            BrokerUnavailable: not known; the lease expires by itself.
        """
        keys = RoomKeys.of(lease.room)
        answer = await _release(
            self._redis,
            [keys.lease, keys.log, keys.state, keys.demand],
            [lease.token, int(only_if_idle), "" if acknowledged is None else str(acknowledged)],
        )
        return Released(answer[0].decode())
