"""One function sorts errors."""

import pytest

from shared import errors
from shared.backoff import Backoff


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.RoomOffline(), False),
        (errors.RoomRestricted(), False),
        (errors.KeyRefused(), False),
        (errors.Blocked(), True),
        (errors.RateLimited(retry_after_s=3), True),
        (errors.UpstreamClosed(close_code=1001), True),
        (errors.UpstreamUnavailable(), True),
        (errors.RemoteProtocolError(), True),
        (errors.BrokerUnavailable(), True),
        (errors.LocalProtocolError(), False),
        (errors.LeaseLost(), False),
        (ValueError(), False),
    ],
)
def test_what_may_be_tried_again(error: Exception, expected: bool) -> None:
    assert errors.is_retryable(error) is expected


def test_an_error_says_its_code_when_it_has_no_detail() -> None:
    assert str(errors.RoomOffline()) == "offline"
    assert errors.RateLimited("too fast", retry_after_s=2).retry_after_s == 2


def test_backoff_doubles_up_to_its_cap_and_keeps_half() -> None:
    backoff = Backoff(base_s=1, cap_s=10)
    assert [backoff.delay_s(n, lambda: 0.0) for n in range(6)] == [0.5, 1, 2, 4, 5, 5]
    assert backoff.delay_s(10_000, lambda: 0.5) == 7.5
