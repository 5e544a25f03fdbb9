"""What the host and the platform do on the stage: the broadcast's life, pins, games, goals, the shop. Pure.

Each function makes one event, or returns None for what has none of its own; the message is then passed on as `raw`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from msgspec import UNSET

from ingestor.connectors.composed import image, people_in, render, somebody, supporters
from ingestor.connectors.header import Head, inner_head
from ingestor.connectors.sanitize import count, decimal, integer, milliseconds, text
from ingestor.connectors.tiktok import audience
from ingestor.connectors.tiktok.people import person
from protos import tiktok_pb2 as pb
from shared import events

CAPTIONS_MAX: Final = 10  # languages of one sentence
DELETED_MAX: Final = 500
PARTS_MAX: Final = 10
OPTIONS_MAX: Final = 20
SIDES_MAX: Final = 8

RANK_KINDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "hourly",
        1: "weekly",
        2: "hourly_star",
        3: "weekly_rising",
        4: "weekly_rising",
        5: "weekly_rookie",
        6: "shop_weekly",
        7: "shop_daily",
        8: "daily",
        9: "first_gift",
        10: "game",
        11: "game_daily",
        12: "hall_of_fame",
        13: "league",
        14: "daily_rookie",
        15: "team",
        16: "class",
    }
)
"""Source: captures know 1, 5 and 8; the others from peer libraries."""

BATTLE_STATES: Final[Mapping[int, str]] = MappingProxyType(
    {1: "invited", 2: "cancelled", 3: "cancelled", 4: "started", 5: "finished", 6: "finished"}
)
"""Invited, rejected, taken back, opened, over, cut short. Later actions are about leaving, not about the battle."""

_BATTLE_RESULTS: Final = ("win", "lose", "draw")  # Source: captured 2023-10: 0 with the higher score
_ENVELOPE_KINDS: Final[Mapping[int, str]] = MappingProxyType({1: "user", 2: "platform", 4: "portal", 19: "super_fan"})
_ENVELOPE_STATES: Final[Mapping[int, str]] = MappingProxyType({1: "shown", 2: "hidden"})
_PIN_STATES: Final[Mapping[int, str]] = MappingProxyType({1: "pinned", 2: "unpinned"})
_ENDINGS: Final[Mapping[int, str]] = MappingProxyType({3: "host", 4: "banned"})
_PAUSES: Final[Mapping[int, str]] = MappingProxyType({1: "paused", 2: "live"})

_RANK_SCENE_AUDIENCE: Final = 1


# --- the broadcast ----------------------------------------------------------------------------------------------------


def control(message: pb.ControlMessage, head: Head) -> events.LiveStatus | events.Ended | None:
    """The broadcast is paused, goes on, or is over."""
    if message.action in _ENDINGS:
        detail = events.EndedDetail(reason=_ENDINGS[message.action], text=text(message.tips) or UNSET)
        return events.Ended(**head, ended=detail)
    if message.action in _PAUSES:
        return events.LiveStatus(**head, live_status=events.LiveStatusDetail(state=_PAUSES[message.action], gifts=True))
    return None


def caption(message: pb.CaptionMessage, head: Head) -> events.Caption:
    """A piece of what the host says."""
    return events.Caption(
        **head,
        caption=events.CaptionDetail(
            texts=[
                events.CaptionText(lang=text(item.lang), text=text(item.content))
                for item in message.content[:CAPTIONS_MAX]
            ],
            start_at=milliseconds(message.timestamp_ms),
            duration_ms=integer(message.duration_ms),
            final=message.definite,
        ),
    )


def intro(message: pb.LiveIntroMessage, head: Head) -> events.Intro:
    """What the host tells about the room."""
    return events.Intro(
        **head,
        user=person(message.user) if message.user.id else UNSET,
        intro=events.IntroDetail(text=text(message.content), lang=text(message.content_language) or UNSET),
    )


_Pinned = events.Chat | events.Gift | events.Like | events.Member | events.Follow | events.Share

# Method of the pinned message -> its field, and who decodes it.
_PINNABLE: Final[Mapping[bytes, tuple[str, Callable[[Any, Head], _Pinned | None]]]] = MappingProxyType(
    {
        b"WebcastChatMessage": ("chat_message", audience.chat),
        b"WebcastSocialMessage": ("social_message", audience.social),
        b"WebcastGiftMessage": ("gift_message", audience.gift),
        b"WebcastMemberMessage": ("member_message", audience.member),
        b"WebcastLikeMessage": ("like_message", audience.like),
    }
)


def pin(message: pb.RoomPinMessage, head: Head) -> events.Pin | None:
    """A message is pinned, or its pin taken off; then only the id of the message is told."""
    if message.action not in _PIN_STATES or message.method not in _PINNABLE:
        return None
    field, decode = _PINNABLE[message.method]
    pinned = getattr(message, field)
    state = _PIN_STATES[message.action]
    return events.Pin(
        **head,
        pin=events.PinDetail(
            state=state,
            message_id=decimal(pinned.common.msg_id),
            duration_ms=count(message.display_duration * 1000) or UNSET,
            operator=person(message.operator) if message.operator.id else UNSET,
            event=(decode(pinned, inner_head(head, pinned.common)) if state == "pinned" else None) or UNSET,
        ),
    )


def delete(message: pb.ImDeleteMessage, head: Head) -> events.Delete:
    """Messages, or all messages of users, are taken off."""
    return events.Delete(
        **head,
        delete=events.DeleteDetail(
            message_ids=[str(item) for item in message.delete_msg_ids[:DELETED_MAX]],
            user_ids=[str(item) for item in message.delete_user_ids[:DELETED_MAX]],
        ),
    )


# --- games, goals, rankings, the shop ---------------------------------------------------------------------------------


def envelope(message: pb.EnvelopeMessage, head: Head) -> events.Envelope | None:
    """A treasure box appeared, or went."""
    box = message.envelope_info
    if message.display not in _ENVELOPE_STATES:
        return None
    sender_id = text(box.send_user_id)
    shown = next(people_in(message.common.display_text), None)  # knows the nickname; its picture is a placeholder
    name = text(box.send_user_name)
    return events.Envelope(
        **head,
        user=somebody(
            sender_id,
            unique_id=name,
            nickname=text(shown.nickname) if shown else name,
            avatar=image(box.send_user_avatar),
        )
        if sender_id
        else UNSET,
        envelope=events.EnvelopeDetail(
            id=text(box.envelope_id),
            state=_ENVELOPE_STATES[message.display],
            kind=_ENVELOPE_KINDS.get(box.business_type, "other"),
            diamonds=count(box.diamond_count) or UNSET,
            people=count(box.people_count) or UNSET,
            opens_at=count(box.unpack_at * 1000) or UNSET,
        ),
    )


def goal(message: pb.GoalUpdateMessage, head: Head) -> events.Goal:
    """The host's goal moved on."""
    contributor = somebody(
        decimal(message.contributor_id),
        unique_id=text(message.contributor_display_id),
        avatar=image(message.contributor_avatar),
    )
    return events.Goal(
        **head,
        goal=events.GoalDetail(
            id=decimal(message.goal.id),
            state=count(message.goal.status),
            description=text(message.goal.description),
            parts=[
                events.GoalPart(
                    id=decimal(part.id),
                    progress=count(part.progress),
                    target=count(part.target),
                    gift_name=text(part.gift.name) or UNSET,
                )
                for part in message.goal.sub_goals[:PARTS_MAX]
            ],
            contributor=contributor if contributor.id else UNSET,
        ),
    )


def poll(message: pb.PollMessage, head: Head) -> events.Poll | None:
    """A poll starts, is voted in, ends."""
    start = message.start_content
    contents: dict[int, tuple[str, Sequence[pb.PollOption]]] = {
        0: ("started", start.option_list),
        1: ("ended", message.end_content.option_list),
        2: ("votes", message.update_votes_content.option_list),
    }
    if message.message_type not in contents:
        return None
    state, options = contents[message.message_type]
    return events.Poll(
        **head,
        poll=events.PollDetail(
            id=decimal(message.poll_id),
            state=state,
            title=text(start.title) or UNSET,
            options=[
                events.PollOption(
                    index=count(option.option_idx), text=text(option.display_content), votes=count(option.votes)
                )
                for option in options[:OPTIONS_MAX]
            ],
            ends_at=count(start.end_time) or UNSET,
        ),
    )


def rank_update(message: pb.RankUpdateMessage, head: Head) -> events.Rank | None:
    """The host's place in a ranking. Where several are told, the first is the one that is shown."""
    if not message.updates:
        return None
    update = message.updates[0]
    return events.Rank(
        **head,
        rank=events.RankDetail(
            kind=RANK_KINDS.get(update.rank_type, "other"),
            own_rank=count(update.own_rank) or UNSET,
            text=render(update.default_content) or UNSET,
            countdown_ms=count(update.countdown * 1000) or UNSET,
            top=[],
        ),
    )


def rank_text(message: pb.RankTextMessage, head: Head) -> events.Rank:
    """Somebody rose in a ranking: mostly a viewer among the top gifters, who is then in `top`."""
    display = next(
        (
            composed
            for composed in (message.content, message.other_get_badge_msg, message.common.display_text)
            if composed.default_pattern
        ),
        message.content,
    )
    named = next(people_in(display), None)
    user = person(named) if named else somebody(decimal(message.cur_user_id))
    audience_scene = message.scene == _RANK_SCENE_AUDIENCE
    return events.Rank(
        **head,
        rank=events.RankDetail(
            kind="audience" if audience_scene else RANK_KINDS.get(message.rank_type, "other"),
            text=render(display) or UNSET,
            top=[events.RankEntry(rank=count(message.owner_idx_after_update), score="", user=user)],
        ),
    )


def rank_reward(message: pb.HourlyRankRewardMessage, head: Head) -> events.Rank | None:
    """The winner of the last hour, in a room that need not be ours."""
    if not message.winners:
        return None
    words = render(message.winners[0].notify.common.display_text)
    return events.Rank(**head, rank=events.RankDetail(kind="hourly", text=words or UNSET, top=[]))


def shopping(message: pb.OecLiveShoppingMessage, head: Head) -> events.Shopping:
    """A product is shown, or the number of products changed."""
    # Source: captured 2023-10: with a product there is no number; without one there is, and 0 is left out.
    product = message.pop_product
    if not message.HasField("pop_product"):
        detail = events.ShoppingDetail(state="updated", products=count(message.live_product_number))
    else:
        detail = events.ShoppingDetail(
            state="popped",
            product=events.Product(
                id=decimal(product.product_id),
                title=text(product.title),
                price=text(product.price),
                image=text(product.image_url),
            ),
            products=count(message.live_product_number) or UNSET,
        )
    return events.Shopping(**head, shopping=detail)


# --- battles ----------------------------------------------------------------------------------------------------------


def battle(message: pb.LinkMicBattle, head: Head) -> events.Battle | None:
    """A match between hosts is arranged, starts or ends."""
    state = BATTLE_STATES.get(message.action)
    if state is None:
        return None
    anchors = {
        entry.key: somebody(
            decimal(entry.value.user.user_id),
            unique_id=text(entry.value.user.display_id),
            nickname=text(entry.value.user.nick_name),
            avatar=image(entry.value.user.avatar_thumb),
        )
        for entry in message.anchors_info[:SIDES_MAX]
    }
    results = {entry.key: entry.value.result for entry in message.battle_result} if state == "finished" else {}
    return _battle(head, state, message.battle_id, message.battle_settings, message.armies, anchors, results)


def battle_scores(message: pb.LinkMicArmies, head: Head) -> events.Battle:
    """Scores of a running match. Of the hosts only the ids are told."""
    return _battle(head, "scores", message.battle_id, message.battle_settings, message.armies)


def battle_punish_finish(message: pb.LinkMicBattlePunishFinish, head: Head) -> events.Battle:
    """What the loser had to do is done."""
    return _battle(head, "punish_finished", message.battle_id, message.battle_settings)


def battle_item(message: pb.LinkMicBattleItemCard, head: Head) -> events.Battle:
    """Somebody played a card."""
    return _battle(head, "item", message.battle_id, pb.BattleSetting())


def _battle(
    head: Head,
    state: str,
    battle_id: int,
    settings: pb.BattleSetting,
    armies: Sequence[pb.BattleArmiesEntry] = (),
    anchors: Mapping[int, events.User] = MappingProxyType({}),
    results: Mapping[int, int] = MappingProxyType({}),
) -> events.Battle:
    by_anchor = {entry.key: entry.value for entry in armies[:SIDES_MAX]}
    sides = [
        events.BattleSide(
            anchor=anchors.get(anchor) or somebody(decimal(anchor)),
            score=count(army.hostscore),
            result=_BATTLE_RESULTS[results[anchor]] if results.get(anchor) in range(3) else UNSET,
            top=supporters(army.user_armies),
        )
        for anchor in [*anchors, *(anchor for anchor in by_anchor if anchor not in anchors)][:SIDES_MAX]
        for army in [by_anchor.get(anchor, pb.BattleUserArmies())]
    ]
    return events.Battle(
        **head,
        battle=events.BattleDetail(
            id=decimal(battle_id or settings.battle_id),
            state=state,
            started_at=count(settings.start_time_ms) or UNSET,
            duration_ms=count(settings.duration * 1000) or UNSET,
            sides=sides,
        ),
    )
