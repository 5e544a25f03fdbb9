"""TikTok's people, pictures and composed texts, as parts of events. Pure."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import UNSET, UnsetType

from ingestor.connectors.sanitize import count, cut, decimal, text
from protos import tiktok_pb2 as pb
from shared.events import TEXT_MAX_BYTES, Badge, User

BADGES_MAX: Final = 12  # captured users wear up to 5

# Source: captures of 2023 and 2026, peer libraries agree.
_BADGE_KINDS: Final[Mapping[int, str]] = MappingProxyType(
    {1: "moderator", 4: "subscriber", 6: "rank", 7: "subscriber", 8: "payer", 10: "fans"}
)
_PLACE: Final = re.compile(r"\{([0-9]{1,3})(?::[^{}]*)?\}")
_NOBODY: Final = pb.UserIdentity()


def person(user: pb.User, identity: pb.UserIdentity = _NOBODY, *, super_fan: bool = False) -> User:
    """A user, with the roles that the user itself, its badges and the message's `user_identity` tell."""
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


def somebody(user_id: str, *, unique_id: str = "", nickname: str = "", avatar: str = "") -> User:
    """A user of whom a message tells a few parts only."""
    return User(id=user_id, unique_id=unique_id, nickname=nickname, avatar=avatar, roles=[], badges=[])


def image(picture: pb.Image) -> str:
    """One URL of a picture, "" when there is none."""
    return text(picture.url_list[0]) if picture.url_list else ""


def render(composed: pb.Text) -> str:
    """A text that comes as a pattern and the pieces for its places, as one string."""
    pattern = text(composed.default_pattern)
    parts: list[str] = []
    length = end = 0
    for place in _PLACE.finditer(pattern):
        index = int(place[1])
        piece = _piece(composed.pieces[index]) if index < len(composed.pieces) else place[0]
        parts += (pattern[end : place.start()], piece)
        length += len(piece)
        end = place.end()
        if length > TEXT_MAX_BYTES:
            break
    return cut("".join((*parts, pattern[end:])))


def people_in(composed: pb.Text) -> Iterator[pb.User]:
    """The users that a composed text speaks of."""
    return (piece.user_value.user for piece in composed.pieces if piece.user_value.HasField("user"))


def _piece(piece: pb.TextPiece) -> str:
    return text(
        piece.string_value
        or piece.user_value.user.nickname
        or piece.gift_value.name_ref.default_pattern
        or piece.pattern_ref_value.default_pattern
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
    kinds = {badge.kind for badge in badges}
    # 1 follows the host, 2 mutual; captured with 3, `user_identity` calls the sender a follower too.
    follow_status = user.follow_info.follow_status
    mutual = identity.is_mutual_following_with_anchor or follow_status == 2
    roles = {
        "anchor": identity.is_anchor,
        "moderator": identity.is_moderator_of_anchor or user.user_attr.is_admin or "moderator" in kinds,
        "subscriber": identity.is_subscriber_of_anchor
        or user.subscribe_info.is_subscribed_to_anchor
        or "subscriber" in kinds,
        "follower": identity.is_follower_of_anchor or mutual or follow_status > 0,
        "mutual": mutual,
        "super_fan": super_fan,
    }
    return [role for role, has in roles.items() if has]
