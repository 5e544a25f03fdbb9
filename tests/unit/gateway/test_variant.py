"""Clients in lanes and apart from them: everybody gets what it is owed, once, in order, and mostly without a look."""

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.close_codes import Code
from gateway.frames import Encoding, Frame, control, deflated, event_frame, last_cursor, plain
from gateway.options import DEFAULT_FILTER
from gateway.subscriber import SendLimits, Subscriber
from gateway.variant import LANE_MAX, Flushed, Variant
from shared.cursor import Cursor

LIMITS = SendLimits(soft_bytes=1000, hard_bytes=2000, age_s=10)


def frame(number: int, event_type: str = "chat") -> Frame:
    return event_frame(event_type, b"%d" % number, Cursor(1, number))


@dataclass
class Client:
    """A client by the wire: an outlet, and a queue for what comes while that is full."""

    encoding: Encoding = plain
    full: bool = False
    fills: bool = False
    gone: bool = False
    closing: bool = False
    sent: Cursor | None = None
    written: list[bytes] = field(default_factory=list)
    queue: deque[Frame] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.subscriber = Subscriber(self, LIMITS, DEFAULT_FILTER)

    @property
    def outlet(self) -> "Client | Outlet | None":
        return None if self.full else Outlet(self)

    @property
    def unsent_bytes(self) -> int:
        return sum(frame.size for frame in self.queue)

    def unsent_for_s(self, now: float) -> float:
        return 0.0

    async def drained(self) -> None:
        raise AssertionError

    def write(self, frames: object) -> None:
        assert isinstance(frames, list)
        if self.full:
            self.queue += frames
        else:
            self.sent = last_cursor(frames) or self.sent
            self.take(self.encoding(frames))

    def take(self, data: bytes) -> None:
        """The transport's part."""
        if self.gone:
            raise RuntimeError("the handler is closed")
        self.written.append(data)
        if self.fills:
            self.fill()

    def fill(self) -> None:
        self.full = True
        if self.subscriber.variant is not None:
            self.subscriber.variant.set_apart(self.subscriber)

    def empty(self) -> None:
        self.full = self.fills = False
        if self.queue:
            frames, self.queue = list(self.queue), deque()
            self.write(frames)

    @property
    def read(self) -> list[str]:
        """What arrived, frame by frame."""
        found = []
        data = b"".join(self.written)
        while data:
            found.append(data[2 : 2 + data[1]].decode())
            data = data[2 + data[1] :]
        return found


class Outlet:
    """Takes bytes for a client without a look at it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def write(self, data: bytes, /) -> None:
        assert not self._client.full
        self._client.take(data)


def flush(variant: Variant, budget: int = 10**6) -> Flushed:
    flushed = Flushed()
    variant.flush(flushed, budget, 0.0)
    return flushed


def variant_of(*clients: Client) -> Variant:
    variant = Variant(DEFAULT_FILTER)
    for client in clients:
        variant.add(client.subscriber)
    return variant


def test_all_get_the_same_bytes_in_one_write() -> None:
    one, other = Client(), Client()
    variant = variant_of(one, other)
    variant.push([frame(1)])
    variant.push([frame(2), frame(3)])
    flushed = flush(variant)
    assert one.read == ["1", "2", "3"]
    assert len(one.written) == 1
    assert one.written[0] is other.written[0]
    assert (flushed.clients, flushed.frames, flushed.size, variant.owes) == (2, 6, 18, False)


def test_encodings_have_lanes_of_their_own() -> None:
    one, other = Client(), Client(encoding=deflated)
    variant = variant_of(one, other)
    long = event_frame("chat", b"a" * 500, Cursor(1, 1))
    variant.push([long])
    flush(variant)
    assert (one.written, other.written) == ([long.wire], [long.deflated])


def test_who_comes_gets_what_is_pushed_from_then_on() -> None:
    early, late = Client(), Client()
    variant = variant_of(early)
    variant.push([frame(1)])
    variant.add(late.subscriber)
    variant.push([frame(2)])
    flush(variant)
    variant.push([frame(3)])
    flush(variant)
    assert (early.read, late.read) == (["1", "2", "3"], ["2", "3"])


def test_who_leaves_gets_nothing_more() -> None:
    one, other = Client(), Client()
    variant = variant_of(one, other)
    variant.push([frame(1)])
    variant.remove(one.subscriber)
    variant.remove(one.subscriber)
    flush(variant)
    assert (one.read, other.read, len(variant), list(variant)) == ([], ["1"], 1, [other.subscriber])


def test_what_is_said_out_of_turn_comes_behind_what_is_owed() -> None:
    one, other = Client(), Client()
    variant = variant_of(one, other)
    variant.push([frame(1)])
    assert one.subscriber.tell(control("pong"), 0.0)
    variant.push([frame(2)])
    flush(variant)
    variant.push([frame(3)])
    flush(variant)
    assert (one.read, other.read) == (["1", "pong", "2", "3"], ["1", "2", "3"])
    assert one.written[-1] is other.written[-1]  # both in lanes again


def test_client_that_fills_up_in_the_middle_of_a_flush_loses_nothing() -> None:
    one, other = Client(fills=True), Client()
    variant = variant_of(one, other)
    variant.push([frame(1)])
    flush(variant)
    assert (list(variant.apart), one.sent) == ([one.subscriber], Cursor(1, 1))
    variant.push([frame(2)])
    flush(variant)
    assert (one.read, other.read) == (["1"], ["1", "2"])
    one.empty()
    variant.push([frame(3)])
    flush(variant)
    assert one.read == other.read == ["1", "2", "3"]
    assert not variant.apart


def test_slow_client_is_reported_until_it_is_gone_and_is_owed_all() -> None:
    slow, well = Client(), Client()
    variant = variant_of(slow, well)
    slow.fill()
    slow.queue.append(control("x" * 2001))
    variant.push([frame(1)])
    assert not slow.subscriber.tell(control("pong"), 0.0)
    assert flush(variant).failed == {slow.subscriber: Code.SLOW_CONSUMER}
    assert (len(slow.queue), well.read) == (1, ["1"])


def test_client_that_owes_a_word_about_shed_events_stays_apart() -> None:
    slow = Client()
    variant = variant_of(slow)
    slow.fill()
    slow.queue.append(control("x" * 1500))
    variant.push([frame(1, "like")])
    flush(variant)
    slow.empty()
    variant.push([frame(2)])
    flush(variant)
    assert list(variant.apart) == [slow.subscriber]
    assert slow.written[-1] == frame(2).wire


def test_client_that_is_gone_disturbs_nobody() -> None:
    gone, well = Client(gone=True), Client()
    variant = variant_of(gone, well)
    variant.push([frame(1)])
    assert flush(variant).failed == {}
    assert well.read == ["1"]


def test_fault_of_ours_ends_one_client(caplog: pytest.LogCaptureFixture) -> None:
    broken, well = Client(full=True), Client()
    variant = variant_of(broken, well)
    broken.queue = None  # type: ignore[assignment]
    variant.push([frame(1)])
    assert flush(variant).failed == {broken.subscriber: Code.INTERNAL}
    assert broken.subscriber not in variant
    assert well.read == ["1"]
    assert "subscriber failed" in caplog.text


def test_large_rooms_are_flushed_in_slices_and_what_comes_meanwhile_starves_nobody() -> None:
    clients = [Client() for _ in range(2 * LANE_MAX + 1)]
    variant = variant_of(*clients)
    variant.push([frame(1)])
    written = []
    for number in (2, 3, 4):
        written.append(flush(variant, budget=1).clients)
        variant.push([frame(number)])
    assert written == [LANE_MAX, LANE_MAX, 1]
    assert {client.read[0] for client in clients} == {"1"}
    while variant.owes:
        flush(variant, budget=1)
    assert {tuple(client.read) for client in clients} == {("1", "2", "3", "4")}


def test_crowd_that_comes_while_something_is_owed_shares_a_lane() -> None:
    clients = [Client() for _ in range(20)]
    variant = variant_of()
    for number, client in enumerate(clients):
        variant.push([frame(number)])
        variant.add(client.subscriber)
    flush(variant)
    variant.push([frame(20)])
    flush(variant)
    variant.push([frame(21)])
    assert len(variant._lanes) == 1
    flush(variant)
    for number, client in enumerate(clients):
        assert client.read == [str(owed) for owed in range(number + 1, 22)]
    assert len({client.written[-1] for client in clients}) == 1


def test_who_stands_elsewhere_by_now_stays_there_when_it_is_removed_here() -> None:
    client = Client()
    here, there = variant_of(client), variant_of()
    there.add(client.subscriber)
    here.remove(client.subscriber)
    assert client.subscriber.variant is there


_steps = st.lists(
    st.tuples(
        st.sampled_from(["push", "push", "flush", "slice", "come", "leave", "tell", "fill", "fills", "empty"]),
        st.integers(0, 5),
    ),
    max_size=60,
)


@given(_steps)
def test_everybody_gets_what_it_is_owed_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    variant = Variant(DEFAULT_FILTER)
    clients = [Client(encoding=plain if number % 2 else deflated) for number in range(6)]
    owed: list[list[str]] = [[] for _ in clients]
    number = 0
    for step, which in steps:
        client = clients[which]
        here = client.subscriber in variant
        match step:
            case "push":
                number += 1
                variant.push([frame(number)])
                for other, its in zip(clients, owed, strict=True):
                    if other.subscriber in variant:
                        its.append(str(number))
            case "flush":
                flush(variant)
            case "slice":
                flush(variant, budget=1)
            case "come" if not here:
                variant.add(client.subscriber)
            case "leave" if here:
                assert client.subscriber.catch_up(0.0)
                variant.remove(client.subscriber)
            case "tell" if here:
                number += 1
                assert client.subscriber.tell(control(f"told {number}"), 0.0)
                owed[which].append(f"told {number}")
            case "fill":
                client.fill()
            case "fills":
                client.fills = True
            case "empty":
                client.empty()
    flush(variant)
    flush(variant)
    for client, its in zip(clients, owed, strict=True):
        client.empty()
        assert client.read == its
