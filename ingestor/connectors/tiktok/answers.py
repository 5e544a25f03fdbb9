"""What TikTok's HTTP answers mean: bytes in, a value or a typed error out. Pure.

Source: peer clients' readings and recorded answers, 2022 to 2026. Numbers and texts of TikTok are not passed on in
errors: what is unknown is said in our own words.
"""

import re

from ingestor.connectors.base import LiveRoom
from ingestor.connectors.json_answers import Json, at, count_of, first_of, json_object, text_of
from shared.errors import Blocked, RoomNotFound, RoomOffline, RoomRestricted
from shared.events import User

_BROADCASTING = (2, 3)  # live, and paused by the host
AGE_RESTRICTED = 4003110
_NO_SUCH_USER = 19881007
_ENDED = 4
_ROOM_ID = re.compile(r"[1-9][0-9]{14,18}")
_ROOM_ID_MAX = 2**63 - 1  # int64 in every message
_PAGE_STATE = re.compile(rb'<script[^>]{0,200}\bid="SIGI_STATE"[^>]{0,200}>(.*?)</script>', re.DOTALL)


def room_of_user(body: bytes) -> str:
    """The room id in an answer of `api-live/user/room`.

    Raises:
        RoomNotFound, RoomOffline, RoomRestricted: what it says instead.
        Blocked: it is no answer to the question.
    """
    answer = _answer(body)
    if answer.get("statusCode") == AGE_RESTRICTED:
        raise _restricted()
    if answer.get("message") == "params_error":
        raise Blocked("TikTok does not take the request")
    data = answer.get("data")
    if answer.get("message") == "user_not_found" or answer.get("statusCode") == _NO_SUCH_USER or data is None:
        raise RoomNotFound("TikTok knows no such user, or none who ever went live")
    return _broadcast(data)


def room_of_page(html: bytes) -> str:
    """The room id in a live page.

    Raises:
        RoomNotFound, RoomOffline: what it says instead.
        Blocked: a captcha or a shell without content.
    """
    script = _PAGE_STATE.search(html)
    state = json_object(script[1]) if script else None
    if state is None:
        raise Blocked("TikTok's live page came without content")
    if not isinstance(state.get("LiveRoom"), dict):
        raise RoomNotFound("TikTok knows no such user, or none who ever went live")
    return _broadcast(at(state, "LiveRoom", "liveRoomUserInfo"))


def is_alive(body: bytes) -> bool | None:
    """What `check_alive` says of the one room it was asked about.

    None is no answer: it does not know the room, or does not like us.

    Raises:
        Blocked: it is no answer to the question.
    """
    answer = _answer(body)
    rooms = answer.get("data")
    if not isinstance(rooms, list) or not rooms or not isinstance(rooms[0], dict):
        return None
    return rooms[0].get("alive") is True


def live_room(body: bytes) -> LiveRoom:
    """What `room/info` tells about a room.

    Raises:
        RoomNotFound, RoomOffline, RoomRestricted: what it says instead.
        Blocked: it is no answer to the question.
    """
    answer = _answer(body)
    room = answer.get("data")
    status_code = answer.get("status_code")
    if status_code == AGE_RESTRICTED or (
        status_code == 0 and isinstance(room, dict) and ("prompts" in room or len(room) <= 1)
    ):
        raise _restricted()
    if status_code != 0 or not isinstance(room, dict):
        raise RoomNotFound("TikTok knows no such room, or no longer")
    if room.get("status") == _ENDED:
        raise RoomOffline("the broadcast is over")
    started_s = count_of(room.get("create_time"))
    return LiveRoom(
        title=text_of(room.get("title")) or None,
        owner=_owner(room.get("owner")),
        started_at=started_s * 1000 if started_s else None,
        viewer_count=count_of(room.get("user_count")),
    )


def _answer(body: bytes) -> Json:
    answer = json_object(body)
    if answer is None:
        raise Blocked("TikTok answered with something else than JSON")
    return answer


def _broadcast(user_room: object) -> str:
    statuses = (at(user_room, "user", "status"), at(user_room, "liveRoom", "status"))
    room_id = at(user_room, "user", "roomId")
    if not any(status in _BROADCASTING for status in statuses):
        raise RoomOffline("the user is not live")
    if not isinstance(room_id, str) or not _ROOM_ID.fullmatch(room_id) or int(room_id) > _ROOM_ID_MAX:
        raise RoomOffline("the user has no room")
    return room_id


def _owner(owner: object) -> User | None:
    if not isinstance(owner, dict):
        return None
    return User(
        id=text_of(owner.get("id_str")) or str(count_of(owner.get("id")) or ""),
        unique_id=text_of(owner.get("display_id")),
        nickname=text_of(owner.get("nickname")),
        avatar=text_of(first_of(at(owner, "avatar_large", "url_list"))),
        roles=["anchor"],
        badges=[],
    )


def _restricted() -> RoomRestricted:
    return RoomRestricted("age restricted: shown to sessions of adults only")
