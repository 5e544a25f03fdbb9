"""A client comes back: from its place to the live end, without hole or double, every omission said."""

from typing import cast

import pytest

from gateway.options import DEFAULT_FILTER, EventFilter
from gateway.recovery import Recovery
from gateway.tail import RING_MAX
from shared.broker import Broker, Entry
from shared.cursor import Cursor
from shared.errors import BadCursor, BrokerUnavailable
from shared.room import RoomKey
from tests.gateway_room import FakeLog, Scene, scene
from tests.log_entries import event, events, marker, told_by

CHATS = EventFilter(frozenset({"chat"}), rest=False)
MANY = RING_MAX + 300


def recovery(at: Scene, since: Cursor | None) -> Recovery:
    return Recovery(at.room, cast(Broker, at.log), since)


async def comes_back(at: Scene, since: Cursor) -> tuple[list[str], bool]:
    """What it is told, and whether that was complete."""
    way = recovery(at, since)
    await way.prove()
    deliveries = await way.pull()
    return told_by(deliveries), way.complete


# --- since ------------------------------------------------------------------------------------------------------------


async def test_place_in_the_ring_needs_no_read() -> None:
    async with scene(marker(1, None), *events(1, 1, 2, 3)) as at:
        await at.join()
        assert await comes_back(at, Cursor(1, 1)) == (["1-2", "1-3"], True)
        assert await comes_back(at, Cursor(1, 3)) == ([], True)
        assert at.log.reads == 0


async def test_place_behind_the_ring_is_read_page_by_page() -> None:
    async with scene(*(event(1, offset) for offset in range(1, MANY))) as at:
        await at.join()
        assert recovery(at, Cursor(1, 1)).needs_log
        assert await comes_back(at, Cursor(1, 1)) == ([f"1-{offset}" for offset in range(2, MANY)], True)


async def test_place_whose_entry_was_trimmed_but_not_the_next_is_complete() -> None:
    async with scene(*(event(1, offset) for offset in range(2, MANY))) as at:
        await at.join()
        told, complete = await comes_back(at, Cursor(1, 1))
        assert (told[0], complete) == ("1-2", True)


async def test_trimmed_place_is_a_gap_and_then_all_that_is_left() -> None:
    async with scene(marker(7, Cursor(5, 9)), *events(7, 1, 2)) as at:
        await at.join()
        assert await comes_back(at, Cursor(5, 8)) == (["gap 5-8 7-1 trimmed", "7-1", "7-2"], False)
        assert await comes_back(at, Cursor(3, 1)) == (["gap 3-1 7-1 trimmed", "7-1", "7-2"], False)


async def test_client_ahead_of_its_gateway_gets_nothing_twice() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.add(*events(1, 3, 4))
        assert await comes_back(at, Cursor(1, 4)) == ([], True)
        assert at.told == ["1-3", "1-4"]  # the others of the room were brought along
        at.room.feed.on_entry(event(1, 3))
        assert at.told == ["1-3", "1-4"]


async def test_client_ahead_of_its_gateway_keeps_its_place_when_the_log_is_trimmed_to_nothing() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], Cursor(1, 9)
        way = recovery(at, Cursor(1, 9))
        assert told_by(await way.pull()) == []
        assert (way.ahead, way.place, at.room.tail.position) == (True, (1, 9), (1, 2))
        at.publish(event(1, 10))
        await at.settle()
        assert told_by(await way.pull()) == ["1-10"]
        assert (way.ahead, way.complete, at.told) == (False, True, ["gap 1-2 1-10 trimmed", "1-10"])


async def test_client_ahead_of_its_gateway_is_told_once_that_the_log_is_gone() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        way = recovery(at, Cursor(1, 4))
        assert told_by(await way.pull()) == ["gap 1-4 1-4 expired"]
        at.room.feed.on_entry(event(1, 3))  # the channel is late
        assert told_by(await way.pull()) == []
        assert way.ahead
        at.room.feed.on_entry(event(1, 4))
        at.room.feed.on_entry(event(1, 5))
        assert told_by(await way.pull()) == ["1-5"]
        assert not way.ahead


async def test_client_ahead_of_its_gateway_is_told_nothing_twice_after_a_read_that_failed() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        way = recovery(at, Cursor(1, 4))
        assert told_by(await way.pull()) == ["gap 1-4 1-4 expired"]
        at.log.away = True
        with pytest.raises(BrokerUnavailable):
            await way.pull()
        at.log.away = False
        assert told_by(await way.pull()) == []
        assert way.ahead


async def test_client_ahead_of_its_gateway_gets_all_of_the_log_that_takes_the_place_of_a_lost_one() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        way = recovery(at, Cursor(1, 4))
        await way.pull()
        at.publish(marker(9, None), *events(9, 1, 2))
        await at.settle()
        assert told_by(await way.pull()) == ["gap 1-4 9-1 expired", "9-1", "9-2"]
        assert not way.ahead


async def test_clients_who_waited_for_a_log_to_begin_need_not_all_read_it() -> None:
    async with scene() as at:
        await at.join()
        way = recovery(at, Cursor(1, 4))
        assert told_by(await way.pull()) == ["gap 1-4 1-4 expired"]
        at.publish(marker(9, None), *events(9, 1, 2))
        reads = at.log.reads
        assert told_by(await way.pull()) == ["gap 1-4 9-1 expired", "9-1", "9-2"]
        assert (way.ahead, at.log.reads) == (False, reads)


async def test_end_of_a_log_that_went_back_is_brought_to_where_all_others_are() -> None:
    async with scene(*events(1, 1, 2, 3)) as at:
        await at.join()
        at.log.entries, at.log.last = events(1, 1), Cursor(1, 1)
        at.room.feed.on_alive(Cursor(1, 1))
        await at.settle()
        way = recovery(at, Cursor(1, 1))
        assert told_by(await way.pull()) == ["1-2", "1-3"]
        assert way.place == at.room.tail.position == (1, 3)


async def test_end_of_a_log_trimmed_to_nothing_is_complete() -> None:
    async with scene(*events(1, 1, 2)) as at:
        at.log.entries = []
        await at.join()
        assert await comes_back(at, Cursor(1, 2)) == ([], True)


async def test_log_trimmed_to_nothing_behind_the_client_is_a_gap() -> None:
    async with scene(*events(1, 1, 2)) as at:
        at.log.entries = []
        await at.join()
        assert await comes_back(at, Cursor(1, 1)) == (["gap 1-1 1-2 trimmed"], False)


async def test_log_that_is_gone_is_a_gap() -> None:
    async with scene() as at:
        await at.join()
        assert await comes_back(at, Cursor(1, 1)) == (["gap 1-1 1-1 expired"], False)


async def test_log_that_went_back_behind_the_client_is_a_gap() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        told, complete = await comes_back(at, Cursor(1, 7))
        assert (told, complete) == (["gap 1-7 1-2 rewound"], False)


async def test_log_that_went_back_and_on_in_another_epoch_is_a_gap() -> None:
    async with scene(*events(1, 1, 2), marker(9, Cursor(1, 2)), event(9, 1)) as at:
        await at.join()
        assert await comes_back(at, Cursor(1, 7)) == (["gap 1-7 9-1 rewound", "9-1"], False)


async def test_epoch_known_here_needs_no_proof() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        assert await comes_back(at, Cursor(1, 1)) == (["1-2"], True)


@pytest.mark.parametrize("cursor", [Cursor(6, 1), Cursor(99, 1)], ids=["between", "future"])
async def test_cursor_of_another_room_is_refused(cursor: Cursor) -> None:
    async with scene(event(5, 1), marker(7, Cursor(5, 1)), event(7, 1)) as at:
        await at.join()
        way = recovery(at, cursor)
        with pytest.raises(BadCursor):
            await way.prove()
        assert await way.pull() == []  # and then it begins at the live end


async def test_future_cursor_of_an_epoch_only_the_log_knows_is_believed() -> None:
    async with scene(event(7, 1)) as at:
        at.log.entries = []
        await at.join()
        at.log.entries = [event(8, 1), event(8, 2)]
        at.log.last = Cursor(8, 2)
        assert await comes_back(at, Cursor(8, 9)) == (["gap 8-9 8-2 rewound"], False)


async def test_entries_written_while_the_client_catches_up_come_along() -> None:
    async with scene(*(event(1, offset) for offset in range(1, MANY))) as at:
        await at.join()
        way = recovery(at, Cursor(1, 1))
        await way.prove()
        first = await way.pull()
        at.publish(event(1, MANY))
        assert told_by(first)[-1] == f"1-{MANY - 1}"
        assert told_by(await way.pull()) == [f"1-{MANY}"]


async def test_entry_written_between_two_looks_at_an_empty_log_is_no_gap() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.entries = []
        way = recovery(at, Cursor(1, 1))
        assert way.complete
        at.log.add(event(1, 2))
        await at.room.feed.heal()
        assert told_by(await way.pull()) == ["1-2"]
        assert way.complete


class LogWrittenTo(FakeLog):
    """The log of a room for one client; an event is written to it when the client has looked twice."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__()
        self._log = log

    async def page(self, room: RoomKey, after: Cursor, count: int = 200) -> list[Entry]:
        self.reads += 1
        found = await self._log.page(room, after, count)
        if self.reads == 2:
            self._log.add(event(1, 10))
        return found

    async def last_id(self, room: RoomKey) -> Cursor | None:
        return await self._log.last_id(room)


async def test_entry_written_after_the_second_look_at_an_empty_log_is_not_skipped() -> None:
    async with scene(*events(1, 9)) as at:
        at.log.entries = []
        await at.join()
        way = Recovery(at.room, cast(Broker, LogWrittenTo(at.log)), Cursor(1, 1))
        found = told_by(await way.pull())
        await at.room.feed.heal()
        assert found + told_by(await way.pull()) == ["gap 1-1 1-9 trimmed", "1-10"]


# --- last -------------------------------------------------------------------------------------------------------------


async def test_newest_events_of_the_ring() -> None:
    async with scene(*events(1, 1, 2, 3)) as at:
        await at.join()
        assert told_by(await recovery(at, None).newest(2, DEFAULT_FILTER, 2000)) == ["1-2", "1-3"]


async def test_gap_before_the_newest_events_is_not_told() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.room.tail.enter(event(1, 5))
        assert told_by(await recovery(at, None).newest(1, DEFAULT_FILTER, 2000)) == ["1-5"]
        assert told_by(await recovery(at, None).newest(2, DEFAULT_FILTER, 2000)) == [
            "1-1",
            "gap 1-1 1-5 trimmed",
            "1-5",
        ]


async def test_rare_events_are_looked_for_in_the_whole_log() -> None:
    async with scene(event(1, 1), *(event(1, offset, "like") for offset in range(2, MANY))) as at:
        await at.join()
        found = await recovery(at, None).newest(1, CHATS, 2000)
        assert told_by(found)[0] == "1-1"


async def test_fewer_events_than_asked_for() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        assert told_by(await recovery(at, None).newest(9, DEFAULT_FILTER, 2000)) == ["1-1", "1-2"]


async def test_newest_events_of_a_room_without_a_log() -> None:
    async with scene() as at:
        await at.join()
        assert told_by(await recovery(at, None).newest(9, DEFAULT_FILTER, 2000)) == []


async def test_newest_events_are_found_among_raw_ones_that_others_asked_for() -> None:
    async with scene(*events(1, 1, 2), *(event(1, offset, "raw") for offset in range(3, MANY))) as at:
        await at.join()
        assert told_by(await recovery(at, None).newest(2, DEFAULT_FILTER, 2000))[:2] == ["1-1", "1-2"]


async def test_events_lost_behind_the_newest_ones_are_a_gap() -> None:
    async with scene(*(event(1, offset) for offset in range(1, MANY))) as at:
        await at.join()
        way = recovery(at, None)
        assert told_by(await way.newest(RING_MAX + 1, DEFAULT_FILTER, 2000))[-1] == f"1-{MANY - 1}"
        at.publish(*(event(1, offset) for offset in range(MANY, 2 * MANY)))  # while the client reads slowly
        at.log.entries, at.log.last = [], None
        assert told_by(await way.pull()) == [f"gap 1-{MANY - 1} 1-{2 * MANY - 1} expired"]
