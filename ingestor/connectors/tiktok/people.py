"""TikTok's people, as parts of events. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from msgspec import UNSET, UnsetType

from ingestor.connectors.composed import image
from ingestor.connectors.sanitize import count, decimal, text
from protos import tiktok_pb2 as pb
from shared.events import Badge, User

BADGES_MAX: Final = 12  # captured users wear up to 5

# Source: captures of 2023 and 2026, peer libraries agree.
_BADGE_KINDS: Final[Mapping[int, str]] = MappingProxyType(
    {1: "moderator", 4: "subscriber", 6: "rank", 7: "subscriber", 8: "payer", 10: "fans"}
)
_NOBODY: Final = pb.UserIdentity()

KNOWN_MAX: Final = 2048  # of all rooms
KNOWN_MAX_BYTES: Final = 4 * 1024  # of one who is remembered, which makes 8 MiB at most


def person(user: pb.User, identity: pb.UserIdentity = _NOBODY, *, super_fan: bool = False) -> User:
    """A user, with the roles that the user itself, its badges and the message's `user_identity` tell.

    Who does something mostly did something a moment ago, and is told with the same bytes: to find those is ten times
    as fast as to read them.
    """
    wire = user.SerializeToString()
    read = _person if len(wire) <= KNOWN_MAX_BYTES else _person.__wrapped__
    return read(wire, b"" if identity is _NOBODY else identity.SerializeToString(), super_fan)


@lru_cache(maxsize=KNOWN_MAX)
def _person(user_wire: bytes, identity_wire: bytes, super_fan: bool) -> User:
    user, identity = pb.User.FromString(user_wire), pb.UserIdentity.FromString(identity_wire)
    badges = [_badge(badge) for badge in user.badge_list[:BADGES_MAX]]
    club, old_club = user.fans_club_info, user.fans_club.data
    return User(
        id=decimal(user.id),
        unique_id=text(user.display_id),
        nickname=text(user.nickname),
        avatar=image(user.avatar_thumb),
        roles=_roles(user, identity, badges, super_fan),
        badges=badges,
        level=count(user.pay_grade.level) or _badge_level(badges, "payer"),
        fans_level=count(club.fans_level) or count(old_club.level) or _badge_level(badges, "fans"),
        fans_club=text(club.fans_club_name or old_club.club_name) or UNSET,
        sec_uid=text(user.sec_uid) or UNSET,
        verified=user.verified or UNSET,
    )


def _badge(badge: pb.BadgeStruct) -> Badge:
    level = badge.privilege_log_extra.level
    words = badge.combine.str or badge.str.str or badge.text.default_pattern
    return Badge(
        kind=_BADGE_KINDS.get(badge.scene_type, "other"),
        # Badges without a level say "0".
        level=int(level) or UNSET if len(level) <= 9 and level.isdigit() else UNSET,
        text=text(words) or UNSET,
        image=image(badge.combine.icon) or image(badge.image.image) or UNSET,
    )


def _badge_level(badges: list[Badge], kind: str) -> int | UnsetType:
    return next((badge.level for badge in badges if badge.kind == kind), UNSET)


def _roles(user: pb.User, identity: pb.UserIdentity, badges: list[Badge], super_fan: bool) -> list[str]:
    kinds = {badge.kind for badge in badges} if badges else ()
    # 1 follows the host, 2 mutual; captured with 3, `user_identity` calls the sender a follower too.
    follow_status = user.follow_info.follow_status
    mutual = identity.is_mutual_following_with_anchor or follow_status == 2
    roles = []
    if identity.is_anchor:
        roles.append("anchor")
    if identity.is_moderator_of_anchor or "moderator" in kinds or user.user_attr.is_admin:
        roles.append("moderator")
    if identity.is_subscriber_of_anchor or "subscriber" in kinds or user.subscribe_info.is_subscribed_to_anchor:
        roles.append("subscriber")
    if identity.is_follower_of_anchor or mutual or follow_status > 0:
        roles.append("follower")
    if mutual:
        roles.append("mutual")
    if super_fan:
        roles.append("super_fan")
    return roles
