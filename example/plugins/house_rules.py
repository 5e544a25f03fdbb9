"""A plug-in: words that are not shown, links that are not passed on, and a notice for every hundredth viewer.

ROOMCAST_PLUGINS=example.plugins.house_rules python app.py --demo
"""

import re
from collections.abc import Iterable

from msgspec import UNSET
from msgspec.structs import replace

from ingestor.plugins import Heard
from shared.events import Chat, Event, Notice, NoticeDetail
from shared.room import RoomKey

MASKED = re.compile(r"\b(?:darn|heck)\b", re.IGNORECASE)
LINK = re.compile(r"https?://", re.IGNORECASE)
EVERY = 100


def on_chat(room: RoomKey, event: Event) -> Iterable[Event] | None:
    """Chats with a link are dropped; in others some words are masked."""
    if not isinstance(event, Chat):
        return None
    if LINK.search(event.content):
        return []
    masked = MASKED.sub(lambda word: "*" * len(word[0]), event.content)
    return None if masked == event.content else [replace(event, content=masked)]


def on_member(heard: Heard) -> Iterable[Event] | None:
    """The number of viewers is a field of the platform's message: a full hundred gets a notice behind it."""
    viewers = getattr(heard.content, "member_count", 0)
    if not viewers or viewers % EVERY or not heard.events:
        return None
    notice = Notice(
        platform=heard.room.platform,
        room=heard.room.room,
        time=heard.events[0].time,
        history=heard.events[0].history or UNSET,
        notice=NoticeDetail(kind="room", text=f"{viewers} viewers"),
    )
    return [*heard.events, notice]


EVENTS = {"chat": on_chat}
MESSAGES = {"WebcastMemberMessage": on_member}
