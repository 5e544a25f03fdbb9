"""What the host and the platform do on the stage: the broadcast's life, rankings, red packets, battles, the shop. Pure.

Each function makes one event, or returns None for what has none of its own; the message is then passed on as `raw`.
Events may want to be completed, see `memory.py`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec import UNSET, UnsetType

from ingestor.connectors.composed import image, somebody, supporters
from ingestor.connectors.douyin.memory import SIDES_MAX, UNTOLD
from ingestor.connectors.douyin.people import person
from ingestor.connectors.header import Head
from ingestor.connectors.sanitize import count, decimal, milliseconds, text
from protos import douyin_pb2 as pb
from shared import events

DELETED_MAX: Final = 500
RANKED_MAX: Final = 20

_ENDED: Final = 3
_PAUSES: Final[Mapping[int, str]] = MappingProxyType({1: "paused", 2: "live"})
_SCORES: Final = 202
_DAY_S: Final = 24 * 60 * 60


# --- the broadcast ----------------------------------------------------------------------------------------------------


def control(message: pb.ControlMessage, head: Head) -> events.LiveStatus | events.Ended | None:
    """The broadcast is paused, goes on, or is over; where the platform ended it, it says why."""
    if message.action == _ENDED:
        extra = message.extra
        banned = extra.violation_reason or extra.ban_info_url
        words = text(extra.violation_reason or extra.content or message.tips)
        return events.Ended(
            **head, ended=events.EndedDetail(reason="banned" if banned else "host", text=words or UNSET)
        )
    if message.action in _PAUSES:
        return events.LiveStatus(**head, live_status=events.LiveStatusDetail(state=_PAUSES[message.action], gifts=True))
    return None


def delete(message: pb.ImDeleteMessage, head: Head) -> events.Delete:
    """Messages are taken back."""
    ids = [str(item) for item in message.delete_msg_ids[:DELETED_MAX]]
    return events.Delete(**head, delete=events.DeleteDetail(message_ids=ids, user_ids=[]))


# --- rankings, red packets, the shop ----------------------------------------------------------------------------------


def room_rank(message: pb.RoomRankMessage, head: Head) -> events.Rank | None:
    """The room's top gifters, in order. Scores are mostly hidden."""
    top = [
        events.RankEntry(rank=place, score=text(entry.score_str), user=person(entry.user))
        for place, entry in enumerate(message.ranks[:RANKED_MAX], start=1)
    ]
    return events.Rank(**head, rank=events.RankDetail(kind="audience", top=top)) if top else None


def rank_entrance(message: pb.RanklistHourEntranceMessage, head: Head) -> events.Rank | None:
    """The host's place in a ranking of all rooms, as a text. Where several are told, the first is the one shown."""
    info = message.info
    lists = (*info.global_infos, *info.vertical_infos, *info.default_global_infos, *info.default_vertical_infos)
    shown = (text(page.content) for entry in lists for detail in entry.details for page in detail.pages)
    words = next((line for line in shown if line.strip()), "")
    return events.Rank(**head, rank=events.RankDetail(kind="hourly", text=words, top=[])) if words else None


def lucky_box(message: pb.LuckyBoxMessage, head: Head) -> events.Envelope:
    """A red packet appeared."""
    sent = milliseconds(message.send_time)
    wait = count(message.delay_time)
    opens = sent + (wait * 1000 if wait <= _DAY_S else wait) if sent else 0
    return events.Envelope(
        **head,
        user=person(message.user) if message.user.id else UNSET,
        envelope=events.EnvelopeDetail(
            id=text(message.box_id_str) or decimal(message.box_id),
            state="shown",
            kind="platform" if message.is_official else "user",
            diamonds=count(message.diamond_count) or UNSET,
            opens_at=count(opens) or UNSET,
        ),
    )


def lucky_box_end(message: pb.LuckyBoxEndMessage, head: Head) -> events.Envelope:
    """A red packet went."""
    box = text(message.box_id_str) or decimal(message.box_id)
    return events.Envelope(**head, envelope=events.EnvelopeDetail(id=box, state="hidden", kind="other"))


def shopping(message: pb.LiveShoppingMessage, head: Head) -> events.Shopping:
    """A product is shown, or some of them changed."""
    changed = message.updated_product_ids or message.HasField("updated_product_info")
    news = message.updated_product_info
    number = message.promotion_id or next(iter(message.updated_product_ids), 0)
    return events.Shopping(
        **head,
        shopping=events.ShoppingDetail(
            state="popped" if message.promotion_id and not changed else "updated",
            product=_product(number, text(news.title), text(news.cover)),
            products=count(message.promotions_num) or UNSET,
        ),
    )


def product_change(message: pb.ProductChangeMessage, head: Head) -> events.Shopping:
    """Products changed; the first one is told."""
    number = next((info.promotion_id for info in message.update_product_info), 0)
    return events.Shopping(
        **head,
        shopping=events.ShoppingDetail(
            state="updated", product=_product(number), products=count(message.total) or UNSET
        ),
    )


def _product(number: int, title: str = "", picture: str = "") -> events.Product | UnsetType:
    # Prices come as numbers without a unit.
    return events.Product(id=decimal(number), title=title, price="", image=picture) if number else UNSET


# --- battles ----------------------------------------------------------------------------------------------------------


def battle(message: pb.LinkMicBattle, head: Head) -> events.Battle:
    """A match between hosts starts, or runs: it is told again on every connection."""
    sides = [
        events.BattleSide(
            anchor=somebody(
                decimal(entry.key),
                unique_id=text(entry.value.user.display_id),
                nickname=text(entry.value.user.nick_name),
                avatar=image(entry.value.user.avatar_thumb),
            ),
            score=UNTOLD,
            top=[],
        )
        for entry in message.user_infos[:SIDES_MAX]
    ]
    return _battle(head, "finished" if message.battle_settings.finished else "started", message.battle_settings, sides)


def battle_scores(message: pb.LinkMicMethod, head: Head) -> events.Battle | None:
    """Scores of a running match. Of the hosts only the ids are told."""
    if message.message_type != _SCORES:
        return None
    settings = pb.BattleSettings(
        battle_id=message.battle_id, start_time_ms=milliseconds(message.start_time), duration=message.duration
    )
    sides = [
        events.BattleSide(anchor=somebody(decimal(entry.user_id)), score=count(entry.score), top=[])
        for entry in message.user_scores[:SIDES_MAX]
    ]
    return _battle(head, "scores", settings, sides)


def battle_armies(message: pb.LinkMicArmies, head: Head) -> events.Battle:
    """Who supports whom in a running match; neither its id nor the scores of its sides are told."""
    sides = [
        events.BattleSide(anchor=somebody(decimal(entry.key)), score=UNTOLD, top=supporters(entry.value.user_armies))
        for entry in message.user_armies_map[:SIDES_MAX]
    ]
    return _battle(head, "scores", pb.BattleSettings(), sides)


def battle_finish(message: pb.LinkMicBattleFinish, head: Head) -> events.Battle:
    """A match is over."""
    armies = {army.anchor_id: army.rank_list for army in message.battle_armies[:SIDES_MAX]}
    scores = {entry.user_id: count(entry.score) for entry in message.battle_scores[:SIDES_MAX]}
    sides = [
        events.BattleSide(
            anchor=somebody(decimal(anchor)),
            score=score,
            result=_result(score, list(scores.values())),
            top=supporters(armies.get(anchor, ())),
        )
        for anchor, score in scores.items()
    ]
    return _battle(head, "finished", message.battle_settings, sides)


def _result(score: int, scores: Sequence[int]) -> str | UnsetType:
    """How a side did; of more than two nobody tells who stood with whom."""
    if len(scores) != 2:
        return UNSET
    return "draw" if min(scores) == max(scores) else "win" if score == max(scores) else "lose"


def _battle(head: Head, state: str, settings: pb.BattleSettings, sides: list[events.BattleSide]) -> events.Battle:
    return events.Battle(
        **head,
        battle=events.BattleDetail(
            id=decimal(settings.battle_id),
            state=state,
            started_at=milliseconds(settings.start_time_ms) or UNSET,
            duration_ms=count(settings.duration * 1000) or UNSET,
            sides=sides,
        ),
    )
