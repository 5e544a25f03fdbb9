"""Every Redis key and channel, with its type and lifetime.

The braces keep all keys and the channel of one room in one cluster slot. Lifetimes are settings (`shared/settings.py`).
"""

from dataclasses import dataclass

from shared.room import RoomKey

ROOMS = "rc:rooms"
"""zset, room -> time of last demand in ms. Index of demanded rooms; members leave when their demand is gone."""

WAKE = "rc:wake"
"""Classic channel: a room key, meaning "somebody wants this room now"."""

INGESTORS = "rc:ingestors"
"""zset, ingestor name -> time of last heartbeat in ms."""

GATEWAYS = "rc:gateways"
"""zset, gateway name -> time of last heartbeat in ms."""


def looks_of(platform: str) -> str:
    """string: lives until the last look that is booked at a room of the platform that somebody waits for."""
    return f"rc:looks:{platform}"


def load_of(member: str) -> str:
    """hash of one ingestor or gateway: its load as last told; expires soon after the heartbeat stops."""
    return f"rc:load:{member}"


def clients_of(gateway: str) -> str:
    """hash of one gateway, room -> its clients there; expires as the load does."""
    return f"rc:clients:{gateway}"


@dataclass(frozen=True, slots=True)
class RoomKeys:
    """The keys of one room.

    Attributes:
        lease: string `<epoch> <owner>`; lives LEASE_TTL_S, renewed every third of it.
        log: stream with fields t (type), r (upstream receipt, ms), d (bytes); lives HISTORY_TTL_S after the last
            publish or renewal.
        state: hash with phase, last_error, title, owner, viewer_count, gifts, paused, upstream cursor, holder, prev,
            clean, closed; lives as long as the log.
        demand: string; lives IDLE_TIMEOUT_S from the last refresh.
        raw: string; somebody asks for `raw` events; lives as demand.
        wait: string; somebody stays while the room is not live; lives as demand.
        target: string, only of names: the canonical room the name points to; lives 60 s, renewed while wanted.
        events: pub/sub channel (sharded), `<id> <type> <received_ms> <json>`.
    """

    lease: str
    log: str
    state: str
    demand: str
    raw: str
    wait: str
    target: str
    events: str

    @classmethod
    def of(cls, room: RoomKey) -> "RoomKeys":
        """The keys of `room`."""
        prefix = f"rc:{{{room}}}"
        return cls(**{field: f"{prefix}:{field}" for field in cls.__slots__})
