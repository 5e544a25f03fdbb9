"""For how long a room is kept: what the end of a demand means, and what it does not."""

import asyncio
from typing import Any

import pytest

from ingestor.lease_keeper import keep_lease
from shared.demand import Wish
from shared.errors import BrokerUnavailable
from shared.room import RoomKey
from tests.model.virtual_time import VirtualTimeLoop

ROOM = RoomKey("tiktok", "7300000000000000001")
TTL_S = 9.0
WANTED_S = 100.0
NEVER = 1000.0


class FakeDemand:
    """A demand told at 0, which Redis forgets at some time, and which is told again at another."""

    def __init__(self, forgotten_at: float, told_again_at: float, away: tuple[float, float]) -> None:
        self._forgotten_at = forgotten_at
        self._told_again_at = told_again_at
        self._away = away

    async def look(self, _: RoomKey) -> Wish:
        now = asyncio.get_running_loop().time()
        if self._away[0] <= now < self._away[1]:
            raise BrokerUnavailable("away")
        wanted_until = self._told_again_at + WANTED_S if now >= self._told_again_at else WANTED_S
        if self._forgotten_at <= now < self._told_again_at:
            wanted_until = 0
        return Wish(max(0, round(1000 * (wanted_until - now))), raw=False)


async def _unwanted_at(demand: Any) -> float:
    """When a room is given up."""
    unwanted = asyncio.Event()

    def on_wish(wish: Wish) -> None:
        if not wish.remaining_ms:
            unwanted.set()

    async def renew() -> None:
        pass

    keeping = asyncio.create_task(
        keep_lease(
            ROOM, renew=renew, demand=demand, on_wish=on_wish, recheck=asyncio.Event(), ttl_s=TTL_S, epoch=lambda: 7
        )
    )
    await unwanted.wait()
    keeping.cancel()
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("forgotten_at", "told_again_at", "unwanted_at"),
    [
        pytest.param(NEVER, NEVER, WANTED_S, id="its time is over"),
        pytest.param(30.0, 35.0, 35.0 + WANTED_S, id="forgotten, and told again"),
        pytest.param(30.0, NEVER, 30.0 + TTL_S, id="forgotten, and told again by nobody"),
        pytest.param(98.0, NEVER, WANTED_S, id="forgotten just before its time is over"),
    ],
)
def test_a_room_is_kept_until_its_demand_is_over_and_not_only_forgotten(
    forgotten_at: float, told_again_at: float, unwanted_at: float
) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        found = runner.run(_unwanted_at(FakeDemand(forgotten_at, told_again_at, (NEVER, NEVER))))
    assert unwanted_at - 0.01 <= found <= unwanted_at + TTL_S / 3 + 0.1  # Redis tells milliseconds


@pytest.mark.parametrize("back_at", [60.0, WANTED_S + 30])
def test_a_demand_that_could_not_be_told_while_redis_was_away_is_waited_for(back_at: float) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        found = runner.run(_unwanted_at(FakeDemand(50, back_at + 1, (50, back_at))))
    assert found > back_at + WANTED_S
