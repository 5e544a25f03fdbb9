"""Which broadcasts there are, and when: with clocks of our own."""

from collections.abc import Iterable

import pytest

from simulator.config import SimulatorConfig
from simulator.douyin.platform import Douyin
from simulator.platform import Platform
from simulator.room import RoomStatus
from simulator.tiktok.platform import TikTok
from simulator.world import Host, World

START_MS = 1_790_519_971_067
ENDING = {"tiktok": "ending", "douyin": "728804746642"}
ON_BOTH = pytest.mark.parametrize("platform", ["tiktok", "douyin"])


class Clock:
    """Goes on only when it is told to."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now_s(self) -> float:
        return self.passed_s

    def now_ms(self) -> int:
        return START_MS + int(self.passed_s * 1000)


def new_world(clock: Clock, *, seed: int = 1) -> World:
    platforms: Iterable[Platform] = (TikTok(), Douyin())
    return World(SimulatorConfig(seed=seed, rooms=3), platforms, now_ms=clock.now_ms, now_s=clock.now_s)


def host(world: World, platform: str, name: str) -> Host:
    found = world.sites[platform].host(name)
    assert found is not None
    return found


@ON_BOTH
def test_a_host_comes_and_goes_from_its_first_viewer_on(platform: str) -> None:
    clock = Clock()
    world = new_world(clock)
    ending = host(world, platform, ENDING[platform])
    first = ending.room
    seen: list[tuple[int, str]] = []
    for second in range(200):
        clock.passed_s = float(second)
        if second == 50:
            first.poll("", clock.now_s())
        world.tick()
        status = ("" if ending.room is first else "new ") + ending.room.status.name
        if not seen or seen[-1][1] != status:
            seen.append((second, status))
    if platform == "tiktok":
        assert seen == [(0, "LIVE"), (110, "ENDED"), (171, "new LIVE")]
    else:
        assert seen == [(0, "LIVE"), (70, "PAUSED"), (90, "LIVE"), (110, "ENDED"), (171, "new LIVE")]
    assert ending.room.id > first.id


def test_tiktoks_room_ids_do_not_depend_on_the_time() -> None:
    clock = Clock()
    world = new_world(clock)
    ids = [host(world, "tiktok", name).room.id for name in ("demo", "offline", "room0", "room2")]
    assert ids == [7300000000000000001, 7300000000000000400, 7300000000000010000, 7300000000000010002]
    offline = host(world, "tiktok", "offline")
    assert world.sites["tiktok"].go_live(offline).id == 7300000000000001400
    assert host(world, "tiktok", "DEMO").room is world.room(7300000000000000001)


def test_douyins_room_ids_tell_when_the_broadcast_began() -> None:
    clock = Clock()
    world = new_world(clock)
    first = host(world, "douyin", "728804746624").room
    assert first.id >> 32 == START_MS // 1000
    clock.passed_s = 100.0
    later = host(world, "douyin", "728804800001").room
    assert later.id >> 32 == START_MS // 1000 + 100
    assert world.room(later.id) is later
    assert new_world(Clock()).rooms()[-1].id == new_world(Clock()).rooms()[-1].id
    assert new_world(Clock()).rooms()[-1].id != new_world(Clock(), seed=2).rooms()[-1].id


def test_two_broadcasts_of_the_same_second_have_ids_of_their_own() -> None:
    world = new_world(Clock())
    offline = host(world, "douyin", "728804746640")
    before = offline.room.id
    assert world.sites["douyin"].go_live(offline).id > before


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("tiktok", "728804746624"),
        ("tiktok", "room3"),
        ("tiktok", "room00"),
        ("douyin", "demo"),
        ("douyin", "728804746641"),
        ("douyin", "728804800003"),
    ],
)
def test_nobody_is_found_on_the_other_platform_or_beyond_the_last(platform: str, name: str) -> None:
    assert new_world(Clock()).sites[platform].host(name) is None


def test_a_room_that_was_polled_goes_on_for_a_while() -> None:
    clock = Clock()
    world = new_world(clock)
    room = host(world, "douyin", "728804746624").room
    clock.passed_s = 1.0
    world.tick()
    assert not room.listed
    room.poll("", clock.now_s())
    for _ in range(5):
        clock.passed_s += 1.0
        world.tick()
    told = len(room.listed)
    assert told > 5
    clock.passed_s += 10.0
    world.tick()
    assert len(room.listed) == told
    assert room.status is RoomStatus.LIVE
