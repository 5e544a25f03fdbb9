"""The real scripts, writer and gateway, in whatever order hypothesis can think of: the log keeps its word.

After every step the same invariants are checked as in the model, by the same books (`ledger.py`). `MODEL_EXAMPLES`
(default 200) sequences of at most `MODEL_STEPS` (default 50) steps are tried, always the same ones.
"""

import asyncio
import itertools
import logging
import math
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from gateway.frames import Delivery
from gateway.tail import Tail
from shared.broker import Broker, Entry
from shared.cursor import Cursor
from shared.room import RoomKey
from shared.scripts import Script
from tests.model.ledger import Violation
from tests.model.log_model import LATE_MAX, Stage
from tests.model.real_room import KEYS, PAGE_ENTRIES, Clock, Fate, SmallPages, World
from tests.model.rules import Rules
from tests.model.virtual_time import VirtualTimeLoop, settled

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "200"))
STEPS = int(os.environ.get("MODEL_STEPS", "50"))

pytestmark = pytest.mark.timeout(0)  # how long it takes is what the two variables say

BOUNDS = {
    "gateway.tail.RING_MAX": 3,
    "gateway.feed.RING_MAX": 3,
    "gateway.feed.INBOX_MAX": 3,
    "gateway.feed.PAGE_ENTRIES": PAGE_ENTRIES,
    "ingestor.log_writer.KEPT_MAX_ENTRIES": 3,
}
"""Made small, or no test would reach them."""

Step = Callable[[World, int], Coroutine[Any, Any, None]]
"""Something that happens; the number says to whom, or how often. Where it cannot happen, nothing does."""


# --- what goes on -----------------------------------------------------------------------------------------------------


async def events_come_in(world: World, which: int) -> None:
    ingestor = world.ingestors[which % 2]
    if ingestor.writer is None and world.holders:
        ingestor = world.holders[0]
    if ingestor.writer is not None:
        for _ in range(1 + which // 2 % 3):
            ingestor.add()
            await settled()
    elif not ingestor.busy:
        ingestor.claim()
        await settled()


async def events_are_stored(world: World, which: int) -> None:
    await events_come_in(world, which)
    await world.answer_calls()


async def events_are_delivered(world: World, which: int) -> None:
    await events_come_in(world, which)
    await world.let_through()


async def call_is_answered(world: World, which: int) -> None:
    if world.waiting:
        await world.decide(*world.waiting[which % len(world.waiting)], Fate.ANSWERED)


async def message_arrives(world: World, which: int) -> None:
    if world.channel:
        await world.deliver()


async def renewal_is_due(world: World, which: int) -> None:
    if world.holders:
        world.holders[which % len(world.holders)].renew()
        await settled()


async def room_is_claimed(world: World, which: int) -> None:
    ingestor = world.ingestors[which % 2]
    if not ingestor.busy:
        ingestor.claim()
        await settled()


async def client_comes(world: World, which: int) -> None:
    if world.stage in (Stage.NEW, Stage.AWAY):
        world.come()
        await settled()


async def client_is_told_its_place(world: World, which: int) -> None:
    if world.stage is Stage.LIVE:
        world.pong()


async def all_comes_to_rest(world: World, which: int) -> None:
    await world.come_to_rest()


GOING_ON: tuple[Step, ...] = (
    events_come_in, events_are_stored, events_are_delivered, call_is_answered, message_arrives, renewal_is_due,
    room_is_claimed, client_comes, client_is_told_its_place, all_comes_to_rest,
)  # fmt: skip


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def call_is_lost_or_late(world: World, which: int) -> None:
    if world.waiting:
        network, call = world.waiting[which // 2 % len(world.waiting)]
        late = which % 2 and network is not world.gateway and len(world.late) < LATE_MAX
        await world.decide(network, call, Fate.LATE if late else Fate.ANSWER_LOST)


async def late_call_arrives(world: World, which: int) -> None:
    if world.late:
        await world.arrive_late(world.late[which % len(world.late)])


async def answer_of_a_read_takes_its_time(world: World, which: int) -> None:
    if world.held:
        world.held.pop(0)()
        await settled()
    elif world.gateway.calls:
        await world.hold_answer(world.gateway.calls[0])


async def messages_are_lost(world: World, which: int) -> None:
    for _ in range(min(1 + which // 4, len(world.channel))):
        world.lose_message()


async def time_passes(world: World, which: int) -> None:
    await world.pass_time()


async def ingestor_gives_the_room_up(world: World, which: int) -> None:
    if world.holders:
        world.holders[which % len(world.holders)].release()
        await settled()


async def ingestor_dies(world: World, which: int) -> None:
    world.ingestors[which % 2].die()
    await settled()


async def link_is_cut_or_back(world: World, which: int) -> None:
    await (world.cut() if world.channels.up else world.reconnect())


async def silence_is_doubted(world: World, which: int) -> None:
    if world.channels.up:
        world.room.feed.on_resubscribed()
        await settled()


async def gateway_is_another(world: World, which: int) -> None:
    await world.restart_gateway()


async def client_leaves(world: World, which: int) -> None:
    if world.stage in (Stage.CATCHING_UP, Stage.LIVE):
        if which % 2 and world.stage is Stage.LIVE:
            world.pong()
        await world.leave()


async def lease_expires(world: World, which: int) -> None:
    await world.expire_lease()


async def log_is_trimmed(world: World, which: int) -> None:
    await world.trim(which % 3)


async def log_is_lost(world: World, which: int) -> None:
    await world.lose_log(*((KEYS.state, KEYS.lease) if which % 2 else ()))


async def clock_is_set_back(world: World, which: int) -> None:
    world.clock.set_back()


async def server_saves(world: World, which: int) -> None:
    await world.save()


async def server_starts_again_with_what_it_saved(world: World, which: int) -> None:
    await world.rewind()


GOING_WRONG: tuple[Step, ...] = (
    call_is_lost_or_late, late_call_arrives, answer_of_a_read_takes_its_time, messages_are_lost, time_passes,
    ingestor_gives_the_room_up, ingestor_dies, link_is_cut_or_back, silence_is_doubted, gateway_is_another,
    client_leaves, lease_expires, log_is_trimmed, log_is_lost, clock_is_set_back, server_saves,
    server_starts_again_with_what_it_saved,
)  # fmt: skip


# --- in any order -----------------------------------------------------------------------------------------------------


class Errors(logging.Handler):
    """Keeps what is logged where a task's life ends: nobody else would hear of it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


class RealLog(RuleBasedStateMachine):
    """Of two steps one goes on: were each fault as likely as an event, no room would live for long."""

    going_wrong: tuple[Step, ...] = GOING_WRONG
    begin_with: tuple[tuple[Step, int], ...] = ()
    new = False

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self._patch = pytest.MonkeyPatch()
        self._errors = Errors()
        self._failed = False
        logging.getLogger().addHandler(self._errors)
        self.world: World = self._run(self._begin())

    async def _begin(self) -> World:
        world = World()
        self._patch.setattr("fakeredis.commands_mixins.server_mixin.time", world.clock)
        for name, bound in BOUNDS.items():
            self._patch.setattr(name, bound)
        await world.begin(new=self.new)
        for step, which in self.begin_with:
            await step(world, which)
        return world

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self._runner.run(work)
        except BaseException:
            self._failed = True
            raise

    def teardown(self) -> None:
        try:
            if not self._failed:
                self._run(self.world.come_to_rest())
        finally:
            self._run(self.world.aclose())
            self._runner.close()
            self._patch.undo()
            logging.getLogger().removeHandler(self._errors)

    @invariant()
    def nothing_is_broken(self) -> None:
        self.world.check()
        assert not self._errors.texts

    @rule(step=st.sampled_from(GOING_ON), which=st.integers(0, 11))
    def it_goes_on(self, step: Step, which: int) -> None:
        self._run(step(self.world, which))

    @rule(step=st.runner().flatmap(lambda machine: st.sampled_from(machine.going_wrong)), which=st.integers(0, 11))
    def it_goes_wrong(self, step: Step, which: int) -> None:
        self._run(step(self.world, which))


def explore(machine: type[RealLog], *phases: Phase, examples: int = EXAMPLES) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_order_of_calls_messages_and_faults_breaks_an_invariant() -> None:
    explore(RealLog, Phase.generate, Phase.shrink)


# --- without a rule ---------------------------------------------------------------------------------------------------


def changed(name: str, *changes: tuple[str, str]) -> Script:
    """A script in which some words are others."""
    script = Script(name)
    text = script._text
    for words, others in changes:
        assert text.count(words) == 1, words
        text = text.replace(words, others)
    vars(script)["_text"] = text
    return script


async def all_arrives(world: World, which: int) -> None:
    await world.let_through()


async def log_alone_is_lost(world: World, which: int) -> None:
    await world.lose_log()


async def page_behind(log: SmallPages, room: RoomKey, after: Cursor, count: int = PAGE_ENTRIES) -> list[Entry]:
    """The entries behind a place, without the one that is there."""
    return await Broker.page(log, room, Cursor(after.epoch, after.offset + 1), count)


def begin_owing_nothing(tail: Tail, entries: Iterable[Entry], newest: Cursor | None) -> None:
    """As if who was there before the log were owed nothing of it."""
    begin(tail, entries, newest)
    tail._owed_from_the_start = False


def after_last_too(tail: Tail, position: Cursor | None) -> Sequence[Delivery] | None:
    """As if all were told of a gap as soon as it is found."""
    return () if position == tail.last else after(tail, position)


begin, after = Tail.begin, Tail.after


class CoarseClock(Clock):
    """Tells milliseconds."""

    def time(self) -> float:
        return math.floor(super().time() * 1000) / 1000


@dataclass(frozen=True)
class Without:
    """The real code without a rule.

    Attributes:
        put: what is there instead, by its name.
        broken: the invariant that is broken.
        begin_with: what has gone wrong by then; that it goes on, in some order, shows it.
        new: the room is a new one.
    """

    put: Mapping[str, Any]
    broken: str
    begin_with: tuple[tuple[Step, int], ...] = ()
    new: bool = False


NO_CHECKS = changed(
    "publish",
    ("if redis.call('GET', lease) ~= token then return {'LOST'} end", ""),
    ("then return {'HOLE', last} end", "then end"),
    ("then return {'NOLOG'} end", "then redis.call('XADD', log, '0-1', 't', ''); redis.call('XDEL', log, '0-1') end"),
    ("'NOMKSTREAM', ", ""),
    # What XADD would refuse is left out: that is all that is left.
    (
        "if offset > tonumber(last_offset)",
        "if epoch > last_epoch or (epoch == last_epoch and offset > tonumber(last_offset))",
    ),
)

WITHOUT: Mapping[tuple[str, ...], Without] = {
    # Each of the three covers for the others.
    ("lease_check", "hole_check", "nomkstream"): Without(
        {"shared.broker._publish": NO_CHECKS},
        "I3",
        ((lease_expires, 0), (room_is_claimed, 1), (all_arrives, 0), (log_alone_is_lost, 0)),
    ),
    ("microseconds",): Without(
        {"tests.model.real_room.Clock": CoarseClock},
        "I1",
        ((ingestor_dies, 0), (log_is_lost, 1), (room_is_claimed, 1), (all_arrives, 0)),
    ),
    # What was written after a clock and a log went back is lost again.
    ("jitter",): Without(
        {"shared.lease.random.randrange": lambda below: 0},
        "I1",
        (
            (clock_is_set_back, 0), (ingestor_gives_the_room_up, 0), (all_comes_to_rest, 0), (server_saves, 0),
            (room_is_claimed, 1), (all_arrives, 0), (events_are_delivered, 1), (ingestor_dies, 1),
            (server_starts_again_with_what_it_saved, 0),
        ),
    ),
    ("heartbeat",): Without(
        {"shared.lease._renew": changed("renew", ("redis.call('SPUBLISH', channel, last .. ' alive 0 -')", ""))},
        "I2",
        ((events_are_stored, 0), (messages_are_lost, 0)),
    ),
    ("inclusive_read",): Without(
        {
            "tests.model.real_room.SmallPages.page": page_behind,
            "gateway.tail.Tail.found_nothing": lambda tail, newest: True,
        },
        "I2",
        ((events_are_stored, 0), (messages_are_lost, 0), (log_is_trimmed, 0)),
    ),
    # The server forgets an epoch that the gateway saw, and the holder before goes on.
    ("doubles_per_epoch",): Without(
        {"gateway.tail.EPOCHS_REMEMBERED": 1},
        "I4",
        (
            (server_saves, 0), (events_are_delivered, 0), (lease_expires, 0), (room_is_claimed, 1), (all_arrives, 0),
            (server_starts_again_with_what_it_saved, 0), (renewal_is_due, 0), (all_arrives, 0),
        ),
    ),
    ("gap_entry",): Without({"ingestor.log_writer.LogWriter.add_gap": lambda writer, received_ms: None}, "I2"),
    ("given_up",): Without(
        {"ingestor.log_writer.LogWriter._unanswered": property(lambda writer: False, lambda writer, value: None)},
        "I4",
        ((events_come_in, 0), (call_is_lost_or_late, 0), (message_arrives, 0), (log_alone_is_lost, 0)),
    ),
    ("read_on_subscribe",): Without(
        {"gateway.feed.Feed.on_resubscribed": lambda feed: None},
        "I2",
        ((link_is_cut_or_back, 0), (events_are_stored, 0), (ingestor_dies, 0)),
    ),
    ("first_log",): Without(
        {"gateway.tail.Tail.begin": begin_owing_nothing},
        "I2",
        ((room_is_claimed, 0), (events_are_stored, 0), (events_are_stored, 0), (messages_are_lost, 4)),
        new=True,
    ),
    # A client reads what its gateway does not hear, and then the log is trimmed.
    ("one_place",): Without(
        {"gateway.tail.Tail.after": after_last_too},
        "I4",
        (
            (gateway_is_another, 0), (events_are_stored, 0), (log_is_trimmed, 0), (client_comes, 0),
            (call_is_answered, 0), (call_is_answered, 0), (events_come_in, 0), (call_is_answered, 0),
            (call_is_answered, 0), (messages_are_lost, 0), (log_is_trimmed, 0),
        ),
    ),
    # A client reads faster than the channel brings, and then the log is lost.
    ("no_step_back",): Without(
        {"gateway.recovery._is_beyond": lambda reached, place: True},
        "I4",
        (
            (log_is_lost, 1), (ingestor_dies, 0), (gateway_is_another, 0), (room_is_claimed, 1), (all_arrives, 0),
            (client_comes, 0), (call_is_answered, 0), (call_is_answered, 0), (call_is_answered, 0),
            (events_come_in, 1), (call_is_answered, 0), (call_is_answered, 0), (log_alone_is_lost, 0),
        ),
    ),
}  # fmt: skip
"""Rules by their names in `Rules`."""


@pytest.mark.parametrize("rules", WITHOUT, ids="+".join)
def test_without_a_rule_an_invariant_is_broken(rules: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    without = WITHOUT[rules]

    class Machine(RealLog):
        going_wrong = GOING_ON
        begin_with = without.begin_with
        new = without.new

    explore(Machine, Phase.generate, examples=10)
    for name, instead in without.put.items():
        monkeypatch.setattr(name, instead, raising=False)
    with pytest.raises(Violation, match=without.broken):
        explore(Machine, Phase.generate)


def test_every_rule_of_the_model_is_one_of_the_real_code() -> None:
    assert sorted(itertools.chain(*WITHOUT)) == sorted(field.name for field in fields(Rules))
