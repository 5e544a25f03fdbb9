"""Douyin in the simulator: its hosts, how its broadcasts are numbered, and how it writes a place in a room. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Final

from protos.webcast_pb2 import Message
from simulator.douyin.connection import is_standing
from simulator.douyin.content import CATALOGUE
from simulator.douyin.people import make_host, make_person
from simulator.douyin.programme import PROGRAMME
from simulator.douyin.writer import DouyinWriter, control_message
from simulator.people import Crowd
from simulator.platform import Cursors, HostProfile
from simulator.scenario import Scenario
from simulator.source import ControlAction, MessageIds, Sent, Source

GENERATED_FROM: Final = 728804800000  # web_rid of the first generated host

HOSTS: Final[Mapping[str, HostProfile]] = MappingProxyType(
    {
        "728804746624": HostProfile("深夜小厨房:拉面、音乐、聊聊天", "深夜小厨房", viewers=2665),
        "728804746625": HostProfile("$5 的下午茶,慢慢画画", "慢画", pace=0.05, viewers=14),
        "728804746640": HostProfile("周五见", "周五再见", live=False),
        "728804746642": HostProfile("就一分钟!", "一分钟", viewers=240, comes_and_goes=True, pauses=True),
        "728804746643": HostProfile("蒙面茶话会", "蒙面茶馆", viewers=320, masked=True),
        "728804746644": HostProfile("登录可见", "会客室", viewers=120, restricted=True),
    }
)
"""By web_rid. 728804746641 is left free on purpose: there is no such room."""

# Told again to newcomers. Source: recorded 2026-09, frames 2 to 4 of a connection.
_REPLAYED: Final = frozenset(
    {
        b"WebcastChatMessage",
        b"WebcastEmojiChatMessage",
        b"WebcastFansclubMessage",
        b"WebcastGiftSortMessage",
        b"WebcastInRoomBannerMessage",
        b"WebcastMemberMessage",
        b"WebcastRanklistHourEntranceMessage",
    }
)


class Douyin:
    """The platform, as the world sees it."""

    name = "douyin"
    hosts = HOSTS
    player = ("728804746900", HostProfile("录制的消息", "回放", viewers=100))
    catalogue = CATALOGUE

    def __init__(self) -> None:
        self.cursors: Cursors = DouyinCursors()

    def generated(self, number: int) -> tuple[str, HostProfile]:
        """728804800000, 728804800001 ..."""
        profile = HostProfile(f"{number}号直播间", f"{number}号主播", viewers=50 + number % 500)
        return str(GENERATED_FROM + number), profile

    def number_of(self, name: str) -> int | None:
        """Which generated host has this web_rid."""
        return int(name) - GENERATED_FROM if re.fullmatch("[1-9][0-9]{11}", name) else None

    def number_of_room(self, room_id: int) -> int | None:
        """It cannot be told: an id tells when the broadcast began."""
        return None

    def room_id(self, profile: HostProfile, *, previous: int, now_ms: int, random: Random) -> int:
        """The second it begins in the upper half. Source: captures of 2022 to 2026."""
        return max((now_ms // 1000 << 32) + random.getrandbits(32), previous + 1)

    def scenario(
        self, room_id: int, name: str, profile: HostProfile, random: Random, *, rate: float, pictures: str
    ) -> Source:
        """What happens in a room."""
        ids = MessageIds(random)
        return Scenario(
            room_id,
            make_host(name, profile.nickname),
            profile.title,
            Crowd(random, make_person),
            DouyinWriter(room_id, random, ids, pictures, masks_viewers=profile.masked),
            PROGRAMME,
            random,
            ids,
            rate=rate,
            viewers=profile.viewers,
        )

    def control(self, action: ControlAction, room_id: int, msg_id: int, now_ms: int) -> Message:
        """A control message."""
        return control_message(action, room_id, msg_id, now_ms)

    def in_order(self, messages: Iterable[Message]) -> list[Message]:
        """How things stand comes last, in a frame of its own."""
        return sorted(messages, key=is_standing)

    def is_replayed(self, message: Message) -> bool:
        """The latest of what is said and seen is told again, but no gifts, no numbers."""
        return message.method in _REPLAYED


class DouyinCursors:
    """Parts in any order: `t` is the server's time, `r` the last message of the room, 1 and -1 say nothing.

    Source: cursors recorded in 2022 and 2026, and those that peer clients make up.
    """

    def write(self, room_id: int, serial: int, msg_id: int, now_ms: int) -> str:
        """The place behind a message, or where the broadcast begins."""
        return f"t-{now_ms}_r-{msg_id or room_id >> 32 << 32}_d-1_u-1"

    def read(self, cursor: str, room_id: int, backlog: Sequence[Sent]) -> int | None:
        """The serial of the last message before the place; ids older than the broadcast name no place in it."""
        part = re.search(r"(?:^|_)r-([0-9]{1,20})(?:_|$)", cursor)
        if part is None or int(part[1]) >> 32 < room_id >> 32:
            return None
        msg_id = int(part[1])
        for sent in backlog:
            if sent.message.msg_id == msg_id:  # ids need not be in order: somebody may have given them
                return sent.serial
        return max((sent.serial for sent in backlog if sent.message.msg_id < msg_id), default=0)
