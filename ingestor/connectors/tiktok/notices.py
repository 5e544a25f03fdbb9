"""Lines that the platform itself writes into the chat of a room. Each function makes one event. Pure.

They come as a finished text, or as a pattern with pieces that clients put together in their language; events carry the
text in the language of the pattern, and the pattern's key. A line without any text is passed on as `raw`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import UNSET

from ingestor.connectors.composed import people_in, render
from ingestor.connectors.header import Head
from ingestor.connectors.sanitize import count, text
from ingestor.connectors.tiktok.people import person
from protos import tiktok_pb2 as pb
from shared import events

_USER_UPGRADE: Final = 8
_FANS_UPGRADE: Final = 10
_BARRAGE_KINDS: Final[Mapping[int, str]] = MappingProxyType({_USER_UPGRADE: "level_up"})


def room_message(message: pb.RoomMessage, head: Head) -> events.FansClub | events.Notice | None:
    """A line of several purposes; one of them says that somebody joined the fans club."""
    display = message.common.display_text
    fan = next(people_in(display), None)
    # Source: captured 2023-10: the content is a blank, the text names the new member.
    if message.scene == b"user_join_fans" and fan:
        return events.FansClub(**head, user=person(fan), fans_club=events.FansClubDetail(kind="join"))
    return _notice(head, "welcome" if message.is_welcome else "room", display, text(message.content))


def system_message(message: pb.SystemMessage, head: Head) -> events.Notice | None:
    """A line of the platform to this viewer."""
    return _notice(head, "system", message.common.display_text, text(message.message))


def barrage(message: pb.BarrageMessage, head: Head) -> events.FansClub | events.Subscribe | events.Notice | None:
    """A line that flies over the picture: somebody of rank came, rose or subscribed.

    Subscriptions are told a second time by a message of their own, which is the one that makes a `subscribe` event;
    super fans have none.
    """
    display = message.content if message.HasField("content") else message.common_barrage_content
    grade = message.fans_level_param if message.HasField("fans_level_param") else message.user_grade_param
    about = message.user if message.user.id else grade.user if grade.user.id else next(people_in(display), None)
    key = display.key.lower()
    super_fan = b"ttlive_superfan" in key
    if about and key.endswith(b"superfanjoined"):
        user = person(about, super_fan=True)
        return events.Subscribe(**head, user=user, subscribe=events.SubscribeDetail(kind="super_fan"))
    if about and message.msg_type == _FANS_UPGRADE:
        detail = events.FansClubDetail(kind="level_up", level=count(grade.current_grade) or UNSET)
        return events.FansClub(**head, user=person(about), fans_club=detail)
    kind = _BARRAGE_KINDS.get(message.msg_type, "barrage")
    return _notice(head, kind, display, about=about, level=count(grade.current_grade), super_fan=super_fan)


def bottom(message: pb.BottomMessage, head: Head) -> events.Notice | None:
    """A line below the picture."""
    return _notice(head, "bottom", message.common.display_text, text(message.content))


def toast(message: pb.ToastMessage, head: Head) -> events.Notice | None:
    """A line that goes away by itself."""
    return _notice(head, "toast", message.common.display_text)


def platform_notice(message: pb.NoticeMessage, head: Head) -> events.Notice | None:
    """A line with a title."""
    return _notice(head, "notify", message.notice_content, text(message.content))


def notify(message: pb.RoomNotifyMessage, head: Head) -> events.Notice | None:
    """A line about something that happened here or in another room."""
    return _notice(head, "notify", message.common.display_text, text(message.content), about=message.user)


def gift_broadcast(message: pb.GiftBroadcastMessage, head: Head) -> events.Notice | None:
    """A line about an expensive gift, shown in many rooms."""
    return notify(message.notify, head)


def _notice(
    head: Head,
    kind: str,
    display: pb.Text,
    words: str = "",
    *,
    about: pb.User | None = None,
    level: int = 0,
    super_fan: bool = False,
) -> events.Notice | None:
    """A notice, or None when it has no text.

    Args:
        head: common fields.
        kind: of `NoticeDetail`.
        display: the text as pattern and pieces.
        words: the finished text, blank when there is none.
        about: a user, where it is not the first one in the text.
        level: which the user reached, 0 when it is not about one.
        super_fan: whether the user is one.
    """
    shown = words if words.strip() else render(display)
    if not shown.strip():
        return None
    about = about if about and about.id else next(people_in(display), None)
    return events.Notice(
        **head,
        user=person(about, super_fan=super_fan) if about else UNSET,
        notice=events.NoticeDetail(kind=kind, text=shown, key=text(display.key) or UNSET, level=level or UNSET),
    )
