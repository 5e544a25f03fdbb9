import pytest

from simulator.faults import ARMED_MAX, BadFault, FaultKind, Faults

ROOM, OTHER = 7, 8


def test_a_fault_strikes_as_often_as_it_was_told() -> None:
    faults = Faults()
    faults.arm("duplicate", 0.0, count=2)
    assert [faults.take(FaultKind.DUPLICATE, ROOM, 1.0) is not None for _ in range(3)] == [True, True, False]
    assert faults.struck[FaultKind.DUPLICATE] == 2


def test_a_fault_ends_with_its_time() -> None:
    faults = Faults()
    faults.arm("delay", 10.0, duration_s=5.0)
    assert faults.take(FaultKind.DELAY, ROOM, 14.9)
    assert not faults.take(FaultKind.DELAY, ROOM, 15.0)


def test_a_fault_strikes_only_in_its_room() -> None:
    faults = Faults()
    faults.arm("reorder", 0.0, room=ROOM)
    assert not faults.take(FaultKind.REORDER, OTHER, 0.0)
    assert faults.take(FaultKind.REORDER, ROOM, 0.0)


def test_a_fault_of_all_rooms_strikes_until_it_is_cleared() -> None:
    faults = Faults()
    faults.arm("captcha", 0.0)
    assert faults.take(FaultKind.CAPTCHA, OTHER, 1e9)
    assert faults.clear() == 1
    assert not faults.take(FaultKind.CAPTCHA, OTHER, 1e9)


def test_a_fault_can_be_bound_to_a_path() -> None:
    faults = Faults()
    faults.arm("refuse_handshake", 0.0, options={"path": "/hl/"})
    assert not faults.take(FaultKind.REFUSE_HANDSHAKE, ROOM, 0.0, path="/webcast/")
    assert faults.take(FaultKind.REFUSE_HANDSHAKE, ROOM, 0.0, path="/hl/webcast/")


def test_options_have_defaults_and_ranges() -> None:
    faults = Faults()
    assert faults.arm("rate_limit", 0.0).number("retry_after_s") == 1.0
    assert faults.arm("rate_limit", 0.0, options={"retry_after_s": 7}).number("retry_after_s") == 7.0


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("explode", {}, "kind is one of"),
        ("duplicate", {"times": 3}, "takes no options, not times"),
        ("rate_limit", {"retry_after_s": "soon"}, "retry_after_s is a number of 0 to 3600"),
        ("rate_limit", {"retry_after_s": True}, "retry_after_s is a number"),
        ("provider_error", {"status": 404}, "status is a number of 500 to 599"),
        ("refuse_handshake", {"reason": "mood"}, "reason is one of device_blocked"),
        ("refuse_handshake", {"reason": ["a"]}, "reason is one of device_blocked"),
        ("refuse_handshake", {"path": "hl"}, "path begins with a slash"),
        ("refuse_handshake", {"path": 7}, "path begins with a slash"),
    ],
)
def test_what_is_no_fault_is_refused_with_a_reason(kind: str, options: dict[str, object], reason: str) -> None:
    with pytest.raises(BadFault, match=reason):
        Faults().arm(kind, 0.0, options=options)


def test_what_concerns_no_room_cannot_be_armed_for_one() -> None:
    with pytest.raises(BadFault, match="not a fault of one room"):
        Faults().arm("captcha", 0.0, room=ROOM)


def test_the_number_of_armed_faults_is_bounded() -> None:
    faults = Faults()
    for _ in range(ARMED_MAX):
        faults.arm("delay", 0.0)
    with pytest.raises(BadFault, match="clear some"):
        faults.arm("delay", 0.0)
