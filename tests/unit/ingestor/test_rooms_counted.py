"""What an ingestor tells of rooms in its metrics."""

import pytest

from ingestor import supervisor
from shared import metrics
from shared.clock import now_ms
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, new_owner
from shared.phases import Phase, RoomPhase
from tests.ingestor_stage import FOUR, NAME, OTHER, ROOM, Stage, sample, until


def in_phase(phase: str) -> float:
    return sample("roomcast_ingestor_rooms_by_phase", platform="tiktok", phase=phase)


async def test_a_held_room_is_counted_in_the_phase_it_is_in_and_in_no_other(stage: Stage) -> None:
    phases = ("acquired", "resolving", "checking_live", "connected", "reconnecting", "failed")
    async with stage.ingestor(upstream_backoff_s=30, failed_ttl_s=0.1, upstream_retries=1):
        await stage.demand.announce(ROOM)
        await stage.phase(Phase.CONNECTED)
        assert [phase for phase in phases if in_phase(phase)] == ["connected"]
        stage.connector.upstreams[0].drop()
        await stage.phase(Phase.RECONNECTING)
        assert [phase for phase in phases if in_phase(phase)] == ["reconnecting"]
        assert sample("roomcast_ingestor_rooms") == in_phase("reconnecting") == 1
    assert [phase for phase in phases if in_phase(phase)] == []
    assert sample("roomcast_ingestor_rooms") == 0


async def test_a_lease_that_somebody_else_took_is_counted_as_lost_and_not_as_left(stage: Stage) -> None:
    def counted(what: str) -> float:
        return sample("roomcast_ingestor_leases_total", what=what)

    lost, left = counted("lost"), counted("left")
    async with stage.ingestor():
        await stage.demand.announce(ROOM)
        await stage.phase(Phase.CONNECTED)
        owner = (await stage.broker.state(ROOM)).holder.partition(" ")[2]
        others = Leases(stage.redis, ttl_s=60, history_ttl_s=60, history_len=2000)
        assert isinstance(await others.acquire(ROOM, new_owner("other"), replaces=owner), Lease)
        await until(lambda: counted("lost") == lost + 1)
    assert counted("left") == left


def unowned() -> float:
    return sample("roomcast_cluster_rooms_unowned")


@pytest.fixture
def _nothing_counted_yet() -> None:
    metrics.ROOMS_UNOWNED.set(-1)


@pytest.mark.usefixtures("_nothing_counted_yet")
async def test_rooms_for_which_no_ingestor_has_a_place_are_counted_until_one_has(stage: Stage) -> None:
    for room in FOUR:
        await stage.demand.announce(room)
    await stage.demand.announce(NAME)
    async with stage.ingestor("one", max_rooms=1, relief_rooms=0):
        await until(lambda: unowned() == 3)
        assert sample("roomcast_cluster_rooms_wanted") == 4
        async with stage.ingestor("two", max_rooms=2, relief_rooms=0):
            await until(lambda: unowned() == 1)
            async with stage.ingestor("three"):
                await until(lambda: unowned() == 0)


@pytest.mark.usefixtures("_nothing_counted_yet")
async def test_where_many_rooms_may_be_without_an_ingestor_some_are_asked_about_and_stand_for_all(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ASKED_ABOUT_MAX", 1)
    for room in FOUR:
        await stage.demand.announce(room)
    async with stage.ingestor("one", max_rooms=1):
        await until(lambda: unowned() == 3)


@pytest.mark.usefixtures("_nothing_counted_yet")
async def test_a_room_that_rests_waits_for_no_place(stage: Stage) -> None:
    lease = await Leases(stage.redis, ttl_s=60, history_ttl_s=60, history_len=2000).acquire(
        OTHER, new_owner("other"), need_demand=False
    )
    assert isinstance(lease, Lease)
    await stage.broker.set_phase(lease, RoomPhase(phase=Phase.FAILED, at=1, retry_at=now_ms() + 60_000))
    async with stage.redis.turn() as commands:
        await commands.delete(RoomKeys.of(OTHER).lease)
    for room in (*FOUR, OTHER):
        await stage.demand.announce(room)
    async with stage.ingestor("one", max_rooms=1):
        await until(lambda: unowned() == 3)
