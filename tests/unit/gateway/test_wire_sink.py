"""One client by the wire: what stands between it and its transport when that is full, and how it ends."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from gateway.close_codes import Code
from gateway.frames import Frame, control, deflated, event_frame, plain
from gateway.options import DEFAULT_FILTER
from gateway.share import Share
from gateway.subscriber import SendLimits, Sink, Subscriber
from gateway.variant import Flushed, Variant
from gateway.wire import Listener
from gateway.wire_sink import FULL_BYTES, WireSink
from shared.cursor import Cursor
from tests.measured import measured


class FakeWire:
    """A connection whose buffer the test fills and empties. It is its own transport."""

    deflates = False

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.transport: Any = self
        self.written: list[bytes] = []
        self.buffered = 0
        self.broken = False
        self.finished: tuple[int, str] | None = None
        self.within_s: float | None = None
        self.was_reset = False
        self.fills_at: int | None = None

    def write(self, data: bytes) -> None:
        if self.broken:
            raise RuntimeError("the handler is closed")
        self.written.append(data)
        if self.fills_at == len(self.written):
            self.fill()

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        self.limits = (high, low)

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def finish(self, code: int, reason: str, *, within_s: float | None = None) -> None:
        self.finished, self.within_s = (code, reason), within_s
        assert self.listener is not None
        self.listener.on_gone()

    def reset(self) -> None:
        self.was_reset = True

    def fill(self) -> None:
        self.buffered = 70_000
        assert self.listener is not None
        self.listener.on_full()

    def empty(self) -> None:
        self.buffered = 0
        assert self.listener is not None
        self.listener.on_free()


class Owner:
    """A session."""

    def __init__(self, wire: FakeWire) -> None:
        self.slow: set[Sink] = set()
        self.sink = WireSink(wire, self, 1000, self.slow)
        self.subscribers = [Subscriber(self.sink, SendLimits(1000, 200_000, 10), DEFAULT_FILTER)]

    def close(self, code: Code) -> None:
        self.sink.close(code, "bye")


def event(number: int, size: int = 10) -> Frame:
    return event_frame("chat", b"x" * size, Cursor(1, number))


@pytest.fixture
def wire() -> FakeWire:
    return FakeWire()


@pytest.fixture
def sink(wire: FakeWire) -> WireSink:
    return Owner(wire).sink


def test_frames_go_to_the_transport_in_one_write(wire: FakeWire, sink: WireSink) -> None:
    sink.write([event(1), event(2), control("{}")])
    assert wire.written == [plain([event(1), event(2), control("{}")])]
    assert (sink.sent, sink.unsent_bytes, sink.unsent_for_s(0.0)) == (Cursor(1, 2), 0, 0.0)
    assert sink.outlet is wire
    assert wire.limits == (500, 125)
    assert sink.encoding is plain


def test_client_that_deflates_gets_compressed_frames(wire: FakeWire, sink: WireSink) -> None:
    wire.deflates = True
    sink.write([event(1, 500)])
    assert wire.written == [event(1, 500).deflated]
    assert sink.encoding is deflated


def test_what_comes_while_the_transport_is_full_waits_in_order(wire: FakeWire, sink: WireSink) -> None:
    wire.fill()
    sink.write([event(1)])
    sink.write([event(2)])
    assert (wire.written, sink.outlet, sink.sent, sink.unsent_bytes) == ([], None, None, 70_020)
    wire.empty()
    assert wire.written == [plain([event(1), event(2)])]
    assert (sink.outlet, sink.sent, sink.unsent_bytes) == (wire, Cursor(1, 2), 0)


def test_queue_is_handed_over_only_as_far_as_the_transport_takes_it(wire: FakeWire, sink: WireSink) -> None:
    wire.fill()
    sink.write([event(number, FULL_BYTES // 2) for number in range(1, 5)])
    wire.fills_at = 1
    wire.empty()
    assert (len(wire.written), sink.sent, sink.outlet) == (1, Cursor(1, 2), None)
    wire.fills_at = None
    wire.empty()
    assert (sink.sent, sink.outlet) == (Cursor(1, 4), wire)


def test_full_client_is_taken_out_of_its_lane_and_its_age_counts(wire: FakeWire, sink: WireSink) -> None:
    variant = Variant(DEFAULT_FILTER)
    (subscriber,) = sink._owner.subscribers
    variant.add(subscriber)
    assert not variant.apart
    wire.fill()
    assert list(variant.apart) == [subscriber]
    assert sink.unsent_for_s(10**9) > 10
    assert subscriber.too_slow(10**9)


def test_client_is_slow_while_its_transport_is_full(wire: FakeWire) -> None:
    owner = Owner(wire)
    assert owner.slow == set()
    wire.fill()
    assert owner.slow == {owner.sink}
    owner.sink.write([event(number, FULL_BYTES) for number in range(1, 3)])
    wire.fills_at = 1
    wire.empty()
    assert owner.slow == {owner.sink}  # full of what had waited
    wire.empty()
    assert owner.slow == set()


def test_slow_client_that_is_gone_is_slow_no_more(wire: FakeWire) -> None:
    owner = Owner(wire)
    wire.fill()
    owner.sink.on_gone()
    assert owner.slow == set()


@pytest.mark.parametrize("way", [WireSink.close, WireSink.abort])
def test_close_is_counted_once_by_its_word(sink: WireSink, way: Callable[[WireSink, Code], None]) -> None:
    before = measured("gateway_closes_total", code="ended"), measured("gateway_closes_total", code="internal")
    way(sink, Code.ENDED)
    sink.close(Code.INTERNAL)
    sink.abort(Code.INTERNAL)
    after = measured("gateway_closes_total", code="ended"), measured("gateway_closes_total", code="internal")
    assert after == (before[0] + 1, before[1])


def test_nothing_follows_a_close(wire: FakeWire, sink: WireSink) -> None:
    variant = Variant(DEFAULT_FILTER)
    (subscriber,) = sink._owner.subscribers
    variant.add(subscriber)
    variant.push([event(1)])
    sink.close(Code.REQUESTED, "bye", since=Cursor(1, 1))
    sink.write([event(2)])
    sink.close(Code.INTERNAL)
    sink.abort(Code.INTERNAL)
    variant.flush(Flushed(), 10, 0.0)
    assert wire.written == [control("bye").wire]
    assert wire.finished == (1000, "requested since=1-1")
    assert len(variant) == 0


async def test_close_of_a_full_client_waits_for_its_queue_for_a_while(wire: FakeWire, sink: WireSink) -> None:
    wire.fill()
    sink.write([event(1)])
    sink.close(Code.DRAINING, "bye")
    assert (wire.written, wire.finished) == ([], None)
    assert sink._timer is not None
    wire.empty()
    assert wire.written == [plain([event(1), control("bye")])]
    assert wire.finished == (1012, "draining")
    assert sink._timer.cancelled()


def test_abort_throws_the_queue_away(wire: FakeWire, sink: WireSink) -> None:
    wire.fill()
    sink.write([event(1)])
    sink.abort(Code.SLOW_CONSUMER, "bye", since=sink.sent)
    assert wire.written == [control("bye").wire]
    assert (wire.finished, wire.within_s, sink.unsent_bytes) == ((1013, "slow_consumer"), 1.0, 0)


def test_server_that_ends_closes_the_client_in_good_order(wire: FakeWire, sink: WireSink) -> None:
    sink.on_shutdown()
    assert (wire.written, wire.finished) == ([control("bye").wire], (1012, "draining"))


def test_transport_that_was_closed_a_moment_ago_is_a_client_gone(wire: FakeWire, sink: WireSink) -> None:
    wire.broken = True
    sink.write([event(1)])
    assert sink.closing
    assert sink.outlet is None


async def test_waiting_ends_when_the_transport_is_free_or_the_client_gone(wire: FakeWire, sink: WireSink) -> None:
    await sink.drained()
    for end in (wire.empty, sink.on_gone):
        wire.fill()
        waiting = asyncio.create_task(sink.drained())
        await asyncio.sleep(0)
        assert not waiting.done()
        end()
        await waiting


async def test_run_reads_and_then_waits_for_the_end(wire: FakeWire, sink: WireSink) -> None:
    done: list[str] = []

    async def reading() -> None:
        done.append("read")

    running = asyncio.create_task(sink.run(reading()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (done, running.done()) == (["read"], False)
    sink.gone()
    await running


# --- a client of several rooms ----------------------------------------------------------------------------------------


def test_each_room_has_its_place(wire: FakeWire, sink: WireSink) -> None:
    one, two = Share(sink), Share(sink)
    one.write([event(1), control("{}")])
    wire.fill()
    one.write([event(2, FULL_BYTES)])
    two.write([event(7)])
    one.write([event(3)])
    assert (one.sent, two.sent, sink.sent) == (Cursor(1, 1), None, None)
    assert one.unsent_bytes == two.unsent_bytes == sink.unsent_bytes > FULL_BYTES
    wire.fills_at = 2  # after the first of two writes
    wire.empty()
    assert (one.sent, two.sent) == (Cursor(1, 2), None)
    sink.abort(Code.SLOW_CONSUMER)  # what waits is thrown away
    assert (one.sent, two.sent) == (Cursor(1, 2), None)


def test_all_rooms_look_at_a_client_that_reads_slowly_and_let_go_of_one_that_is_gone(
    wire: FakeWire, sink: WireSink
) -> None:
    limits = SendLimits(1000, 200_000, 10)
    variants = [Variant(DEFAULT_FILTER) for _ in range(3)]
    subscribers = [Subscriber(Share(sink), limits, DEFAULT_FILTER) for _ in variants]
    cast(Owner, sink._owner).subscribers[:] = subscribers
    for variant, subscriber in zip(variants, subscribers, strict=True):
        variant.add(subscriber)
        variant.push([event(1)])
    assert [list(variant.apart) for variant in variants] == [[], [], []]
    variants[0].flush(Flushed(), 10, 0.0)
    wire.fill()
    assert [list(variant.apart) for variant in variants] == [[subscriber] for subscriber in subscribers]
    sink.gone()
    assert [len(variant) for variant in variants] == [0, 0, 0]
