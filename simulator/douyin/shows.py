"""What is put on in Douyin's rooms: stories of a minute, one after the other. Pure."""

from collections.abc import Callable

from protos.douyin_pb2 import (
    BattleArmy,
    BattleBaseUserInfo,
    BattleScore,
    BattleSettings,
    BattleSupporter,
    BattleUserEntry,
    BattleUserInfo,
    LinkMicArmies,
    LinkMicBattle,
    LinkMicBattleFinish,
    LinkMicMethod,
    LiveShoppingMessage,
    LuckyBoxEndMessage,
    LuckyBoxMessage,
    UpdatedProductInfo,
    UserArmies,
    UserArmiesEntry,
    UserArmy,
    UserScore,
)
from simulator.douyin.content import PRODUCTS, RIVALS
from simulator.douyin.people import make_host
from simulator.douyin.writer import DouyinStage
from simulator.people import Person
from simulator.small_things import spam
from simulator.stage import Story
from simulator.writer import Told

BATTLE_S = 75
SCORES = 202  # what a LinkMicMethod is about. Source: captured message of a battle, 2026


def _battle(stage: DouyinStage) -> Story:
    """Methods are with and without `Webcast`, as captured."""
    rival = make_host(f"9{stage.random.randrange(10**10, 10**11)}", stage.random.choice(RIVALS))
    hosts = (stage.host, rival)
    battle_id, channel_id = _id(stage), _id(stage)
    settings = BattleSettings(battle_id=battle_id, start_time_ms=stage.now_ms, duration=BATTLE_S, channel_id=channel_id)
    scores = dict.fromkeys(hosts, 0)
    helpers = {host: [stage.crowd.regular() for _ in range(3)] for host in hosts}
    infos = [BattleUserEntry(key=host.id, value=BattleUserInfo(user=_base_user(stage, host))) for host in hosts]
    stage.tell(Told(LinkMicBattle(battle_settings=settings, user_infos=infos), method="WebcastLinkMicBattleMethod"))
    ends_s = stage.now_s + BATTLE_S
    while stage.now_s < ends_s:
        yield stage.random.uniform(2.0, 5.0)
        for host in hosts:
            scores[host] += int(stage.random.expovariate(1 / 60))
        stage.tell(
            Told(
                LinkMicMethod(
                    message_type=SCORES,
                    channel_id=channel_id,
                    user_scores=[
                        UserScore(score=score, user_id=host.id, score_blur_text=b"%d" % score, battle_rank=rank)
                        for rank, (host, score) in _ranked(scores)
                    ],
                    battle_id=battle_id,
                ),
                method="LinkMicMethod",
            )
        )
        armies = [
            UserArmiesEntry(key=host.id, value=UserArmies(user_armies=_army(stage, helpers[host], scores[host])))
            for host in hosts
        ]
        stage.tell(Told(LinkMicArmies(user_armies_map=armies), method="WebcastLinkMicArmiesMethod"))
    settings.finished = 1
    finish = LinkMicBattleFinish(
        battle_settings=settings,
        battle_armies=[
            BattleArmy(
                anchor_id=host.id,
                rank_list=[
                    BattleSupporter(
                        user_id=one.user_id, nickname=one.nickname, avatar_thumb=one.avatar_thumb, score=one.score
                    )
                    for one in _army(stage, helpers[host], scores[host])
                ],
            )
            for host in hosts
        ],
        battle_scores=[
            BattleScore(score=score, user_id=host.id, score_blur_text=b"%d" % score, battle_rank=rank)
            for rank, (host, score) in _ranked(scores)
        ],
    )
    stage.tell(Told(finish, method="WebcastLinkMicBattleFinishMethod"))


def _ranked(scores: dict[Person, int]) -> "enumerate[tuple[Person, int]]":
    return enumerate(sorted(scores.items(), key=lambda entry: -entry[1]), 1)


def _base_user(stage: DouyinStage, host: Person) -> BattleBaseUserInfo:
    return BattleBaseUserInfo(
        user_id=host.id,
        nick_name=host.nickname.encode(),
        avatar_thumb=stage.write.image("avatar", host.id),
        display_id=host.handle.encode(),
    )


def _army(stage: DouyinStage, helpers: list[Person], score: int) -> list[UserArmy]:
    return [
        UserArmy(
            user_id=stage.write.id_of(person),
            score=score * share // 100,
            nickname=stage.write.nickname(person).encode(),
            avatar_thumb=stage.write.image("avatar", stage.write.id_of(person)),
        )
        for person, share in zip(helpers, (50, 20, 10), strict=True)
    ]


def _lucky_box(stage: DouyinStage) -> Story:
    person = stage.crowd.regular()
    box_id, wait_s = _id(stage), 20
    stage.tell(
        Told(
            LuckyBoxMessage(
                diamond_count=stage.random.choice((100, 200, 500)),
                box_id=box_id,
                send_time=stage.now_ms,
                delay_time=wait_s,
                box_type=1,
                title=f"{stage.write.nickname(person)}的红包".encode(),
                user=stage.write.user(person),
                box_status=1,
                box_id_str=b"%d" % box_id,
            )
        )
    )
    yield wait_s
    stage.tell(Told(LuckyBoxEndMessage(box_id=box_id, box_id_str=b"%d" % box_id)))


def _shopping(stage: DouyinStage) -> Story:
    for number, title in enumerate(PRODUCTS, 1):
        product = UpdatedProductInfo(title=title.encode(), cover=stage.write.image("gift", number).url_list[0])
        stage.tell(
            Told(
                LiveShoppingMessage(
                    msg_type=2,
                    promotion_id=3_600_000_000_000_000_000 + number,
                    updated_product_info=product,
                    promotions_num=len(PRODUCTS),
                )
            )
        )
        yield 8.0


def _id(stage: DouyinStage) -> int:
    """Of something that began now, in the platform's manner."""
    return (stage.now_ms // 1000 << 32) + stage.random.getrandbits(32)


SHOWS: tuple[Callable[[DouyinStage], Story], ...] = (_battle, _lucky_box, _shopping, spam)
