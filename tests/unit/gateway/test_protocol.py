"""Frames of the gateway, and the commands of clients."""

import json
from typing import Any

import pytest
from msgspec import UNSET

from gateway.close_codes import OUTCOMES, REASON_MAX_BYTES, Code, close_reason
from gateway.protocol import (
    CLIENT_FRAME_MAX_BYTES,
    STEPS,
    ClientFrame,
    closing_frame,
    dropped_frame,
    error_frame,
    gap_frame,
    parse_client_frame,
    pong_frame,
    recovered_frame,
    status_frame,
    subscribed_frame,
    subscribed_room,
    subscriptions_frame,
    target_frame,
    unsubscribed_frame,
)
from gateway.texts import CLOSING_TEXTS, ERROR_TEXTS, STATUS_TEXTS, Lang, Status
from shared.cursor import Cursor
from shared.room import RoomKey

ROOM = RoomKey("tiktok", "7300000000000000001")
AT = {"platform": "tiktok", "room": "7300000000000000001"}
CURSOR = Cursor(1765432100000000, 900)


def read(frame: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(frame)
    assert None not in fields.values()
    return fields


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", Code)
def test_every_code_has_an_outcome_and_a_text(code: Code) -> None:
    assert code in OUTCOMES
    assert code in ERROR_TEXTS or code in CLOSING_TEXTS


@pytest.mark.parametrize("table", [STATUS_TEXTS, CLOSING_TEXTS, ERROR_TEXTS])
def test_every_text_is_there_in_every_language(table: dict[str, dict[Lang, Any]]) -> None:
    for texts in table.values():
        assert set(texts) == set(Lang)
        for text in texts.values():
            assert all([text] if isinstance(text, str) else text)


def test_every_status_has_a_step() -> None:
    assert set(STEPS) == set(Status)


@pytest.mark.parametrize("code", Code)
def test_close_reason_fits_into_a_close_frame(code: Code) -> None:
    largest = Cursor(2**53 - 1, 2**53 - 1)
    assert len(close_reason(code, largest).encode()) <= REASON_MAX_BYTES
    assert close_reason(code) == code


# --- frames -----------------------------------------------------------------------------------------------------------


def test_status_frame() -> None:
    assert read(status_frame(Status.CONNECTED, Lang.EN, ROOM, cursor=CURSOR)) == {
        "status": "connected", "message": "Connected; events follow", "step": 4, "total_steps": 4, **AT,
        "cursor": str(CURSOR),
    }  # fmt: skip
    again = read(status_frame(Status.RECONNECTING, Lang.EN, ROOM, attempt=2, retry_in_ms=0))
    assert (again["attempt"], again["retry_in_ms"]) == (2, 0)
    assert "cursor" not in again


def test_error_frame() -> None:
    assert read(error_frame(Code.OFFLINE, Lang.EN, ROOM)) == {
        "error": "Room is not live", "detail": "The host is not live now",
        "suggestion": "Come back when the broadcast runs", "reconnect": False, "code": "offline", **AT,
    }  # fmt: skip
    detailed = read(error_frame(Code.BLOCKED, Lang.EN, detail="captcha", retry_in_ms=5000))
    assert detailed["detail"].endswith(": captcha")
    assert detailed["retry_in_ms"] == 5000
    assert "room" not in detailed


def test_closing_frame() -> None:
    assert read(closing_frame(Code.DRAINING, Lang.EN, cursor=CURSOR, retry_in_ms=0)) == {
        "status": "closing", "message": "This gateway is going away; please connect again", "code": "draining",
        "reconnect": True, "cursor": str(CURSOR), "retry_in_ms": 0,
    }  # fmt: skip


def test_typed_frames_begin_with_their_type() -> None:
    frames = [
        recovered_frame(ROOM, recovered=True, count=2, since=Cursor(1, 1), cursor=CURSOR),
        gap_frame(ROOM, after=Cursor(1, 1), before=CURSOR, reason="trimmed"),
        dropped_frame(ROOM, {"like": 200, "member": 12}, CURSOR),
        pong_frame(1765432111200, CURSOR),
    ]
    assert [read(frame) for frame in frames] == [
        {"type": "recovered", **AT, "recovered": True, "count": 2, "since": "1-1", "cursor": str(CURSOR)},
        {"type": "gap", **AT, "after": "1-1", "before": str(CURSOR), "reason": "trimmed"},
        {"type": "dropped", **AT, "count": 212, "by_type": {"like": 200, "member": 12}, "cursor": str(CURSOR)},
        {"type": "pong", "timestamp": 1765432111200, "cursor": str(CURSOR)},
    ]
    assert all(frame.startswith('{"type":') for frame in frames)


def test_frames_of_a_connection_for_many_rooms() -> None:
    other = RoomKey("tiktok", "@ana")
    rooms = [
        subscribed_room(other, ROOM, CURSOR, Status.CONNECTED),
        subscribed_room(ROOM, ROOM, None, Status.CONNECTING),
    ]
    frames = [
        subscribed_frame(1, ROOM),
        subscribed_frame(UNSET, ROOM),
        target_frame(other, ROOM),
        unsubscribed_frame("a", ROOM, CURSOR),
        subscriptions_frame(2, rooms),
        pong_frame(1, None, {ROOM: CURSOR}),
    ]
    assert [read(frame) for frame in frames] == [
        {"type": "subscribed", "id": 1, **AT},
        {"type": "subscribed", **AT},
        {"type": "target", "platform": "tiktok", "room": "@ana", "target": ROOM.room},
        {"type": "unsubscribed", "id": "a", **AT, "cursor": str(CURSOR)},
        {
            "type": "subscriptions",
            "id": 2,
            "rooms": [
                {**AT, "room": "@ana", "target": ROOM.room, "cursor": str(CURSOR), "status": "connected"},
                {**AT, "status": "connecting"},
            ],
        },
        {"type": "pong", "timestamp": 1, "cursors": {str(ROOM): str(CURSOR)}},
    ]
    assert read(closing_frame(Code.ENDED, Lang.EN, ROOM, cursor=CURSOR)).items() >= AT.items()
    assert read(closing_frame(Code.DRAINING, Lang.EN, cursors={}))["cursors"] == {}
    assert read(error_frame(Code.BAD_COMMAND, Lang.EN, command_id=0))["id"] == 0


def test_unknown_places_are_absent() -> None:
    assert read(pong_frame(1, None)).keys() == {"type", "timestamp"}
    assert "since" not in read(recovered_frame(ROOM, recovered=True, count=0, since=None, cursor=None))


# --- client frames ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ('{"type":"ping","timestamp":1}', ClientFrame.PING),
        ('{"type":"ping","action":[1]}', ClientFrame.PING),
        ('{"action":"close"}', ClientFrame.CLOSE),
        ('{"type":"close"}', ClientFrame.CLOSE),
        ('{"type":"ping","action":"close"}', ClientFrame.CLOSE),
        ('{"type":"pong"}', ClientFrame.IGNORED),
        ('{"type":5,"action":null}', ClientFrame.IGNORED),
        ("{}", ClientFrame.IGNORED),
        ('["ping"]', ClientFrame.IGNORED),
        ('"ping"', ClientFrame.IGNORED),
        ("ping", ClientFrame.IGNORED),
        ("", ClientFrame.IGNORED),
        ("[" * 4000, ClientFrame.IGNORED),
        ('{"a":' * 800, ClientFrame.IGNORED),
        (b'{"type":"ping"}', ClientFrame.IGNORED),
        (b"\xff" * CLIENT_FRAME_MAX_BYTES, ClientFrame.IGNORED),
        (b"\xff" * (CLIENT_FRAME_MAX_BYTES + 1), ClientFrame.TOO_LARGE),
        ('{"type":"ping"}'.ljust(CLIENT_FRAME_MAX_BYTES), ClientFrame.PING),
        ('{"type":"ping"}'.ljust(CLIENT_FRAME_MAX_BYTES + 1), ClientFrame.TOO_LARGE),
        ("é" * (CLIENT_FRAME_MAX_BYTES // 2 + 1), ClientFrame.TOO_LARGE),
    ],
)
def test_client_frame(frame: str | bytes, kind: ClientFrame) -> None:
    assert parse_client_frame(frame) is kind
