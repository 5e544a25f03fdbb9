"""The platforms by name, and what their users call a room: parsing is needed at every door, also in gateways.

With the connector registry this is the only place outside the connector folders that names a platform. Everything here
is pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shared.errors import BadRoom
from shared.room import RoomKey

ROOM_TEXT_MAX = 512  # characters; a pasted link with its query is shorter


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform, as far as gateways need to know it.

    Attributes:
        name: first half of every room key.
        sites: matches a text with a link to the platform.
        parse: text of a user -> room half of the key. Raises BadRoom.
        is_name: whether that half is a pointer (a handle, a short link) that must be looked up before there is a room.
        one_broadcast: a room is one broadcast and never live again; the host's next one is another room.
    """

    name: str
    sites: re.Pattern[str]
    parse: Callable[[str], str]
    is_name: Callable[[str], bool]
    one_broadcast: bool


_TIKTOK_SITES = re.compile(r"(?:^|[\s/])(?:(?:www|m)\.)?tiktok\.com/", re.IGNORECASE)
_TIKTOK_LINK = re.compile(
    r"(?:https?://)?(?:(?:www|m)\.)?tiktok\.com/@(?P<name>[^/?#]+)(?:/live)?/?(?:[?#].*)?", re.IGNORECASE
)
# No leading zeros: one room has one key. Its messages carry the id as int64.
_TIKTOK_ROOM_ID = re.compile(r"[1-9][0-9]{14,18}")
_TIKTOK_ROOM_ID_MAX = 2**63 - 1
_TIKTOK_NAME = re.compile(r"(?!\.+$)[a-z0-9._]{1,24}")  # dots alone are no name, but a step in a path


def _parse_tiktok(text: str) -> str:
    """`7300000000000000001` stays itself; `@Ana`, `Ana`, a profile or live link become `@ana`."""
    link = _TIKTOK_LINK.fullmatch(text)
    if link is None and _TIKTOK_ROOM_ID.fullmatch(text) and int(text) <= _TIKTOK_ROOM_ID_MAX:
        return text
    # Handles are case-insensitive. Source: protocol notes on room resolution, all peer libraries.
    name = (link["name"] if link else text.removeprefix("@").removesuffix("/live")).lower()
    if not _TIKTOK_NAME.fullmatch(name):
        raise BadRoom("a TikTok room is a room id of 15 to 19 digits, an @name, or a link to a profile or live page")
    return f"@{name}"


_DOUYIN_SITES = re.compile(r"(?:^|[\s/])(?:(?:live|v)\.douyin|webcast\.amemv)\.com/", re.IGNORECASE)
_DOUYIN_LINK = re.compile(
    r"[\s/]?(?:live\.douyin\.com/(?P<web_rid>[A-Za-z0-9_-]+)"
    r"|v\.douyin\.com/(?P<code>[A-Za-z0-9_-]{1,40})"  # known ones have 7 to 11
    r"|webcast\.amemv\.com/[a-z/]{1,40}/reflow/(?P<room_id>[0-9]+))"
    r"/?(?:[?#\s].*)?",
    re.IGNORECASE | re.DOTALL,
)
# Source: protocol notes, all peer clients: mostly 11 or 12 digits, 16 at most; own names exist too.
_DOUYIN_WEB_RID = re.compile(r"[1-9][0-9]{0,15}|(?=[0-9_-]*[A-Za-z])[A-Za-z0-9_-]{1,64}")
# The second a broadcast began stands in its upper half: 19 digits from 1999 on, 20 from 2043 on.
_DOUYIN_ROOM_ID = re.compile(r"[1-9][0-9]{18,19}")
_DOUYIN_ROOM_ID_MAX = 2**64 - 1
# What a name looks like in frames of ours, for clients that ask with what they were told.
_DOUYIN_NAME = re.compile(r"room\.(?P<room_id>[1-9][0-9]{18,19})|link\.(?P<code>[A-Za-z0-9_-]{1,40})(?P<web_rid>)")


def _parse_douyin(text: str) -> str:
    """`728804746624`, or the link of its page, is the room; a broadcast's id and short links are names.

    The app's "share" copies a sentence around a short link, which is understood as well.
    """
    site = _DOUYIN_SITES.search(text)
    link = _DOUYIN_LINK.fullmatch(text, site.start()) if site else _DOUYIN_NAME.fullmatch(text)
    if link and link["code"]:
        return f"link.{link['code']}"
    number = link["room_id"] or link["web_rid"] if link else text
    if _DOUYIN_ROOM_ID.fullmatch(number) and int(number) <= _DOUYIN_ROOM_ID_MAX:
        return f"room.{number}"
    if not _DOUYIN_WEB_RID.fullmatch(number):
        raise BadRoom("a Douyin room is the number in the address of its page, live.douyin.com/NUMBER, or such a link")
    return number


_NO_SITES = re.compile(r"(?!)")
_REPLAY_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")  # within one folder, and not hidden there


def _parse_replay(text: str) -> str:
    """The name of a recording's file."""
    if not _REPLAY_NAME.fullmatch(text):
        raise BadRoom("a replay is the name of a recording: 1 to 64 of A-Z a-z 0-9 . _ -")
    return text


PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {
        platform.name: platform
        for platform in (
            Platform(
                "tiktok", _TIKTOK_SITES, _parse_tiktok, is_name=lambda room: room.startswith("@"), one_broadcast=True
            ),
            Platform("douyin", _DOUYIN_SITES, _parse_douyin, is_name=lambda room: "." in room, one_broadcast=False),
            Platform("replay", _NO_SITES, _parse_replay, is_name=lambda room: False, one_broadcast=False),
        )
    }
)

DEFAULT_PLATFORM = "tiktok"  # of `/ws/{room}`, which names none


def parse_room(text: str, platform: str = DEFAULT_PLATFORM) -> RoomKey:
    """Turn what a user typed into the key of a room, or of a name that points to one.

    Args:
        text: id, name or link. A link says itself which platform it leads to.
        platform: of everything else.

    Raises:
        BadRoom: no such platform, or no room of it.
    """
    home = PLATFORMS.get(platform)
    if home is None:
        raise BadRoom(f"the platforms are: {', '.join(sorted(PLATFORMS))}")
    text = text.strip()
    if not text or len(text) > ROOM_TEXT_MAX:
        raise BadRoom(f"a room is 1 to {ROOM_TEXT_MAX} characters")
    home = next((other for other in PLATFORMS.values() if other.sites.search(text)), home)
    return RoomKey(home.name, home.parse(text))


def room_called(text: str) -> RoomKey:
    """The room that somebody calls `PLATFORM:ROOM`, `ROOM`, or by a link.

    Raises:
        BadRoom: it is none.
    """
    platform, _, room = text.partition(":")
    return parse_room(room, platform) if platform in PLATFORMS else parse_room(text)


def is_name(room: RoomKey) -> bool:
    """Whether the key is a pointer: it has demand and a lease of its own, but never an upstream or events.

    Raises:
        BadRoom: the platform is unknown here.
    """
    return _home(room).is_name(room.room)


def is_one_broadcast(room: RoomKey) -> bool:
    """Whether the room, once it is over, is never live again.

    Raises:
        BadRoom: the platform is unknown here.
    """
    return _home(room).one_broadcast


def _home(room: RoomKey) -> Platform:
    home = PLATFORMS.get(room.platform)
    if home is None:
        raise BadRoom(f"the platforms are: {', '.join(sorted(PLATFORMS))}")
    return home
