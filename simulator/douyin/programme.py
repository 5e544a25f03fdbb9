"""What there is to tell in Douyin's rooms. Pure.

Source of the mix: anonymous recordings of September 2026, 28 methods in some 2,000 messages of two rooms in 2 minutes:
people coming in before all others, chat, likes, and room stats every few seconds.
"""

from protos.douyin_pb2 import (
    Contributor,
    RanklistDetail,
    RanklistHourEntrance,
    RanklistHourEntranceMessage,
    RanklistInfo,
    RanklistPage,
    RoomMessage,
    RoomRank,
    RoomRankMessage,
    RoomStatsMessage,
    RoomUserSeqMessage,
)
from protos.webcast_pb2 import Message
from simulator.catalogue import Gift
from simulator.douyin.content import CATALOGUE
from simulator.douyin.shows import SHOWS
from simulator.douyin.small_things import FANS_JOIN, FANS_LEVEL_UP, SMALL_THINGS, fans_club
from simulator.douyin.writer import DouyinStage
from simulator.people import Person
from simulator.stage import Programme, Story
from simulator.writer import Told

FANS_BADGE = 685  # the gift by which one joins the fans club
SILENCE_MAX_S = 9.0  # Source: recorded 2026-09: the smallest room told something every 10.6 s or sooner


def _viewers(stage: DouyinStage) -> Story:
    while True:
        drift = max(1, int(stage.viewers * stage.random.gauss(1.0, 0.02)))
        stage.entered = max(stage.entered, drift)
        ranks = [
            Contributor(score=score, user=stage.write.user(person), rank=rank, exactly_score=b"%d" % score)
            for rank, (person, score) in enumerate(stage.spenders.most_common(3), 1)
        ]
        stage.tell(
            Told(
                RoomUserSeqMessage(
                    ranks=ranks,
                    total=drift,
                    total_user=stage.entered,
                    total_user_str=b"%d" % stage.entered,
                    total_str=b"%d" % drift,
                    online_user_for_anchor=rounded(drift).encode(),
                    total_pv_for_anchor=rounded(stage.entered).encode(),
                )
            )
        )
        yield min(2.0 * stage.slowness, SILENCE_MAX_S)


def _standing(stage: DouyinStage) -> Story:
    """What newcomers are told again as the state of things."""
    while True:
        stage.tell(_room_stats(stage))
        yield 5.0 * stage.slowness
        stage.tell(_room_rank(stage))
        yield 5.0 * stage.slowness


def _hour_rank(stage: DouyinStage) -> Story:
    while True:
        page = RanklistPage(content=f"小时榜第{stage.random.randint(1, 99)}名".encode())
        detail = RanklistDetail(pages=[page], ranklist_type=2, title="小时榜".encode())
        info = RanklistHourEntrance(global_infos=[RanklistInfo(details=[detail])])
        stage.tell(Told(RanklistHourEntranceMessage(info=info)))
        yield 30.0 * stage.slowness


def _room_stats(stage: DouyinStage) -> Told:
    viewers = max(1, stage.viewers)
    short = rounded(viewers)
    return Told(
        RoomStatsMessage(
            display_short=short.encode(),
            display_middle=short.encode(),
            display_long=f"{short}在线观众".encode(),
            display_value=viewers,
            display_version=1_663_849_727,
            total=viewers,
            display_type=1,
        )
    )


def _room_rank(stage: DouyinStage) -> Told:
    ranks = [
        RoomRank(user=stage.write.user(person), score_str=b"%d" % score)
        for person, score in stage.spenders.most_common(3)
    ]
    return Told(RoomRankMessage(ranks=ranks))


def _greeting(stage: DouyinStage, title: str, started_ms: int) -> list[Message]:
    """How things stand: each kind of state as it was told last, with the id it was told with."""
    write = stage.write
    if not write.state:
        for told in (
            Told(RoomMessage(biz_scene=b"guests"), method="WebcastResidentGuestMessage"),
            _room_rank(stage),
            Told(RoomMessage(biz_scene=b"stream"), method="WebcastRoomStreamAdaptationMessage"),
            Told(RoomMessage(biz_scene=b"sync"), method="WebcastRoomDataSyncMessage"),
            _room_stats(stage),
        ):
            write.envelope(told, started_ms)
    return list(write.state.values())


def _after_gift(stage: DouyinStage, person: Person, gift: Gift, units: int) -> None:
    """Gifts make fans."""
    if gift.id == FANS_BADGE:
        fans_club(stage, person, FANS_JOIN)
    elif units * gift.price >= 99 and stage.random.random() < 0.3:
        fans_club(stage, person, FANS_LEVEL_UP)


def rounded(count: int) -> str:
    """A number as the platform shows it."""
    return str(count) if count < 10_000 else f"{count / 10_000:.1f}万"


PROGRAMME = Programme(
    catalogue=CATALOGUE,
    small_things=SMALL_THINGS,
    steady=(_viewers, _standing, _hour_rank),
    steady_rate=0.75,
    shows=SHOWS,
    greeting=_greeting,
    after_gift=_after_gift,
)
