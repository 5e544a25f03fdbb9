"""The log of a room, its channel and its state: what holders write and everybody reads.

An entry is stored and published in one step, with the same bytes, so a reader who first subscribes and then reads the
log misses nothing. Only the holder of the lease can write. Order, and whether anything is missing, can be told from the
cursors alone. Reading always asks the master.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
from redis.exceptions import ResponseError

from shared import metrics
from shared.cursor import Cursor
from shared.errors import BadCursor, BrokerUnavailable, LocalProtocolError, Malformed, RemoteProtocolError
from shared.keys import RoomKeys
from shared.lease import Lease, Lost, NoLog
from shared.phases import RoomPhase, decode_phase, encode_phase
from shared.redis_client import FOREIGN, RedisClient, code_of, foreign
from shared.room import RoomKey
from shared.scripts import Script

logger = logging.getLogger(__name__)

PAGE_ENTRIES = 200
TAIL_MAX_BYTES = (
    4 * 1024 * 1024
)  # what HISTORY_BYTES keeps by default; a log can be far larger when somebody else fills it

_MARKER = "epoch"
_NOTHING = b"-"
_TYPE = re.compile(rb"[a-z][a-z_]{0,31}")
_publish, _set_phase = Script("publish"), Script("set_phase")


class Entry(
    msgspec.Struct, frozen=True, gc=False
):  # made for every message: a frozen dataclass takes eight times as long
    """One entry of a log: an event, a gap, or the marker that opens an epoch.

    Attributes:
        cursor: its place; offset 0 is a marker.
        type: the event's name on the wire, `epoch` of a marker.
        received_ms: when it came from upstream, ms since 1970; 0 of a marker.
        data: JSON, sent to clients as it is. Of a marker: the id before it, or `-`.
    """

    cursor: Cursor
    type: str
    received_ms: int
    data: bytes

    @property
    def is_marker(self) -> bool:
        """Whether it opens an epoch; clients are not sent it."""
        return self.cursor.offset == 0

    @property
    def marker_prev(self) -> Cursor | None:
        """Of a marker: the last id before its epoch. None of the first marker of a log, and of every other entry."""
        if self.cursor.offset != 0 or self.data == _NOTHING:
            return None
        return Cursor.parse(self.data)

    @classmethod
    def parse(cls, cursor: bytes, kind: bytes, received_ms: bytes, data: bytes) -> "Entry":
        """Read an entry as it stands in the log and on the channel.

        Raises:
            RemoteProtocolError: no holder wrote it like this.
        """
        if not received_ms.isdigit() or len(received_ms) > 16:
            raise RemoteProtocolError("not an entry")
        try:
            entry = cls(Cursor.parse(cursor), _type_of(kind), int(received_ms), data)
            entry.marker_prev  # noqa: B018 - whether it can be read
        except BadCursor as error:
            raise RemoteProtocolError("not an entry") from error
        if entry.is_marker != (entry.type == _MARKER):
            raise RemoteProtocolError("offset 0 and type `epoch` go together")
        return entry


@lru_cache(maxsize=1024)
def _type_of(kind: bytes) -> str:
    if not _TYPE.fullmatch(kind):
        raise RemoteProtocolError("not an entry")
    return kind.decode()


@dataclass(frozen=True, slots=True)
class Published:
    """Every entry of the batch is in the log; `stored` of them since this call."""

    last: Cursor
    stored: int


@dataclass(frozen=True, slots=True)
class Hole:
    """The log ends at `last`: before the batch begins, or in another epoch. Redis forgot something."""

    last: Cursor


@dataclass(frozen=True, slots=True)
class Extent:
    """A log from one end to the other.

    Attributes:
        length: entries, markers among them.
        first: the oldest entry; None when all were trimmed.
        last: the last id it ever gave.
    """

    length: int
    first: Cursor | None
    last: Cursor


PublishAnswer = Published | Lost | Hole | NoLog


@dataclass(frozen=True, slots=True)
class RoomState:
    """What is known of a room besides its events. Unknown parts are None or empty.

    Attributes:
        phase: where in its life the room is.
        title: of the broadcast.
        owner: the host, as JSON.
        viewer_count: watching now.
        gifts: whether gifts are told to the session that watches.
        paused: whether the host paused the broadcast.
        position: the upstream's own cursor behind the last stored batch.
        holder: the lease of who holds it now; a phase told by a holder that died is still there.
        last_error: the latest phase that was one, also when all went well since.
    """

    phase: RoomPhase | None = None
    title: str = ""
    owner: bytes | None = None
    viewer_count: int | None = None
    gifts: bool | None = None
    paused: bool = False
    position: str = ""
    holder: str = ""
    last_error: RoomPhase | None = None


class Broker:
    """The logs of all rooms.

    Args:
        history_ttl_s: how long a log lives after the last publish or renewal.
        history_len: entries a log keeps.
    """

    def __init__(self, redis: RedisClient, *, history_ttl_s: float, history_len: int) -> None:
        self._redis = redis
        self._history_ttl_ms = int(history_ttl_s * 1000)
        self._history_len = history_len

    # --- writing -----------------------------------------------------------------------------------------------------

    async def publish(
        self,
        lease: Lease,
        first_offset: int,
        entries: Sequence[tuple[str, int, bytes]],
        *,
        state: Mapping[str, str | bytes],
        min_id: Cursor | None,
    ) -> PublishAnswer:
        """Store a batch and publish it, at once or not at all. The same batch may be sent any number of times.

        Args:
            lease: what allows it.
            first_offset: of the first entry; the others follow.
            entries: type, received_ms and bytes of each.
            state: fields of the room's state that become true with the batch.
            min_id: entries before it may go.

        Raises:
            BrokerUnavailable: not known; or refused for good, see `broker_errors`. Send the same again.
        """
        if first_offset < 1 or not entries:
            raise LocalProtocolError("a batch has entries, from offset 1 on")
        keys = RoomKeys.of(lease.room)
        args: list[str | bytes | int] = [
            lease.token, first_offset, self._history_ttl_ms, self._history_len, "" if min_id is None else str(min_id),
            keys.events, len(state),
        ]  # fmt: skip
        for pair in state.items():
            args += pair
        for entry in entries:
            args += entry
        match await _publish(self._redis, [keys.lease, keys.log, keys.state], args, once=True):
            case [b"OK", last, stored]:
                return Published(Cursor.parse(last), stored)
            case [b"LOST"]:
                return Lost()
            case [b"HOLE", last]:
                return Hole(Cursor.parse(last))
            case [b"NOLOG"]:
                return NoLog()
            case answer:
                raise LocalProtocolError(f"publish answered {answer!r}")

    async def set_phase(self, lease: Lease, phase: RoomPhase, state: Mapping[str, str | bytes] | None = None) -> bool:
        """Write the room's phase and tell gateways. False when the lease is somebody else's, or expired.

        Raises:
            BrokerUnavailable: not known. Send the same again.
        """
        keys = RoomKeys.of(lease.room)
        encoded = encode_phase(phase)
        args: list[str | bytes | int] = [lease.token, self._history_ttl_ms, keys.events, encoded]
        if phase.is_error:
            args += "last_error", encoded
        for pair in (state or {}).items():
            args += pair
        answer = await _set_phase(self._redis, [keys.lease, keys.state], args)
        return bool(answer[0] == b"OK")

    # --- reading -----------------------------------------------------------------------------------------------------

    async def last_id(self, room: RoomKey) -> Cursor | None:
        """The last id the log ever gave, also when its entry was trimmed. None: there is no log.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        extent = await self.extent(room)
        return None if extent is None else extent.last

    async def extent(self, room: RoomKey) -> Extent | None:
        """From where to where the log goes. None: there is no log.

        Raises:
            Malformed: what is there is no log of ours.
            BrokerUnavailable: Redis cannot be asked.
        """
        log = RoomKeys.of(room).log
        async with self._redis.turn() as commands:
            try:
                about = await commands.xinfo_stream(log)
            except ResponseError as error:
                if code_of(error) == FOREIGN:
                    raise foreign(log) from error
                if await commands.exists(log):  # begun a moment ago, or no log at all
                    raise BrokerUnavailable(f"the log could not be asked: {error}") from error
                return None
        first = about["first-entry"]
        try:
            return Extent(
                length=about["length"],
                first=None if first is None else Cursor.parse(first[0]),
                last=Cursor.parse(about["last-generated-id"]),
            )
        except BadCursor as error:
            metrics.REDIS_MALFORMED.labels("log").inc()
            raise Malformed(f"{log} has other ids than ours") from error

    async def page(self, room: RoomKey, after: Cursor, count: int = PAGE_ENTRIES) -> list[Entry]:
        """The entries from `after` on, itself included where it is still there: it proves that nothing is missing.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        async with self._redis.turn() as commands:
            rows = await commands.xrange(RoomKeys.of(room).log, min=str(after), count=count)
        return _entries(room, rows)

    async def tail(self, room: RoomKey, count: int, max_bytes: int = TAIL_MAX_BYTES) -> list[Entry]:
        """The newest entries, oldest first: at most `count`, and no more once they reach `max_bytes`.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        newest_first: list[Entry] = []
        size = 0
        end = "+"
        while len(newest_first) < count and size < max_bytes:
            wanted = min(PAGE_ENTRIES, count - len(newest_first))
            async with self._redis.turn() as commands:
                rows = await commands.xrevrange(RoomKeys.of(room).log, max=end, count=wanted)
            for entry in _entries(room, rows):
                newest_first.append(entry)
                size += len(entry.data)
                if size >= max_bytes:
                    break
            if len(rows) < wanted:
                break
            end = "(" + rows[-1][0].decode()
        return newest_first[::-1]

    async def state(self, room: RoomKey) -> RoomState:
        """What is known of the room. What cannot be read counts as unknown.

        Raises:
            Malformed: a key is of another type than ours.
            BrokerUnavailable: Redis cannot be asked.
        """
        keys = RoomKeys.of(room)
        answers = await self._redis.read_each((("HGETALL", keys.state), ("GET", keys.lease)))
        for answer in answers:
            if isinstance(answer, Malformed):
                raise answer
        fields: dict[bytes, bytes] = answers[0]
        viewers = fields.get(b"viewer_count", b"")
        return RoomState(
            phase=_phase(fields.get(b"phase")),
            title=_text(fields.get(b"title", b"")),
            owner=fields.get(b"owner"),
            viewer_count=int(viewers) if viewers.isdigit() and len(viewers) < 17 else None,
            paused=fields.get(b"paused") == b"1",
            gifts={b"1": True, b"0": False}.get(fields.get(b"gifts", b"")),
            position=_text(fields.get(b"cursor", b"")),
            holder=_text(answers[1] or b""),
            last_error=_phase(fields.get(b"last_error")),
        )

    async def left_alone_ms(self, rooms: Sequence[RoomKey], now_ms: int) -> list[int]:
        """For how long each room is held if its lease is not renewed, or rests; 0 where somebody should take it.

        Raises:
            BrokerUnavailable: Redis cannot be asked.
        """
        answers = await self._redis.read_each(
            command
            for keys in map(RoomKeys.of, rooms)
            for command in (("PTTL", keys.lease), ("HGET", keys.state, "phase"))
        )
        found = []
        for held_ms, stored in zip(answers[::2], answers[1::2], strict=True):
            phase = None if isinstance(stored, Malformed) else _phase(stored)
            rests_ms = phase.retry_at - now_ms if phase is not None and phase.rests(now_ms) else 0
            found.append(max(0, held_ms, rests_ms))
        return found


def _entries(room: RoomKey, rows: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> list[Entry]:
    """The rows of a log; those that no holder wrote are left out."""
    entries = []
    for cursor, fields in rows:
        try:
            entries.append(Entry.parse(cursor, fields.get(b"t", b""), fields.get(b"r", b""), fields.get(b"d", b"")))
        except RemoteProtocolError:
            metrics.REDIS_MALFORMED.labels("log").inc()
            logger.debug("foreign entry skipped room=%s id=%r", room, cursor)
    return entries


def _phase(stored: bytes | None) -> RoomPhase | None:
    try:
        return None if stored is None else decode_phase(stored)
    except msgspec.DecodeError:
        metrics.REDIS_MALFORMED.labels("state").inc()
        return None


def _text(value: bytes) -> str:
    return value.decode("utf8", "replace")
