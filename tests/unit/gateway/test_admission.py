"""Who may come in, and how often."""

import pytest

from gateway import admission
from gateway.admission import Admission, TokenBucket, origin_of


def make(**limits: int) -> Admission:
    usual = {"clients_max": 3, "clients_per_address": 2, "new_rooms_per_minute": 2, "queued_rooms_per_address": 2}
    return Admission(**usual | limits)


def test_places_are_limited_by_address_and_in_all() -> None:
    door = make()
    assert [door.enter(origin) for origin in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    door.leave("a")
    assert door.enter("c")
    assert door.clients == 3
    door.leave("a")
    assert [door.enter(origin) for origin in ("a", "a")] == [True, False]


def test_rooms_that_wait_are_limited_by_address() -> None:
    door = make()
    assert [door.queue_room(origin) for origin in ("a", "a", "a", "b")] == [True, True, False, True]
    door.unqueue_room("a")
    assert [door.queue_room("a") for _ in range(2)] == [True, False]


def test_rooms_started_are_limited_by_address_and_come_back_with_time() -> None:
    door = make()
    assert [door.new_room("a", 0.0) for _ in range(3)] == [0.0, 0.0, 30.0]
    assert door.new_room("b", 0.0) == 0.0
    assert door.new_room("a", 15.0) == 15.0
    assert door.new_room("a", 30.0) == 0.0


def test_addresses_remembered_are_bounded() -> None:
    door = make()
    for number in range(admission._BUCKETS_MAX):
        door.new_room(str(number), 0.0)
    assert door.new_room("one more", 0.0) == 0.0  # the longest waiting had to go
    assert len(door._buckets) == admission._BUCKETS_MAX
    assert door.new_room("much later", 1000.0) == 0.0  # those as good as new are forgotten
    assert len(door._buckets) == 1


def test_bucket_can_be_overdrawn_by_who_waits() -> None:
    bucket = TokenBucket.full(per_s=2.0, burst=1.0, now=0.0)
    assert [bucket.spend(0.0) for _ in range(3)] == [0.0, 0.5, 1.0]
    assert not bucket.is_full(1.0)
    assert bucket.is_full(2.0)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("testclient", "testclient"),
        ("x" * 100, "x" * 64),
    ],
)
def test_what_counts_as_one_address(host: str, origin: str) -> None:
    assert origin_of(host) == origin
