"""What one client is sent of the past, and when it may get events as they come."""

import asyncio
from collections.abc import Iterable
from typing import cast

from gateway.close_codes import Code
from gateway.frames import Frame
from gateway.options import Options
from gateway.replay import Replay
from gateway.sink import PortableSink
from shared.broker import Broker
from shared.cursor import Cursor
from tests.gateway_room import scene
from tests.log_entries import event, events, told


class Reader:
    """A client that takes everything at once, and its sink."""

    unsent_bytes = 0
    closing = False

    def __init__(self) -> None:
        self.written: list[Frame] = []

    def write(self, frames: Iterable[Frame]) -> None:
        self.written += frames

    async def drained(self) -> None:
        pass

    def tell_error(self, code: Code, *, detail: str = "") -> None:
        raise AssertionError(code)

    def on_unavailable(self) -> None:
        raise AssertionError("unavailable")

    def on_nothing_more(self) -> None:
        pass

    def dismiss(self, code: Code) -> None:
        raise AssertionError(code)


async def test_client_ahead_of_its_gateway_waits_until_that_has_come_to_its_place() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        reader, readers = Reader(), asyncio.Semaphore()
        options = Options(since=Cursor(1, 4))
        replay = Replay(at.room, cast(Broker, at.log), options, cast(PortableSink, reader), reader)
        await replay.send(readers)
        assert told(reader.written) == ["recovered", "gap 1-4 1-4 expired"]
        assert '"cursor":"1-4"' in reader.written[0].text
        assert replay.ahead
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(replay.be_overtaken(readers))
            await asyncio.sleep(0)
            at.room.feed.on_entry(event(1, 3))
            await asyncio.sleep(0)
            await at.settle()  # the client has looked again
            assert not waiting.done()
            at.room.feed.on_entry(event(1, 4))
            at.room.feed.on_entry(event(1, 5))
        assert not replay.ahead
        assert told(reader.written)[2:] == ["1-5"]


async def test_client_that_is_not_ahead_need_not_wait() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        reader, readers = Reader(), asyncio.Semaphore()
        options = Options(since=Cursor(1, 1))
        replay = Replay(at.room, cast(Broker, at.log), options, cast(PortableSink, reader), reader)
        await replay.send(readers)
        await replay.be_overtaken(readers)
        assert told(reader.written) == ["recovered", "1-2"]
