"""The format of recordings: what was written is read back, up to where a file breaks off."""

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.connectors.base import LiveRoom, Message
from ingestor.recording import (
    RECORD_MAX_BYTES,
    BadRecording,
    Header,
    Kind,
    Opened,
    Reader,
    Record,
    member,
)
from tests.events import ANA

HEADER = Header(platform="tiktok", room="7300000000000000001", started_at=1_765_432_100_000)
OPENED = Opened(
    live=LiveRoom(title="Morning", owner=ANA, started_at=1, viewer_count=2, paused=True, gifts=False, broadcast="3"),
    room_id="7300000000000000001",
    position="p",
    overlapped=True,
)
MESSAGE = Message("WebcastChatMessage", b"\x00\xff", "7", history=True, sync=True, room_id="1", happened_ms=5)
RECORDS = [
    Record.opened(HEADER.started_at, OPENED),
    Record.message(HEADER.started_at, MESSAGE),
    Record.frame(HEADER.started_at + 800, b"one"),
    Record.frame(HEADER.started_at + 800, b""),
]
MORE = [Record.frame(HEADER.started_at + 1600, b"two"), Record(HEADER.started_at + 1601, 200, b"of a later version")]


def packed(*records: Record) -> bytes:
    return b"".join(record.packed() for record in records)


FIRST = member(HEADER.line() + packed(*RECORDS))
WHOLE = FIRST + member(packed(*MORE))


def read(data: bytes) -> tuple[list[Record], str]:
    reader = Reader(io.BytesIO(data))
    return list(reader), reader.torn


def test_what_was_written_is_read_back() -> None:
    reader = Reader(io.BytesIO(WHOLE))
    assert reader.header == HEADER
    assert (list(reader), reader.torn) == (RECORDS + MORE, "")
    assert RECORDS[0].as_opened() == OPENED
    assert RECORDS[1].as_message() == MESSAGE


def test_a_recording_is_a_gzip_file_that_begins_with_a_line_of_json() -> None:
    line, _, rest = gzip.decompress(WHOLE).partition(b"\n")
    assert json.loads(line) == {
        "recording": 1, "platform": "tiktok", "room": "7300000000000000001", "started_at": HEADER.started_at
    }  # fmt: skip
    assert rest == packed(*RECORDS, *MORE)


@pytest.mark.parametrize("end", range(len(FIRST) + 1, len(WHOLE)))
def test_a_file_that_breaks_off_is_readable_up_to_there(end: int) -> None:
    records, torn = read(WHOLE[:end])
    assert records[: len(RECORDS)] == RECORDS
    assert torn in ("cut short", "damaged")


def test_a_damaged_member_ends_it() -> None:
    damaged = bytearray(WHOLE)
    damaged[len(FIRST) + 15] ^= 0xFF
    records, torn = read(bytes(damaged))
    assert records[: len(RECORDS)] == RECORDS
    assert torn


@pytest.mark.parametrize(
    ("tail", "torn"),
    [
        (packed(*MORE)[:-1], "cut short"),
        (packed(*MORE)[:5], "cut short"),
        (b"\x00" * 9 + (RECORD_MAX_BYTES + 1).to_bytes(4, "little"), "no record where one should be"),
        (b"\xff" * 13, "no record where one should be"),
    ],
)
def test_what_is_no_record_ends_it(tail: bytes, torn: str) -> None:
    records, told = read(FIRST + member(tail))
    assert (records[: len(RECORDS)], told) == (RECORDS, torn)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        WHOLE[:5],
        member(b""),
        member(b"{}\n"),
        member(HEADER.line()[:-1]),
        member(HEADER.line().replace(b'"recording":1', b'"recording":2')),
        member(b" " * 10_000 + HEADER.line()),
        member(b"\xff\xfe\n"),
        member(b"[" * 4000 + b"\n"),
    ],
)
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(BadRecording):
        Reader(io.BytesIO(data))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[" * 5000,
        b"\xff",
        RECORDS[0].content.replace(b'"room_id":"7', b'"room_id":"x'),
        RECORDS[0].content.replace(b'"p"', b'"' + b"p" * 70_000 + b'"'),
    ],
)
def test_an_opening_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(BadRecording):
        Record(0, Kind.OPENED, content).as_opened()


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x80", b"\x91" * 5000])
def test_a_message_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(BadRecording):
        Record(0, Kind.MESSAGE, content).as_message()


def test_records_come_in_batches_that_hold_one_at_least() -> None:
    reader = Reader(io.BytesIO(WHOLE))
    assert reader.batch(1) == RECORDS[:1]
    assert reader.batch(10**6) == RECORDS[1:] + MORE
    assert reader.batch(10**6) == []


def test_a_small_file_that_unzips_to_much_is_read_in_bounded_memory() -> None:
    huge = member(HEADER.line() + Record.frame(0, bytes(RECORD_MAX_BYTES)).packed() * 3)
    assert len(huge) < 100_000
    reader = Reader(io.BytesIO(huge))
    assert [len(reader.batch(1024)) for _ in range(4)] == [1, 1, 1, 0]


@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_any_bytes_are_read_to_their_end(noise: bytes, place: int) -> None:
    try:
        records, _ = read(WHOLE[:place] + noise + WHOLE[place:])
    except BadRecording:
        return
    assert all(isinstance(record, Record) for record in records)


@given(st.binary(max_size=200))
def test_any_unzipped_bytes_are_read_to_their_end(noise: bytes) -> None:
    records, _ = read(member(HEADER.line() + noise))
    assert sum(13 + len(record.content) for record in records) <= len(noise)
