"""What a client keeps of a room for a return."""

from typing import Any

import msgspec
import pytest

from gateway.close_codes import OUTCOMES, Code
from gateway.protocol import closing_frame, error_frame, gap_frame, recovered_frame, status_frame, target_frame
from gateway.texts import CLOSING_TEXTS, Lang, Status
from gateway.watch.follower import Followed
from shared.cursor import Cursor
from shared.events import encode
from shared.room import RoomKey
from tests.events import chat

NAME, ROOM, NEXT = (RoomKey("tiktok", room) for room in ("@ana", "7300000000000000001", "7300000000000000002"))
PLACE = Cursor(1765432100000000, 480)


def told(*frames: str | bytes) -> Followed:
    room = Followed(NAME)
    for frame in frames:
        found: dict[str, Any] = msgspec.json.decode(frame)
        room.take(found)
    return room


def test_it_goes_on_behind_the_last_event_and_not_where_others_stand() -> None:
    event = encode(chat(ROOM, "x"), PLACE)
    later = Cursor(PLACE.epoch, 900)
    behind = recovered_frame(ROOM, recovered=True, count=9, since=None, cursor=later)
    closing = closing_frame(Code.DRAINING, Lang.EN, cursor=later)
    assert told(event, behind, closing, gap_frame(ROOM, after=PLACE, before=later, reason="trimmed")).cursor == str(
        PLACE
    )


def test_it_goes_on_where_it_connected_when_nothing_has_happened_since() -> None:
    connected = status_frame(Status.CONNECTED, Lang.EN, ROOM, cursor=PLACE)
    assert told(connected).cursor == str(PLACE)
    assert told(encode(chat(ROOM, "x"), Cursor(1, 1)), connected).cursor == "1-1"


def test_a_place_in_another_broadcast_is_none_in_this_one() -> None:
    event = encode(chat(ROOM, "x"), PLACE)
    assert told(target_frame(NAME, ROOM), event, target_frame(NAME, ROOM)).cursor == str(PLACE)
    assert told(target_frame(NAME, ROOM), event, target_frame(NAME, NEXT)).cursor == ""
    assert told(event, error_frame(Code.BAD_CURSOR, Lang.EN, ROOM, command_id=0)).cursor == ""


@pytest.mark.parametrize("code", [code for code in Code if code not in CLOSING_TEXTS])
def test_an_error_is_the_end_where_coming_back_would_not_help(code: Code) -> None:
    outcome = OUTCOMES[code]
    assert bool(told(error_frame(code, Lang.EN, ROOM)).over) == (outcome.close is not None and not outcome.reconnect)


def test_the_end_of_a_broadcast_is_one_and_a_status_is_none() -> None:
    assert told(closing_frame(Code.ENDED, Lang.EN, ROOM)).over == "ended"
    waiting = msgspec.json.encode(
        msgspec.json.decode(status_frame(Status.CONNECTED, Lang.EN, ROOM)) | {"code": "offline"}
    )
    assert told(waiting).over == ""
