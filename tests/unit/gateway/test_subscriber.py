"""What a slow client is still sent, and when it is given up."""

import json

import pytest

from gateway.frames import Frame, control, event_frame
from gateway.options import DEFAULT_FILTER
from gateway.subscriber import SendLimits, Subscriber
from shared.cursor import Cursor
from tests.log_entries import ROOM, told
from tests.sinks import ListSink

LIMITS = SendLimits(soft_bytes=100, hard_bytes=400, age_s=10)


class FakeSink(ListSink):
    """A sink whose unsent bytes the test sets."""

    waited_s = 0.0

    def unsent_for_s(self, now: float) -> float:
        return self.waited_s


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


@pytest.fixture
def subscriber(sink: FakeSink) -> Subscriber:
    return Subscriber(sink, LIMITS, DEFAULT_FILTER)


def frames(*types: str) -> list[Frame]:
    return [event_frame(event_type, b"0123456789", Cursor(1, index)) for index, event_type in enumerate(types, 1)]


ALL = ("like", "member", "room_stats", "raw", "share", "caption", "emote", "notice", "gift", "chat", "gap", "ended")


@pytest.mark.parametrize(
    ("unsent", "sent"),
    [
        (100, ALL),
        (101, ALL[4:]),
        (200, ALL[4:]),
        (201, ALL[6:]),
        (300, ALL[6:]),
        (301, ALL[8:]),
        (400, ALL[8:]),
    ],
)
def test_least_valuable_events_are_shed_first(
    subscriber: Subscriber, sink: FakeSink, unsent: int, sent: tuple[str, ...]
) -> None:
    sink.unsent_bytes = unsent
    assert subscriber.offer([*frames(*ALL), control("{}")], now=0.0)
    assert [frame.type for frame in sink.written] == [*sent, ""]


def test_too_many_unsent_bytes_are_the_end(subscriber: Subscriber, sink: FakeSink) -> None:
    sink.unsent_bytes = 401
    assert not subscriber.offer(frames("chat"), now=0.0)
    assert sink.written == []


def test_too_old_unsent_bytes_are_the_end(subscriber: Subscriber, sink: FakeSink) -> None:
    sink.unsent_bytes, sink.waited_s = 1, 10.1
    assert not subscriber.offer(frames("chat"), now=0.0)
    sink.waited_s = 10
    assert subscriber.offer(frames("chat"), now=0.0)


def test_dropped_events_are_told_by_type_at_most_once_a_second(subscriber: Subscriber, sink: FakeSink) -> None:
    assert not subscriber.tell_dropped(ROOM, now=0.0)
    sink.unsent_bytes = 150
    subscriber.offer(frames("like", "like", "member"), now=0.0)
    assert subscriber.tell_dropped(ROOM, now=0.0) == {"like": 2, "member": 1}
    frame = json.loads(sink.written[-1].text)
    assert (frame["count"], frame["by_type"], frame["cursor"]) == (3, {"like": 2, "member": 1}, "1-3")

    subscriber.offer(frames("like"), now=0.5)
    assert not subscriber.tell_dropped(ROOM, now=0.9)
    assert subscriber.tell_dropped(ROOM, now=1.0) == {"like": 1}
    assert told(sink.written) == ["dropped", "dropped"]
    assert not subscriber.tell_dropped(ROOM, now=9.0)
