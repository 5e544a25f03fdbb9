from collections.abc import Sequence

import pytest

from protos.webcast_pb2 import Message
from simulator.douyin.platform import DouyinCursors
from simulator.source import Sent
from simulator.tiktok.platform import TikTokCursors

NOW_MS = 1_790_519_971_067
ROOM = (1_790_519_000 << 32) + 5
IDS = [((1_790_519_000 + second) << 32) + 7 for second in (10, 20, 30)]


def backlog(ids: Sequence[int] = IDS, *, first: int = 41) -> list[Sent]:
    return [Sent(serial, Message(msg_id=msg_id)) for serial, msg_id in enumerate(ids, first)]


def test_tiktok_reads_what_it_wrote_in_the_same_room_only() -> None:
    cursors = TikTokCursors()
    cursor = cursors.write(7, 41, IDS[0], NOW_MS)
    assert cursor == f"{NOW_MS}_7_1_1_41_0"
    assert (cursors.read(cursor, 7, []), cursors.read(cursor, 8, []), cursors.read("", 7, [])) == (41, None, None)


def test_douyin_writes_the_last_messages_id_and_finds_its_place_again() -> None:
    cursors = DouyinCursors()
    cursor = cursors.write(ROOM, 42, IDS[1], NOW_MS)
    assert cursor == f"t-{NOW_MS}_r-{IDS[1]}_d-1_u-1"
    assert cursors.read(cursor, ROOM, backlog()) == 42


def test_douyin_has_a_place_before_everything_that_happened() -> None:
    cursors = DouyinCursors()
    first = (ROOM >> 32 << 32) + 1  # in the second the broadcast began
    assert cursors.read(cursors.write(ROOM, 0, 0, NOW_MS), ROOM, backlog([first, *IDS], first=1)) == 0


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        f"t-{NOW_MS}_r-1_d-1_u-1",
        f"h-1_t-{NOW_MS}_r-1_d-1_u-1",
        f"d-1_u-1_fh-7392091211001140287_t-{NOW_MS}_r-1",
        f"t-{NOW_MS}-1_d-1_u-1_h-1",
        f"t-{NOW_MS}_r-{(1_790_518_999 << 32) + 7}_d-1_u-1",  # of an earlier broadcast
    ],
)
def test_cursors_that_clients_make_up_name_no_place(cursor: str) -> None:
    assert DouyinCursors().read(cursor, ROOM, backlog()) is None


@pytest.mark.parametrize(("msg_id", "place"), [(IDS[0] - 1, 0), (IDS[1] + 1, 42), (IDS[2] + 1, 43)])
def test_an_id_that_is_no_longer_or_never_there_stands_between_its_neighbours(msg_id: int, place: int) -> None:
    cursor = f"d-1_u-1_fh-1_t-{NOW_MS}_r-{msg_id}"
    assert DouyinCursors().read(cursor, ROOM, backlog()) == place


def test_a_message_that_was_sent_twice_stands_where_it_came_first() -> None:
    cursor = f"t-{NOW_MS}_r-{IDS[0]}_d-1_u-1"
    assert DouyinCursors().read(cursor, ROOM, backlog([IDS[1], IDS[0], IDS[2], IDS[0]])) == 42
