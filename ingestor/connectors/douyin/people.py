"""Douyin's people, as parts of events. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from msgspec import UNSET

from ingestor.connectors.composed import image
from ingestor.connectors.sanitize import count, decimal, text
from protos import douyin_pb2 as pb
from shared.events import Badge, User

BADGES_MAX: Final = 12  # captured users wear 1

_PLACEHOLDER_ID: Final = 111111  # of all viewers of rooms that mask them
_BADGE_KINDS: Final[Mapping[int, str]] = MappingProxyType({1: "payer"})  # Source: captured 2022-12 and 2026-04


KNOWN_MAX: Final = 2048  # of all rooms
KNOWN_MAX_BYTES: Final = 4 * 1024  # of one who is remembered, which makes 8 MiB at most


def person(user: pb.User) -> User:
    """A user, as the platform shows it: hidden ones under a name that many may have.

    Who does something mostly did something a moment ago, and is told with the same bytes: to find those is ten times
    as fast as to read them.
    """
    wire = user.SerializeToString()
    return _person(wire) if len(wire) <= KNOWN_MAX_BYTES else _person.__wrapped__(wire)


@lru_cache(maxsize=KNOWN_MAX)
def _person(wire: bytes) -> User:
    user = pb.User.FromString(wire)
    badges = [_badge(badge) for badge in (user.badge_image_list or user.badge_image_list_v2)[:BADGES_MAX]]
    club = user.fans_club.data
    return User(
        id=decimal(user.id),
        unique_id=text(user.display_id) or decimal(user.short_id),
        nickname=text(user.nickname or user.desensitized_nickname),
        avatar=image(user.avatar_thumb),
        # Nothing tells whether the user follows the host: no captured `follow_info` has a status.
        roles=["moderator"] if user.user_attr.is_admin or user.user_attr.is_super_admin else [],
        badges=badges,
        level=count(user.pay_grade.level)
        or next((badge.level for badge in badges if badge.kind == "payer" and badge.level), UNSET),
        fans_level=count(club.level) or UNSET,
        fans_club=text(club.club_name) or UNSET,
        sec_uid=text(user.sec_uid) or UNSET,
        verified=user.verified or UNSET,
        masked=_is_masked(user) or UNSET,
    )


def _is_masked(user: pb.User) -> bool:
    """Whether the id is no key: one that strangers share, or that hides its owner and need not stay."""
    return (
        user.id == _PLACEHOLDER_ID
        or user.mystery_man > 1
        or user.is_anonymous
        # Of those who do not hide, both names are the same and whole. Source: captured 2022-12 and 2026-04.
        or (user.desensitized_nickname.endswith(b"***") and user.nickname in (b"", user.desensitized_nickname))
    )


def _badge(badge: pb.Image) -> Badge:
    return Badge(
        kind=_BADGE_KINDS.get(badge.image_type, "other"),
        level=count(badge.content.level) or UNSET,
        text=text(badge.content.alternative_text or badge.content.name) or UNSET,
        image=image(badge) or UNSET,
    )
