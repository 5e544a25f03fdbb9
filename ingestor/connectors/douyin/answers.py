"""What Douyin's HTTP answers mean: bytes in, a value or a typed error out. Pure.

Source: answers recorded 2026-04 and 2026-09, peer clients' readings and public reports, 2022 to 2026. Numbers and texts
of Douyin are not passed on in errors: what is unknown is said in our own words.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import UNSET

from ingestor.connectors.base import LiveRoom
from ingestor.connectors.douyin.page import Page
from ingestor.connectors.json_answers import Json, at, count_of, first_of, json_object, text_of
from shared.errors import (
    BadRoom,
    Blocked,
    LoginRequired,
    RoomBanned,
    RoomNotFound,
    RoomNotLive,
    RoomOffline,
    RoomRestricted,
    UpstreamError,
)
from shared.events import User
from shared.platforms import is_name, parse_room

# Of `status`. What is called `room_status` has a scale of its own, and lists of rooms say 0 of all of them.
_LIVE: Final = 2
_PAUSED: Final = 3  # the host is away
_OVER: Final = (1, 4)  # not begun, and ended
_BY_ROOM_STATUS: Final = {0: 2, 2: 4}

_RISK_HEADERS: Final = ("bdturing-verify", "x-vc-bdturing-parameters")  # of a captcha. Source: recorded 2026-09.

_REFUSALS: Final[Mapping[int, tuple[type[UpstreamError], str]]] = {
    10011: (Blocked, "Douyin does not take the request"),  # Source: public report, 2025-02
    20003: (LoginRequired, "the room is shown to sessions that are logged in"),
    30003: (RoomOffline, "the broadcast is over"),  # Source: public report, 2025-01
    4001038: (RoomNotFound, "Douyin knows no such room"),  # Source: recorded 2026-09
    4003099: (RoomRestricted, "the room is open to paying members only"),  # Source: public report, 2026-04
}
# No answer about a banned room is on record; these are the words in which the platform speaks of bans elsewhere.
_BANNED: Final = re.compile(r"(?:直播|主播|账号|帐号)[^。]{0,12}(?:封禁|违规)")
_OFFLINE: Final = re.compile(r"直播已结束|未开播")

# A closed account keeps its room number. Source: two peer clients, 2025.
_CLOSED_NICKNAME: Final = "账号已注销"
_CLOSED_PICTURE: Final = "aweme_default_avatar.png"

_GONE: Final = (404, 410)
_ENDED_TRACE: Final = re.compile(rb"gift_effect_bg_[0-9]")
_ENDED_WORDS: Final = "直播已结束".encode()
_OFFLINE_WORDS: Final = "未开播".encode()
# As served it stands in JSON, or in JSON within JSON, with as many backslashes.
_VISITOR: Final = re.compile(rb'\buser_unique_id\\{0,7}":\\{0,7}"([1-9][0-9]{18})\\{0,7}"')

_At = Callable[..., object]
"""Goes along a path of keys, in its own way where there are references."""


def live_room_of_page(html: bytes, http_status: int) -> LiveRoom:
    """What a room page tells about its room.

    Raises:
        RoomNotFound, RoomOffline: what it says instead.
        Blocked: a captcha or a shell without content, whatever HTTP said.
    """
    page = Page(html)
    account: object = None
    for info in page.room_infos():  # an earlier one can be empty
        room = page.at(info, "room")
        anchor = page.at(info, "anchor")
        if _room_id(page.at(room, "id_str")):
            return _live_room(room, page.at(room, "owner") or anchor, page.at)
        if not room and isinstance(anchor, dict):
            account = account or anchor
    if account:  # the number of a room that is no longer there may stand beside it
        raise _without_room(account, page.at)
    if http_status in _GONE:
        raise RoomNotFound("Douyin knows no such room")
    if (_ENDED_TRACE.search(html) and _ENDED_WORDS in html) or _OFFLINE_WORDS in html:
        raise RoomOffline("the room is not live")
    raise Blocked("Douyin's room page came without content")


def visitor_of_page(html: bytes) -> str:
    """The number that a page gave its visitor, "" where it has none."""
    found = _VISITOR.search(html)
    return found[1].decode() if found else ""


def live_room_of_enter(body: bytes, headers: Mapping[str, str]) -> LiveRoom:
    """What `web/enter` tells about a room.

    Args:
        body: of the answer.
        headers: of the answer, names in lower case.

    Raises:
        RoomNotFound, RoomOffline, RoomBanned, RoomRestricted, LoginRequired: what it says instead.
        Blocked: it is no answer to the question.
    """
    if any(name in headers for name in _RISK_HEADERS):
        raise Blocked("Douyin wants a captcha solved")
    answer = _answer(body)
    room = first_of(at(answer, "data", "data"))
    user = at(answer, "data", "user")
    if isinstance(room, dict):
        return _live_room(room, room.get("owner") or user, at, count_of(at(answer, "data", "room_status")))
    if isinstance(user, dict):
        raise _without_room(user, at)
    raise Blocked("Douyin told nothing about the room")


def web_rid_of_reflow(body: bytes) -> str:
    """The room whose broadcast `reflow/info` was asked about.

    Raises:
        RoomNotFound, RoomOffline, RoomBanned, RoomRestricted, LoginRequired: what it says instead.
        Blocked: it is no answer to the question.
    """
    web_rid = at(_answer(body), "data", "room", "owner", "web_rid")
    try:
        room = parse_room(text_of(web_rid) or str(count_of(web_rid) or ""), "douyin")
    except BadRoom:
        raise RoomNotFound("Douyin knows no such broadcast, or no longer") from None
    if is_name(room):
        raise RoomNotFound("Douyin knows no such broadcast, or no longer")
    return room.room


def fetch_refusal(body: bytes) -> UpstreamError | None:
    """What `im/fetch` says instead of messages; None for a Response, which never begins so."""
    if body[:1] not in (b"", b"{", b"<"):
        return None
    try:
        _answer(body)
    except UpstreamError as refusal:
        return refusal
    return Blocked("Douyin answered with JSON where messages were asked for")


def _answer(body: bytes) -> Json:
    """An answer to the question.

    Raises:
        RoomNotLive, Blocked: what it says instead.
    """
    if not body:
        raise Blocked("Douyin answered with nothing, as it does to cookies and addresses that it mistrusts")
    answer = json_object(body)
    if answer is None:
        raise Blocked("Douyin answered with something else than JSON")
    code = count_of(answer.get("status_code"))
    said = f"{text_of(at(answer, 'data', 'prompts'))} {text_of(at(answer, 'data', 'message'))}"
    if _BANNED.search(said):
        raise RoomBanned("Douyin has closed the room")
    if code is not None and (refusal := _REFUSALS.get(code)):
        kind, words = refusal
        raise kind(words)
    if _OFFLINE.search(said):  # Source: a peer client's test, where the code is 0
        raise RoomOffline("the room is not live")
    if code not in (0, None):
        raise Blocked("Douyin refuses, in a way unknown to us")
    return answer


def _live_room(room: object, owner: object, at: _At, room_status: int | None = None) -> LiveRoom:
    status = _number(at(room, "status")) or _number(at(room, "status_str"))
    if not status and room_status is not None:
        status = _BY_ROOM_STATUS.get(room_status)
    if status in _OVER:
        raise RoomOffline("the room is not live")
    room_id = _room_id(at(room, "id_str"))
    if status not in (_LIVE, _PAUSED) or not room_id:
        raise Blocked("Douyin does not say whether the room is live")
    return LiveRoom(
        title=text_of(at(room, "title")) or None,
        owner=_owner(owner, at),
        started_at=(int(room_id) >> 32) * 1000,
        viewer_count=_viewers(room, at),
        paused=status == _PAUSED,
        broadcast=room_id,
    )


def _without_room(account: object, at: _At) -> RoomNotLive:
    closed = at(account, "nickname") == _CLOSED_NICKNAME and _CLOSED_PICTURE in _picture(account, at)
    return RoomNotFound("the account is closed") if closed else RoomOffline("the host has no broadcast")


def _owner(owner: object, at: _At) -> User | None:
    if not isinstance(owner, dict):
        return None
    return User(
        id=text_of(at(owner, "id_str")),
        unique_id=text_of(at(owner, "display_id")),
        nickname=text_of(at(owner, "nickname")),
        avatar=_picture(owner, at),
        roles=["anchor"],
        badges=[],
        sec_uid=text_of(at(owner, "sec_uid")) or UNSET,
    )


def _picture(owner: object, at: _At) -> str:
    return text_of(at(first_of(at(owner, "avatar_thumb", "url_list"))))


def _viewers(room: object, at: _At) -> int | None:
    """Those who watch now, where that is told exactly: other numbers are rounded (`2000+`) or count all who came."""
    if (exact := _number(at(room, "stats", "user_count_str"))) is not None:
        return exact
    if at(room, "room_view_stats", "display_type") == 1:
        return _number(at(room, "room_view_stats", "display_short"))
    return None


def _room_id(value: object) -> str:
    """The id of a broadcast, "" for what is none."""
    try:
        named = parse_room(text_of(value), "douyin").room
    except BadRoom:
        return ""
    return text_of(value) if named == f"room.{value}" else ""


def _number(value: object) -> int | None:
    """A number, also one in a text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 15:
        return int(value)
    return count_of(value)
