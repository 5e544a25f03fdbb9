"""Wishes, names and members, also when messages and index are lost."""

import asyncio

from shared.channels import WakeChannel
from shared.demand import Wish
from shared.keys import ROOMS
from shared.room import RoomKey
from shared.scripts import Script
from tests.integration.shared.conftest import Bench

OTHER = RoomKey("tiktok", "@someone")


async def test_announced_room_is_wanted_for_as_long_as_the_wish_lives(bench: Bench) -> None:
    await bench.demand.announce(bench.room)

    assert list(await bench.demand.wanted()) == [bench.room]
    wish = await bench.demand.look(bench.room)
    assert 0 < wish.remaining_ms <= 30_000
    assert not wish.raw


async def test_announcing_and_waking_reach_every_ingestor(bench: Bench) -> None:
    woken: asyncio.Queue[RoomKey] = asyncio.Queue()
    up = asyncio.Event()
    async with WakeChannel(bench.redis, woken.put_nowait, up.set), asyncio.timeout(10):
        await up.wait()
        await bench.commands.publish("rc:wake", "not a room")
        await bench.demand.announce(bench.room)
        await bench.demand.wake(OTHER)
        assert [await woken.get(), await woken.get()] == [bench.room, OTHER]


async def test_ingestor_goes_on_after_a_wake_that_failed(bench: Bench) -> None:
    woken: asyncio.Queue[RoomKey] = asyncio.Queue()

    def wake_up(room: RoomKey) -> None:
        if room == OTHER:
            raise ValueError("bug")
        woken.put_nowait(room)

    up = asyncio.Event()
    async with WakeChannel(bench.redis, wake_up, up.set), asyncio.timeout(10):
        await up.wait()
        await bench.demand.wake(OTHER)
        await bench.demand.wake(bench.room)
        assert await woken.get() == bench.room


async def test_wish_that_expired_leaves_the_index(bench: Bench) -> None:
    await bench.demand.announce(bench.room)
    await bench.demand.announce(OTHER)
    await bench.commands.delete(bench.keys.demand)

    assert list(await bench.demand.wanted()) == [OTHER]
    assert await bench.commands.zrange(ROOMS, 0, -1) == [str(OTHER).encode()]
    assert await bench.demand.look(bench.room) == Wish(remaining_ms=0, raw=False)


async def test_room_announced_while_it_was_found_unwanted_stays_in_the_index(bench: Bench) -> None:
    await bench.demand.announce(bench.room)
    [(member, score)] = await bench.commands.zrange(ROOMS, 0, -1, withscores=True)
    await bench.commands.zadd(ROOMS, {member: score + 1})

    assert await Script("forget_rooms")(bench.redis, [ROOMS], [member, int(score), "tiktok:never", 5]) == 0
    assert list(await bench.demand.wanted()) == [bench.room]


async def test_refresh_prolongs_the_wish(bench: Bench) -> None:
    await bench.demand.announce(bench.room)
    await bench.commands.pexpire(bench.keys.demand, 1000)

    await bench.demand.refresh(bench.room)

    assert (await bench.demand.look(bench.room)).remaining_ms > 1000


async def test_refresh_of_a_wish_that_expired_announces_it_anew(bench: Bench) -> None:
    await bench.demand.announce(bench.room)
    await bench.commands.delete(bench.keys.demand, ROOMS)

    await bench.demand.refresh(bench.room)

    assert list(await bench.demand.wanted()) == [bench.room]


async def test_dropped_room_is_wanted_by_nobody(bench: Bench) -> None:
    await bench.demand.announce(bench.room)
    await bench.demand.drop(bench.room)

    assert await bench.demand.wanted() == {}
    assert await bench.commands.zcard(ROOMS) == 0


async def test_raw_is_a_wish_of_its_own(bench: Bench) -> None:
    await bench.demand.want_raw(bench.room)
    assert await bench.demand.look(bench.room) == Wish(remaining_ms=0, raw=True)
    assert 0 < await bench.commands.pttl(bench.keys.raw) <= 30_000


async def test_waiting_is_a_wish_of_its_own(bench: Bench) -> None:
    await bench.demand.want_wait(bench.room)
    assert await bench.demand.look(bench.room) == Wish(remaining_ms=0, raw=False, wait=True)
    assert 0 < await bench.commands.pttl(bench.keys.wait) <= 30_000


async def test_looks_at_one_platform_are_booked_one_behind_another(bench: Bench) -> None:
    async def book(platform: str) -> float:
        return await bench.demand.book_look(platform, rest_s=60, gap_s=100)

    first, second, third = [await book("tiktok") for _ in range(3)]
    assert first == 60
    assert 100 < second <= 160
    assert 200 < third <= 260
    assert await book("douyin") == 60


async def test_a_look_is_booked_after_its_rest_however_few_others_there_are(bench: Bench) -> None:
    assert [await bench.demand.book_look("tiktok", rest_s=rest_s, gap_s=0.01) for rest_s in (1, 60)] == [1, 60]


async def test_scan_of_many_rooms_finds_them_all_the_newest_first(bench: Bench) -> None:
    rooms = [RoomKey("tiktok", str(number)) for number in range(1200)]
    for score, room in enumerate(rooms):
        await bench.commands.zadd(ROOMS, {str(room): score})
        if score % 2:
            await bench.commands.set(f"rc:{{{room}}}:demand", "1")
    await bench.commands.zadd(ROOMS, {"rubbish": 9999})

    wanted = await bench.demand.wanted()

    assert list(wanted) == rooms[1::2][::-1]
    assert wanted[rooms[1]] == 1
    assert await bench.commands.zcard(ROOMS) == 600


async def test_name_points_to_its_room_for_a_while(bench: Bench) -> None:
    assert await bench.demand.target(OTHER) is None
    await bench.demand.set_target(OTHER, bench.room, ttl_s=60)
    assert await bench.demand.target(OTHER) == bench.room
    assert 0 < await bench.commands.pttl("rc:{tiktok:@someone}:target") <= 60_000

    await bench.demand.clear_target(OTHER)
    assert await bench.demand.target(OTHER) is None


async def test_name_that_points_to_rubbish_points_nowhere(bench: Bench) -> None:
    await bench.commands.set("rc:{tiktok:@someone}:target", b"\xff {}")
    assert await bench.demand.target(OTHER) is None


async def test_a_heartbeat_ages_by_the_clock_of_redis(bench: Bench) -> None:
    await bench.demand.heartbeat("ingestor", "one", {"rooms": 3})
    [member] = await bench.demand.members("ingestor")
    assert 0 <= member.age_s < 10

    await bench.commands.pexpire("rc:load:ingestor:one", 5_000)  # as 15 s later
    [member] = await bench.demand.members("ingestor")
    assert 15 <= member.age_s < 20


async def test_members_are_those_with_a_fresh_heartbeat(bench: Bench) -> None:
    await bench.demand.heartbeat("ingestor", "one", {"rooms": 3})
    await bench.demand.heartbeat("ingestor", "two", {"rooms": 0})
    await bench.demand.heartbeat("gateway", "one", {"clients": 12})
    await bench.commands.delete("rc:load:ingestor:two")  # as after its time

    [member] = await bench.demand.members("ingestor")
    assert (member.name, member.load) == ("one", {"rooms": "3"})
    assert [member.load for member in await bench.demand.members("gateway")] == [{"clients": "12"}]

    await bench.demand.leave("ingestor", "one")
    assert await bench.demand.members("ingestor") == []
