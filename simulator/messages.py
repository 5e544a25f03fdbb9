"""TikTok's messages as the platform writes them, from plain values. Everything that knows field names is here. Pure."""

from random import Random
from typing import Protocol

from protos.tiktok_pb2 import (
    BadgeStruct,
    BattleUserArmy,
    ChatMessage,
    CombineBadgeStruct,
    Common,
    FansClubInfo,
    FollowInfo,
    Gift,
    GiftMessage,
    Image,
    ImageBadge,
    LiveIntroMessage,
    PrivilegeLogExtra,
    RoomMessage,
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
from simulator import content
from simulator.people import Person
from simulator.source import MessageIds
from simulator.wire import length_delimited

WELCOME = (
    "Welcome to TikTok LIVE! Have fun interacting with the creator and other viewers in real time, and remember our"
    " Community Guidelines."
)

# Real messages are 1 to 6 KB, mostly fields nobody reads. Ours get a field of text that no schema has, and it comes
# first: neither unknown fields nor their place may bother a client.
_FILLER_FIELD = 1900
_FILLER = b"https://p16-sign.example/tos-useast2a-avt/~tplv-tiktokx-cropcenter:100:100.webp?refresh_token=" * 64


class TikTokMessage(Protocol):
    """What all generated message classes have in common here."""

    common: Common

    def SerializeToString(self) -> bytes:  # noqa: N802 - protobuf's name
        """Its bytes."""


class Writer:
    """Puts messages into the envelope, with header, id and time."""

    def __init__(self, room_id: int, random: Random, ids: MessageIds, pictures: str) -> None:
        self._room_id = room_id
        self._random = random
        self._ids = ids
        self._pictures = pictures

    def envelope(
        self,
        message: TikTokMessage,
        now_ms: int,
        *,
        describe: str = "",
        key: str = "",
        pattern: str = "",
        person: Person | None = None,
        method: str = "",
    ) -> Message:
        """The message, ready to be sent.

        Args:
            describe: the English summary in the header.
            key, pattern: of the header's display text, with `person` for its first place.
            method: where it is not `Webcast` and the name of the type.
        """
        method = method or f"Webcast{type(message).__name__}"
        msg_id = self._ids.next(now_ms)
        common = message.common
        common.method = method.encode()
        common.msg_id = msg_id
        common.room_id = self._room_id
        common.create_time = now_ms
        common.describe = describe.encode()
        if key:
            common.display_text.key = key.encode()
            common.display_text.default_pattern = pattern.encode()
            if person is not None:
                piece = TextPiece(type=11, user_value=TextPieceUser(user=self.user(person)))
                common.display_text.pieces.append(piece)
        size = min(len(_FILLER), int(self._random.lognormvariate(6.6, 0.7)))
        payload = length_delimited(_FILLER_FIELD, _FILLER[:size]) + message.SerializeToString()
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

    def chat(self, person: Person, text: str) -> ChatMessage:
        """Somebody says something."""
        return ChatMessage(
            user=self.user(person),
            content=text.encode(),
            content_language=person.language.encode(),
            user_identity=self.identity(person),
        )

    def gift(
        self, person: Person, gift: content.Gift, *, repeat_count: int, group_id: int, group_count: int, end: bool
    ) -> GiftMessage:
        """A press of a gift, or the end of a streak of them."""
        return GiftMessage(
            gift_id=gift.id,
            fan_ticket_count=gift.diamonds * repeat_count,
            group_count=group_count,
            repeat_count=repeat_count,
            combo_count=repeat_count,
            user=self.user(person),
            repeat_end=int(end),
            group_id=group_id,
            gift=Gift(
                image=self.image("gift", gift.id),
                describe=f"sent {gift.name}".encode(),
                id=gift.id,
                combo=gift.combo,
                # Source: captures of 2023: combos have type 1, the others 2 or 4.
                type=1 if gift.combo else 2,
                diamond_count=gift.diamonds,
                name=gift.name.encode(),
                icon=self.image("gift", gift.id),
            ),
            user_identity=self.identity(person),
        )

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


def plain_text(text: str, key: str = "") -> Text:
    """A text without places to fill in."""
    return Text(key=key.encode(), default_pattern=text.encode())


def _badge(scene: int, badge: BadgeStruct) -> BadgeStruct:
    badge.scene_type = scene
    return badge
