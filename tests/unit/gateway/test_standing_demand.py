"""The demand for one room, over time."""

import asyncio
from typing import cast

from gateway.standing_demand import StandingDemand
from shared.demand import Demand
from tests.gateway_room import FakeDemand
from tests.log_entries import ROOM


async def told_by(cluster: FakeDemand, *moments: float, waits: bool = False, rest_until: float | None = None) -> None:
    """A demand that stands from 0 on and is looked after at these moments; nobody ever meets it."""
    async with asyncio.TaskGroup() as tasks:
        demand = StandingDemand(
            ROOM,
            cast(Demand, cluster),
            tasks,
            wants_raw=lambda: False,
            waits=lambda: waits,
            idle_timeout_s=300,
            untaken_after_s=10,
        )
        demand.stand(0.0)
        if rest_until is not None:
            demand.taken_back(rest_until)
        for now in moments:
            demand.keep_up(now)
            demand.why_untaken(0.0, now)


async def test_that_somebody_waits_is_told_before_the_demand() -> None:
    cluster = FakeDemand()
    await told_by(cluster, 1.0, waits=True)
    assert cluster.told == ["wait", "announce"]


async def test_a_room_that_has_rested_is_given_its_time_to_be_taken() -> None:
    cluster = FakeDemand()
    await told_by(cluster, 99.0, rest_until=200.0)
    assert cluster.told == []
    await told_by(cluster, 209.0, rest_until=200.0)
    assert cluster.told == ["announce"]
    await told_by(cluster, 211.0, rest_until=200.0)
    assert cluster.told == ["announce", "announce", "members"]
