"""A room's log as a model: every order in which two holders, a server, a gateway and a client can act, and what fails.

The state is one frozen value. `LogModel.moves` tells what can happen next, `LogModel.step` lets it happen and keeps the
books of `ledger.py`, which say when an invariant is broken.

Not in the model: what upstream had and nobody took in; clients with a filter; Redis refusing to store. Two omissions
cannot be known, and are waived: a log that came and went while its gateway knew of none, and epochs that a server
forgot together with their beginning, so that the holder before may go on as if they had never been.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from gateway.tail import BEGINNING, EXPIRED, REWOUND, TRIMMED
from shared.cursor import Cursor, follows
from tests.model import gateway_model
from tests.model.gateway_model import Delivery, Gateway, Walk, page_of
from tests.model.holder_model import Holder
from tests.model.ledger import Ledger
from tests.model.rules import Rules
from tests.model.server_model import (
    Acquire,
    Entry,
    Message,
    Outcome,
    Release,
    Renew,
    Request,
    Server,
    execute,
)

LATE_MAX = 2  # requests on their way for longer than their sender waits
WAITING_MAX = 2  # events in a holder's buffer
START_US = 1_000_000_000
SET_BACK_US = 10_000_019  # no two readings of a clock are the same, in whatever direction it goes
JITTERS = (611_953, 27_407, 940_319, 388_231, 154_619, 733_009, 502_171, 861_097)  # below a second, without a pattern


class Fault(StrEnum):
    """What can go wrong, apart from holders that die and clients that leave."""

    NETWORK = "network"
    """Requests and answers are delayed, lost and repeated."""
    EXPIRY = "expiry"
    """Leases expire."""
    TRIM = "trim"
    """The oldest entry, or all of them, leave the log."""
    LINK = "link"
    """The link of the channel is cut; a gateway dies."""
    SILENCE = "silence"
    """A message of the channel is lost, and nobody knows."""
    OVERFLOW = "overflow"
    """A holder's buffer is full."""
    LOG_LOSS = "log loss"
    """The log alone, or all keys of the room, are deleted."""
    CLOCK = "clock"
    """The server's clock is set back."""
    REWIND = "rewind"
    """The server starts again with what it had saved."""


class Mode(StrEnum):
    """What becomes of a call. One that is lost on its way is a late one that never arrives."""

    DONE = "done"
    DEAF = "answer lost"
    LATE = "late"


class Stage(StrEnum):
    """Where a client is."""

    NEW = "new"
    LIVE = "live"
    AWAY = "away"
    CATCHING_UP = "catching up"


class Client(NamedTuple):
    """One client; `walk` is its way to the live end, while it catches up.

    It is `ahead` when it waits for its gateway to come to its place, or beyond. It was `told_at` that place that
    something behind it is missing.
    """

    stage: Stage = Stage.NEW
    walk: Walk = Walk(None)
    ahead: bool = False
    told_at: Cursor | None = None


class State(NamedTuple):
    """Everything. Ghosts: `ledger`, and `proven`: a heartbeat went out, and nothing was stored or lost since."""

    server: Server = Server()
    saved: Server = Server()
    clock: int = START_US
    draws: int = 0
    holders: tuple[Holder, ...] = (Holder(), Holder())
    late: tuple[Request, ...] = ()
    channel: tuple[Message, ...] = ()
    gateway: Gateway = Gateway()
    client: Client = Client()
    ledger: Ledger = Ledger()
    proven: bool = False


Move = tuple[str, *tuple[int | Mode, ...]]
"""A word, and what it is about: the number of a holder or a request, a mode."""


_FIRST_MOVES: tuple[Move, ...] = (
    ("subscribe",), ("work",), ("join",), ("claim", 0, Mode.DONE), ("deliver",), ("add", 0), ("store", 0, Mode.DONE),
    ("deliver",),
)  # fmt: skip


class LogModel:
    """The model under some rules and faults.

    Args:
        rules: in force.
        faults: that can happen.
        events_max: events that each holder takes in.
        draws_max: acquires that are sent.
    """

    def __init__(self, rules: Rules, faults: frozenset[Fault], *, events_max: int = 4, draws_max: int = 6) -> None:
        self._rules = rules
        self._faults = faults
        self._events_max = events_max
        self._draws_max = draws_max
        self._modes = tuple(Mode) if Fault.NETWORK in faults else (Mode.DONE,)
        self._steps: dict[str, Callable[..., State]] = {
            "claim": self._claim, "add": self._add, "store": self._store, "renew": self._renew,
            "release": self._release, "overflow": self._overflow, "die": self._die, "arrive late": self._arrive_late,
            "deliver": self._deliver, "lose message": self._lose_message, "cut": self._cut,
            "subscribe": self._subscribe, "work": self._work, "doubt": self._doubt, "restart": self._restart,
            "join": self._join, "leave": self._leave, "pong": self._pong, "come back": self._come_back,
            "pull": self._pull, "expire": self._expire, "trim": self._trim, "trim all": self._trim_all,
            "delete log": self._delete_log, "flush": self._flush, "set clock back": self._set_clock_back,
            "save": self._save, "rewind": self._rewind,
        }  # fmt: skip

    def running(self, *moves: Move) -> State:
        """A room with a holder, a first event and a client who got it; and what these moves make of it."""
        state = State()
        for move in (*_FIRST_MOVES, *moves):
            state = self.step(state, move)
        return state

    # --- what can happen ---------------------------------------------------------------------------------------------

    def moves(self, state: State) -> list[Move]:
        """What can happen next, in a fixed order."""
        found: list[Move] = []
        for index, holder in enumerate(state.holders):
            found += self._moves_of(state, index, holder)
        found += [("arrive late", index) for index in range(len(state.late))]
        found += self._moves_of_gateway(state)
        found += self._moves_of_client(state)
        found += self._moves_of_server(state)
        return found

    def _moves_of(self, state: State, index: int, holder: Holder) -> list[Move]:
        modes = [mode for mode in self._modes if mode is not Mode.LATE or len(state.late) < LATE_MAX]
        drawable = state.draws < self._draws_max
        if holder.token is None:
            first = index == 0 or state.draws > 0  # two holders who have done nothing are one and the same
            return [("claim", index, mode) for mode in modes] if first and drawable else []
        found: list[Move] = [("die", index)]
        if holder.added < self._events_max and len(holder.waiting) < WAITING_MAX:
            found.append(("add", index))
        idle = not (holder.asking or holder.frozen or holder.waiting or holder.dropped)
        if not idle and (drawable or not (holder.asking or holder.dropped)):
            found += [("store", index, mode) for mode in modes]
        if holder.asking is None:
            found += [("renew", index, mode) for mode in modes]
        if idle:
            found += [("release", index, mode) for mode in modes]
        if Fault.OVERFLOW in self._faults and holder.frozen and holder.waiting and not holder.dropped:
            found.append(("overflow", index))
        return found

    def _moves_of_gateway(self, state: State) -> list[Move]:
        gateway, found = state.gateway, list[Move]()
        if gateway.up:
            if state.channel:
                found.append(("deliver",))
                if Fault.SILENCE in self._faults:
                    found.append(("lose message",))
            if gateway.started and Fault.LINK in self._faults:
                found.append(("cut",))
        else:
            found.append(("subscribe",))
        if not gateway.idle and (gateway.up or gateway.started):
            found.append(("work",))
        if gateway.started and Fault.LINK in self._faults:
            found.append(("restart",))
            if gateway.idle:
                found.append(("doubt",))
        return found

    def _moves_of_client(self, state: State) -> list[Move]:
        gateway = state.gateway
        match state.client.stage:
            case Stage.NEW if gateway.started:
                return [("join",)]
            case Stage.AWAY if gateway.started:
                return [("come back",)]
            case Stage.LIVE:
                return [("leave",), ("pong",)] if gateway.walk.position != state.ledger.last else [("leave",)]
            case Stage.CATCHING_UP:
                return [("pull",)]
        return []

    def _moves_of_server(self, state: State) -> list[Move]:
        faults, server, found = self._faults, state.server, list[Move]()
        if server.lease is not None and Fault.EXPIRY in faults:
            found.append(("expire",))
        if server.log is not None:
            if server.log.entries and Fault.TRIM in faults:
                found += [("trim",), ("trim all",)]
            if Fault.LOG_LOSS in faults:
                found += [("delete log",), ("flush",)]
        if state.draws and Fault.CLOCK in faults:
            found.append(("set clock back",))
        if Fault.REWIND in faults and server != state.saved:
            found += [("save",), ("rewind",)]
        return found

    def step(self, state: State, move: Move) -> State:
        """Let it happen.

        Raises:
            Violation: of an invariant.
        """
        word, *about = move
        after = self._steps[word](state, *about)
        if after.proven and not after.channel:
            _check_no_quiet_tail(after)
        return after

    # --- holders -----------------------------------------------------------------------------------------------------

    def _claim(self, state: State, index: int, mode: Mode) -> State:
        holder = state.holders[index]
        return self._ask(state, index, holder._replace(asking=holder.asking or Acquire()), mode)

    def _ask(self, state: State, index: int, holder: Holder, mode: Mode) -> State:
        """Acquire, with an owner that stays and randomness that is new for every try."""
        assert holder.asking is not None
        request = replace(holder.asking, owner=holder.asking.owner or state.draws + 1, jitter=JITTERS[state.draws])
        return self._call(state._replace(draws=state.draws + 1), index, holder._replace(asking=request), request, mode)

    def _add(self, state: State, index: int) -> State:
        holder = state.holders[index]
        text = f"{'ab'[index]}{holder.added + 1}"
        return _with_holder(state, index, holder._replace(added=holder.added + 1, waiting=(*holder.waiting, text)))

    def _store(self, state: State, index: int, mode: Mode) -> State:
        holder = state.holders[index]
        if holder.dropped and holder.asking is None:
            holder = holder.begin_epoch()
        if holder.asking is not None:
            return self._ask(state, index, holder, mode)
        if holder.refill is None:
            holder = holder.freeze()
            if mode is not Mode.DONE:
                holder = holder._replace(unanswered=True)
        return self._call(state, index, holder, holder.next_call(), mode)

    def _renew(self, state: State, index: int, mode: Mode) -> State:
        holder = state.holders[index]
        assert holder.token is not None
        return self._call(state, index, holder, Renew(holder.token), mode)

    def _release(self, state: State, index: int, mode: Mode) -> State:
        holder = state.holders[index]
        assert holder.token is not None
        return self._call(state, index, holder.without_room(), Release(holder.token), mode)

    def _overflow(self, state: State, index: int) -> State:
        holder = state.holders[index]
        return _with_holder(state, index, holder._replace(waiting=(), dropped=holder.waiting))

    def _die(self, state: State, index: int) -> State:
        return _with_holder(state, index, state.holders[index].without_room())

    def _arrive_late(self, state: State, index: int) -> State:
        request = state.late[index]
        return self._execute(state._replace(late=state.late[:index] + state.late[index + 1 :]), request)[0]

    def _call(self, state: State, index: int, holder: Holder, request: Request, mode: Mode) -> State:
        """Send a request, and do what its fate allows."""
        if mode is Mode.LATE:
            return _with_holder(state, index, holder)._replace(late=(*state.late, request))
        after, outcome = self._execute(state, request)
        if mode is Mode.DEAF or isinstance(request, Release):
            return _with_holder(after, index, holder)
        heard = holder.hear(request, outcome.answer, self._rules)
        if isinstance(request, Acquire) and outcome.answer.word == "OK" and holder.gives_up(self._rules):
            after = _without(after, holder)
        return _with_holder(after, index, heard)

    def _execute(self, state: State, request: Request) -> tuple[State, Outcome]:
        outcome = execute(state.server, request, state.clock, self._rules)
        ledger = state.ledger.store(outcome.stored, outcome.server.line, outcome.server.reign)
        if outcome.stored:
            state = state._replace(proven=False)
        elif isinstance(request, Renew) and outcome.answer.word == "OK":
            state = state._replace(proven=True)
        after = state._replace(
            server=outcome.server,
            clock=state.clock + isinstance(request, Acquire),
            channel=(*state.channel, *outcome.told) if state.gateway.up else state.channel,
            ledger=ledger,
        )
        return after, outcome

    # --- the gateway -------------------------------------------------------------------------------------------------

    def _deliver(self, state: State) -> State:
        message, channel = state.channel[0], state.channel[1:]
        gateway, found = gateway_model.hear(state.gateway, message, self._rules)
        return self._fan_out(state._replace(channel=channel, gateway=gateway), found)

    def _work(self, state: State) -> State:
        gateway, found = gateway_model.work(state.gateway, state.server.log, self._rules)
        return self._fan_out(state._replace(gateway=gateway), found)

    def _lose_message(self, state: State) -> State:
        proven = state.proven and not isinstance(state.channel[0], Cursor)
        return state._replace(channel=state.channel[1:], proven=proven)

    def _cut(self, state: State) -> State:
        return state._replace(channel=(), gateway=state.gateway._replace(up=False))

    def _subscribe(self, state: State) -> State:
        due = self._rules.read_on_subscribe or not state.gateway.started
        return state._replace(gateway=state.gateway._replace(up=True, due=state.gateway.due or due))

    def _doubt(self, state: State) -> State:
        return state._replace(gateway=state.gateway._replace(due=True))

    def _restart(self, state: State) -> State:
        """The gateway dies; or the client hops to another, which amounts to the same."""
        if state.client.stage in (Stage.LIVE, Stage.CATCHING_UP):
            state = self._leave(state)
        return state._replace(gateway=Gateway(), channel=(), ledger=state.ledger.hop())

    def _fan_out(self, state: State, deliveries: tuple[Delivery, ...]) -> State:
        """The gateway delivers to whoever is live."""
        return _receive(state, deliveries, live=True) if state.client.stage is Stage.LIVE else state

    # --- the client --------------------------------------------------------------------------------------------------

    def _join(self, state: State) -> State:
        walk = state.gateway.walk
        ledger = state.ledger.join(walk.position, walk.last or BEGINNING, state.server.line)
        return state._replace(client=Client(Stage.LIVE), ledger=ledger)

    def _leave(self, state: State) -> State:
        if state.ledger.last is None:
            return state._replace(client=Client(), ledger=state.ledger.forget_client())
        return state._replace(client=Client(Stage.AWAY))

    def _pong(self, state: State) -> State:
        return state._replace(ledger=state.ledger.at(state.gateway.walk.position))

    def _come_back(self, state: State) -> State:
        if self._is_foreign(state):
            return _at_live_end(_told_at_end(state, REWOUND))
        return state._replace(client=Client(Stage.CATCHING_UP, Walk(state.ledger.last)))

    def _is_foreign(self, state: State) -> bool:
        """Whether a client's place is taken for one of another room, and refused with an error."""
        since, gateway, log = state.ledger.last, state.gateway, state.server.log
        if since is None or gateway.knows(since.epoch) or gateway.owed_at(since, self._rules) is not None:
            return False
        page = page_of(log, since, self._rules)
        if not page:
            return log is not None and log.last < since and log.last.epoch != since.epoch
        cursor, _, prev = page[0]
        if follows(since, cursor, prev) or since.epoch in (cursor.epoch, prev and prev.epoch):
            return False
        return log is not None and since > log.entries[0].cursor

    def _pull(self, state: State) -> State:
        """One round of catching up: from the ring and then live, or one page of the log."""
        rules, walk, log = self._rules, state.client.walk, state.server.log
        rest = state.gateway.owed_at(walk.last, self._rules)
        if rest is not None:
            if walk.reason:
                first = next((delivery.entry.cursor for delivery in rest if not delivery.entry.is_marker), None)
                if first is None:
                    state = _told_at_end(state, walk.reason)
                else:
                    state = state._replace(ledger=state.ledger.tell_gap(walk.reason, first))
            return _at_live_end(_receive(state, rest, live=False))
        if state.client.ahead and state.gateway.began_after(walk.last):
            return state._replace(client=Client(Stage.CATCHING_UP, walk.lose(EXPIRED)._replace(last=None)))
        page = page_of(log, walk.last or BEGINNING, rules)
        fresh = page[1:] if page and page[0].cursor == walk.last else page
        for entry in fresh:
            walk, delivery = walk.step(entry, rules)
            state = _receive(state, (delivery,), live=False)
        if fresh:
            return state._replace(client=Client(Stage.CATCHING_UP, walk))
        newest = walk.last if page or not rules.inclusive_read else None if log is None else log.last
        return self._meet(state._replace(gateway=gateway_model.heal(state.gateway, log, rules)), newest)

    def _meet(self, state: State, newest: Cursor | None) -> State:
        """The log, whose last id is `newest`, has nothing for a client: it goes where its gateway is, or is ahead."""
        _, walk, _, told_at = state.client
        if state.gateway.owed_at(walk.last, self._rules) is not None:
            return state
        reached, reason = state.gateway.walk.position, "" if newest == walk.last else _reason(walk.last, newest)
        behind = reached is not None and (walk.last is None or reached > walk.last)
        if reason and (reason == REWOUND or behind or not self._rules.no_step_back):
            return state._replace(client=Client(Stage.CATCHING_UP, walk.lose(reason)._replace(last=reached)))
        if reason and told_at != walk.last:
            walk, told_at = walk.lose(reason), walk.last
        if walk.reason:
            state = _told_at_end(state, walk.reason)
        client = Client(Stage.CATCHING_UP, Walk(walk.last), ahead=True, told_at=told_at)
        return state._replace(client=client, ledger=state.ledger.at(walk.last))

    # --- the server --------------------------------------------------------------------------------------------------

    def _expire(self, state: State) -> State:
        server, saved = state.server, state.saved
        if saved.lease == server.lease:
            saved = saved._replace(lease=None)  # its time is over in what was saved, too
        return state._replace(server=server._replace(lease=None), saved=saved)

    def _trim(self, state: State) -> State:
        log = state.server.log
        assert log is not None
        return state._replace(server=state.server._replace(log=log._replace(entries=log.entries[1:])))

    def _trim_all(self, state: State) -> State:
        log = state.server.log
        assert log is not None
        return state._replace(server=state.server._replace(log=log._replace(entries=())))

    def _delete_log(self, state: State) -> State:
        return _without_log(state, state.server._replace(log=None))

    def _flush(self, state: State) -> State:
        return _without_log(state, Server(reign=state.server.reign))

    def _set_clock_back(self, state: State) -> State:
        return state._replace(clock=state.clock - SET_BACK_US)

    def _save(self, state: State) -> State:
        return state._replace(saved=state.server)

    def _rewind(self, state: State) -> State:
        ledger, saved = state.ledger, state.saved
        if saved.reign != state.server.reign:
            ledger = ledger.waive({cursor.epoch for cursor in saved.line})
        return state._replace(server=saved, ledger=ledger, proven=False)


def _receive(state: State, deliveries: tuple[Delivery, ...], *, live: bool) -> State:
    """The client gets these, in order."""
    ledger = state.ledger
    for entry, gap in deliveries:
        if not entry.is_marker:
            ledger = ledger.tell_gap(gap, entry.cursor) if gap else ledger
            ledger = ledger.receive(entry.cursor, entry.text, live=live)
    return state._replace(ledger=ledger)


def _told_at_end(state: State, reason: str) -> State:
    end = state.gateway.walk.last or BEGINNING
    return state._replace(ledger=state.ledger.tell_gap_at_end(reason, end, state.server.line))


def _at_live_end(state: State) -> State:
    """The client has caught up, and is told the place."""
    ledger = state.ledger.at(state.gateway.walk.position or state.ledger.last)
    return state._replace(client=Client(Stage.LIVE), ledger=ledger)


def _without(state: State, holder: Holder) -> State:
    """A holder gives up events that had their ids."""
    assert holder.token is not None
    epoch = holder.token.epoch
    lost = enumerate((*holder.frozen, *holder.dropped), holder.stored + 1)
    return state._replace(ledger=state.ledger.give_up(Entry(Cursor(epoch, offset), text) for offset, text in lost))


def _check_no_quiet_tail(state: State) -> None:
    """After a heartbeat that arrived, who is live has everything, or a gap waits to be told to it.

    Raises:
        Violation: I2.
    """
    gateway = state.gateway
    if state.client.stage is Stage.LIVE and gateway.up and gateway.idle and not gateway.walk.reason:
        state.ledger.check_tail(state.server.line)


def _without_log(state: State, server: Server) -> State:
    ledger = state.ledger if state.gateway.walk.last is not None else state.ledger.waive(())
    return state._replace(server=server, ledger=ledger, proven=False)


def _with_holder(state: State, index: int, holder: Holder) -> State:
    holders = (holder, state.holders[1]) if index == 0 else (state.holders[0], holder)
    return state._replace(holders=holders)


def _reason(last: Cursor | None, newest: Cursor | None) -> str:
    if newest is None or last is None:
        return EXPIRED
    return REWOUND if newest < last else TRIMMED
