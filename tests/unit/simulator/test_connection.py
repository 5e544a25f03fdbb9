import gzip
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from protos.webcast_pb2 import EnterRoom, HeartBeat, Message, PushFrame, Response
from simulator.connection import Entered, Heartbeat, ServerConnection, WrongAck
from simulator.douyin.connection import DouyinConnection
from simulator.tiktok.connection import TikTokConnection
from tests.simulators import read

CURSOR = "1765432100000_7_1_1_3_0"
CHAT = Message(method=b"WebcastChatMessage", payload=b"hi " * 200, msg_id=1)
GIFT = Message(method=b"WebcastGiftMessage", payload=b"rose", msg_id=2)
STATS = Message(method=b"WebcastRoomStatsMessage", payload=b"91", msg_id=7_690_224_714_439_264_803, is_history=True)
NOW_MS = 1_790_519_971_067
DOUYIN_CURSOR = f"t-{NOW_MS}_r-7690224718280671881_d-1_u-1"


def tiktok(*, gzip_allowed: bool = True, seed: int = 1) -> tuple[ServerConnection, Counter[str]]:
    counters: Counter[str] = Counter()
    connection = TikTokConnection(Random(seed), counters, gzip_allowed=gzip_allowed, ping_interval_s=15, ack_s=10.0)
    return connection, counters


def douyin(*, gzip_allowed: bool = True, gifts: bool = True, seed: int = 1) -> tuple[ServerConnection, Counter[str]]:
    counters: Counter[str] = Counter()
    connection = DouyinConnection(
        Random(seed), counters, gzip_allowed=gzip_allowed, ack_s=10.0, gifts=gifts, first_req_ms=NOW_MS
    )
    return connection, counters


New = Callable[[], tuple[ServerConnection, Counter[str]]]
ON_BOTH = pytest.mark.parametrize("new", [tiktok, douyin])


def frames_that_want_an_ack(server: ServerConnection, count: int) -> list[PushFrame]:
    frames = [frame for _ in range(count * 2) for frame in server.messages([CHAT], CURSOR, NOW_MS, 0.0)]
    return [frame for frame in frames if read(frame).need_ack][:count]


def headers_of(frame: PushFrame) -> dict[str, str]:
    return {header.key.decode(): header.value.decode() for header in frame.headers}


def ack(frame: PushFrame, payload: bytes) -> bytes:
    return PushFrame(log_id=frame.log_id, payload_type=b"ack", payload=payload).SerializeToString()


# Both platforms


@ON_BOTH
def test_an_ack_must_hold_the_very_bytes(new: New) -> None:
    server, counters = new()
    frames = frames_that_want_an_ack(server, 40)
    assert len(frames) == 40
    for frame in frames:
        assert server.receive_frame(ack(frame, read(frame).internal_ext)) is None
    assert counters["acks_good"] == 40


@ON_BOTH
def test_a_wrong_ack_is_counted(new: New) -> None:
    server, counters = new()
    (frame,) = frames_that_want_an_ack(server, 1)
    assert server.receive_frame(ack(frame, read(frame).internal_ext + b" ")) == WrongAck()
    assert counters["acks_bad"] == 1


@ON_BOTH
def test_a_second_ack_is_a_wrong_one(new: New) -> None:
    server, counters = new()
    (frame,) = frames_that_want_an_ack(server, 1)
    right = ack(frame, read(frame).internal_ext)
    assert [server.receive_frame(right), server.receive_frame(right)] == [None, WrongAck()]
    assert (counters["acks_good"], counters["acks_bad"]) == (1, 1)


@ON_BOTH
def test_an_ack_that_does_not_come_is_missing(new: New) -> None:
    server, counters = new()
    for frame in frames_that_want_an_ack(server, 20):
        server.receive_frame(ack(frame, read(frame).internal_ext))
    server.expire_acks(100.0)
    already = counters["acks_missing"]
    while not read(server.messages([CHAT], CURSOR, NOW_MS, 100.0)[0]).need_ack:
        pass
    assert [server.expire_acks(109.9), server.expire_acks(110.0), server.expire_acks(999.0)] == [0, 1, 0]
    assert counters["acks_missing"] == already + 1


@ON_BOTH
def test_frames_count_up(new: New) -> None:
    server, _ = new()
    frames = [*server.opening([STATS], [], CURSOR, NOW_MS, 0.0), *frames_that_want_an_ack(server, 5)]
    log_ids = [frame.log_id for frame in frames]
    assert frames[0].seq_id == 1
    assert log_ids == sorted(set(log_ids))
    assert {(frame.service, frame.method) for frame in frames} == {(8888, 8)}


@ON_BOTH
@pytest.mark.parametrize("data", [b"\xff\xff", PushFrame(payload_type=b"dance").SerializeToString()])
def test_frames_that_make_no_sense_are_counted(new: New, data: bytes) -> None:
    server, counters = new()
    assert server.receive_frame(data) is None
    assert counters == {"bad_frames": 1}


@ON_BOTH
def test_a_client_can_be_asked_to_leave(new: New) -> None:
    assert new()[0].close().payload_type == b"close"


# TikTok


def test_internal_ext_comes_in_all_its_forms() -> None:
    server, _ = tiktok()
    forms = {read(frame).internal_ext[:1] for frame in frames_that_want_an_ack(server, 100)}
    assert forms == {b"-", b"{", b"f"}


def test_gzip_is_a_choice_per_frame_and_never_made_against_the_clients_will() -> None:
    willing, unwilling = tiktok()[0], tiktok(gzip_allowed=False)[0]
    short = [Message(method=b"A")]
    types = {bool(willing.messages(short, CURSOR, 1, 0.0)[0].payload.startswith(b"\x1f\x8b")) for _ in range(50)}
    assert types == {True, False}
    assert Response.FromString(unwilling.messages([CHAT], CURSOR, 1, 0.0)[0].payload).messages == [CHAT]


def test_heartbeats_are_answered_with_nothing_gzipped() -> None:
    server, counters = tiktok()
    beat = PushFrame(payload_type=b"hb", payload=HeartBeat(room_id=7).SerializeToString())
    assert server.receive_frame(beat.SerializeToString()) == Heartbeat()
    answer = server.heartbeat_answer(CURSOR, 5)
    assert (answer.seq_id, answer.log_id, answer.payload_encoding) == (1, 0, b"")
    assert headers_of(answer) == {"server_time": "5", "compress_type": "gzip", "im_cursor": CURSOR}
    assert gzip.decompress(answer.payload) == b""
    assert counters["heartbeats"] == 1


def test_entering_names_room_and_cursor() -> None:
    enter = EnterRoom(room_id=7, cursor=CURSOR).SerializeToString()
    frame = PushFrame(payload_type=b"im_enter_room", payload=enter).SerializeToString()
    assert tiktok()[0].receive_frame(frame) == Entered(7, CURSOR)


@pytest.mark.parametrize("payload_type", [b"im_enter_room", b"hb"])
def test_payloads_that_make_no_sense_are_counted(payload_type: bytes) -> None:
    server, counters = tiktok()
    assert server.receive_frame(PushFrame(payload_type=payload_type, payload=b"\xff").SerializeToString()) is None
    assert counters == {"bad_frames": 1}


def test_history_is_marked_as_such() -> None:
    (frame,) = tiktok()[0].opening([Message(method=b"RoomMessage")], [CHAT], CURSOR, NOW_MS, 0.0)
    assert [message.is_history for message in read(frame).messages] == [False, True]


# Douyin. Expectations are those of the session recorded 2026-09: captures/douyin/pl_s13live_*.json.


def test_a_connection_opens_with_how_things_stand_and_what_was_told_before() -> None:
    server, _ = douyin()
    standing, history = server.opening([STATS], [CHAT, CHAT], DOUYIN_CURSOR, NOW_MS, 0.0)
    assert (standing.seq_id, history.seq_id) == (1, 2)
    assert headers_of(standing) == {
        "compress_type": "gzip",
        "im-internal_ext": f"internal_src:pushserver|first_req_ms:{NOW_MS}|wss_msg_type:wrds|wrds_v:{STATS.msg_id}",
        "im-cursor": f"t-{NOW_MS}_r-1_d-1_u-1",
        "im-now": str(NOW_MS),
        "im-live_cursor": "d-1_u-1",
    }
    assert (standing.payload_encoding, standing.payload_type) == (b"pb", b"msg")
    response = read(standing)
    assert response.internal_ext.decode() == headers_of(standing)["im-internal_ext"]
    assert (response.cursor.decode(), response.now) == (f"t-{NOW_MS}_r-1_d-1_u-1", NOW_MS)
    assert (response.heartbeat_duration, response.need_ack, response.fetch_interval) == (15, True, 0)
    assert headers_of(history)["im-cursor"] == DOUYIN_CURSOR
    assert headers_of(history)["im-internal_ext"] == f"internal_src:pushserver|first_req_ms:{NOW_MS}|wss_msg_type:r"
    assert [message.is_history for message in read(history).messages] == [False, False]


def test_nothing_is_opened_with_where_there_is_nothing_to_tell() -> None:
    assert douyin()[0].opening([], [], DOUYIN_CURSOR, NOW_MS, 0.0) == []


def test_news_and_how_things_stand_come_in_frames_of_their_own() -> None:
    server, _ = douyin()
    news, standing = server.messages([STATS, CHAT], DOUYIN_CURSOR, NOW_MS, 0.0)
    assert [message.method for message in read(news).messages] == [CHAT.method]
    assert [message.method for message in read(standing).messages] == [STATS.method]
    assert headers_of(news)["im-cursor"] == headers_of(standing)["im-cursor"] == DOUYIN_CURSOR


def test_header_and_response_differ_now_and_then_and_either_internal_ext_is_a_right_ack() -> None:
    server, counters = douyin()
    frames = frames_that_want_an_ack(server, 60)
    differing = [frame for frame in frames if read(frame).internal_ext.decode() != headers_of(frame)["im-internal_ext"]]
    assert 10 < len(differing) < 50
    assert any(b"|seq:" in read(frame).internal_ext for frame in differing)
    for frame in frames:
        server.receive_frame(ack(frame, headers_of(frame)["im-internal_ext"].encode()))
    assert (counters["acks_good"], counters["acks_odd"]) == (60, 0)


def test_an_ack_with_more_in_it_is_right_but_odd() -> None:
    server, counters = douyin()
    (frame,) = frames_that_want_an_ack(server, 1)
    more = PushFrame(log_id=frame.log_id, payload_encoding=b"pb", payload_type=b"ack", payload=read(frame).internal_ext)
    assert server.receive_frame(more.SerializeToString()) is None
    assert (counters["acks_good"], counters["acks_odd"]) == (1, 1)


def test_heartbeat_answers_are_numbered_and_have_no_log_id() -> None:
    server, counters = douyin()
    server.opening([STATS], [], DOUYIN_CURSOR, NOW_MS, 0.0)
    assert server.receive_frame(b"\x3a\x02hb") == Heartbeat()
    answer = server.heartbeat_answer(DOUYIN_CURSOR, NOW_MS)
    assert (answer.seq_id, answer.log_id, answer.payload_encoding) == (2, 0, b"")
    assert headers_of(answer) == {"server_time": str(NOW_MS), "compress_type": "gzip"}
    assert gzip.decompress(answer.payload) == b""
    assert counters["heartbeats"] == 1


def test_gifts_are_withheld_from_strangers() -> None:
    server, counters = douyin(gifts=False)
    (frame,) = server.messages([GIFT, CHAT], DOUYIN_CURSOR, NOW_MS, 0.0)
    assert [message.method for message in read(frame).messages] == [CHAT.method]
    assert server.messages([GIFT], DOUYIN_CURSOR, NOW_MS, 0.0) == []
    assert counters["gifts_withheld"] == 2
    assert len(read(douyin()[0].messages([GIFT, CHAT], DOUYIN_CURSOR, NOW_MS, 0.0)[0]).messages) == 2


def test_some_chats_come_again_a_while_later_under_the_same_id() -> None:
    server, counters = douyin()
    chats = [Message(method=CHAT.method, payload=b"hi", msg_id=number) for number in range(1, 1001)]
    (first,) = server.messages(chats, DOUYIN_CURSOR, NOW_MS, 0.0)
    (early,) = server.messages([GIFT], DOUYIN_CURSOR, NOW_MS, 0.5)
    (late,) = server.messages([GIFT], DOUYIN_CURSOR, NOW_MS, 0.6)
    assert list(read(first).messages) == chats
    assert list(read(early).messages) == [GIFT]
    again = list(read(late).messages)[1:]
    assert 10 < len(again) < 45
    assert all(message in chats for message in again)
    assert counters["told_again"] == len(again)


def test_without_gzip_nothing_is_gzipped() -> None:
    (frame,) = douyin(gzip_allowed=False)[0].messages([CHAT], DOUYIN_CURSOR, NOW_MS, 0.0)
    assert list(Response.FromString(frame.payload).messages) == [CHAT]
