"""Lines that the platform itself writes into the chat of a room. Each function makes one event. Pure.

They come as a finished text, or as a pattern with pieces that clients put together, or as a sentence in the header. A
line without any text is passed on as `raw`.
"""

from msgspec import UNSET

from ingestor.connectors.composed import people_in, render
from ingestor.connectors.douyin.people import person
from ingestor.connectors.header import Head
from ingestor.connectors.sanitize import text
from protos import douyin_pb2 as pb
from shared import events


def room_message(message: pb.RoomMessage, head: Head) -> events.Notice | None:
    """A line of several purposes, named by its scene."""
    return _notice(head, "room", message.common, message.content, scene=message.biz_scene)


def common_text(message: pb.CommonTextMessage, head: Head) -> events.Notice | None:
    """A line about a viewer; only its header has the words."""
    return _notice(head, "room", message.common, scene=message.scene, about=message.user)


def notify(message: pb.RoomNotifyMessage, head: Head) -> events.Notice | None:
    """A line about something that happened here or in another room."""
    return _notice(head, "notify", message.common, message.content, scene=message.biz_scene, about=message.user)


def notify_effect(message: pb.NotifyEffectMessage, head: Head) -> events.Notice | None:
    """A line that flies over the picture."""
    return _notice(head, "barrage", message.common, display=message.text)


def toast(message: pb.ToastMessage, head: Head) -> events.Notice | None:
    """A line that goes away by itself."""
    return _notice(head, "toast", message.common, message.content)


def hot_chat(message: pb.HotChatMessage, head: Head) -> events.Notice | None:
    """What many viewers write just now."""
    return _notice(head, "bottom", message.common, message.content or message.title, display=message.rtf_content)


def _notice(
    head: Head,
    kind: str,
    common: pb.Common,
    words: bytes = b"",
    *,
    display: pb.Text | None = None,
    scene: bytes = b"",
    about: pb.User | None = None,
) -> events.Notice | None:
    """A notice, or None when it has no text.

    Args:
        head: common fields.
        kind: of `NoticeDetail`.
        common: the message's header.
        words: the finished text, blank when there is none.
        display: the text as pattern and pieces, where it is not the header's.
        scene: what the line is for.
        about: a user, where it is not the first one in the text.
    """
    display = display or common.display_text
    shown = next((line for line in (text(words), render(display), text(common.describe)) if line.strip()), "")
    if not shown:
        return None
    about = about if about and about.id else next(people_in(display), None)
    return events.Notice(
        **head,
        user=person(about) if about else UNSET,
        notice=events.NoticeDetail(kind=kind, text=shown, key=text(scene or display.key) or UNSET),
    )
