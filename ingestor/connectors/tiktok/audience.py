"""What viewers do: chat, gifts, likes, coming, following, subscribing, asking. Each function makes one event. Pure.

A function returns None for what has no event of its own; the message is then passed on as `raw`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import UNSET, UnsetType

from ingestor.connectors.composed import image, somebody
from ingestor.connectors.gifts import press
from ingestor.connectors.header import Head
from ingestor.connectors.sanitize import count, decimal, text
from ingestor.connectors.tiktok.people import person
from protos import tiktok_pb2 as pb
from shared import events

EMOTES_MAX: Final = 50  # of one text; captured: 19
MENTIONS_MAX: Final = 10
TOP_MAX: Final = 20  # top gifters; captured: 16

# Source: captures know 1; the others from peer libraries.
MEMBER_ACTIONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "enter",
        2: "leave",
        3: "mute",
        4: "unmute",
        5: "admin_set",
        6: "admin_removed",
        7: "kick",
        9: "ban",
        10: "unban",
        47: "enter",  # from nearby
    }
)


def chat(message: pb.ChatMessage, head: Head) -> events.Chat:
    """A text, with the pictures in it and the people it speaks to."""
    mentioned = {user.id: user for user in (message.at_user, *message.mention_users[:MENTIONS_MAX]) if user.id}
    return events.Chat(
        **head,
        user=person(message.user, message.user_identity),
        content=text(message.content),
        lang=text(message.content_language) or UNSET,
        emotes=[
            events.ChatEmote(id=text(item.emote.emote_id), image=image(item.emote.image), index=count(item.index))
            for item in message.emotes[:EMOTES_MAX]
        ],
        mentions=[person(user) for user in mentioned.values()],
        gift_image=image(message.gift_image) or UNSET,
    )


def emote(message: pb.EmoteChatMessage, head: Head) -> events.Emote:
    """Pictures instead of a text."""
    pictures = [
        events.EmotePicture(id=text(emote.emote_id), image=image(emote.image))
        for emote in message.emote_list[:EMOTES_MAX]
    ]
    return events.Emote(
        **head, user=person(message.user, message.user_identity), emote=events.EmoteDetail(emotes=pictures)
    )


def gift(message: pb.GiftMessage, head: Head) -> events.Gift:
    """One press of a gift."""
    return press(message, head, person(message.user, message.user_identity), _receiver(message))


def _receiver(message: pb.GiftMessage) -> events.User | UnsetType:
    """In rooms with guests a gift may be for one of them."""
    if message.to_user.id:
        return person(message.to_user)
    guest_id = text(message.to_member_id)
    if guest_id in ("", "0"):
        return UNSET
    return somebody(guest_id, nickname=text(message.to_member_nickname))


def like(message: pb.LikeMessage, head: Head) -> events.Like:
    """A batch of likes of one viewer."""
    return events.Like(
        **head,
        user=person(message.user),
        like_count=max(1, count(message.count)),
        total_like_count=count(message.total),
    )


def member(message: pb.MemberMessage, head: Head) -> events.Member:
    """Somebody came, went or was moderated."""
    return events.Member(
        **head,
        user=person(message.user),
        member_count=count(message.member_count),
        action=MEMBER_ACTIONS.get(message.action, "other"),
        action_id=count(message.action),
        operator=person(message.operator) if message.operator.id else UNSET,
    )


def anonymous_member(message: pb.UnauthorizedMemberMessage, head: Head) -> events.Member:
    """Somebody came who is not logged in: a name made of a number, no id, and no count of viewers."""
    # Source: captured 2023-10: prefix "Viewer%s", name "363240".
    prefix, name = text(message.nick_name_prefix.default_pattern), text(message.nick_name)
    return events.Member(
        **head,
        user=events.User(
            id="",
            unique_id="",
            nickname=prefix.replace("%s", name, 1) if "%s" in prefix else prefix + name,
            avatar="",
            roles=[],
            badges=[],
            masked=True,
        ),
        member_count=0,
        action=MEMBER_ACTIONS.get(message.action, "other"),
        action_id=count(message.action),
    )


def social(message: pb.SocialMessage, head: Head) -> events.Follow | events.Share | None:
    """A follow or a share, told by a number or else by the key of the text that is shown."""
    key = message.common.display_text.key
    if message.action == 1 or (message.action == 0 and b"follow" in key):
        return events.Follow(**head, user=person(message.user), follow_count=count(message.follow_count) or UNSET)
    if 2 <= message.action <= 5 or b"share" in key:
        return events.Share(
            **head,
            user=person(message.user),
            target=text(message.share_target) or UNSET,
            share_count=count(message.share_count) or UNSET,
        )
    return None


def subscription(message: pb.SubNotifyMessage, head: Head) -> events.Subscribe | None:
    """A subscription began, went on, was given or ended."""
    if message.message_type != 0:
        return None
    if message.subscribing_status in (3, 4):
        kind = "cancelled"
    elif message.gift_source:
        kind = "gifted"
    else:
        kind = "renewal" if message.old_subscribe_status in (1, 2, 3) else "new"
    return events.Subscribe(
        **head,
        user=person(message.user),
        subscribe=events.SubscribeDetail(kind=kind, months=count(message.sub_month) or UNSET),
    )


def room_stats(message: pb.RoomUserSeqMessage, head: Head) -> events.RoomStats:
    """Viewers now and since the start, and the top gifters."""
    viewers = count(message.total)
    return events.RoomStats(
        **head,
        viewer_count=viewers,
        total=viewers,
        total_user=count(message.total_user),
        top=[
            events.TopViewer(rank=count(entry.rank), score=count(entry.score), user=person(entry.user))
            for entry in message.ranks[:TOP_MAX]
        ],
    )


def question(message: pb.QuestionNewMessage, head: Head) -> events.Question:
    """A viewer asked."""
    return _question(message.data, "asked", head)


def question_selected(message: pb.QuestionSelectedMessage, head: Head) -> events.Question:
    """The host answers a question now."""
    return _question(message.data, "selected", head)


def question_removed(message: pb.QuestionDeleteMessage | pb.QuestionSlideDownMessage, head: Head) -> events.Question:
    """A question was deleted, or slid off the screen."""
    return events.Question(**head, question=events.QuestionDetail(id=decimal(message.question_id), state="removed"))


def question_switch(message: pb.QuestionSwitchMessage, head: Head) -> events.Question:
    """The host lets viewers ask, or no longer."""
    return events.Question(**head, question=events.QuestionDetail(id="", state="on" if message.on else "off"))


def _question(data: pb.Question, state: str, head: Head) -> events.Question:
    detail = events.QuestionDetail(id=decimal(data.question_id), state=state, text=text(data.content))
    return events.Question(**head, user=person(data.user) if data.user.id else UNSET, question=detail)
