"""What the model and the random orders found: ways to break the log's word, each as short as can be."""

from typing import cast

import pytest

from gateway.recovery import Recovery
from shared.broker import PAGE_ENTRIES, Broker, Entry
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable
from shared.room import RoomKey
from tests.gateway_room import FakeLog, scene
from tests.log_entries import event, marker, told_by


class LogThatFailsOnce(FakeLog):
    """It cannot be read the second time."""

    async def page(self, room: RoomKey, after: Cursor, count: int = PAGE_ENTRIES) -> list[Entry]:
        found = await super().page(room, after, count)
        if self.reads == 2:
            raise BrokerUnavailable("away for one call")
        return found


class LogThatIsLost(FakeLog):
    """After it was read once it is gone."""

    async def page(self, room: RoomKey, after: Cursor, count: int = PAGE_ENTRIES) -> list[Entry]:
        found = await super().page(room, after, count)
        self.entries, self.last = [], None
        return found


async def test_read_that_fails_after_a_page_hides_nothing() -> None:
    async with scene(*(event(1, offset) for offset in range(1, 700))) as at:
        await at.join()
        way = Recovery(at.room, cast(Broker, LogThatFailsOnce(*at.log.entries)), Cursor(1, 1))
        with pytest.raises(BrokerUnavailable):
            await way.pull()
        found = told_by(await way.pull())
    assert (found[0], way.complete) == ("1-2", True)


async def test_client_ahead_of_its_gateway_gets_nothing_twice_when_the_log_is_lost() -> None:
    async with scene(marker(2, None)) as at:
        at.room.attach(at.listener)
        await at.room.feed.started.wait()
        lost = LogThatIsLost(*at.log.entries, event(2, 1))  # the channel has not brought the event yet
        at.log.entries, at.log.last = [], None
        way = Recovery(at.room, cast(Broker, lost), Cursor(1, 1))
        found = told_by(await way.pull())
        assert (found, way.place, way.ahead) == (["gap 1-1 2-1 expired", "2-1", "gap 2-1 2-1 expired"], (2, 1), True)
        at.room.feed.on_entry(event(2, 1))
        assert told_by(await way.pull()) == []
        assert not way.ahead


async def test_log_that_begins_while_the_channel_is_cut_is_owed_to_those_who_were_there() -> None:
    async with scene() as at:
        await at.join()
        at.log.add(marker(1, None), event(1, 1))
        at.room.feed.on_resubscribed()
        await at.settle()
        at.publish(event(1, 2))
    assert at.told == ["1-1", "1-2"]


async def test_first_entries_that_the_channel_loses_are_read() -> None:
    async with scene() as at:
        await at.join()
        at.log.add(marker(1, None), event(1, 1))
        at.publish(event(1, 2))
        await at.settle()
    assert at.told == ["1-1", "1-2"]


async def test_first_entries_that_left_the_log_before_they_were_read_are_a_gap() -> None:
    async with scene() as at:
        await at.join()
        at.log.last = Cursor(1, 1)  # a marker and an event, trimmed to nothing since
        at.room.feed.on_resubscribed()
        await at.settle()
        at.publish(event(1, 2))
    assert [word.partition(" ")[0] for word in at.told] == ["gap", "1-2"]
