import gzip
from collections import Counter
from random import Random

import pytest

from protos.webcast_pb2 import EnterRoom, HeartBeat, Message, PushFrame, Response
from simulator.webcast import Entered, Heartbeat, ServerConnection, WrongAck
from tests.simulators import read

CURSOR = "1765432100000_7_1_1_3_0"
MESSAGES = [Message(method=b"WebcastChatMessage", payload=b"hi " * 200, msg_id=1)]


def connection(*, gzip_allowed: bool = True, seed: int = 1) -> tuple[ServerConnection, Counter[str]]:
    counters: Counter[str] = Counter()
    return ServerConnection(Random(seed), counters, gzip_allowed=gzip_allowed, ping_interval_s=15, ack_s=10.0), counters


def frames_that_want_an_ack(server: ServerConnection, count: int) -> list[PushFrame]:
    frames = [server.messages(MESSAGES, CURSOR, 1_765_432_100_000, 0.0) for _ in range(count * 2)]
    return [frame for frame in frames if read(frame).need_ack][:count]


def ack(frame: PushFrame, payload: bytes) -> bytes:
    return PushFrame(log_id=frame.log_id, payload_type=b"ack", payload=payload).SerializeToString()


def test_an_ack_must_hold_the_very_bytes() -> None:
    server, counters = connection()
    frames = frames_that_want_an_ack(server, 40)
    assert len(frames) == 40
    for frame in frames:
        assert server.receive_frame(ack(frame, read(frame).internal_ext)) is None
    assert counters["acks_good"] == 40


def test_a_wrong_ack_is_counted() -> None:
    server, counters = connection()
    (frame,) = frames_that_want_an_ack(server, 1)
    assert server.receive_frame(ack(frame, read(frame).internal_ext + b" ")) == WrongAck()
    assert counters["acks_bad"] == 1


def test_a_second_ack_is_a_wrong_one() -> None:
    server, counters = connection()
    (frame,) = frames_that_want_an_ack(server, 1)
    right = ack(frame, read(frame).internal_ext)
    assert [server.receive_frame(right), server.receive_frame(right)] == [None, WrongAck()]
    assert counters == {"acks_good": 1, "acks_bad": 1}


def test_an_ack_that_does_not_come_is_missing() -> None:
    server, counters = connection()
    for frame in frames_that_want_an_ack(server, 20):
        server.receive_frame(ack(frame, read(frame).internal_ext))
    server.expire_acks(100.0)
    already = counters["acks_missing"]
    while not read(server.messages(MESSAGES, CURSOR, 1, 100.0)).need_ack:
        pass
    assert [server.expire_acks(109.9), server.expire_acks(110.0), server.expire_acks(999.0)] == [0, 1, 0]
    assert counters["acks_missing"] == already + 1


def test_internal_ext_comes_in_all_its_forms() -> None:
    server, _ = connection()
    forms = {read(frame).internal_ext[:1] for frame in frames_that_want_an_ack(server, 100)}
    assert forms == {b"-", b"{", b"f"}


def test_frames_count_up() -> None:
    server, _ = connection()
    frames = [server.enter_room_answer([], CURSOR, 1), *frames_that_want_an_ack(server, 5)]
    log_ids = [frame.log_id for frame in frames]
    assert frames[0].seq_id == 1
    assert log_ids == sorted(set(log_ids))
    assert {(frame.service, frame.method) for frame in frames} == {(8888, 8)}


def test_gzip_is_a_choice_per_frame_and_never_made_against_the_clients_will() -> None:
    willing, unwilling = connection()[0], connection(gzip_allowed=False)[0]
    short = [Message(method=b"A")]
    types = {bool(willing.messages(short, CURSOR, 1, 0.0).payload.startswith(b"\x1f\x8b")) for _ in range(50)}
    assert types == {True, False}
    assert Response.FromString(unwilling.messages(MESSAGES, CURSOR, 1, 0.0).payload).messages == MESSAGES


def test_heartbeats_are_answered_with_nothing_gzipped() -> None:
    server, counters = connection()
    beat = PushFrame(payload_type=b"hb", payload=HeartBeat(room_id=7).SerializeToString())
    assert server.receive_frame(beat.SerializeToString()) == Heartbeat()
    answer = server.heartbeat_answer(CURSOR, 5)
    headers = {header.key: header.value for header in answer.headers}
    assert (answer.seq_id, answer.log_id, answer.payload_encoding) == (1, 0, b"")
    assert headers == {b"server_time": b"5", b"compress_type": b"gzip", b"im_cursor": CURSOR.encode()}
    assert gzip.decompress(answer.payload) == b""
    assert counters["heartbeats"] == 1


def test_entering_names_room_and_cursor() -> None:
    enter = EnterRoom(room_id=7, cursor=CURSOR).SerializeToString()
    frame = PushFrame(payload_type=b"im_enter_room", payload=enter).SerializeToString()
    assert connection()[0].receive_frame(frame) == Entered(7, CURSOR)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff",
        PushFrame(payload_type=b"im_enter_room", payload=b"\xff").SerializeToString(),
        PushFrame(payload_type=b"dance").SerializeToString(),
    ],
)
def test_frames_that_make_no_sense_are_counted(data: bytes) -> None:
    server, counters = connection()
    assert server.receive_frame(data) is None
    assert counters == {"bad_frames": 1}
