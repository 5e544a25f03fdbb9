"""The real scripts, writer and gateway, in whatever order hypothesis can think of: the log keeps its word.

After every step the same invariants are checked as in the model, by the same books (`ledger.py`). `MODEL_EXAMPLES`
(default 200) sequences of at most `MODEL_STEPS` (default 50) steps are tried, always the same ones.
"""

import asyncio
import logging
import math
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from shared.channels import Alive
from tests.model.ledger import Violation
from tests.model.log_model import LATE_MAX, Stage
from tests.model.real_room import KEYS, PAGE_ENTRIES, Clock, Fate, World
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


async def all_comes_to_rest(world: World, which: int) -> None:
    await world.come_to_rest()


GOING_ON: tuple[Step, ...] = (
    events_come_in, events_are_stored, events_are_delivered, call_is_answered, message_arrives, renewal_is_due,
    room_is_claimed, client_comes, all_comes_to_rest,
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
        world.channel.popleft()


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

    world_type: type[World] = World
    going_wrong: tuple[Step, ...] = GOING_WRONG

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self._patch = pytest.MonkeyPatch()
        self._errors = Errors()
        logging.getLogger().addHandler(self._errors)
        self.world: World = self._run(self._begin())

    async def _begin(self) -> World:
        world = self.world_type()
        self._patch.setattr("fakeredis.commands_mixins.server_mixin.time", world.clock)
        for name, bound in BOUNDS.items():
            self._patch.setattr(name, bound)
        await world.begin()
        return world

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def teardown(self) -> None:
        try:
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


def explore(machine: type[RealLog], *phases: Phase) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
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


class DeafWorld(World):
    """Heartbeats do not arrive."""

    async def deliver(self) -> None:
        if isinstance(self.channel[0], Alive):
            self.channel.popleft()
        else:
            await super().deliver()


class WithoutHeartbeat(RealLog):
    world_type = DeafWorld
    going_wrong = (messages_are_lost,)


class CoarseClock(Clock):
    """Tells milliseconds."""

    def time(self) -> float:
        return math.floor(super().time() * 1000) / 1000


class CoarseWorld(World):
    """Two acquires in a row happen at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = CoarseClock()


class WithoutMicroseconds(RealLog):
    world_type = CoarseWorld
    going_wrong = (ingestor_dies, log_is_lost)


@pytest.mark.parametrize(("machine", "broken"), [(WithoutHeartbeat, "I2"), (WithoutMicroseconds, "I1")])
def test_without_a_rule_an_invariant_is_broken(machine: type[RealLog], broken: str) -> None:
    with pytest.raises(Violation, match=broken):
        explore(machine, Phase.generate)
