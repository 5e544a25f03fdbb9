from simulator.tiktok.quota import CALLS_PER_MINUTE, Quota


def test_a_quota_goes_down_to_nothing_and_is_whole_again_with_the_next_minute() -> None:
    quota = Quota()
    left = [quota.take(119.9) for _ in range(CALLS_PER_MINUTE + 1)]
    assert left == [*range(CALLS_PER_MINUTE - 1, -1, -1), 0]
    assert quota.take(120.0) == CALLS_PER_MINUTE - 1
