"""One room of a gateway: whatever the channel does, clients get the log once and in order, or are told of a gap."""

import json
import time

import pytest

from gateway.feed import INBOX_MAX
from shared.broker import Entry, RoomState
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.phases import Phase
from shared.room import RoomKey
from tests.gateway_room import Listener, Scene, resting, scene
from tests.holder import phase_of
from tests.log_entries import ROOM, event, events, marker
from tests.measured import measured

NAME = RoomKey("tiktok", "@ana")


def gaps() -> tuple[float, float]:
    """Counted so far: healed, announced."""
    return measured("gateway_gaps_total", outcome="healed"), measured("gateway_gaps_total", outcome="announced")


# --- the log ----------------------------------------------------------------------------------------------------------


async def test_joining_delivers_nothing_old() -> None:
    async with scene(marker(1, None), *events(1, 1, 2)) as at:
        await at.join()
        assert at.told == []
        assert at.room.tail.position == (1, 2)
        assert at.channels.subscribed == {ROOM}
        at.publish(*events(1, 3, 4))
        assert at.told == ["1-3", "1-4"]
        assert at.log.reads == 0


async def test_room_without_a_log_begins_with_its_first_entry() -> None:
    async with scene() as at:
        await at.join()
        at.publish(marker(1, None), event(1, 1))
        assert at.told == ["1-1"]


async def test_what_a_read_brought_is_not_told_again_by_the_channel() -> None:
    async with scene(marker(1, None), *events(1, 1, 2)) as at:
        await at.join()
        for entry in at.log.entries:
            at.room.feed.on_entry(entry)
        await at.settle()
        assert at.told == []


async def test_message_lost_in_the_middle_is_read() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.add(*events(1, 2, 3))
        at.publish(event(1, 4))
        await at.settle()
        assert at.told == ["1-2", "1-3", "1-4"]


async def test_messages_that_arrive_during_a_read_wait_for_it() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.gate.clear()
        at.log.add(event(1, 2))
        at.publish(*events(1, 3, 4))
        await at.until(lambda: at.log.reads == 1)
        at.publish(event(1, 5))
        assert at.told == []
        at.log.gate.set()
        await at.settle()
        assert at.told == ["1-2", "1-3", "1-4", "1-5"]


async def test_message_lost_during_a_read_is_read_again() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.gate.clear()
        at.log.add(event(1, 2))
        at.publish(event(1, 3))
        await at.until(lambda: at.log.reads == 1)
        at.log.add(event(1, 4))
        at.publish(event(1, 5))
        at.log.gate.set()
        await at.settle()
        assert at.told == ["1-2", "1-3", "1-4", "1-5"]
        assert at.log.reads == 2


async def test_flood_during_a_read_is_dropped_and_read() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.gate.clear()
        at.log.add(event(1, 2))
        total = INBOX_MAX + 50
        at.publish(*(event(1, offset) for offset in range(3, total)))
        at.log.gate.set()
        await at.settle()
        assert at.told == [f"1-{offset}" for offset in range(2, total)]


async def test_lost_tail_is_found_by_the_heartbeat() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.room.feed.on_alive(Cursor(1, 1))
        assert at.log.reads == 0
        at.log.add(event(1, 2))
        at.room.feed.on_alive(Cursor(1, 2))
        await at.settle()
        assert at.told == ["1-2"]


async def test_heartbeat_that_arrives_during_a_read_counts() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.gate.clear()
        at.room.feed.on_resubscribed()
        await at.until(lambda: at.log.reads == 1)
        at.room.feed.on_alive(Cursor(1, 1))
        at.log.gate.set()
        await at.settle()
        at.log.add(event(1, 2))
        at.log.gate.clear()
        at.room.feed.on_resubscribed()
        await at.until(lambda: at.log.reads == 2)
        at.room.feed.on_alive(Cursor(1, 3))
        at.log.gate.set()
        await at.settle()
        assert at.told == ["1-2"]
        assert at.log.reads == 3


async def test_unasked_confirmation_leads_to_a_read() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.add(marker(4, Cursor(1, 1)), *events(4, 1, 2))
        at.room.feed.on_resubscribed()
        await at.settle()
        assert at.told == ["4-1", "4-2"]


async def test_read_of_several_pages() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.add(*(event(1, offset) for offset in range(2, 1002)))
        await at.room.feed.heal()
        assert at.told == [f"1-{offset}" for offset in range(2, 1002)]
        assert at.log.reads == 6


async def test_trimmed_entries_are_a_gap() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.add(*events(1, 2, 3, 4))
        del at.log.entries[:3]
        await at.room.feed.heal()
        assert at.told == ["gap 1-1 1-4 trimmed", "1-4"]


async def test_log_that_is_gone_is_a_gap_before_what_comes_next() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        await at.room.feed.heal()
        assert at.room.tail.position == (1, 1)
        at.publish(marker(9, None), event(9, 1))
        await at.settle()
        assert at.told == ["gap 1-1 9-1 expired", "9-1"]


async def test_log_that_was_set_back_is_a_gap_and_repeats_are_dropped() -> None:
    async with scene(*events(1, 1, 2, 3)) as at:
        await at.join()
        at.log.entries, at.log.last = events(1, 1), Cursor(1, 1)
        at.room.feed.on_alive(Cursor(1, 1))
        await at.settle()
        at.publish(*events(1, 2, 3, 4))
        await at.settle()
        assert at.told == ["gap 1-3 1-4 rewound", "1-4"]


async def test_entry_of_an_older_epoch_counts_only_when_the_log_was_set_back() -> None:
    async with scene(event(5, 1)) as at:
        await at.join()
        at.room.feed.on_entry(event(3, 1))
        await at.settle()
        assert at.told == []
        at.log.entries, at.log.last = [], None
        at.publish(event(3, 2))
        await at.settle()
        assert at.told == ["gap 5-1 3-2 rewound", "3-2"]


async def test_flood_while_the_log_is_asked_for_its_last_id() -> None:
    async with scene(event(5, 1)) as at:
        await at.join()
        at.log.gate.clear()
        at.room.feed.on_entry(event(3, 1))
        await at.until(lambda: at.log.asking == 1)
        total = INBOX_MAX + 50
        at.publish(*(event(5, offset) for offset in range(2, total)))
        at.log.gate.set()
        await at.settle()
        assert at.told == [f"5-{offset}" for offset in range(2, total)]


@pytest.mark.parametrize("found_by", ["entry", "heartbeat", "confirmation"])
async def test_hole_that_the_log_fills_is_counted_as_healed(found_by: str) -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        healed, announced = gaps()
        at.log.add(*events(1, 2, 3))
        match found_by:
            case "entry":
                at.room.feed.on_entry(event(1, 3))
            case "heartbeat":
                at.room.feed.on_alive(Cursor(1, 3))
            case _:
                at.room.feed.on_resubscribed()
        await at.settle()
        assert at.told == ["1-2", "1-3"]
        assert gaps() == (healed + 1, announced)


async def test_read_that_fails_at_first_heals_all_the_same() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        healed, announced = gaps()
        at.log.away = True
        at.log.add(event(1, 2))
        at.room.feed.on_resubscribed()
        await at.until(lambda: "unavailable" in at.listener.notes)
        at.log.away = False
        await at.settle()
        assert gaps() == (healed + 1, announced)


async def test_hole_that_no_log_fills_is_counted_as_announced() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        healed, announced = gaps()
        at.log.add(*events(1, 2, 3, 4))
        del at.log.entries[:3]
        at.room.feed.on_entry(event(1, 4))
        await at.settle()
        assert at.told == ["gap 1-1 1-4 trimmed", "1-4"]
        assert gaps() == (healed, announced + 1)


async def test_no_hole_is_counted_where_nothing_is_missing() -> None:
    async with scene(*events(1, 1, 2)) as at:
        before = gaps()
        await at.join()
        at.room.feed.on_resubscribed()
        await at.settle()
        at.log.add(event(1, 3))
        await at.room.feed.heal()  # for a client that is ahead: the channel brings it a little later
        at.room.feed.on_entry(event(1, 3))
        await at.settle()
        assert at.told == ["1-3"]
        assert gaps() == before


async def test_delivery_is_measured_from_the_receipt_of_the_oldest_event() -> None:
    async with scene(event(1, 1)) as at:  # received in 1970
        await at.join()
        count, total = measured("gateway_delivery_seconds_count"), measured("gateway_delivery_seconds_sum")
        received_ms = now_ms() - 3_000
        at.log.add(*(Entry(Cursor(1, offset), "chat", received_ms + offset, b"{}") for offset in (2, 3)))
        await at.room.feed.heal()
        assert measured("gateway_delivery_seconds_count") == count + 1
        assert 2.9 <= measured("gateway_delivery_seconds_sum") - total < 1_000


async def test_delivery_by_a_clock_that_is_behind_took_no_time() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        count, total = measured("gateway_delivery_seconds_count"), measured("gateway_delivery_seconds_sum")
        at.publish(Entry(Cursor(1, 2), "chat", now_ms() + 3_600_000, b"{}"))
        assert measured("gateway_delivery_seconds_count") == count + 1
        assert measured("gateway_delivery_seconds_sum") == total


async def test_log_trimmed_to_nothing_behind_us_is_given_up() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.entries, at.log.last = [], Cursor(1, 9)
        await at.room.feed.heal()
        at.publish(event(1, 10))
        await at.settle()
        assert at.told == ["gap 1-1 1-10 trimmed", "1-10"]


async def test_redis_away_during_a_read_is_told_and_tried_again() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.away = True
        at.log.add(event(1, 2))
        at.publish(event(1, 3))
        await at.until(lambda: "unavailable" in at.listener.notes)
        at.log.away = False
        await at.settle()
        assert at.told == ["1-2", "1-3"]
        assert at.listener.notes == ["unavailable", "nobody"]


async def test_link_down_is_told_also_to_who_comes_then() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.channels.up = False
        at.room.feed.on_link(up=False)
        late = Listener()
        at.room.attach(late)
        assert at.listener.notes == late.notes == ["unavailable"]
        at.log.add(event(1, 2))
        at.room.feed.on_resubscribed()
        await at.settle()
        assert at.listener.notes == ["unavailable"]  # one channel is not the link
        at.channels.up = True
        at.room.feed.on_link(up=True)
        await at.settle()
        assert at.listener.notes == late.notes == ["unavailable", "nobody"]
        assert at.told == ["1-2"]


# --- phases -----------------------------------------------------------------------------------------------------------


async def test_phases_are_told_in_order() -> None:
    async with scene() as at:
        await at.join()
        for kind in (Phase.ACQUIRED, Phase.RESOLVING, Phase.CONNECTED):
            at.room.feed.on_phase(phase_of(kind))
        assert at.listener.notes == ["acquired", "resolving", "connected"]
        assert at.room.taken
        assert not at.room.rests


@pytest.mark.parametrize(
    ("holder", "kind", "known"),
    [
        ("1 i/a", Phase.CONNECTED, Phase.CONNECTED),
        ("", Phase.CONNECTED, None),  # left by a holder that released the room
        ("", Phase.FAILED, Phase.FAILED),
        ("1 i/a", Phase.TARGET, None),
    ],
)
async def test_phase_in_the_state_counts_while_somebody_stands_for_it(
    holder: str, kind: Phase, known: Phase | None
) -> None:
    async with scene() as at:
        at.log.room_state = RoomState(phase=phase_of(kind), holder=holder)
        await at.join()
        assert (at.room.phase.phase if at.room.phase else None) == known


async def test_phases_behind_a_loss_wait_for_the_entries_before_them() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.gate.clear()
        at.log.add(event(1, 2))
        at.publish(event(1, 3))
        at.room.feed.on_phase(phase_of(Phase.RECONNECTING))
        assert at.listener.notes == []
        at.log.gate.set()
        await at.settle()
        assert at.told == ["1-2", "1-3"]
        assert at.listener.notes == ["reconnecting"]


async def test_lost_last_event_is_told_before_the_end() -> None:
    async with scene(event(1, 1)) as at:
        await at.join()
        at.log.add(event(1, 2, "ended"))
        at.room.feed.on_phase(resting(Phase.ENDED))
        assert at.listener.notes == []
        await at.settle()
        assert at.told == ["1-2"]
        assert at.listener.notes == ["ended"]


async def test_gap_that_waits_for_an_event_is_told_before_the_end() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries = []
        at.publish(marker(9, None))
        await at.settle()
        assert at.told == []
        at.room.feed.on_phase(resting(Phase.ENDED))
        assert not at.listener.notes
        await at.settle()
        assert (at.told, at.listener.notes) == (["gap 1-2 9-0 expired"], ["ended"])
        assert at.room.tail.position == (9, 0)
        at.publish(event(9, 1))
        assert at.told == ["gap 1-2 9-0 expired", "9-1"]


async def test_gap_at_the_end_of_a_log_that_is_gone_is_told_before_the_end() -> None:
    async with scene(*events(1, 1, 2)) as at:
        await at.join()
        at.log.entries, at.log.last = [], None
        at.room.feed.on_phase(resting(Phase.ENDED))
        await at.settle()
        assert (at.told, at.listener.notes) == (["gap 1-2 1-2 expired"], ["ended"])


async def test_phase_lost_with_the_link_is_read_from_the_state() -> None:
    async with scene() as at:
        await at.join()
        at.log.room_state = RoomState(phase=phase_of(Phase.CONNECTED), holder="1 i/a")
        at.room.feed.on_resubscribed()
        await at.settle()
        at.room.feed.on_resubscribed()
        await at.settle()
        assert at.listener.notes == ["connected"]


async def test_phase_told_before_we_listened_is_read_when_its_holder_shows() -> None:
    async with scene(event(1, 1)) as at:
        at.log.room_state = RoomState(phase=phase_of(Phase.CONNECTED), holder="")
        await at.join()
        assert at.room.phase is None
        at.log.room_state = RoomState(phase=phase_of(Phase.CONNECTED), holder="1 i/a")  # the lease was revived
        at.room.feed.on_alive(Cursor(1, 1))
        await at.settle()
        assert at.listener.notes == ["connected"]


async def test_phase_that_is_both_in_the_state_and_on_its_way_is_told_in_its_turn() -> None:
    async with scene() as at:
        await at.join()
        at.log.gate.clear()
        at.room.feed.on_resubscribed()
        acquired, connected = phase_of(Phase.ACQUIRED), phase_of(Phase.CONNECTED)
        at.room.feed.on_phase(acquired)
        at.room.feed.on_phase(connected)
        at.log.room_state = RoomState(phase=connected, holder="1 i/a")
        at.log.gate.set()
        await at.settle()
        assert at.listener.notes == ["acquired", "connected"]


# --- names ------------------------------------------------------------------------------------------------------------


async def test_name_leads_to_its_target_and_to_the_next_one() -> None:
    async with scene(key=NAME) as at:
        at.demand.points_to = ROOM
        await at.join()
        assert at.room.target == ROOM
        at.room.feed.on_phase(phase_of(Phase.TARGET, target="7300000000000000002"))
        at.room.feed.on_phase(phase_of(Phase.TARGET, target="{}"))
        assert at.listener.notes == ["to tiktok:7300000000000000002", "target", "target"]
        assert str(at.room.target) == "tiktok:7300000000000000002"


# --- what runs --------------------------------------------------------------------------------------------------------


def owed_in(at: Scene) -> list[str]:
    """What the listener, who came before the room runs, is told of what runs."""
    told: list[str] = []
    at.room.front.owe(at.listener.subscriber, told.append)
    return told


async def test_who_came_before_a_room_that_goes_on_with_its_log_is_told_what_runs() -> None:
    async with scene(marker(1, None), event(1, 1, "live_status")) as at:
        at.log.room_state = RoomState(title="evening")
        await at.join()
        told = owed_in(at)
        at.room.tick(time.monotonic() + 10)  # nothing runs yet
        at.publish(marker(2, Cursor(1, 1)))
        at.room.feed.on_phase(phase_of(Phase.CONNECTED))
        at.room.tick(time.monotonic())
        await at.settle()
        assert told == []  # its event may come yet
        at.room.tick(time.monotonic() + 2)
        await at.settle()
        assert [json.loads(frame)["live_status"]["title"] for frame in told] == ["evening"]
        at.room.tick(time.monotonic() + 10)
        await at.settle()
        assert len(told) == 1


@pytest.mark.parametrize("ends", ["an event tells it", "it left", "the room does not run", "redis is away"])
async def test_who_came_before_the_room_runs_is_told_what_runs_only_where_that_is_owed(ends: str) -> None:
    async with scene() as at:
        await at.join()
        told = owed_in(at)
        at.room.feed.on_phase(phase_of(Phase.CONNECTED))
        match ends:
            case "an event tells it":
                at.publish(marker(1, None), event(1, 1, "live_status"))
            case "it left":
                at.room.detach(at.listener)
            case "the room does not run":
                at.room.feed.on_phase(resting(Phase.FAILED))
            case "redis is away":
                at.log.away = True
        at.room.tick(time.monotonic() + 10)
        await at.settle()
        assert told == []
