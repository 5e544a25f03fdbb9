"""A room of the real code on a Redis in memory, where a test decides what becomes of every call and every message.

Two ingestors with the real leases and the real writer of the log, and a gateway with its real room, feed and replay.
Every call to Redis waits in a `Network` until it is let through; every message of the channel waits in `channel`. What
is stored and what the client gets is entered into the books of `ledger.py`, which say when the log breaks its word.
"""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, cast
from uuid import uuid4

from gateway.close_codes import Code
from gateway.feed import Cluster
from gateway.frames import Frame
from gateway.options import DEFAULT_FILTER, Options
from gateway.replay import Replay
from gateway.room import Room
from gateway.settings import GatewaySettings
from gateway.subscriber import SendLimits, Subscriber
from gateway.tail import BEGINNING, REWOUND
from ingestor.log_writer import LogWriter
from shared.broker import Broker, Entry
from shared.channels import Alive, Channels, parse_message
from shared.cursor import Cursor
from shared.demand import Demand
from shared.errors import BrokerUnavailable, LeaseLost
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, new_owner
from shared.phases import RoomPhase
from shared.redis_client import RedisClient, open_redis
from shared.room import RoomKey
from tests.events import chat
from tests.gateway_room import FakeChannels, FakeDemand
from tests.log_entries import ROOM
from tests.model import server_model
from tests.model.ledger import Ledger, Violation
from tests.model.log_model import Stage
from tests.model.server_model import GAP, MARKER
from tests.model.virtual_time import settled
from tests.sinks import AtOnce, ListSink

KEYS = RoomKeys.of(ROOM)
PAGE_ENTRIES = 3  # of a read, for gateways
LONG_S = 30.0  # every pause of the code under test is over, and a lease is no longer believed in


class Fate(StrEnum):
    """What becomes of a call."""

    ANSWERED = "answered"
    ANSWER_LOST = "answer lost"
    LATE = "late"
    """Its sender gives up waiting; it may arrive all the same, at any time."""


# --- Redis as the others see it ---------------------------------------------------------------------------------------


@dataclass(eq=False)
class Call:
    """A command on its way."""

    run: Callable[[], Awaitable[Any]]
    answer: "asyncio.Future[Any]"

    async def arrive(self) -> Callable[[], None]:
        """Be executed; returns how to send the answer back."""
        try:
            result = await self.run()
        except Exception as error:
            return partial(self._refuse, error)
        return partial(self._answer, result)

    def give_up(self) -> None:
        """The sender will never know."""
        self._refuse(BrokerUnavailable("cut by the test"))

    def _answer(self, result: Any) -> None:
        if not self.answer.done():  # else its sender has died
            self.answer.set_result(result)

    def _refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class _Gate:
    """The commands of a client. All wait but pipelines: they read only the room's state, in which no entry is."""

    def __init__(self, commands: Any, calls: list[Call]) -> None:
        self._commands = commands
        self._calls = calls

    def pipeline(self, **options: Any) -> Any:
        return self._commands.pipeline(**options)

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **options: Any) -> Any:
            waiting = Call(lambda: command(*args, **options), asyncio.get_running_loop().create_future())
            self._calls.append(waiting)
            return await waiting.answer

        command = getattr(self._commands, name)
        return call


class Network(RedisClient):
    """The way of one actor to Redis; `calls` are on it."""

    def __init__(self, redis: RedisClient) -> None:
        self.calls: list[Call] = []
        super().__init__(_Gate(redis.commands, self.calls), None)

    async def ask_once(self, key: str, *command: str | bytes | int) -> Any:
        async with self.turn() as commands:
            return await commands.execute_command(*command)


class SmallPages(Broker):
    """Logs that are read a few entries at a time."""

    async def page(self, room: RoomKey, after: Cursor, count: int = PAGE_ENTRIES) -> list[Entry]:
        return await super().page(room, after, count)


class Clock:
    """The server's clock: microseconds that never repeat, in whatever direction it is set."""

    def __init__(self) -> None:
        self._us = 1_800_000_000_000_000

    def time(self) -> float:
        """As `time.time`."""
        self._us += 10
        return self._us / 1_000_000

    def set_back(self) -> None:
        """By some ten seconds."""
        self._us -= 10_000_003


@dataclass(frozen=True)
class Saved:
    """What the server would start again with."""

    lease: bytes | None
    state: dict[bytes, bytes]
    rows: list[tuple[bytes, dict[bytes, bytes]]]
    last: Cursor | None
    line: tuple[Cursor, ...]
    reign: int


# --- who is in the room -----------------------------------------------------------------------------------------------


class Ingestor:
    """One ingestor, as far as this room goes: claims it, and runs the writer of its log.

    Attributes:
        writer: None while it does not hold the room.
        added: what it took in since it holds the room.
    """

    def __init__(self, name: str, redis: RedisClient) -> None:
        self.name = name
        self.added: list[str] = []
        self.network = Network(redis)
        self.writer: LogWriter | None = None
        self._broker = Broker(self.network, history_ttl_s=600, history_len=2000)
        self._leases = Leases(self.network, ttl_s=10, history_ttl_s=600, history_len=2000)
        self._tasks: list[asyncio.Task[None]] = []
        self._count = 0

    @property
    def busy(self) -> bool:
        """Whether it holds the room, or tries to."""
        return any(not task.done() for task in self._tasks)

    def claim(self) -> None:
        """Try for the lease, and run the room for as long as it lasts."""
        self._start(self._hold())

    def add(self) -> None:
        """Take an event in."""
        assert self.writer is not None
        self._count += 1
        self.added.append(f"{self.name}{self._count}")
        self.writer.add(chat(ROOM, self.added[-1]), 1)

    def renew(self) -> None:
        """The renewal is due."""
        assert self.writer is not None
        self._start(self.writer.renew())

    def release(self) -> None:
        """Give the room up once all is stored."""
        writer, self.writer = self.writer, None
        assert writer is not None
        self._start(self._release(writer))

    def die(self) -> None:
        """Stop, without a word."""
        self.writer = None
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def check(self) -> None:
        """Nothing has failed in a way that its worker does not know.

        Raises:
            Exception: a bug.
        """
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    def _start(self, work: Any) -> None:
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(self._guard(work)))

    async def _guard(self, work: Awaitable[None]) -> None:
        try:
            await work
        except LeaseLost:
            self.die()
        except BrokerUnavailable:
            pass  # a renewal is made again; a claim, or a release, was in vain

    async def _hold(self) -> None:
        lease = await self._leases.acquire(ROOM, new_owner(self.name), need_demand=False)
        if not isinstance(lease, Lease):
            return
        self.added.clear()
        self.writer = LogWriter(
            self._broker,
            self._leases,
            lease,
            tail=(),
            history_len=2000,
            history_bytes=4 * 1024 * 1024,
            buffer_bytes=2048,  # some seven events
            clock=asyncio.get_running_loop().time,
        )
        if lease.prev is not None:
            self.writer.add_gap(1)  # this upstream shows no continuity
        await self.writer.run()

    async def _release(self, writer: LogWriter) -> None:
        await writer.drain()
        try:
            await writer.release(only_if_idle=False)
        finally:
            self.die()


class Viewer(ListSink):
    """The client: a member of the gateway's room, and its own sink."""

    waits = False

    def __init__(self, world: "World") -> None:
        super().__init__()
        self.subscriber = Subscriber(self, SendLimits(10**6, 10**7, 10), DEFAULT_FILTER)
        self._world = world
        self._told: Cursor | None = None

    def write(self, frames: Iterable[Frame]) -> None:
        """Enter what it is sent into the books."""
        try:
            self._enter(list(frames))
        except Violation as violation:  # the fan-out keeps a client's faults to itself
            self._world.broken = self._world.broken or violation

    def _enter(self, given: list[Frame]) -> None:
        for frame, following in itertools.zip_longest(given, given[1:]):
            if frame.type:
                assert frame.cursor is not None
                text = GAP if frame.type == "gap" else json.loads(frame.text)["content"]
                self._world.ledger = self._world.ledger.receive(frame.cursor, text, live=self.live)
                self._told = frame.cursor
                continue
            read = json.loads(frame.text)
            if read.get("status") == "recovered":
                self._told = Cursor.parse(read["cursor"]) if "cursor" in read else None
            elif read.get("type") == "gap" and following is not None and str(following.cursor) == read["before"]:
                assert following.cursor is not None
                self._world.ledger = self._world.ledger.tell_gap(read["reason"], following.cursor)
            elif read.get("type") == "gap":
                self._world.told_at_end(read["reason"])

    async def come(self, since: Cursor | None) -> None:
        """Join the room, as a session does."""
        world = self._world
        room = world.room
        room.attach(self)
        await room.feed.started.wait()
        if since is not None:
            options, readers = Options(since=since), asyncio.Semaphore()
            replay = Replay(room, world.log, readers, options, self, self)
            await replay.send()
            world.ledger = world.ledger.at(self._told or since)
            await replay.be_overtaken()
        else:
            world.ledger = world.ledger.join(room.tail.position, room.tail.last or BEGINNING, world.line)
        room.hub.add(self.subscriber)

    @property
    def live(self) -> bool:
        """Whether it gets events as they come."""
        return self.subscriber in self._world.room.hub

    def tell_error(self, code: Code, *, detail: str = "") -> None:
        if code is Code.BAD_CURSOR:  # nobody knows what is missing; it is told so, and begins at the live end
            self._world.told_at_end(REWOUND)
            self._told = self._world.room.tail.position

    def on_phase(self, room: Room) -> None:
        pass

    def on_nothing_more(self) -> None:
        pass

    def on_target(self, name: Room) -> None:
        pass

    def on_unavailable(self) -> None:
        pass

    def on_untaken(self, room: Room, code: Code) -> None:
        pass

    def dismiss(self, code: Code) -> None:
        self._world.broken = self._world.broken or AssertionError(code)


class _Tasks:
    """Starts tasks as a TaskGroup does; they go on between the steps of a test."""

    def create_task(self, work: Any, *, name: str) -> "asyncio.Task[Any]":
        return asyncio.create_task(work, name=name)


# --- all together -----------------------------------------------------------------------------------------------------


class World:
    """The room, its Redis and its books.

    Attributes:
        channel: messages on their way to the gateway.
        late: calls whose senders do not wait any more.
        held: answers to the gateway that are on their way.
        line: the ids of the log as it is now, trimmed ones included.
        reign: the epoch acquired last.
        broken: the first violation that was found while something was delivered.
        in_doubt: something happened that only a heartbeat shows.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.redis = open_redis(f"memory://{uuid4().hex}", name="test")
        self.ingestors = [Ingestor("a", self.redis), Ingestor("b", self.redis)]
        self.gateway = Network(self.redis)
        self.log = SmallPages(self.gateway, history_ttl_s=600, history_len=2000)
        self.channel: deque[Entry | Alive | RoomPhase] = deque()
        self.late: list[Call] = []
        self.held: list[Callable[[], None]] = []
        self.ledger = Ledger()
        self.line: tuple[Cursor, ...] = ()
        self.reign = 0
        self.broken: Exception | None = None
        self.in_doubt = False
        self.saved = Saved(None, {}, [], None, (), 0)
        self._bytes: dict[Cursor, bytes] = {}
        self._tap = self.redis.commands.pubsub()
        self._open_room()

    def _open_room(self) -> None:
        self.channels = FakeChannels()
        options: dict[str, Any] = {"_env_file": None}
        cluster = Cluster(
            self.log,
            cast(Channels, self.channels),
            cast(Demand, FakeDemand()),
            cast(asyncio.TaskGroup, _Tasks()),
            GatewaySettings(**options),
            AtOnce(),
        )
        self.room = Room(ROOM, cluster)
        self.viewer = Viewer(self)
        self._coming: asyncio.Task[None] | None = None

    async def begin(self, *, new: bool = False) -> None:
        """A client who is there; and before that, unless the room is new, a holder and its first event."""
        await self._tap.ssubscribe(KEYS.events)
        if not new:
            self.ingestors[0].claim()
            await self.let_through()
            self.ingestors[0].add()
            await self.let_through()
        self.come()
        await self.let_through()

    @property
    def holders(self) -> list[Ingestor]:
        """Who believes to hold the room."""
        return [ingestor for ingestor in self.ingestors if ingestor.writer is not None]

    def check(self) -> None:
        """Nothing in the room has failed.

        Raises:
            Violation: of an invariant, found while something was delivered.
        """
        if self.broken is not None:
            raise self.broken
        for ingestor in self.ingestors:
            ingestor.check()
        if self._coming is not None and self._coming.done() and not self._coming.cancelled():
            self._coming.result()

    async def aclose(self) -> None:
        """End everything."""
        for ingestor in self.ingestors:
            ingestor.die()
        await self._close_room()
        await self._tap.aclose()
        await self.redis.aclose()

    # --- calls -------------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> list[tuple[Network, Call]]:
        """All calls on their way, those of the ingestors first."""
        networks = [*(ingestor.network for ingestor in self.ingestors), self.gateway]
        return [(network, call) for network in networks for call in network.calls]

    async def decide(self, network: Network, call: Call, fate: Fate) -> None:
        """Let a call meet its fate."""
        network.calls.remove(call)
        if fate is Fate.LATE:
            self.late.append(call)
        else:
            answer = await self._execute(call)
            if fate is Fate.ANSWERED:
                answer()
                await settled()
                return
        call.give_up()
        await settled()

    async def hold_answer(self, call: Call) -> None:
        """Execute a read of the gateway; the answer takes its time."""
        self.gateway.calls.remove(call)
        self.held.append(await self._execute(call))

    async def arrive_late(self, call: Call) -> None:
        """A late call is executed after all."""
        self.late.remove(call)
        await self._execute(call)
        await settled()

    async def _execute(self, call: Call) -> Callable[[], None]:
        answer = await call.arrive()
        await self._book()
        return answer

    async def _book(self) -> None:
        """Enter what was stored into the books, and send it on its way."""
        while (told := await self._tap.get_message(timeout=0)) is not None:
            if told["type"] != "smessage":
                continue
            message = parse_message(told["data"])
            if self.channels.up and ROOM in self.channels.subscribed:
                self.channel.append(message)
            if isinstance(message, Entry):
                self._store(message)

    def _store(self, entry: Entry) -> None:
        cursor = entry.cursor
        if self._bytes.setdefault(cursor, entry.data) != entry.data:
            raise Violation("I1", f"{cursor} is {self._bytes[cursor]!r} and {entry.data!r}")
        if entry.is_marker:
            self.reign, text = cursor.epoch, MARKER
        else:
            text = GAP if entry.type == "gap" else json.loads(entry.data)["content"]
        self.line = (*self.line, cursor)
        stored = server_model.Entry(cursor, text, entry.marker_prev)
        self.ledger = self.ledger.store([stored], self.line, self.reign)

    # --- the channel -------------------------------------------------------------------------------------------------

    async def deliver(self) -> None:
        """The oldest message arrives at the gateway."""
        match self.channel.popleft():
            case Entry() as entry:
                self.room.feed.on_entry(entry)
            case Alive(last):
                self.room.feed.on_alive(last)
            case RoomPhase() as phase:
                self.room.feed.on_phase(phase)
        await settled()

    def lose_message(self) -> None:
        """The oldest message does not arrive, and nobody knows."""
        self.channel.popleft()
        self.in_doubt = True

    async def cut(self) -> None:
        """The link is down; what is on its way is lost."""
        self.channels.up = False
        self.channel.clear()
        self.room.feed.on_link(False)
        await settled()

    async def reconnect(self) -> None:
        """It is up again, in the order of `PubSubLink`."""
        self.room.feed.on_resubscribed()
        self.channels.up = True
        self.room.feed.on_link(True)
        await settled()

    # --- the client --------------------------------------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """Where the client is."""
        if self.viewer.live:
            return Stage.LIVE
        if self._coming is not None and not self._coming.done():
            return Stage.CATCHING_UP
        return Stage.NEW if self.ledger.last is None else Stage.AWAY

    def come(self) -> None:
        """The client comes, or comes back."""
        self._coming = asyncio.create_task(self.viewer.come(self.ledger.last))

    async def leave(self) -> None:
        """The client goes, with the place it was told last."""
        await self._stop_coming()
        self.room.detach(self.viewer)
        self.viewer = Viewer(self)
        if self.ledger.last is None:
            self.ledger = self.ledger.forget_client()

    def pong(self) -> None:
        """A client that is live is told its place."""
        self.ledger = self.ledger.at(self.room.tail.position)

    async def restart_gateway(self) -> None:
        """The gateway dies, and another is there; or the client will come to another, which amounts to the same."""
        await self.leave()
        await self._close_room()
        self.gateway.calls.clear()
        self.held.clear()
        self.channel.clear()
        self.ledger = self.ledger.hop()
        self._open_room()

    def told_at_end(self, reason: str) -> None:
        """The client is told of a gap with nothing behind it."""
        self.ledger = self.ledger.tell_gap_at_end(reason, self.room.tail.last or BEGINNING, self.line)

    async def _stop_coming(self) -> None:
        if self._coming is not None and not self._coming.done():
            self._coming.cancel()
            await asyncio.wait({self._coming})

    async def _close_room(self) -> None:
        await self._stop_coming()
        await self.room.aclose()
        await settled()

    # --- the server --------------------------------------------------------------------------------------------------

    async def expire_lease(self) -> None:
        """Its time is over, in what was saved as well."""
        lease = await self.redis.commands.getdel(KEYS.lease)
        if lease is not None and lease == self.saved.lease:
            self.saved = replace(self.saved, lease=None)

    async def trim(self, keep: int) -> None:
        """Only the newest entries stay in the log."""
        await self.redis.commands.xtrim(KEYS.log, maxlen=keep, approximate=False)

    async def lose_log(self, *keys: str) -> None:
        """The log, or more of the room, is deleted."""
        await self.redis.commands.delete(KEYS.log, *keys)
        self.line = ()
        self.in_doubt = True
        if self.room.tail.last is None:
            self.ledger = self.ledger.waive(())  # what came and went while the gateway knew of no log cannot be known

    async def save(self) -> None:
        """What is there now is what the server would start again with."""
        commands = self.redis.commands
        last = None
        if await commands.exists(KEYS.log):
            last = Cursor.parse((await commands.xinfo_stream(KEYS.log))["last-generated-id"])
        self.saved = Saved(
            await commands.get(KEYS.lease), await commands.hgetall(KEYS.state), await commands.xrange(KEYS.log), last,
            self.line, self.reign,
        )  # fmt: skip

    async def rewind(self) -> None:
        """The server starts again with what was saved."""
        commands, saved = self.redis.commands, self.saved
        await commands.delete(KEYS.lease, KEYS.state, KEYS.log)
        if saved.lease is not None:
            await commands.set(KEYS.lease, saved.lease)
        if saved.state:
            await commands.hset(KEYS.state, mapping=saved.state)
        for cursor, fields in saved.rows:
            await commands.xadd(KEYS.log, fields, id=cursor)
        if saved.last is not None and str(saved.last).encode() not in dict(saved.rows):
            await commands.xadd(KEYS.log, {"d": ""}, id=str(saved.last))
            await commands.xdel(KEYS.log, str(saved.last))
        if saved.reign != self.reign:
            self.ledger = self.ledger.waive({cursor.epoch for cursor in saved.line})
        self.line, self.reign = saved.line, saved.reign
        self.in_doubt = True

    # --- time --------------------------------------------------------------------------------------------------------

    async def pass_time(self) -> None:
        """Every pause is over."""
        await asyncio.sleep(LONG_S)

    async def answer_calls(self) -> None:
        """Every call is answered, and those that follow from that."""
        await settled()
        while self.held or self.waiting:
            if self.held:
                self.held.pop(0)()
                await settled()
            else:
                await self.decide(*self.waiting[0], Fate.ANSWERED)

    async def let_through(self) -> None:
        """Every call is answered and every message arrives, until there are no more."""
        await self.answer_calls()
        while self.channel:
            await self.deliver()
            await self.answer_calls()

    async def come_to_rest(self) -> None:
        """Nothing fails any more, and a heartbeat comes: then the client has everything, or is to be told of a gap."""
        if not self.channels.up:
            await self.reconnect()
        await self.let_through()
        await self.pass_time()
        await self.let_through()
        for ingestor in self.holders:
            ingestor.renew()
        await self.let_through()
        await self.pass_time()
        await self.let_through()
        self.check()
        for ingestor in self.holders:
            self._check_nothing_left_out(ingestor)
        self.in_doubt &= not self.holders
        if not self.in_doubt and self.room.tail.position == self.room.tail.last:
            assert self.stage is not Stage.CATCHING_UP, "the client waits for something that never comes"
            if self.viewer.live:
                self.ledger.check_tail(self.line)

    def _check_nothing_left_out(self, ingestor: Ingestor) -> None:
        """What an ingestor took in is stored, or a gap entry behind it stands for it.

        Raises:
            Violation: I2.
        """
        texts = [birth.entry.text for birth in self.ledger.births]
        lost = [text for text in ingestor.added if text not in texts]
        if lost and GAP not in texts[self._end_before(ingestor.added, lost[-1], texts) :]:
            raise Violation("I2", f"{lost[-1]} was taken in and not stored, and nobody will know")

    @staticmethod
    def _end_before(added: list[str], text: str, texts: list[str]) -> int:
        """Where in the log's order an event should have been: behind all that were taken in before it."""
        before = added[: added.index(text)]
        return max((texts.index(other) + 1 for other in before if other in texts), default=0)
