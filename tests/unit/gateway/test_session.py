"""What one client is sent in its socket, and in which order, when its room ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket

from gateway.admission import Admission
from gateway.options import Options
from gateway.relay import Relay
from gateway.room import Member, Room
from gateway.single_room import SingleRoom
from gateway.subscription import Subscription
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.phases import Phase, RoomPhase
from shared.room import RoomKey
from tests.gateway_room import Scene, scene
from tests.log_entries import ROOM, event, events, marker, word


class Socket:
    """A client that listens; `words` are its frames made short. Its server offers no wire."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.frames: list[str] = []
        self.closed: tuple[int, str] | None = None

    async def send_text(self, text: str) -> None:
        self.frames.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    @property
    def words(self) -> list[str]:
        return [word(text) for text in self.frames]


@asynccontextmanager
async def visit(
    at: Scene, since: Cursor, log_readers: asyncio.Semaphore, *others: Scene, asked: RoomKey = ROOM, wait: bool = False
) -> AsyncIterator[Socket]:
    """A client that comes with a cursor, and has been told that the room is connected; it may go on to the others."""
    rooms = {each.room.key: each.room for each in (at, *others)}

    def attach(member: Member, key: RoomKey) -> Room:
        rooms[key].attach(member)
        return rooms[key]

    relay = SimpleNamespace(
        broker=at.log,
        log_readers=log_readers,
        settings=at.room.settings,
        rooms=rooms,
        attach=attach,
        slow_sinks=set(),
    )
    socket = Socket()
    options = Options(since=since, wait=wait)
    session = SingleRoom(cast(Relay, relay), cast(Admission, None), cast(WebSocket, socket), "", options, asked)
    at.room.phase = RoomPhase(phase=Phase.CONNECTED, at=1)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(session.run())
        await at.until(lambda: socket.words[-1:] == ["connected"])
        yield socket
        running.cancel()


def resting(phase: Phase) -> RoomPhase:
    return RoomPhase(phase=phase, at=2, retry_at=now_ms() + 3_600_000)


# --- a client ahead of its gateway ------------------------------------------------------------------------------------


async def test_client_ahead_of_its_gateway_gets_the_last_events_before_the_end() -> None:
    log_readers = asyncio.Semaphore()
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        async with visit(at, Cursor(1, 4), log_readers) as client:
            await log_readers.acquire()  # others read the log
            at.publish(marker(9, Cursor(1, 2)), *events(9, 1, 2))
            at.room.feed.on_phase(resting(Phase.ENDED))
            await at.until(lambda: at.listener.notes == ["ended"])
            log_readers.release()
            await at.until(lambda: client.closed is not None)
        assert client.words[4:] == ["gap 1-4 9-1 rewound", "9-1", "9-2", "closing"]
        assert client.closed == (1000, "ended since=9-2")


async def test_client_ahead_of_its_gateway_gets_what_came_while_it_looked_before_the_end() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        async with visit(at, Cursor(1, 4), asyncio.Semaphore()) as client:
            at.log.gate.clear()
            at.room.feed.on_entry(event(1, 3))  # the channel is late; the client looks, and is still ahead
            await at.until(lambda: at.log.asking > 0)
            at.publish(marker(9, Cursor(1, 3)), *events(9, 1))
            at.room.feed.on_phase(resting(Phase.ENDED))
            at.log.gate.set()
            await at.until(lambda: client.closed is not None)
        assert client.words[4:] == ["gap 1-4 9-1 rewound", "9-1", "closing"]


@pytest.mark.parametrize("phase", [Phase.ENDED, Phase.NOT_LIVE])
async def test_client_ahead_of_its_gateway_is_closed_by_an_end_without_events(phase: Phase) -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        async with visit(at, Cursor(1, 4), asyncio.Semaphore()) as client:
            at.room.feed.on_phase(resting(phase))
            await at.until(lambda: client.closed is not None)
        assert len(client.words) == 5


async def test_client_ahead_of_its_gateway_is_told_other_phases() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        async with visit(at, Cursor(1, 4), asyncio.Semaphore()) as client:
            at.room.feed.on_phase(RoomPhase(phase=Phase.RECONNECTING, at=2))
            await at.until(lambda: client.words[4:] == ["reconnecting"])
            at.room.feed.on_phase(RoomPhase(phase=Phase.CONNECTED, at=3))
            await at.until(lambda: client.words[4:] == ["reconnecting", "connected"])


async def test_client_that_leaves_a_room_it_is_ahead_of_is_told_all_of_the_next_broadcast() -> None:
    async with (
        scene(*events(1, 1, 2)) as at,
        scene(key=RoomKey(ROOM.platform, "@ana")) as name,
        scene(key=RoomKey(ROOM.platform, "7300000000000000002")) as following,
    ):
        for each in (at, following):
            await each.join()
        name.room.target = ROOM
        at.log.entries, at.log.last = [], None
        log_readers = asyncio.Semaphore()
        async with visit(at, Cursor(1, 4), log_readers, name, following, asked=name.room.key, wait=True) as client:
            at.room.feed.on_phase(resting(Phase.ENDED))
            await at.until(lambda: client.words[-1] == "waiting")
            asyncio.get_running_loop().call_soon(lambda: at.publish(marker(9, Cursor(1, 4)), *events(9, 1)))
            await at.room.news.wait()  # behind the client, if it waits for that yet
            assert list(at.room.members) == list(at.room.hub) == [at.listener.subscriber]
            following.publish(marker(11, None), *events(11, 1, 2))
            at.log.entries, at.log.last = following.log.entries, following.log.last  # the client reads this one
            following.room.feed.on_phase(RoomPhase(phase=Phase.CONNECTED, at=3))
            name.room.feed.on_phase(RoomPhase(phase=Phase.TARGET, at=3, target=following.room.key.room))
            await at.until(lambda: client.words[-1] == "connected")
            assert client.words[5:] == ["recovered", "11-1", "11-2", "connected"]


# --- a client that gets events as they come ---------------------------------------------------------------------------


async def test_cursor_of_a_close_lies_behind_a_gap_that_has_no_event_behind_it() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        async with visit(at, Cursor(1, 2), asyncio.Semaphore()) as client:
            at.log.entries = []
            at.publish(marker(9, None))
            at.room.feed.on_phase(resting(Phase.ENDED))
            await at.until(lambda: client.closed is not None)
        assert client.words[3:] == ["gap 1-2 9-0 expired", "closing"]
        assert client.closed == (1000, "ended since=9-0")


async def test_client_too_slow_for_what_it_is_owed_is_closed_and_not_moved() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        async with visit(at, Cursor(1, 2), asyncio.Semaphore()) as client:
            (member,) = [member for member in at.room.members.values() if isinstance(member, Subscription)]
            member.subscriber.variant = cast(Any, SimpleNamespace(catch_up=lambda *_: False))
            target = SimpleNamespace(target=RoomKey("tiktok", "7300000000000000009"))
            member.on_target(cast(Room, target))
            await at.until(lambda: client.closed is not None)
        assert client.closed is not None
        assert client.closed[0] == 1013
