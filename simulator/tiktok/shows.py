"""What is put on in TikTok's rooms: stories of a minute, one after the other. Pure."""

from collections.abc import Callable

from protos.tiktok_pb2 import (
    BattleAnchorEntry,
    BattleArmiesEntry,
    BattleBaseUserInfo,
    BattleResult,
    BattleResultEntry,
    BattleSetting,
    BattleUserArmies,
    BattleUserInfo,
    EnvelopeInfo,
    EnvelopeMessage,
    LinkMicArmies,
    LinkMicBattle,
    LinkMicBattlePunishFinish,
    PollEndContent,
    PollMessage,
    PollOption,
    PollStartContent,
    PollUpdateVotesContent,
    RoomPinMessage,
)
from simulator.small_things import spam
from simulator.stage import Story
from simulator.tiktok.content import POLLS
from simulator.tiktok.people import make_host
from simulator.tiktok.writer import TikTokStage
from simulator.writer import Told


def _battle(stage: TikTokStage) -> Story:
    rival = make_host(stage.random.choice(("tidepool", "clayandkiln", "bikeatlas", "nightbaker")))
    hosts = (stage.host, rival)
    battle_id = stage.now_ms
    seconds = 75
    setting = BattleSetting(battle_id=battle_id, start_time_ms=stage.now_ms, duration=seconds)
    anchors = [
        BattleAnchorEntry(
            key=host.id,
            value=BattleUserInfo(
                user=BattleBaseUserInfo(
                    user_id=host.id,
                    nick_name=host.nickname.encode(),
                    avatar_thumb=stage.write.image("avatar", host.id),
                    display_id=host.handle.encode(),
                )
            ),
        )
        for host in hosts
    ]
    scores = dict.fromkeys(hosts, 0)
    helpers = {host: [stage.crowd.regular() for _ in range(3)] for host in hosts}

    def armies() -> list[BattleArmiesEntry]:
        return [
            BattleArmiesEntry(
                key=host.id,
                value=BattleUserArmies(
                    hostscore=scores[host],
                    user_armies=[
                        stage.write.army(person, scores[host] * share // 100)
                        for person, share in zip(helpers[host], (50, 20, 10), strict=True)
                    ],
                ),
            )
            for host in hosts
        ]

    stage.tell(
        Told(
            LinkMicBattle(battle_id=battle_id, battle_settings=setting, action=4, anchors_info=anchors, armies=armies())
        )
    )
    ends_s = stage.now_s + seconds
    while stage.now_s < ends_s:
        yield stage.random.uniform(2.0, 5.0)
        for host in hosts:
            scores[host] += int(stage.random.expovariate(1 / 60))
        stage.tell(Told(LinkMicArmies(battle_id=battle_id, armies=armies(), battle_settings=setting)))
    best = max(scores.values())
    tied = scores[stage.host] == scores[rival]
    results = [
        BattleResultEntry(
            key=host.id,
            value=BattleResult(user_id=host.id, result=0 if tied else 1 if score == best else 2, score=score),
        )
        for host, score in scores.items()
    ]
    stage.tell(
        Told(
            LinkMicBattle(
                battle_id=battle_id,
                battle_settings=setting,
                action=5,
                anchors_info=anchors,
                armies=armies(),
                battle_result=results,
            )
        )
    )
    yield 8.0
    stage.tell(Told(LinkMicBattlePunishFinish(battle_id=battle_id, battle_settings=setting)))


def _poll(stage: TikTokStage) -> Story:
    title, answers = stage.random.choice(POLLS)
    poll_id = stage.now_ms
    votes = [0] * len(answers)

    def options() -> list[PollOption]:
        return [
            PollOption(votes=count, display_content=text.encode(), option_idx=index)
            for index, (text, count) in enumerate(zip(answers, votes, strict=True))
        ]

    start = PollStartContent(end_time=stage.now_ms + 30_000, option_list=options(), title=title.encode())
    stage.tell(Told(PollMessage(message_type=0, poll_id=poll_id, start_content=start)))
    ends_s = stage.now_s + 30
    while stage.now_s < ends_s:
        yield stage.random.uniform(1.5, 4.0)
        for index in range(len(votes)):
            votes[index] += stage.random.randrange(12)
        update = PollUpdateVotesContent(option_list=options())
        stage.tell(Told(PollMessage(message_type=2, poll_id=poll_id, update_votes_content=update)))
    stage.tell(Told(PollMessage(message_type=1, poll_id=poll_id, end_content=PollEndContent(option_list=options()))))


def _envelope(stage: TikTokStage) -> Story:
    person = stage.crowd.regular()
    box = EnvelopeInfo(
        envelope_id=str(stage.now_ms).encode(),
        business_type=1,
        send_user_name=person.nickname.encode(),
        diamond_count=stage.random.choice((100, 200, 500)),
        people_count=stage.random.choice((10, 20, 50)),
        unpack_at=stage.now_ms // 1000 + 20,
        send_user_id=str(person.id).encode(),
        send_user_avatar=stage.write.image("avatar", person.id),
    )
    stage.tell(Told(EnvelopeMessage(envelope_info=box, display=1)))
    yield 20.0
    stage.tell(Told(EnvelopeMessage(envelope_info=box, display=2)))


def _pin(stage: TikTokStage) -> Story:
    if not stage.chats:
        return
    _, chat = stage.chats[-1]
    for action in (1, 2):
        stage.tell(
            Told(
                RoomPinMessage(
                    chat_message=chat,
                    method=b"WebcastChatMessage",
                    operator=stage.write.user(stage.host),
                    action=action,
                    display_duration=15,
                )
            )
        )
        if action == 1:
            yield 15.0


SHOWS: tuple[Callable[[TikTokStage], Story], ...] = (_poll, _battle, _envelope, _pin, spam)
