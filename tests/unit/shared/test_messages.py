"""What may stand on a room's channel, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.broker import Entry
from shared.channels import Alive, parse_message
from shared.cursor import Cursor
from shared.errors import RemoteProtocolError
from shared.phases import Phase, RoomPhase, encode_phase


def test_entry_keeps_its_bytes() -> None:
    assert parse_message(b'17-3 chat 1700 {"a": "b c"} ') == Entry(Cursor(17, 3), "chat", 1700, b'{"a": "b c"} ')


def test_entry_may_be_empty() -> None:
    assert parse_message(b"17-3 room_stats 0 ") == Entry(Cursor(17, 3), "room_stats", 0, b"")


def test_marker_names_the_id_before_it() -> None:
    marker = parse_message(b"17-0 epoch 0 16-9")
    assert isinstance(marker, Entry)
    assert marker.is_marker
    assert marker.marker_prev == Cursor(16, 9)


def test_first_marker_names_nothing() -> None:
    marker = parse_message(b"17-0 epoch 0 -")
    assert isinstance(marker, Entry)
    assert marker.marker_prev is None


def test_event_names_nothing_whatever_it_says() -> None:
    entry = parse_message(b"17-1 chat 0 16-9")
    assert isinstance(entry, Entry)
    assert entry.marker_prev is None


def test_heartbeat_is_the_end_of_the_log() -> None:
    assert parse_message(b"17-4 alive 0 -") == Alive(Cursor(17, 4))


def test_phase_is_read_back() -> None:
    phase = RoomPhase(phase=Phase.NOT_LIVE, at=5, code="offline", detail="two words", retry_at=9)
    assert parse_message(b"- phase 0 " + encode_phase(phase)) == phase


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"hello",
        b"17-3 chat 5",
        b"17-3  chat 5 x",
        b"- chat 5 x",
        b"17 chat 5 x",
        b"17-03 chat 5 x",
        b"-1-3 chat 5 x",
        b"9007199254740992-1 chat 5 x",
        b"17-3 CHAT 5 x",
        b"17-3 c\xff 5 x",
        b"17-3 " + b"c" * 40 + b" 5 x",
        b"17-3 chat five x",
        b"17-3 chat -5 x",
        b"17-3 chat \xb2 x",
        b"17-3 chat " + b"9" * 5000 + b" x",
        b"17-3 epoch 0 16-9",
        b"17-0 chat 0 x",
        b"17-0 epoch 0 sixteen",
        b"17-0 epoch 0 ",
        b"seventeen alive 0 -",
        b"- alive 0 -",
        b"- phase 0 {",
        b'- phase 0 {"phase":"dancing","at":1}',
        b'- phase 0 {"phase":"ended"}',
        b"- phase 0 \xff",
        b"17-3 chat 5 " + b"x" * (64 * 1024 + 200),
    ],
)
def test_what_no_holder_publishes_is_refused(message: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_message(message)


@given(st.binary(max_size=80) | st.text("0123456789- abcdehlopv\u00b2", max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    try:
        parsed = parse_message(message)
    except RemoteProtocolError:
        return
    assert isinstance(parsed, Entry | Alive | RoomPhase)
