"""What one client is sent of the past, and when it may get events as they come."""

import asyncio
from collections.abc import Iterable
from typing import cast

import pytest

from gateway.close_codes import Code
from gateway.frames import Frame
from gateway.options import Options
from gateway.replay import Replay
from gateway.tail import RING_MAX
from shared.broker import Broker
from shared.cursor import Cursor
from tests.gateway_room import FakeLog, Scene, scene
from tests.log_entries import event, events, told
from tests.sinks import ListSink


class Reader(ListSink):
    """A client that takes everything at once, and its sink."""

    unavailable = False

    def tell_error(self, code: Code, *, detail: str = "") -> None:
        raise AssertionError(code)

    def on_unavailable(self) -> None:
        self.unavailable = True

    def on_nothing_more(self) -> None:
        pass

    def dismiss(self, code: Code) -> None:
        raise AssertionError(code)


class SlowReader(Reader):
    """A client that takes what it was sent when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent_bytes = self.most_unsent_bytes = 0
        self._empty = asyncio.Event()

    def write(self, frames: Iterable[Frame]) -> None:
        frames = list(frames)
        super().write(frames)
        self.unsent_bytes += sum(frame.size for frame in frames)
        self.most_unsent_bytes = max(self.most_unsent_bytes, self.unsent_bytes)
        self._empty.clear()

    async def drained(self) -> None:
        await self._empty.wait()

    def take(self) -> None:
        """Take everything."""
        self.unsent_bytes = 0
        self._empty.set()


def replay_of(options: Options, reader: Reader, at: Scene, log_readers: asyncio.Semaphore | None = None) -> Replay:
    return Replay(at.room, cast(Broker, at.log), log_readers or asyncio.Semaphore(), options, reader, reader)


def replay_to(reader: Reader, at: Scene, since: Cursor, log_readers: asyncio.Semaphore | None = None) -> Replay:
    return replay_of(Options(since=since), reader, at, log_readers)


async def test_client_ahead_of_its_gateway_waits_until_that_has_come_to_its_place() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        reader = Reader()
        replay = replay_to(reader, at, Cursor(1, 4))
        await replay.send()
        assert told(reader.written) == ["recovered", "gap 1-4 1-4 expired"]
        assert '"cursor":"1-4"' in reader.written[0].text
        assert replay.ahead
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(replay.be_overtaken())
            await asyncio.sleep(0)
            at.room.feed.on_entry(event(1, 3))
            await asyncio.sleep(0)
            await at.settle()  # the client has looked again
            assert not waiting.done()
            at.room.feed.on_entry(event(1, 4))
            at.room.feed.on_entry(event(1, 5))
        assert not replay.ahead
        assert told(reader.written)[2:] == ["1-5"]


@pytest.mark.parametrize(
    ("last", "gap"),
    [(Cursor(1, 1), "gap 1-9 1-2 rewound"), (Cursor(1, 20), "gap 1-9 1-9 trimmed")],
    ids=["went_back", "trimmed_to_nothing"],
)
async def test_client_ahead_of_its_gateway_looks_again_when_that_moves_without_an_entry(last: Cursor, gap: str) -> None:
    async with scene(*events(1, 1, 2)) as at, asyncio.TaskGroup() as tasks:
        await at.join()
        at.log.entries, at.log.last = [], Cursor(1, 9)
        reader = Reader()
        replay = replay_to(reader, at, Cursor(1, 9))
        await replay.send()
        assert replay.ahead
        waiting = tasks.create_task(replay.be_overtaken())
        at.log.last = last
        at.room.feed.on_alive(last)
        await at.until(lambda: told(reader.written) == ["recovered", gap])
        waiting.cancel()


async def test_client_that_is_not_ahead_need_not_wait() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        reader = Reader()
        replay = replay_to(reader, at, Cursor(1, 1))
        await replay.send()
        await replay.be_overtaken()
        assert told(reader.written) == ["recovered", "1-2"]
        assert not reader.unavailable


@pytest.mark.parametrize("read_by_itself", [True, False], ids=["its_own_read_fails", "the_read_of_its_room_fails"])
async def test_room_that_cannot_be_read_keeps_no_client_of_another_room_waiting(read_by_itself: bool) -> None:
    log_readers = asyncio.Semaphore(1)
    async with scene(*events(1, 5, 6)) as away, scene(*events(1, 5, 6)) as there, asyncio.TaskGroup() as tasks:
        await away.join()
        await there.join()
        away.log.away = True
        there.log.entries = events(1, 1, 2, 3, 4, 5, 6)
        if not read_by_itself:
            away.log = FakeLog()
        stuck, served = Reader(), Reader()
        waiting = tasks.create_task(replay_to(stuck, away, Cursor(1, 1), log_readers).send())
        await away.until(lambda: stuck.unavailable)
        async with asyncio.timeout(5):
            await replay_to(served, there, Cursor(1, 1), log_readers).send()
        assert told(served.written) == ["recovered", "1-2", "1-3", "1-4", "1-5", "1-6"]
        waiting.cancel()


async def test_room_that_can_be_read_again_gives_its_client_what_it_waits_for() -> None:
    async with scene(*events(1, 5, 6)) as at, asyncio.TaskGroup() as tasks:
        await at.join()
        at.log.entries, at.log.away = events(1, 1, 2, 3, 4, 5, 6), True
        reader = Reader()
        waiting = tasks.create_task(replay_to(reader, at, Cursor(1, 3)).send())
        await at.until(lambda: reader.unavailable)
        at.log.away = False
        await at.until(waiting.done)
        assert told(reader.written) == ["recovered", "1-4", "1-5", "1-6"]


# --- a client that reads slowly ---------------------------------------------------------------------------------------

MANY = RING_MAX + 1000
SOFT_BYTES = 4 * 1024


@pytest.mark.parametrize("options", [Options(since=Cursor(1, 1)), Options(last=MANY - 2)], ids=["since", "last"])
async def test_client_that_does_not_read_keeps_nobody_from_the_log_and_misses_nothing(options: Options) -> None:
    log_readers = asyncio.Semaphore(1)
    log = [event(1, offset) for offset in range(1, MANY)]
    async with scene(*log, send_soft_bytes=SOFT_BYTES) as at, asyncio.TaskGroup() as tasks:
        await at.join()
        client = SlowReader()
        replay = tasks.create_task(replay_of(options, client, at, log_readers).send())
        await at.until(lambda: client.unsent_bytes > SOFT_BYTES // 2)
        at.publish(event(1, MANY))
        while not replay.done():
            assert not log_readers.locked()
            client.take()
            await at.until(lambda: client.unsent_bytes > SOFT_BYTES // 2 or replay.done())
        assert told(client.written) == ["recovered", *(f"1-{offset}" for offset in range(2, MANY + 1))]
        assert client.most_unsent_bytes <= SOFT_BYTES // 2 + max(frame.size for frame in client.written)


async def test_what_is_trimmed_while_a_client_does_not_read_is_told_as_a_gap() -> None:
    log = [event(1, offset) for offset in range(1, MANY)]
    async with scene(*log, send_soft_bytes=SOFT_BYTES) as at, asyncio.TaskGroup() as tasks:
        await at.join()
        client = SlowReader()
        replay = tasks.create_task(replay_to(client, at, Cursor(1, 1)).send())
        await at.until(lambda: client.unsent_bytes > SOFT_BYTES // 2)
        reached = client.written[-1].cursor
        assert reached is not None
        del at.log.entries[: MANY - 10]
        at.room.tail._ring.clear()
        while not replay.done():
            client.take()
            await at.until(lambda: client.unsent_bytes > SOFT_BYTES // 2 or replay.done())
        first = MANY - 9
        assert told(client.written)[reached.offset :] == [
            f"gap {reached} 1-{first} trimmed",
            *(f"1-{offset}" for offset in range(first, MANY)),
        ]
