"""The server in the model: one room's keys, and the scripts of `shared/lua` as functions on them.

Everything is a frozen value. What the server itself does not know, and only the invariants need, is called a ghost.
"""

from dataclasses import dataclass
from typing import NamedTuple

from shared.cursor import Cursor
from tests.model.rules import Rules

MARKER, GAP = "epoch", "gap"


class Token(NamedTuple):
    """A lease's value. `owner` is a number, new for every acquire; 0 is nobody."""

    epoch: int
    owner: int


class Entry(NamedTuple):
    """An entry of the log, and a message of the channel. `text` stands for type and bytes."""

    cursor: Cursor
    text: str
    prev: Cursor | None = None

    @property
    def is_marker(self) -> bool:
        """Whether it opens an epoch."""
        return self.cursor.offset == 0


class Log(NamedTuple):
    """A stream. Ghost: `line`, every id that was ever stored on the way to its present content."""

    entries: tuple[Entry, ...]
    last: Cursor
    line: tuple[Cursor, ...]

    def add(self, entry: Entry) -> "Log":
        """XADD of an id that is larger than the last one."""
        return Log((*self.entries, entry), entry.cursor, (*self.line, entry.cursor))


class Server(NamedTuple):
    """The keys of the room: `holder` and `prev` are fields of its state. Ghost: `reign`, the epoch acquired last."""

    log: Log | None = None
    lease: Token | None = None
    holder: Token | None = None
    prev: Cursor | None = None
    reign: int = 0

    @property
    def line(self) -> tuple[Cursor, ...]:
        """The ids of the log as it is now, trimmed ones included."""
        return () if self.log is None else self.log.line


@dataclass(frozen=True, slots=True)
class Acquire:
    owner: int = 0
    jitter: int = 0
    replaces: int = 0
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Publish:
    token: Token
    first: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renew:
    token: Token


@dataclass(frozen=True, slots=True)
class Release:
    token: Token


Request = Acquire | Publish | Renew | Release
Message = Entry | Cursor
"""What the channel carries: an entry, or a heartbeat with the log's last id."""


class Answer(NamedTuple):
    """`word` as the script gives it; `last` is also the `prev` of an acquire."""

    word: str
    last: Cursor | None = None
    epoch: int = 0


class Outcome(NamedTuple):
    """What a script did: the server after it, its answer, what it stored, what it told."""

    server: Server
    answer: Answer
    stored: tuple[Entry, ...] = ()
    told: tuple[Message, ...] = ()


def execute(server: Server, request: Request, now: int, rules: Rules) -> Outcome:
    """One atomic step; `now` is the clock in microseconds."""
    match request:
        case Acquire():
            return _acquire(server, request, now, rules)
        case Publish():
            return _publish(server, request, rules)
        case Renew():
            return _renew(server, request.token, rules)
        case Release():
            if server.lease != request.token:
                return Outcome(server, Answer("LOST"))
            return Outcome(server._replace(lease=None, holder=None), Answer("OK"))


def _acquire(server: Server, request: Acquire, now: int, rules: Rules) -> Outcome:
    held = server.lease
    if held is not None:
        if held.owner == request.owner:
            return Outcome(server, Answer("OK", server.prev, held.epoch))
        if held.owner != request.replaces:
            return Outcome(server, Answer("HELD"))
    log = server.log
    prev = None if log is None else log.last
    least = max(request.floor, 0 if prev is None else prev.epoch)
    epoch = now if rules.microseconds else now // 1000
    if epoch <= least:
        epoch = least + 1 + (request.jitter if rules.jitter else 0)
    marker = Entry(Cursor(epoch, 0), MARKER, prev)
    token = Token(epoch, request.owner)
    begun = (log or Log((), marker.cursor, ())).add(marker)
    return Outcome(Server(begun, token, token, prev, epoch), Answer("OK", prev, epoch), (marker,), (marker,))


def _publish(server: Server, request: Publish, rules: Rules) -> Outcome:
    epoch, log = request.token.epoch, server.log
    if rules.lease_check and server.lease != request.token:
        return Outcome(server, Answer("LOST"))
    if log is None:
        if rules.nomkstream:
            return Outcome(server, Answer("NOLOG"))
        log = Log((), Cursor(0, 0), ())
    if rules.hole_check and (log.last.epoch != epoch or request.first > log.last.offset + 1):
        return Outcome(server, Answer("HOLE", log.last))
    stored = []
    for offset, text in enumerate(request.texts, request.first):
        entry = Entry(Cursor(epoch, offset), text)
        if entry.cursor > log.last:  # else it is there already; XADD would refuse it, too
            log = log.add(entry)
            stored.append(entry)
    return Outcome(server._replace(log=log), Answer("OK", log.last), tuple(stored), tuple(stored))


def _renew(server: Server, token: Token, rules: Rules) -> Outcome:
    if server.lease != token and (server.lease is not None or server.holder != token):
        return Outcome(server, Answer("LOST"))
    if server.log is None:
        return Outcome(server, Answer("NOLOG"))
    last = server.log.last
    return Outcome(server._replace(lease=token), Answer("OK", last), told=(last,) if rules.heartbeat else ())
