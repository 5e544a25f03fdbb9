"""TikTok's messages as the platform writes them, from plain values. Everything that knows field names is here. Pure."""

from dataclasses import replace
from random import Random
from typing import TypeAlias

from protos import tiktok_pb2 as pb
from protos.tiktok_pb2 import (
    BadgeStruct,
    BattleUserArmy,
    ChatMessage,
    CombineBadgeStruct,
    Common,
    ControlMessage,
    EmoteModel,
    EmoteWithIndex,
    FansClubInfo,
    FollowInfo,
    GiftMessage,
    Image,
    ImageBadge,
    ImDeleteMessage,
    LikeMessage,
    LiveIntroMessage,
    MemberMessage,
    PrivilegeLogExtra,
    RoomMessage,
    SocialMessage,
    SubscribeInfo,
    Text,
    TextPiece,
    TextPieceUser,
    User,
    UserAttr,
    UserHonor,
    UserIdentity,
)
from protos.webcast_pb2 import Message
from simulator.catalogue import EMOTES
from simulator.people import Person
from simulator.source import CONTROL, ControlAction, MessageIds
from simulator.stage import Stage
from simulator.writer import Press, Told, padded

WELCOME = (
    "Welcome to TikTok LIVE! Have fun interacting with the creator and other viewers in real time, and remember our"
    " Community Guidelines."
)


class TikTokWriter:
    """Puts messages into the envelope, with header, id and time."""

    def __init__(self, room_id: int, random: Random, ids: MessageIds, pictures: str) -> None:
        self._room_id = room_id
        self._random = random
        self._ids = ids
        self._pictures = pictures

    def envelope(self, told: Told, now_ms: int) -> Message:
        """The message with header, id and time, ready to be sent."""
        method = told.method or f"Webcast{type(told.message).__name__}"
        msg_id = self._ids.next(now_ms)
        common = told.message.common
        common.method = method.encode()
        common.msg_id = msg_id
        common.room_id = self._room_id
        common.create_time = now_ms
        common.describe = told.describe.encode()
        if told.key:
            common.display_text.key = told.key.encode()
            common.display_text.default_pattern = told.pattern.encode()
            if told.person is not None:
                piece = TextPiece(type=11, user_value=TextPieceUser(user=self.user(told.person)))
                common.display_text.pieces.append(piece)
        payload = padded(told.message.SerializeToString(), self._random)
        return Message(method=method.encode(), payload=payload, msg_id=msg_id)

    def welcome(self, started_ms: int) -> Message:
        """The platform's own first words; envelope and header disagree about method and id, as in captures of 2026."""
        msg_id = started_ms * 1_000_000 + self._room_id % 1_000_000
        common = Common(method=b"SystemMessage", msg_id=msg_id + 1, room_id=self._room_id, create_time=started_ms)
        message = RoomMessage(common=common, content=WELCOME.encode(), is_welcome=True)
        return Message(method=b"RoomMessage", payload=message.SerializeToString(), msg_id=msg_id)

    def intro(self, host: Person, text: str, started_ms: int) -> Message:
        """The host's words about the broadcast."""
        msg_id = started_ms * 1_000_000 + self._room_id % 1_000_000 + 2
        common = Common(method=b"WebcastLiveIntroMessage", msg_id=msg_id, room_id=self._room_id, create_time=started_ms)
        message = LiveIntroMessage(
            common=common, id=self._room_id, content=text.encode(), user=self.user(host), content_language=b"en"
        )
        return Message(method=b"WebcastLiveIntroMessage", payload=message.SerializeToString(), msg_id=msg_id)

    def control(self, action: ControlAction, now_ms: int) -> Message:
        """The broadcast is paused, resumed or over."""
        return control_message(action, self._room_id, self._ids.next(now_ms), now_ms)

    # What people do

    def chat(self, person: Person, text: str, last: Person | None) -> Told:
        """Somebody says something, now and then with an emote or to the one who spoke last."""
        message = ChatMessage(
            user=self.user(person),
            content=text.encode(),
            content_language=person.language.encode(),
            user_identity=self.identity(person),
        )
        chance = self._random.random()
        if chance < 0.05:
            message.emotes.append(EmoteWithIndex(index=len(text), emote=self.emote()))
        elif chance < 0.09 and last is not None:
            message.content = f"@{last.nickname} {text}".encode()
            message.at_user.CopyFrom(self.user(last))
            message.mention_users.append(self.user(last))
        return Told(message)

    def like(self, person: Person, *, count: int, total: int) -> Told:
        """Somebody likes the room `count` times."""
        return Told(
            LikeMessage(count=count, total=total, user=self.user(person)),
            describe=f"{person.nickname} liked the LIVE",
            key="pm_mt_msg_viewer",
            pattern="{0:user} liked the LIVE",
            person=person,
        )

    def enter(self, person: Person, *, viewers: int) -> Told:
        """Somebody comes in."""
        return Told(
            MemberMessage(user=self.user(person), member_count=viewers, action=1),
            describe=f"{person.nickname} joined",
            key="live_room_enter_toast",
            pattern="{0:user} joined",
            person=person,
        )

    def follow(self, person: Person, *, followers: int) -> Told:
        """Somebody follows the host."""
        return Told(
            SocialMessage(user=self.user(person), action=1, follow_count=followers),
            describe=f"{person.nickname} followed the host",
            key="pm_main_follow_message_viewer_2",
            pattern="{0:user} followed the host",
            person=person,
        )

    def share(self, person: Person) -> Told:
        """Somebody passes the room on."""
        return Told(
            SocialMessage(user=self.user(person), action=3, share_type=1, share_target=b"112"),
            describe=f"{person.nickname} shared the LIVE",
            key="pm_mt_guidance_share",
            pattern="{0:user} shared the LIVE",
            person=person,
        )

    def delete(self, msg_id: int) -> Told:
        """A message is taken back."""
        return Told(ImDeleteMessage(delete_msg_ids=[msg_id]))

    def gift(self, person: Person, press: Press) -> Told:
        """A press of a gift, or the end of a streak of them."""
        gift = press.gift
        message = GiftMessage(
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
                describe=f"sent {gift.name}".encode(),
                id=gift.id,
                combo=gift.combo,
                # Source: captures of 2023: combos have type 1, the others 2 or 4.
                type=1 if gift.combo else 2,
                diamond_count=gift.price,
                name=gift.name.encode(),
                icon=self.image("gift", gift.id),
            ),
            user_identity=self.identity(person),
        )
        told = Told(message, describe=f"{person.nickname} sent {gift.name} x{press.repeat_count}")
        if press.end:
            return told
        return replace(told, key="pm_mt_gift_send", pattern="{0:user} sent a gift", person=person)

    # Parts

    def image(self, kind: str, number: int) -> Image:
        """A picture on our own server."""
        return Image(url_list=[f"{self._pictures}/{kind}/{number}.svg".encode()])

    def user(self, person: Person) -> User:
        """A person as messages carry them."""
        user = User(
            id=person.id,
            nickname=person.nickname.encode(),
            avatar_thumb=self.image("avatar", person.id),
            follow_info=FollowInfo(
                following_count=person.id % 900,
                follower_count=person.id % 7000,
                follow_status=2 if person.mutual else 1 if person.follows else 0,
            ),
            display_id=person.handle.encode(),
            sec_uid=f"MS4wLjABAAAA{person.id:x}".encode(),
            badge_list=self._badges(person),
        )
        if person.payer_level:
            user.pay_grade.CopyFrom(UserHonor(level=person.payer_level))
        if person.fans_level:
            # Not `fans_club` (24), which says the same: TikTokLive 7.0.1 cannot read it.
            user.fans_club_info.CopyFrom(FansClubInfo(fans_level=person.fans_level, fans_club_name=b"Regulars"))
        if person.moderator:
            user.user_attr.CopyFrom(UserAttr(is_admin=True))
        if person.subscriber:
            user.subscribe_info.CopyFrom(SubscribeInfo(is_subscribed_to_anchor=True))
        return user

    def identity(self, person: Person) -> UserIdentity:
        """What a person is to the host."""
        return UserIdentity(
            is_gift_giver_of_anchor=person.payer_level > 0,
            is_subscriber_of_anchor=person.subscriber,
            is_mutual_following_with_anchor=person.mutual,
            is_follower_of_anchor=person.follows,
            is_moderator_of_anchor=person.moderator,
        )

    def emote(self) -> EmoteModel:
        """One of the stickers."""
        number = self._random.randrange(len(EMOTES))
        return EmoteModel(emote_id=str(7000 + number).encode(), image=self.image("emote", number))

    def army(self, person: Person, score: int) -> BattleUserArmy:
        """Somebody who scored in a battle."""
        return BattleUserArmy(
            user_id=person.id,
            score=score,
            nickname=person.nickname.encode(),
            avatar_thumb=self.image("avatar", person.id),
        )

    def _badges(self, person: Person) -> list[BadgeStruct]:
        badges = []
        if person.moderator:
            badges.append(_badge(1, BadgeStruct(display_type=1, image=ImageBadge(image=self.image("emote", 3)))))
        if person.subscriber:
            badges.append(_badge(4, BadgeStruct(display_type=1, image=ImageBadge(image=self.image("emote", 1)))))
        for scene, level in ((8, person.payer_level), (10, person.fans_level)):
            if level:
                text = CombineBadgeStruct(icon=self.image("emote", scene), str=str(level).encode())
                extra = PrivilegeLogExtra(level=str(level).encode())
                badges.append(_badge(scene, BadgeStruct(display_type=4, combine=text, privilege_log_extra=extra)))
        return badges


def control_message(action: ControlAction, room_id: int, msg_id: int, now_ms: int) -> Message:
    """What the platform says when a broadcast is paused, resumed or over."""
    header = Common(method=CONTROL, msg_id=msg_id, room_id=room_id, create_time=now_ms)
    payload = ControlMessage(common=header, action=action).SerializeToString()
    return Message(method=CONTROL, payload=payload, msg_id=msg_id)


def plain_text(text: str, key: str = "") -> Text:
    """A text without places to fill in."""
    return Text(key=key.encode(), default_pattern=text.encode())


def _badge(scene: int, badge: BadgeStruct) -> BadgeStruct:
    badge.scene_type = scene
    return badge


TikTokStage: TypeAlias = Stage[TikTokWriter]
