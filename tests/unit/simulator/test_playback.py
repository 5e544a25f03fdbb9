import json
from base64 import b64encode
from pathlib import Path
from random import Random

import pytest

from protos import tiktok_pb2 as pb
from protos.webcast_pb2 import AnyMessage, MessageHeader
from simulator.playback import BadPayloads, Payload, Playback, load_payloads, placed
from simulator.source import ControlAction, action_of
from simulator.tiktok.writer import control_message
from simulator.wire import length_delimited, read_fields, varint_field
from tests.conftest import CAPTURES

ROOM = 7300000000000000900


def header(msg_id: int, room_id: int = 5) -> bytes:
    return pb.Common(method=b"WebcastChatMessage", msg_id=msg_id, room_id=room_id, create_time=9).SerializeToString()


def played(payloads: list[Payload], *, rate: float) -> Playback:
    return Playback(payloads, ROOM, Random(1), rate=rate, control=control_message)


def chat(msg_id: int) -> Payload:
    return Payload("WebcastChatMessage", length_delimited(1, header(msg_id)) + length_delimited(3, b"hi"))


def ids_in_header(payload: bytes) -> tuple[int, int]:
    common = AnyMessage.FromString(payload).common
    return common.msg_id, common.room_id


def test_only_the_ids_of_the_header_change() -> None:
    unknown = length_delimited(1900, b"nobody knows") + varint_field(77, 1 << 60)
    common = length_delimited(30, b"\xff\xfe") + header(4) + varint_field(99, 3)
    payload = unknown + length_delimited(1, common) + length_delimited(3, b"hi")
    moved = placed("WebcastChatMessage", payload, ROOM, 8).payload
    expected = length_delimited(30, b"\xff\xfe") + header(8, ROOM) + varint_field(99, 3)
    assert moved == unknown + length_delimited(1, expected) + length_delimited(3, b"hi")


def test_a_header_without_an_id_gets_one() -> None:
    payload = length_delimited(1, length_delimited(1, b"WebcastChatMessage"))
    assert ids_in_header(placed("WebcastChatMessage", payload, ROOM, 8).payload) == (8, 0)


def test_an_id_of_zero_leaves_the_headers_own() -> None:
    message = placed("WebcastChatMessage", chat(4).payload, ROOM, 0)
    assert (message.msg_id, *ids_in_header(message.payload)) == (0, 4, ROOM)


@pytest.mark.parametrize("payload", [b"", b"\xff\xff\xff", length_delimited(1, b"\x0b"), b"\x0a\x7fcut"])
def test_what_is_no_protobuf_stays_as_it_is(payload: bytes) -> None:
    assert placed("Odd", payload, ROOM, 8).payload in (payload, length_delimited(1, b"\x0b"))


def test_missing_and_repeated_ids_become_unique_and_others_stay() -> None:
    playback = played([chat(4), chat(4), chat(0), chat(9)], rate=10)
    messages = playback.advance(1.0, 1)
    ids = [message.msg_id for message in messages]
    assert (ids[0], ids[3], len(set(ids)), 0 in ids) == (4, 9, 4, False)
    assert [ids_in_header(message.payload) for message in messages] == [(msg_id, ROOM) for msg_id in ids]


def test_what_ends_the_room_comes_last_and_the_rest_keeps_its_order() -> None:
    end = Payload("WebcastControlMessage", control_message(ControlAction.ENDED, 5, 6, 7).payload)
    pause = Payload("WebcastControlMessage", control_message(ControlAction.PAUSED, 5, 8, 7).payload)
    messages = played([chat(1), end, pause, chat(2)], rate=10).advance(1.0, 1)
    assert [message.msg_id for message in messages] == [1, 8, 2, 6]
    assert action_of(messages[-1]) is ControlAction.ENDED


def test_payloads_come_once_and_at_their_rate() -> None:
    playback = played([chat(number) for number in range(1, 11)], rate=4)
    counts = [len(playback.advance(0.5, 1)) for _ in range(8)]
    assert counts == [2, 2, 2, 2, 2, 0, 0, 0]


def test_files_and_directories_are_read_in_order(tmp_path: Path) -> None:
    line = {"id": "x", "method": "WebcastChatMessage", "payload_b64": b64encode(b"a").decode()}
    (tmp_path / "b.jsonl").write_text(json.dumps(line) + "\n\n")
    (tmp_path / "a.jsonl").write_text(json.dumps({**line, "payload_b64": b64encode(b"b").decode()}) + "\n")
    (tmp_path / "notes.txt").write_text("not read")
    assert [payload.payload for payload in load_payloads([tmp_path, tmp_path / "b.jsonl"])] == [b"b", b"a", b"a"]


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"method": "A"}', '{"method": "A", "payload_b64": "?"}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"method": "A", "payload_b64": ""}\n' + line)
    with pytest.raises(BadPayloads, match=r"bad\.jsonl:2: "):
        load_payloads([file])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPayloads, match="nowhere"):
        load_payloads([tmp_path / "nowhere.jsonl"])


def test_an_empty_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPayloads, match="jsonl in it"):
        load_payloads([tmp_path])


@pytest.mark.skipif(not CAPTURES.exists(), reason="no captures here")
def test_captured_payloads_keep_all_but_their_ids() -> None:
    payloads = load_payloads([CAPTURES / "tiktok" / "payloads"])
    assert len(payloads) > 500
    for payload in payloads:
        moved = placed(payload.method, payload.payload, ROOM, 8).payload
        changed = [
            (old, new)
            for old, new in zip(read_fields(payload.payload), read_fields(moved), strict=True)
            if old.raw != new.raw
        ]
        ((old, new),) = changed  # the header
        before, after = MessageHeader.FromString(_bytes(old.value)), MessageHeader.FromString(_bytes(new.value))
        assert (after.msg_id, after.room_id) == (8, ROOM if before.room_id else 0)
        assert after.create_time == before.create_time


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value
