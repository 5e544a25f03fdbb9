"""What happens in a simulated room by chance, in a moment: one function for each kind of thing. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from protos.tiktok_pb2 import (
    BarrageGrade,
    BarrageMessage,
    EmoteChatMessage,
    EmoteModel,
    LikeMessage,
    MemberMessage,
    OecLiveShoppingMessage,
    PopProduct,
    Question,
    QuestionNewMessage,
    RankUpdate,
    RankUpdateMessage,
    RoomMessage,
    SocialMessage,
    SubNotifyMessage,
    UnauthorizedMemberMessage,
)
from simulator import content
from simulator.gifts import gift
from simulator.messages import plain_text
from simulator.stage import Stage

# Methods without a public schema, and one that this project does not read.
_UNKNOWN_METHODS = (
    "WebcastGiftPanelUpdateMessage",
    "WebcastCommentTrayMessage",
    "WebcastAISummaryMessage",
    "WebcastLinkLayerMessage",
)


def chat(stage: Stage) -> None:
    """Somebody says something."""
    person = stage.crowd.anybody()
    stage.say(person, stage.random.choice(content.CHAT[person.language]))


def _like(stage: Stage) -> None:
    count = stage.random.randint(1, 15)
    stage.likes += count
    # Two servers count, and one lags behind: in a recording 200 of 473 totals went backwards.
    total = stage.likes - (stage.random.randrange(40) if stage.random.random() < 0.4 else 0)
    person = stage.crowd.anybody()
    stage.tell(
        LikeMessage(count=count, total=total, user=stage.write.user(person)),
        describe=f"{person.nickname} liked the LIVE",
        key="pm_mt_msg_viewer",
        pattern="{0:user} liked the LIVE",
        person=person,
    )


def _member(stage: Stage) -> None:
    stage.entered += 1
    person = stage.crowd.newcomer()
    stage.tell(
        MemberMessage(user=stage.write.user(person), member_count=max(1, stage.viewers), action=1),
        describe=f"{person.nickname} joined",
        key="live_room_enter_toast",
        pattern="{0:user} joined",
        person=person,
    )


def _anonymous_member(stage: Stage) -> None:
    stage.entered += 1
    number = stage.random.randrange(100_000, 1_000_000)
    prefix = plain_text("Viewer%s", "web_nonlogin_im_1")
    stage.tell(UnauthorizedMemberMessage(action=1, nick_name_prefix=prefix, nick_name=str(number).encode()))


def _follow(stage: Stage) -> None:
    stage.followers += 1
    person = stage.crowd.newcomer()
    stage.tell(
        SocialMessage(user=stage.write.user(person), action=1, follow_count=stage.followers),
        describe=f"{person.nickname} followed the host",
        key="pm_main_follow_message_viewer_2",
        pattern="{0:user} followed the host",
        person=person,
    )


def _share(stage: Stage) -> None:
    person = stage.crowd.anybody()
    stage.tell(
        SocialMessage(user=stage.write.user(person), action=3, share_type=1, share_target=b"112"),
        describe=f"{person.nickname} shared the LIVE",
        key="pm_mt_guidance_share",
        pattern="{0:user} shared the LIVE",
        person=person,
    )


def _emote(stage: Stage) -> None:
    person = stage.crowd.regular()
    number = stage.random.randrange(len(content.EMOTES))
    emote = EmoteModel(emote_id=str(7000 + number).encode(), image=stage.write.image("emote", number))
    identity = stage.write.identity(person)
    stage.tell(EmoteChatMessage(user=stage.write.user(person), emote_list=[emote], user_identity=identity))


def _question(stage: Stage) -> None:
    person = stage.crowd.anybody()
    text = stage.random.choice(content.QUESTIONS)
    question = Question(question_id=stage.now_ms, content=text.encode(), user=stage.write.user(person))
    stage.tell(QuestionNewMessage(data=question))


def _subscription(stage: Stage) -> None:
    person = stage.crowd.regular()
    months = stage.random.randint(1, 14)
    stage.tell(
        SubNotifyMessage(
            user=stage.write.user(person),
            sub_month=months,
            old_subscribe_status=int(months > 1),
            subscribing_status=2,
        )
    )


def _level_up(stage: Stage) -> None:
    person = stage.crowd.regular()
    level = person.payer_level + 1
    stage.tell(
        BarrageMessage(
            msg_type=8,
            content=plain_text(f"{person.nickname} reached level {level}", "ttlive_gradeInRoom_levelUp"),
            user=stage.write.user(person),
            user_grade_param=BarrageGrade(current_grade=level, user=stage.write.user(person)),
        )
    )


def _rank(stage: Stage) -> None:
    place = stage.random.randint(1, 99)
    update = RankUpdate(
        rank_type=1,
        own_rank=place,
        default_content=plain_text(f"Top {place}"),
        countdown=stage.random.randint(60, 3600),
    )
    stage.tell(RankUpdateMessage(updates=[update]))


def _notice(stage: Stage) -> None:
    text = "The host is a little behind with your comments, be patient."
    stage.tell(RoomMessage(content=text.encode(), scene=b"room_notice"))


def _product(stage: Stage) -> None:
    picture = stage.write.image("gift", 5655).url_list[0]
    product = PopProduct(title=b"Noodle bowl, blue glaze", price=b"$24.00", image_url=picture, product_id=17)
    stage.tell(OecLiveShoppingMessage(action_type=1, live_product_number=4, pop_product=product))


def _unknown(stage: Stage) -> None:
    method = stage.random.choice(_UNKNOWN_METHODS)
    stage.tell(RoomMessage(scene=stage.random.randbytes(12).hex().encode()), method=method)


SMALL_THINGS: Mapping[Callable[[Stage], None], float] = MappingProxyType(
    {
        _like: 30,
        _member: 26,
        _anonymous_member: 2,
        chat: 28,
        _follow: 3,
        _share: 1.5,
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
