"""What else happens in Douyin's rooms by chance, in a moment: one function for each kind of thing. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from protos.douyin_pb2 import (
    EmojiChatMessage,
    FansclubMessage,
    NotifyEffectMessage,
    RoomMessage,
    ScreenChatMessage,
    Text,
    TextPiece,
    TextPieceImage,
)
from simulator.douyin.content import EMOJIS, NOTICES, SCREEN_CHATS
from simulator.douyin.writer import DouyinStage
from simulator.gifts import gift
from simulator.people import Person
from simulator.small_things import chat, enter, follow, like, share
from simulator.writer import Told

FANS_JOIN, FANS_LEVEL_UP = 2, 1

# Methods that this project does not read.
_UNKNOWN_METHODS = (
    "WebcastGiftSortMessage",
    "WebcastInRoomBannerMessage",
    "WebcastLinkMessage",
    "WebcastHighlightComment",
)


def fans_club(stage: DouyinStage, person: Person, action: int) -> None:
    """Somebody joins the host's fans club, or gets on in it."""
    name = stage.write.nickname(person)
    content = f"恭喜 {name} 成为主播粉丝团成员" if action == FANS_JOIN else f"恭喜 {name} 粉丝团升级"
    stage.tell(Told(FansclubMessage(user=stage.write.user(person), action=action, content=content.encode())))


def _fans_level_up(stage: DouyinStage) -> None:
    fans_club(stage, stage.crowd.regular(), FANS_LEVEL_UP)


def _emoji_chat(stage: DouyinStage) -> None:
    person = stage.crowd.regular()
    number = stage.random.randrange(len(EMOJIS))
    piece = TextPiece(type=6, image_value=TextPieceImage(image=stage.write.image("emote", number)))
    message = EmojiChatMessage(
        user=stage.write.user(person),
        emoji_id=7100 + number,
        emoji_content=Text(default_pattern=b"{0:image}", pieces=[piece]),
        default_content=EMOJIS[number].encode(),
    )
    stage.tell(Told(message))


def _screen_chat(stage: DouyinStage) -> None:
    person = stage.crowd.regular()
    text = stage.random.choice(SCREEN_CHATS)
    message = ScreenChatMessage(user=stage.write.user(person), screen_chat_type=1, content=text.encode())
    stage.tell(Told(message))


def _notice(stage: DouyinStage) -> None:
    stage.tell(Told(RoomMessage(content=stage.random.choice(NOTICES).encode(), biz_scene=b"common")))


def _effect(stage: DouyinStage) -> None:
    person = stage.crowd.regular()
    text = Text(default_pattern=f"{stage.write.nickname(person)} 闪亮登场".encode())
    stage.tell(Told(NotifyEffectMessage(icons=[stage.write.emote()], text=text)))


def _unknown(stage: DouyinStage) -> None:
    scene = stage.random.randbytes(12).hex().encode()
    stage.tell(Told(RoomMessage(biz_scene=scene), method=stage.random.choice(_UNKNOWN_METHODS)))


SMALL_THINGS: Mapping[Callable[[DouyinStage], None], float] = MappingProxyType(
    {
        like: 26,
        enter: 32,
        chat: 26,
        follow: 2.5,
        share: 1,
        gift: 4,
        _emoji_chat: 1.6,
        _screen_chat: 0.4,
        _fans_level_up: 0.8,
        _notice: 0.3,
        _effect: 0.3,
        _unknown: 3,
    }
)
"""What comes by chance, and how often in a hundred."""
