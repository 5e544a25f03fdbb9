"""When an upstream is tried again."""

import pytest

from ingestor.outage import DELAY_MAX_S, Mute, Outage
from shared.errors import KeyRefused, RateLimited, RoomOffline, UpstreamClosed, UpstreamError


def outage(retries: int = 3) -> Outage:
    return Outage(retries, 1.0, lambda: 1.0)


def test_pauses_double_until_the_attempts_are_used_up() -> None:
    lost = outage()
    assert [lost.delay_s(UpstreamClosed()) for _ in range(4)] == [1, 2, 4, None]
    assert lost.attempt == 3


def test_what_works_again_begins_at_the_first_attempt() -> None:
    lost = outage(1)
    assert lost.delay_s(UpstreamClosed()) == 1
    lost.over()
    assert lost.delay_s(UpstreamClosed()) == 1


def test_an_announced_wait_is_kept() -> None:
    assert outage().delay_s(RateLimited(retry_after_s=12)) == 12


@pytest.mark.parametrize("error", [RateLimited(retry_after_s=DELAY_MAX_S + 1), KeyRefused(), RoomOffline()], ids=repr)
def test_what_will_not_change_soon_is_given_up(error: UpstreamError) -> None:
    assert outage().delay_s(error) is None


def test_a_mute_upstream_is_doubted_ever_more_seldom_until_it_speaks() -> None:
    mute = Mute(10, now=0)
    doubted = [now for now in range(1, 200) if mute.doubted(False, now)]
    assert doubted == [10, 30, 70, 150]
    assert not mute.doubted(True, 200)
    assert [now for now in range(201, 240) if mute.doubted(False, now)] == [210, 230]
