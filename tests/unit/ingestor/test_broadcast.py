"""What a live check finds that the log does not say yet."""

from typing import Any

import pytest
from msgspec import UNSET

from ingestor.broadcast import ToldBroadcast
from ingestor.connectors.base import LiveRoom
from shared.events import Ended, EndedDetail, Event, LiveStatus, LiveStatusDetail, RoomUpdate, RoomUpdateDetail
from shared.room import RoomKey
from tests.events import ANA

ROOM = RoomKey("tiktok", "7300000000000000001")
LIVE = LiveRoom(title="Night", owner=ANA, started_at=1_000, gifts=False)
COMMON: Any = {"platform": ROOM.platform, "room": ROOM.room, "time": 5}
ENDED = Ended(**COMMON, ended=EndedDetail(reason="host"))
PAUSED = LiveStatus(**COMMON, live_status=LiveStatusDetail(state="paused", gifts=True))


def told(*heard: Event) -> ToldBroadcast:
    broadcast = ToldBroadcast(ROOM)
    for event in heard:
        broadcast.hear(event)
    return broadcast


def status(live: LiveRoom = LIVE) -> LiveStatus:
    event = ToldBroadcast(ROOM).news(live, 5)
    assert isinstance(event, LiveStatus)
    return event


def test_the_first_check_tells_all_it_knows() -> None:
    detail = LiveStatusDetail(state="live", title="Night", owner=ANA, started_at=1_000, gifts=False)
    assert status() == LiveStatus(**COMMON, live_status=detail)
    assert status(LiveRoom()).live_status == LiveStatusDetail(state="live", gifts=True)
    assert status(LiveRoom(paused=True)).live_status.state == "paused"


@pytest.mark.parametrize("live", [LIVE, LiveRoom(), LiveRoom(started_at=1_000)])
def test_what_the_log_says_is_not_told_again(live: LiveRoom) -> None:
    assert told(status()).news(live, 5) is None
    assert told(status(), PAUSED).news(live, 5) is None


def test_another_title_is_an_update() -> None:
    broadcast = told(status())
    event = broadcast.news(LiveRoom(title="Day", started_at=1_000), 5)
    assert event == RoomUpdate(**COMMON, room_update=RoomUpdateDetail(title="Day"))
    assert not broadcast.hear(event)
    assert broadcast.news(LiveRoom(title="Day"), 5) is None


def test_another_start_is_another_broadcast() -> None:
    broadcast = told(status())
    event = broadcast.news(LiveRoom(title="Night", started_at=2_000), 5)
    assert isinstance(event, LiveStatus)
    assert broadcast.hear(event)
    assert broadcast.news(LiveRoom(title="Night", started_at=2_000), 5) is None


def test_after_the_end_everything_is_news() -> None:
    broadcast = told(status())
    assert broadcast.hear(ENDED)
    assert not broadcast.live
    assert isinstance(broadcast.news(LIVE, 5), LiveStatus)


def test_a_start_that_was_not_known_is_that_of_the_same_broadcast() -> None:
    broadcast = told(status(LiveRoom()))
    assert broadcast.news(LiveRoom(started_at=2_000), 5) is None
    assert not broadcast.hear(status())
    assert status().live_status.title != UNSET
