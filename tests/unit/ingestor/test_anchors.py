"""Hosts of battles keep their names."""

from ingestor.anchors import ANCHORS_MAX, Anchors
from shared.events import Battle, BattleDetail, BattleSide, User
from shared.room import RoomKey
from tests.events import chat


def person(user_id: str, nickname: str = "") -> User:
    return User(id=user_id, unique_id=nickname.lower(), nickname=nickname, avatar="", roles=[], badges=[])


def battle(state: str, *anchors: User) -> Battle:
    sides = [BattleSide(anchor=anchor, score=number, top=[]) for number, anchor in enumerate(anchors)]
    return Battle(platform="tiktok", room="1", time=1, battle=BattleDetail(id="33", state=state, sides=sides))


ANA, BEN = person("1", "Ana"), person("2", "Ben")


def test_scores_that_name_hosts_by_id_are_completed() -> None:
    anchors = Anchors()
    started = battle("started", ANA, BEN)
    assert anchors.complete(started) == started
    assert anchors.complete(battle("scores", person("2"), person("1"))) == battle("scores", BEN, ANA)


def test_a_host_nobody_named_stays_as_told() -> None:
    assert Anchors().complete(battle("scores", person("9"), person(""))) == battle("scores", person("9"), person(""))


def test_the_latest_name_counts() -> None:
    anchors = Anchors()
    anchors.complete(battle("started", ANA))
    anchors.complete(battle("started", person("1", "Anna")))
    assert anchors.complete(battle("scores", person("1"))) == battle("scores", person("1", "Anna"))


def test_names_survive_a_take_over() -> None:
    anchors = Anchors()
    anchors.restore([battle("started", ANA)])
    assert anchors.complete(battle("scores", person("1"))) == battle("scores", ANA)


def test_no_more_hosts_are_remembered_than_the_ceiling() -> None:
    anchors = Anchors()
    anchors.complete(battle("started", ANA))
    for number in range(ANCHORS_MAX):
        anchors.complete(battle("started", person(f"x{number}", "Somebody")))
    assert anchors.complete(battle("scores", person("1"))) == battle("scores", person("1"))


def test_other_events_pass() -> None:
    said = chat(RoomKey("tiktok", "1"), "hello")
    assert Anchors().complete(said) is said
