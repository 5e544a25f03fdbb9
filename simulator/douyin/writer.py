"""Douyin's messages as the platform writes them, from plain values. Everything that knows field names is here. Pure."""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Final, TypeAlias

from protos import douyin_pb2 as pb
from protos.webcast_pb2 import Message
from simulator.catalogue import EMOTES
from simulator.douyin.people import MASKED_ID, masked
from simulator.people import Person
from simulator.source import CONTROL, ControlAction, MessageIds
from simulator.stage import Stage
from simulator.writer import Press, Told, padded

_APP_IDS = (1128, 2329, 6383)  # of whoever sent a message. Source: captures of 2022 to 2026
_MEMBER = ("invalid_key_placeholder", "{0:user} 来了")  # Source: captured 2026-04

STATE: Final[Mapping[str, bool]] = MappingProxyType(
    {
        "WebcastRoomStatsMessage": True,
        "WebcastRoomRankMessage": True,
        "WebcastResidentGuestMessage": True,
        "WebcastRoomStreamAdaptationMessage": True,
        "WebcastRoomDataSyncMessage": False,
    }
)
"""What tells how things stand, and whether it asks to be kept (`need_wrds_store`). Source: recorded 2026-09."""


class DouyinWriter:
    """Puts messages into the envelope, with header, id and time.

    Attributes:
        state: the latest message of each kind that tells how things stand.
    """

    def __init__(self, room_id: int, random: Random, ids: MessageIds, pictures: str, *, masks_viewers: bool) -> None:
        self.state: dict[str, Message] = {}
        self._room_id = room_id
        self._random = random
        self._ids = ids
        self._pictures = pictures
        self._masks_viewers = masks_viewers

    def envelope(self, told: Told, now_ms: int) -> Message:
        """The message with header, id and time, ready to be sent."""
        message = told.message
        method = told.method or f"Webcast{type(message).__name__}"
        msg_id = self._ids.next(now_ms)
        common = message.common
        common.method = method.encode()
        common.msg_id = msg_id
        common.room_id = self._room_id
        common.is_show_msg = True
        common.describe = told.describe.encode()
        common.app_id = self._random.choice(_APP_IDS)
        if isinstance(message, pb.ChatMessage | pb.ScreenChatMessage):
            # Source: recorded 2026-09: the header's id is older, from when it was written, and there is no other time
            # but the second of the event.
            message.event_time = now_ms // 1000
            written_s = now_ms // 1000 - self._random.randrange(1, 9)
            common.msg_id = (written_s << 32) + self._random.getrandbits(32)
        elif not isinstance(message, pb.MemberMessage):
            common.create_time = now_ms
        if told.key:
            common.display_text.CopyFrom(self._display(told.key, told.pattern, told.person))
        payload = padded(message.SerializeToString(), self._random)
        envelope = Message(method=method.encode(), payload=payload, msg_id=msg_id)
        if method in STATE:
            if STATE[method]:
                envelope.is_history = True  # which is this platform's `need_wrds_store`
                envelope.wrds_version = now_ms * 1_000_000 + self._random.randrange(1_000_000)
            self.state[method] = envelope
        return envelope

    def control(self, action: ControlAction, now_ms: int) -> Message:
        """The broadcast is paused, resumed or over."""
        return control_message(action, self._room_id, self._ids.next(now_ms), now_ms)

    # What people do

    def chat(self, person: Person, text: str, last: Person | None) -> Told:
        """Somebody says something, now and then with a picture in it or to the one who spoke last."""
        chance = self._random.random()
        if chance < 0.05 and last is not None:
            text = f"@{self.nickname(last)} {text}"
        message = pb.ChatMessage(user=self.user(person), content=text.encode())
        if chance > 0.95:
            picture = pb.TextPieceImage(image=self.emote())
            pieces = [pb.TextPiece(type=1, string_value=text.encode()), pb.TextPiece(type=6, image_value=picture)]
            message.rtf_content_v2.CopyFrom(pb.Text(default_pattern=b"{0:string}{1:image}", pieces=pieces))
        return Told(message)

    def like(self, person: Person, *, count: int, total: int) -> Told:
        """Somebody likes the room `count` times."""
        describe = f"{self.nickname(person)} 为主播点赞了"
        return Told(pb.LikeMessage(count=count, total=total, user=self.user(person)), describe=describe)

    def enter(self, person: Person, *, viewers: int) -> Told:
        """Somebody comes in."""
        key, pattern = _MEMBER
        message = pb.MemberMessage(
            user=self.user(person),
            member_count=viewers,
            action=1,
            user_id=self.id_of(person),
            anchor_display_text=self._display(key, pattern, person),
        )
        return Told(message, key=key, pattern=pattern, person=person)

    def follow(self, person: Person, *, followers: int) -> Told:
        """Somebody follows the host."""
        message = pb.SocialMessage(user=self.user(person), action=1, follow_count=followers)
        return Told(message, describe=f"{self.nickname(person)} 关注了主播")

    def share(self, person: Person) -> Told:
        """Somebody passes the room on."""
        message = pb.SocialMessage(user=self.user(person), action=3, share_type=1, share_target=b"112")
        return Told(message, describe=f"{self.nickname(person)} 分享了直播间")

    def delete(self, msg_id: int) -> Told:
        """A message is taken back."""
        return Told(pb.ImDeleteMessage(delete_msg_ids=[msg_id]))

    def gift(self, person: Person, press: Press) -> Told:
        """A press of a gift, or the end of a streak of them."""
        gift = press.gift
        message = pb.GiftMessage(
            gift_id=gift.id,
            fan_ticket_count=gift.price * press.repeat_count,
            group_count=press.group_count,
            repeat_count=press.repeat_count,
            combo_count=press.repeat_count,
            user=self.user(person),
            repeat_end=int(press.end),
            group_id=press.group_id,
            gift=pb.Gift(
                image=self.image("gift", gift.id),
                describe=f"送出{gift.name}".encode(),
                id=gift.id,
                combo=gift.combo,
                type=1 if gift.combo else 2,
                diamond_count=gift.price,
                name=gift.name.encode(),
                icon=self.image("gift", gift.id),
            ),
            total_count=press.repeat_count,
        )
        return Told(message, describe=f"{self.nickname(person)}:送给主播 {press.repeat_count}个{gift.name}")

    # Parts

    def image(self, kind: str, number: int) -> pb.Image:
        """A picture on our own server."""
        return pb.Image(url_list=[f"{self._pictures}/{kind}/{number}.svg".encode()])

    def emote(self) -> pb.Image:
        """One of the stickers."""
        return self.image("emote", self._random.randrange(len(EMOTES)))

    def id_of(self, person: Person) -> int:
        """The id a person is told with."""
        return MASKED_ID if self._masks_viewers else person.id

    def nickname(self, person: Person) -> str:
        """The name a person is told with."""
        return masked(person.nickname) if self._masks_viewers else person.nickname

    def user(self, person: Person) -> pb.User:
        """A viewer as messages carry them."""
        if self._masks_viewers:
            return pb.User(id=MASKED_ID, nickname=masked(person.nickname).encode())
        user = self.plain_user(person)
        if person.payer_level:
            user.pay_grade.level = person.payer_level
            content = pb.ImageContent(
                level=person.payer_level, alternative_text=f"荣誉等级{person.payer_level}级勋章".encode()
            )
            badge = pb.Image(url_list=self.image("emote", 8).url_list, image_type=1, content=content)
            user.badge_image_list.append(badge)
            user.badge_image_list_v2.append(badge)
        if person.fans_level:
            club = pb.FansClubData(club_name="夜宵团".encode(), level=person.fans_level, user_fans_club_status=1)
            user.fans_club.data.CopyFrom(club)
        if person.moderator:
            user.user_attr.is_admin = True
        return user

    def plain_user(self, person: Person) -> pb.User:
        """Somebody who is not hidden, nor anything special: also a host."""
        return pb.User(
            id=person.id,
            nickname=person.nickname.encode(),
            avatar_thumb=self.image("avatar", person.id),
            follow_info=pb.FollowInfo(
                following_count=person.id % 900,
                follower_count=person.id % 7000,
                follow_status=1 if person.follows else 0,
            ),
            display_id=person.handle.encode(),
            sec_uid=sec_uid(person).encode(),
            mystery_man=1,
            desensitized_nickname=person.nickname.encode(),
        )

    def _display(self, key: str, pattern: str, person: Person | None) -> pb.Text:
        text = pb.Text(key=key.encode(), default_pattern=pattern.encode())
        if person is not None:
            text.pieces.append(pb.TextPiece(type=11, user_value=pb.TextPieceUser(user=self.user(person))))
        return text


def sec_uid(person: Person) -> str:
    """What stands for a person in addresses."""
    return f"MS4wLjABAAAA{person.id:x}"


def control_message(action: ControlAction, room_id: int, msg_id: int, now_ms: int) -> Message:
    """What the platform says when a broadcast is paused, resumed or over; that it was banned is told as a reason."""
    header = pb.Common(method=CONTROL, msg_id=msg_id, room_id=room_id, create_time=now_ms)
    message = pb.ControlMessage(common=header, action=action)
    if action is ControlAction.BANNED:
        message.action = ControlAction.ENDED
        message.extra.violation_reason = "直播内容违规".encode()
        message.extra.ban_info_url = b"https://rules.example/violation"
    return Message(method=CONTROL, payload=message.SerializeToString(), msg_id=msg_id)


DouyinStage: TypeAlias = Stage[DouyinWriter]
