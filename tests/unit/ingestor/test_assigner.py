"""Who tries for which room."""

from ingestor.assigner import MAX_CLAIM_DELAY_S, claim_delay_s, plan
from shared.room import RoomKey

A, B, C = (RoomKey("tiktok", f"73000000000000000{n}") for n in (10, 11, 12))
NAME = RoomKey("tiktok", "@ana")


def test_wanted_rooms_are_tried_for_in_order() -> None:
    assert plan([B, A], set(), capacity=5, resting={}, now=0) == [B, A]


def test_held_rooms_are_not_tried_for_again() -> None:
    assert plan([A, B], {A}, capacity=5, resting={}, now=0) == [B]


def test_no_more_rooms_are_tried_for_than_fit() -> None:
    assert plan([A, B, C], {A}, capacity=2, resting={}, now=0) == [B]
    assert plan([B], {A}, capacity=1, resting={}, now=0) == []


def test_names_take_no_place() -> None:
    assert plan([A, NAME], {B}, capacity=1, resting={}, now=0) == [NAME]
    assert plan([A], {NAME}, capacity=1, resting={}, now=0) == [A]


def test_a_resting_room_is_left_alone_until_its_time() -> None:
    assert plan([A, B], set(), capacity=5, resting={A: 10.0}, now=9.9) == [B]
    assert plan([A, B], set(), capacity=5, resting={A: 10.0}, now=10.0) == [A, B]


def test_a_loaded_ingestor_lets_others_go_first() -> None:
    assert claim_delay_s(0, 200) == 0
    assert claim_delay_s(100, 200) == MAX_CLAIM_DELAY_S / 2
    assert claim_delay_s(500, 200) == MAX_CLAIM_DELAY_S
