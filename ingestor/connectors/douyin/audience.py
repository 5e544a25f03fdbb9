"""What viewers do: chat, gifts, likes, coming, following, joining the fans club. Each function makes one event. Pure.

A function returns None for what has no event of its own; the message is then passed on as `raw`. Events may want to be
completed, see `memory.py`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import UNSET

from ingestor.connectors.composed import image, somebody
from ingestor.connectors.douyin.memory import UNTOLD
from ingestor.connectors.douyin.people import person
from ingestor.connectors.gifts import gift_info, press
from ingestor.connectors.header import Head
from ingestor.connectors.sanitize import count, decimal, milliseconds, text
from protos import douyin_pb2 as pb
from shared import events

EMOTES_MAX: Final = 50  # of one text
TOP_MAX: Final = 20  # top gifters

MEMBER_ACTIONS: Final[Mapping[int, str]] = MappingProxyType({1: "enter"})
"""Source: captures know 1. Of the others peer clients say that they are about moderation, and none says which is which:
only a flag beside them tells new moderators."""

_FANS_CLUB_KINDS: Final[Mapping[int, str]] = MappingProxyType({1: "level_up", 2: "join"})
_FOLLOW: Final = 1
_SHARE: Final = 3
_VIEWERS_NOW: Final = 1
_VIEWS: Final = 3

_INLINE: Final = re.compile(r"\[[^\[\]]{1,20}\]")
_NUMBER: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)(万|亿|w)?")
_UNITS: Final[Mapping[str | None, int]] = MappingProxyType({None: 1, "万": 10**4, "w": 10**4, "亿": 10**8})


# --- chat -------------------------------------------------------------------------------------------------------------


def chat(message: pb.ChatMessage, head: Head) -> events.Chat:
    """A text, with the pictures in it."""
    content = text(message.content)
    return events.Chat(
        **_dated(head, message.common, message.event_time),
        user=person(message.user),
        content=content,
        emotes=_emotes(content, message.rtf_content_v2, message.rtf_content),
        mentions=[],
        gift_image=image(message.gift_image) or UNSET,
    )


def screen_chat(message: pb.ScreenChatMessage, head: Head) -> events.Chat:
    """A text that its sender paid to have flown over the picture."""
    head = _dated(head, message.common, message.event_time)
    return _highlighted(message, head, "screen")


def privilege_chat(message: pb.PrivilegeScreenChatMessage, head: Head) -> events.Chat:
    """The same as a right of the sender's grade."""
    return _highlighted(message, head, "privilege")


def spoken_chat(message: pb.AudioChatMessage | pb.EpisodeChatMessage, head: Head) -> events.Chat:
    """A text that was spoken, or written to one part of a show."""
    return events.Chat(**head, user=person(message.user), content=text(message.content), emotes=[], mentions=[])


def emoji_chat(message: pb.EmojiChatMessage, head: Head) -> events.Emote:
    """A picture instead of a text."""
    pictures = _pictures(message.emoji_content)
    picture = events.EmotePicture(
        id=decimal(message.emoji_id),
        image=image(pictures[0]) if pictures else "",
        text=text(message.default_content) or UNSET,
    )
    return events.Emote(**head, user=person(message.user), emote=events.EmoteDetail(emotes=[picture]))


def _highlighted(
    message: pb.ScreenChatMessage | pb.PrivilegeScreenChatMessage, head: Head, highlight: str
) -> events.Chat:
    content = text(message.content)
    return events.Chat(
        **head,
        user=person(message.user),
        content=content,
        emotes=_emotes(content, message.rtf_content_v2, message.rtf_content),
        mentions=[],
        highlight=highlight,
    )


def _dated(head: Head, common: pb.Common, happened_s: int) -> Head:
    """The head with the time of chats, whose header has none. Source: all chats captured 2022 to 2026."""
    happened = 0 if common.create_time else milliseconds(happened_s)
    return {**head, "time": happened} if happened else head


def _emotes(content: str, *rich: pb.Text) -> list[events.ChatEmote]:
    """The pictures of a text, at the words in brackets for which they stand; none where these are not as many."""
    pictures = next((found for composed in rich if (found := _pictures(composed))), [])
    words = list(_INLINE.finditer(content)) if pictures else []
    if len(words) != len(pictures):
        return []
    return [
        events.ChatEmote(id=word[0], image=image(picture), index=word.start())
        for word, picture in zip(words[:EMOTES_MAX], pictures, strict=False)
    ]


def _pictures(composed: pb.Text) -> list[pb.Image]:
    return [piece.image_value.image for piece in composed.pieces if piece.image_value.HasField("image")]


# --- gifts ------------------------------------------------------------------------------------------------------------


def gift(message: pb.GiftMessage, head: Head) -> events.Gift:
    """One press of a gift."""
    return press(message, head, person(message.user), person(message.to_user) if message.to_user.id else UNSET)


def light_gift(message: pb.LightGiftMessage, head: Head) -> events.Gift:
    """A small gift. It has neither group nor end, so each message is a gift of its own; the header tells the sender."""
    brief = message.gift_info
    gift_id = decimal(brief.gift_id or message.gift_struct.id)
    return events.Gift(
        **head,
        user=person(message.common.user),
        gift=gift_info(message.gift_struct, gift_id, price=brief.diamond_count, picture=image(brief.gift_icon)),
        gift_id=gift_id,
        repeat_count=max(1, count(message.count)),
        combo_count=count(message.combo_count),
        repeat_end=1,
        group_id="0",
        group_count=max(1, count(message.group_count)),
        to_user=somebody(decimal(message.to_user_id)) if message.to_user_id else UNSET,
    )


# --- likes, people coming and following -------------------------------------------------------------------------------


def like(message: pb.LikeMessage, head: Head) -> events.Like:
    """A batch of likes of one viewer."""
    return events.Like(
        **head,
        user=person(message.user),
        like_count=max(1, count(message.count)),
        total_like_count=count(message.total),
    )


def member(message: pb.MemberMessage, head: Head) -> events.Member:
    """Somebody came, or was moderated."""
    otherwise = "admin_set" if message.is_set_to_admin else "other"
    return events.Member(
        **head,
        user=person(message.user),
        member_count=count(message.member_count),
        action=MEMBER_ACTIONS.get(message.action, otherwise),
        action_id=count(message.action),
        operator=person(message.operator) if message.operator.id else UNSET,
    )


def social(message: pb.SocialMessage, head: Head) -> events.Follow | events.Share | None:
    """A follow or a share."""
    if message.action == _FOLLOW:
        return events.Follow(**head, user=person(message.user), follow_count=count(message.follow_count) or UNSET)
    if message.action == _SHARE:
        return events.Share(
            **head,
            user=person(message.user),
            target=text(message.share_target) or UNSET,
            share_count=count(message.share_total_count) or UNSET,
        )
    return None


def fans_club(message: pb.FansclubMessage, head: Head) -> events.FansClub | None:
    """Somebody joined the host's fans club, or rose in it."""
    if message.action not in _FANS_CLUB_KINDS:
        return None
    user = person(message.user)
    detail = events.FansClubDetail(kind=_FANS_CLUB_KINDS[message.action], level=user.fans_level, name=user.fans_club)
    return events.FansClub(**head, user=user, fans_club=detail)


# --- how many there are -----------------------------------------------------------------------------------------------


def room_stats(message: pb.RoomUserSeqMessage, head: Head) -> events.RoomStats:
    """Viewers now and since the start, and the top gifters."""
    exact = count(message.total)
    shown = "" if exact else text(message.online_user_for_anchor or message.total_str)
    viewers = exact or _number(shown)
    return events.RoomStats(
        **head,
        viewer_count=viewers,
        total=viewers,
        total_user=count(message.total_user),
        viewers_text=shown if _is_rounded(shown) else UNSET,
        top=[
            events.TopViewer(
                rank=count(entry.rank),
                score=count(entry.score) or _number(text(entry.exactly_score)),
                user=person(entry.user),
            )
            for entry in message.ranks[:TOP_MAX]
        ],
    )


def shown_stats(message: pb.RoomStatsMessage, head: Head) -> events.RoomStats | None:
    """The number above the picture, where it is exact: viewers now, or views since the start.

    Of the two numbers of an event it is one; the other is what was told last. A rounded one is passed on as `raw`:
    another message tells the same exactly.
    """
    number = count(message.display_value or message.total)
    shown = text(message.display_short or message.display_middle or message.display_long)
    if message.display_type not in (_VIEWERS_NOW, _VIEWS) or _is_rounded(shown) or _number(shown) != number:
        return None
    now = message.display_type == _VIEWERS_NOW
    viewers = number if now else UNTOLD
    return events.RoomStats(**head, viewer_count=viewers, total=viewers, total_user=UNTOLD if now else number, top=[])


def _number(shown: str) -> int:
    """The number that a text begins with: "30.6万" is 306,000; 0 when there is none."""
    found = _NUMBER.match(shown)
    return count(round(float(found[1]) * _UNITS[found[2]])) if found else 0


def _is_rounded(shown: str) -> bool:
    """Whether a text shows a number only about: "30.6万", "2000+"."""
    found = _NUMBER.match(shown)
    return found is not None and (found[2] is not None or "." in found[1] or shown[found.end() :].startswith("+"))
