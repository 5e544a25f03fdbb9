"""Copying to all who listen, by filter."""

from collections.abc import Iterable, Sequence

import pytest

from gateway.close_codes import Code
from gateway.frames import Delivery, Frame
from gateway.hub import Hub
from gateway.options import DEFAULT_FILTER, EventFilter
from gateway.subscriber import SendLimits, Subscriber
from gateway.tail import Walk
from gateway.variant import Flushed
from shared.cursor import Cursor
from tests.log_entries import ROOM, event, marker, told
from tests.sinks import ListSink

CHATS = EventFilter(frozenset({"chat"}), rest=False)
LIKES = EventFilter(frozenset({"like"}), rest=False)


class Sink(ListSink):
    """A full one has too many unsent bytes, a broken one raises."""

    def __init__(self, *, full: bool = False, broken: bool = False) -> None:
        super().__init__()
        self.unsent_bytes = 10**9 if full else 0
        self.broken = broken

    def write(self, frames: Iterable[Frame]) -> None:
        if self.broken:
            raise RuntimeError("handle is closed")
        super().write(frames)


def fan_out(hub: Hub, deliveries: Sequence[Delivery]) -> Flushed:
    hub.push(deliveries)
    flushed = Flushed()
    assert hub.flush(flushed, 10**6, now=0.0)
    return flushed


def subscribe(hub: Hub, sink: Sink, wanted: EventFilter = DEFAULT_FILTER) -> Subscriber:
    subscriber = Subscriber(sink, SendLimits(1000, 2000, 10), wanted)
    hub.add(subscriber)
    return subscriber


def deliveries() -> list[Delivery]:
    walk = Walk(ROOM, Cursor(1, 1))
    return [walk.step(entry) for entry in (marker(4, Cursor(1, 3)), event(4, 1), event(4, 2, "like"))]


def test_each_filter_gets_its_types_and_every_gap() -> None:
    hub = Hub()
    everything, chats, likes = Sink(), Sink(), Sink()
    subscribe(hub, everything)
    subscribe(hub, chats, CHATS)
    subscribe(hub, likes, LIKES)
    flushed = fan_out(hub, deliveries())
    assert told(everything.written) == ["gap 1-1 4-1 trimmed", "4-1", "4-2"]
    assert told(chats.written) == ["gap 1-1 4-1 trimmed", "4-1"]
    assert told(likes.written) == ["gap 1-1 4-1 trimmed", "4-2"]
    assert (flushed.clients, flushed.frames, flushed.failed) == (3, 7, {})
    assert flushed.size == sum(len(frame.wire) for sink in (everything, chats, likes) for frame in sink.written)


def test_frames_are_shared_and_not_copied() -> None:
    hub = Hub()
    one, other = Sink(), Sink()
    subscribe(hub, one)
    subscribe(hub, other, CHATS)
    fan_out(hub, deliveries())
    assert one.written[1] is other.written[1]


def test_nothing_wanted_is_nothing_offered() -> None:
    hub = Hub()
    full = Sink(full=True)
    subscribe(hub, full, LIKES)
    walk = Walk(ROOM, Cursor(1, 1))
    assert not hub.push([walk.step(event(1, 2))])
    assert not hub.owes


def test_failing_and_slow_subscribers_disturb_nobody(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub()
    broken = subscribe(hub, Sink(broken=True))
    slow = subscribe(hub, Sink(full=True))
    well = Sink()
    subscribe(hub, well)
    assert fan_out(hub, deliveries()).failed == {broken: Code.INTERNAL, slow: Code.SLOW_CONSUMER}
    assert len(well.written) == 3
    assert "subscriber failed" in caplog.text


def test_who_left_gets_nothing() -> None:
    hub = Hub()
    sink = Sink()
    subscriber = subscribe(hub, sink)
    other = subscribe(hub, Sink())
    assert (subscriber in hub, len(hub), list(hub)) == (True, 2, [subscriber, other])
    hub.remove(subscriber)
    hub.remove(subscriber)
    fan_out(hub, deliveries())
    assert (subscriber in hub, len(hub), sink.written) == (False, 1, [])
    hub.remove(other)
    assert len(hub) == 0


def test_second_filter_has_its_turn_while_the_first_is_owed_more() -> None:
    hub = Hub()
    crowd, chats = Sink(), Sink()
    subscribe(hub, crowd)
    subscribe(hub, chats, CHATS)
    walk = Walk(ROOM, Cursor(1, 1))
    for number in range(2, 6):
        hub.push([walk.step(event(1, number))])
        hub.flush(Flushed(), 1, now=0.0)
    assert chats.written


def test_flush_knows_since_when_its_oldest_event_has_waited() -> None:
    hub = Hub()
    subscribe(hub, Sink())
    subscribe(hub, Sink(), CHATS)
    walk = Walk(ROOM, Cursor(1, 1))
    hub.push([walk.step(event(1, 2))], received_ms=500)
    hub.push([walk.step(event(1, 3))], received_ms=700)
    assert not hub.flush(Flushed(), 1, now=0.0)
    hub.push([walk.step(event(1, 4))], received_ms=900)  # waits for the next one
    assert hub.flush(Flushed(), 10, now=0.0)
    assert hub.flushed_since_ms == 500
    assert hub.flush(Flushed(), 10, now=0.0)
    assert hub.flushed_since_ms == 900
    assert hub.flush(Flushed(), 10, now=0.0)
    assert hub.flushed_since_ms == 0


def test_nobody_waits_for_an_event_that_nobody_wants() -> None:
    hub = Hub()
    subscribe(hub, Sink(), LIKES)
    assert not hub.push([Walk(ROOM, Cursor(1, 1)).step(event(1, 2))], received_ms=500)
    assert hub.waits_since_ms == 0
