"""A room as Douyin's page and its JSON answers describe it. Pure: values in, values out.

Source: an answer recorded 2026-04, pages and answers recorded 2026-09; fields nobody reads are left out.
"""

from typing import Any

from simulator.douyin.people import make_host
from simulator.douyin.programme import rounded
from simulator.douyin.writer import sec_uid
from simulator.people import Person
from simulator.room import Room, RoomStatus
from simulator.world import Host

NOT_FOUND = 4001038  # Source: recorded 2026-09
NO_LOGIN = 20003  # Source: peer clients, 2025 and 2026
BAD_REQUEST = 10011  # Source: public report, 2025-02
FINISHED = 30003  # Source: public report, 2025-01


def has_room(host: Host) -> bool:
    """Whether there is, or was, a broadcast to tell about; else there is just the account."""
    return host.profile.live or host.broadcasts > 1 or host.room.status is not RoomStatus.ENDED


def person_of(host: Host) -> Person:
    """The host as a person."""
    return make_host(host.name, host.profile.nickname)


def account(host: Host, pictures: str) -> dict[str, Any]:
    """Who the host is."""
    person = person_of(host)
    return {
        "id_str": str(person.id),
        "sec_uid": sec_uid(person),
        "nickname": person.nickname,
        "avatar_thumb": {"url_list": [f"{pictures}/avatar/{person.id}.svg"]},
        "follow_info": {"follow_status": 0, "follow_status_str": "0"},
    }


def broadcast(host: Host, pictures: str) -> dict[str, Any]:
    """The host's latest broadcast. One that is over has no owner."""
    room = host.room
    over = room.status is RoomStatus.ENDED
    viewers = 0 if over else room.source.viewers
    shown = rounded(viewers)
    told: dict[str, Any] = {
        "id_str": str(room.id),
        "status": int(room.status),
        "status_str": str(int(room.status)),
        "title": room.title,
        # Rounded from a thousand on; the exact number is in the stats.
        "user_count_str": str(viewers) if viewers < 1000 else f"{viewers // 1000 * 1000}+",
        "mosaic_status": 0,
        "admin_user_ids_str": [],
        "live_room_mode": 1,
        "stats": {
            "total_user_desp": "",
            "like_count": 0,
            "total_user_str": str(viewers * 12),
            "user_count_str": str(viewers),
        },
        "linker_map": {},
        "room_view_stats": {
            "is_hidden": False,
            "display_short": shown,
            "display_middle": shown,
            "display_long": f"{shown}在线观众",
            "display_value": viewers,
            "display_version": 1_663_849_727,
            "incremental": False,
            "display_type": 1,
        },
        "like_count": 756,
        "owner_user_id_str": "",
        "cover": {"url_list": [f"{pictures}/gift/{room.id % 1000}.svg"]},
        "stream_url": {"default_resolution": "HD1"},
    }
    if not over:
        told["owner"] = account(host, pictures)
    return told


def entered(host: Host, pictures: str, now_ms: int) -> dict[str, Any]:
    """What `web/enter` says of a room that may be entered."""
    live = host.room.status is not RoomStatus.ENDED
    return success(
        {
            "data": [broadcast(host, pictures)],
            "enter_room_id": str(host.room.id),
            "extra": {"digg_color": "0", "is_official_channel": False},
            "user": account(host, pictures),
            "enter_mode": 0,
            "room_status": 0 if live else 2,  # a scale of its own
            "partition_road_map": {"partition": {"id_str": "1", "type": 1, "title": "美食"}},
            "login_lead": {"is_login": False, "level": 0, "items": {}},
        },
        now_ms,
    )


def reflowed(room: Room, host: Host, pictures: str, now_ms: int) -> dict[str, Any]:
    """What `reflow/info` says of a broadcast, also one that is over."""
    owner = account(host, pictures) | {"web_rid": host.name}
    told = {
        "id_str": str(room.id),
        "status": int(room.status),
        "title": room.title,
        "start_time": room.started_ms // 1000,
        "create_time": room.started_ms // 1000,
        "owner": owner,
    }
    return success({"room": told, "user": owner}, now_ms)


def success(answer: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """An answer to the question."""
    return {"data": answer, "extra": {"now": now_ms}, "status_code": 0}


def refusal(code: int, now_ms: int) -> dict[str, Any]:
    """No answer, in the platform's words."""
    return {"data": _WORDS[code], "extra": {"now": now_ms}, "status_code": code}


_WORDS = {
    NOT_FOUND: {"prompts": "该内容暂时无法无法查看"},
    NO_LOGIN: {"message": "User doesn't login", "prompts": "用户未登录"},
    BAD_REQUEST: {"message": "Request params error", "prompts": "Request params error"},
    FINISHED: {"message": "room has finished", "prompts": "直播已结束"},
}
