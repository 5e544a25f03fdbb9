"""What else happens in TikTok's rooms by chance, in a moment: one function for each kind of thing. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from protos.tiktok_pb2 import (
    BarrageGrade,
    BarrageMessage,
    EmoteChatMessage,
    OecLiveShoppingMessage,
    PopProduct,
    Question,
    QuestionNewMessage,
    RankUpdate,
    RankUpdateMessage,
    RoomMessage,
    SubNotifyMessage,
    UnauthorizedMemberMessage,
)
from simulator.gifts import gift
from simulator.small_things import chat, enter, follow, like, share
from simulator.tiktok.content import QUESTIONS
from simulator.tiktok.writer import TikTokStage, plain_text
from simulator.writer import Told

# Methods without a public schema, and one that this project does not read.
_UNKNOWN_METHODS = (
    "WebcastGiftPanelUpdateMessage",
    "WebcastCommentTrayMessage",
    "WebcastAISummaryMessage",
    "WebcastLinkLayerMessage",
)


def _anonymous_member(stage: TikTokStage) -> None:
    stage.entered += 1
    number = stage.random.randrange(100_000, 1_000_000)
    prefix = plain_text("Viewer%s", "web_nonlogin_im_1")
    stage.tell(Told(UnauthorizedMemberMessage(action=1, nick_name_prefix=prefix, nick_name=str(number).encode())))


def _emote(stage: TikTokStage) -> None:
    person = stage.crowd.regular()
    identity = stage.write.identity(person)
    message = EmoteChatMessage(user=stage.write.user(person), emote_list=[stage.write.emote()], user_identity=identity)
    stage.tell(Told(message))


def _question(stage: TikTokStage) -> None:
    person = stage.crowd.anybody()
    text = stage.random.choice(QUESTIONS)
    question = Question(question_id=stage.now_ms, content=text.encode(), user=stage.write.user(person))
    stage.tell(Told(QuestionNewMessage(data=question)))


def _subscription(stage: TikTokStage) -> None:
    person = stage.crowd.regular()
    months = stage.random.randint(1, 14)
    stage.tell(
        Told(
            SubNotifyMessage(
                user=stage.write.user(person),
                sub_month=months,
                old_subscribe_status=int(months > 1),
                subscribing_status=2,
            )
        )
    )


def _level_up(stage: TikTokStage) -> None:
    person = stage.crowd.regular()
    level = person.payer_level + 1
    stage.tell(
        Told(
            BarrageMessage(
                msg_type=8,
                content=plain_text(f"{person.nickname} reached level {level}", "ttlive_gradeInRoom_levelUp"),
                user=stage.write.user(person),
                user_grade_param=BarrageGrade(current_grade=level, user=stage.write.user(person)),
            )
        )
    )


def _rank(stage: TikTokStage) -> None:
    place = stage.random.randint(1, 99)
    update = RankUpdate(
        rank_type=1,
        own_rank=place,
        default_content=plain_text(f"Top {place}"),
        countdown=stage.random.randint(60, 3600),
    )
    stage.tell(Told(RankUpdateMessage(updates=[update])))


def _notice(stage: TikTokStage) -> None:
    text = "The host is a little behind with your comments, be patient."
    stage.tell(Told(RoomMessage(content=text.encode(), scene=b"room_notice")))


def _product(stage: TikTokStage) -> None:
    picture = stage.write.image("gift", 5655).url_list[0]
    product = PopProduct(title=b"Noodle bowl, blue glaze", price=b"$24.00", image_url=picture, product_id=17)
    stage.tell(Told(OecLiveShoppingMessage(action_type=1, live_product_number=4, pop_product=product)))


def _unknown(stage: TikTokStage) -> None:
    method = stage.random.choice(_UNKNOWN_METHODS)
    stage.tell(Told(RoomMessage(scene=stage.random.randbytes(12).hex().encode()), method=method))


SMALL_THINGS: Mapping[Callable[[TikTokStage], None], float] = MappingProxyType(
    {
        like: 30,
        enter: 26,
        _anonymous_member: 2,
        chat: 28,
        follow: 3,
        share: 1.5,
        gift: 4,
        _emote: 1.2,
        _question: 0.4,
        _subscription: 0.3,
        _level_up: 0.4,
        _rank: 0.6,
        _notice: 0.2,
        _product: 0.2,
        _unknown: 1.2,
    }
)
"""What comes by chance, and how often in a hundred."""
