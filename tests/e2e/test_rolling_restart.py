"""Processes are replaced one after the other, or die, under load: nobody loses an event or sees one twice.

Clients behave as real ones: they are led by a balancer, and come back with their cursor when and where they are told.
"""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from shared.cursor import Cursor
from tests.chaos.clients import Client
from tests.chaos.oracle import judge
from tests.chaos.world import Part, World, running_world
from tests.e2e.cluster import one_and_many, wait_for
from tests.returning import CUT_OFF, Close
from tests.topologies import Topology

CLUSTER: Final[dict[str, Any]] = {"seed": 5, "gateways": 3, "clients": 15, "slow": 0, "rate": 20.0, "balanced": True}
GRACE_S: Final = 25.0  # what containers are given before they are killed is 30
WITHIN_S: Final = 30.0


@pytest.mark.timeout(240)
@one_and_many
async def test_a_rolling_restart_of_every_process_loses_nothing(topology: Topology, tmp_path: Path) -> None:
    async with running_world(tmp_path, topology, **CLUSTER) as world:
        first = await world.mark()
        assert await world.reached(first, WITHIN_S)
        for part in world.gateways:
            await replace(part)
            await asyncio.to_thread(wait_for, f"http://127.0.0.1:{part.other.port}/readyz", part.process)
            assert await world.flowing(WITHIN_S), part.name
        for part in world.ingestors:
            await replace(part)
            assert await world.flowing(WITHIN_S), part.name
        await nobody_missed_anything(world, first)
    for client in world.clients:
        assert client.closes  # its gateway was one of those
        assert all(says_where_to_go_on(close) for close in client.closes), client.closes


async def test_clients_of_a_gateway_that_dies_go_on_elsewhere(topology: Topology, tmp_path: Path) -> None:
    async with running_world(tmp_path, topology, **CLUSTER) as world:
        first = await world.mark()
        assert await world.reached(first, WITHIN_S)
        world.gateways[0].send(signal.SIGKILL)
        assert await world.flowing(WITHIN_S)
        await nobody_missed_anything(world, first)
    cut_off = [client for client in world.clients if client.closes]
    assert 0 < len(cut_off) < len(world.clients)
    assert {close.code for client in cut_off for close in client.closes} == {CUT_OFF}


async def replace(part: Part) -> None:
    """As a deployment does: it is asked to end, ends by itself, and is begun again."""
    part.send(signal.SIGTERM)
    assert await asyncio.to_thread(part.process.wait, GRACE_S) == 0, part.name
    await part.restart()


async def nobody_missed_anything(world: World, first: dict[str, str]) -> None:
    """Each client got all that was sent since the first mark, once and in order, and was told so on each return."""
    last = await world.mark()
    assert await world.reached(last, WITHIN_S)
    for room in world.rooms:
        sent = await world.sent_between(room, first, last)
        for client in watching(world.clients, room):
            verdict = judge(room, sent, client.frames)
            assert verdict.delivered == sent, room
            assert (verdict.faults(), verdict.gaps) == ({}, []), room
            assert all(complete for _, complete in verdict.returns), room
            assert len(verdict.returns) >= sum(close.served for close in client.closes), room


def watching(clients: Sequence[Client], room: str) -> list[Client]:
    """Those in a room."""
    return [client for client in clients if client.room == room]


def says_where_to_go_on(close: Close) -> bool:
    """The close names the place that the client has reached: the event that it got last, or a marker behind it."""
    word, _, since = close.reason.partition(" since=")
    if (close.code, word) != (1012, "draining"):
        return False
    if not (close.served and close.joined):
        return True
    at, got = Cursor.parse(since), Cursor.parse(close.cursor)
    return at == got or (at.offset == 0 and at > got)
