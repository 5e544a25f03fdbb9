"""TikTok's people as events tell them."""

from typing import Any

import pytest
from google.protobuf.message import Message as ProtobufMessage
from msgspec import UNSET

from ingestor.connectors.base import Message
from ingestor.connectors.tiktok import people
from ingestor.connectors.tiktok.messages import TikTokDecoder
from protos import tiktok_pb2 as pb
from shared.room import RoomKey


def decoded(method: str, message: ProtobufMessage) -> Any:
    received = Message(method, message.SerializeToString(), "", history=False)
    (event,) = TikTokDecoder(RoomKey("tiktok", "7300000000000000001")).decode(received, 1_765_432_111_123)
    return event


@pytest.mark.parametrize(
    ("user", "identity", "roles"),
    [
        (pb.User(), pb.UserIdentity(), []),
        (pb.User(follow_info=pb.FollowInfo(follow_status=1)), pb.UserIdentity(), ["follower"]),
        (pb.User(follow_info=pb.FollowInfo(follow_status=3)), pb.UserIdentity(), ["follower"]),
        (pb.User(), pb.UserIdentity(is_mutual_following_with_anchor=True), ["follower", "mutual"]),
        (pb.User(), pb.UserIdentity(is_moderator_of_anchor=True), ["moderator"]),
        (pb.User(subscribe_info=pb.SubscribeInfo(is_subscribed_to_anchor=True)), pb.UserIdentity(), ["subscriber"]),
        (pb.User(badge_list=[pb.BadgeStruct(scene_type=7)]), pb.UserIdentity(), ["subscriber"]),
    ],
)
def test_roles_come_from_user_badges_and_identity(user: pb.User, identity: pb.UserIdentity, roles: list[str]) -> None:
    assert decoded("WebcastChatMessage", pb.ChatMessage(user=user, user_identity=identity)).user.roles == roles


def test_levels_are_the_users_own_before_those_of_badges() -> None:
    user = pb.User(
        pay_grade=pb.UserHonor(level=30),
        fans_club=pb.FansClubMember(data=pb.FansClubData(club_name=b"old", level=4)),
        badge_list=[
            pb.BadgeStruct(scene_type=scene, privilege_log_extra=pb.PrivilegeLogExtra(level=level))
            for scene, level in ((8, b"21"), (10, b"9"), (6, b"0"), (6, b"-1"), (6, b"1" * 20), (6, b"x"))
        ],
    )
    told = decoded("WebcastLikeMessage", pb.LikeMessage(user=user)).user
    assert (told.level, told.fans_level, told.fans_club) == (30, 4, "old")
    assert [badge.level for badge in told.badges] == [21, 9, *[UNSET] * 4]


def test_person_told_with_the_same_bytes_is_read_once() -> None:
    one, same, other = (pb.User(id=number, badge_list=[pb.BadgeStruct()]) for number in (501, 501, 502))
    assert people.person(one) is people.person(same)
    assert people.person(other).id == "502"
    assert people.person(same, pb.UserIdentity(is_anchor=True)).roles == ["anchor"]
    assert people.person(same, super_fan=True).roles == ["super_fan"]


def test_person_too_large_to_be_remembered_is_read_every_time() -> None:
    large = pb.User(id=503, nickname=b"Bo", sec_uid=b"x" * people.KNOWN_MAX_BYTES)
    assert people.person(large) is not people.person(large)
    assert people.person(large).nickname == "Bo"
