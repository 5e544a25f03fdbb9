"""What a Douyin client sends, and what it makes of the server's frames."""

import gzip

import pytest

from ingestor.connectors.base import Message, SeenIds
from ingestor.connectors.douyin.frames import Position, dialect
from ingestor.connectors.webcast import WebcastProtocol
from protos import webcast_pb2 as pb

ROOM_ID = "7690183442860198697"
NOW_S = 1_790_519_971
CURSOR = f"t-{NOW_S}000_r-7690224709690737126_d-1_u-1"
NO_PLACE = f"t-{NOW_S}000_r-1_d-1_u-1"
NEWS = "internal_src:pushserver|first_req_ms:1|wss_msg_type:r|wrds_v:7"
STATE = "internal_src:pushserver|first_req_ms:1|wss_msg_type:wrds|wrds_v:7"


def happened(at_s: int, number: int = 1, **fields: int) -> pb.Message:
    return pb.Message(method=b"WebcastChatMessage", msg_id=(at_s << 32) + number, **fields)  # type: ignore[arg-type]


def server_frame(
    *messages: pb.Message, cursor: str = CURSOR, internal_ext: str = NEWS, now_s: int = NOW_S, log_id: int = 9
) -> bytes:
    response = pb.Response(
        messages=messages, cursor=b"older", internal_ext=internal_ext.encode(), now=now_s * 1000, need_ack=True
    )
    return pb.PushFrame(
        seq_id=1,
        log_id=log_id,
        headers=[
            pb.Header(key=b"compress_type", value=b"gzip"),
            pb.Header(key=b"im-cursor", value=cursor.encode()),
        ],
        payload_encoding=b"pb",
        payload_type=b"msg",
        payload=gzip.compress(response.SerializeToString()),
    ).SerializeToString()


def opened(position: str = "", seen: SeenIds | None = None) -> WebcastProtocol:
    protocol = WebcastProtocol(dialect(ROOM_ID, position), seen=SeenIds() if seen is None else seen, position=position)
    assert protocol.frames_to_send() == [bytes.fromhex("3a026862")]  # recorded 2026-09
    return protocol


def marks(messages: list[Message]) -> list[tuple[bool, bool]]:
    return [(message.history, message.sync) for message in messages]


def test_an_ack_is_log_id_type_and_internal_ext_in_the_recorded_order() -> None:
    protocol = opened()
    protocol.receive_frame(server_frame(internal_ext=NEWS, log_id=300))
    assert protocol.frames_to_send() == [b"\x10\xac\x02\x3a\x03ack\x42" + bytes([len(NEWS)]) + NEWS.encode()]


def test_what_happened_before_we_listened_is_history() -> None:
    protocol = opened()
    messages = protocol.receive_frame(server_frame(happened(NOW_S - 1), happened(NOW_S), happened(NOW_S + 5)))
    assert marks(messages) == [(True, False), (True, False), (False, False)]
    messages += protocol.receive_frame(server_frame(happened(NOW_S, number=2), now_s=NOW_S + 1))
    assert marks(messages[3:]) == [(False, False)]  # of the same second, and told later: it is news
    assert {message.room_id for message in messages} == {ROOM_ID}


def test_later_frames_do_not_move_the_moment_since_when_we_listen() -> None:
    protocol = opened()
    protocol.receive_frame(server_frame())
    (late,) = protocol.receive_frame(server_frame(happened(NOW_S + 3), now_s=NOW_S + 20))
    assert not late.history


def test_what_was_missed_between_two_connections_is_no_history() -> None:
    first = opened()
    first.receive_frame(server_frame())
    second = opened(first.position)
    missed, older = second.receive_frame(server_frame(happened(NOW_S + 3), happened(NOW_S - 3), now_s=NOW_S + 60))
    assert (missed.history, older.history) == (False, True)


def test_ids_without_a_time_are_news() -> None:
    (banner,) = opened().receive_frame(server_frame(pb.Message(method=b"Banner", msg_id=91311612508930)))
    assert not banner.history


@pytest.mark.parametrize(
    "frame",
    [
        server_frame(happened(NOW_S - 9, is_history=1, wrds_version=5)),  # field 6: need_wrds_store
        server_frame(happened(NOW_S - 9), internal_ext=STATE),
    ],
)
def test_how_things_stand_is_marked(frame: bytes) -> None:
    assert marks(opened().receive_frame(frame)) == [(False, True)]


def test_the_position_carries_broadcast_cursor_and_internal_ext() -> None:
    protocol = opened()
    protocol.receive_frame(server_frame())
    place = Position.parse(protocol.position, ROOM_ID)
    assert place == Position(ROOM_ID, NOW_S * 1000, CURSOR, NEWS)
    assert Position.parse(protocol.position, "7690183442860198698") is None


@pytest.mark.parametrize(
    "frame",
    [
        server_frame(cursor=NO_PLACE, internal_ext=STATE),
        server_frame(cursor="two words"),
        server_frame(internal_ext="x" * 2000),
    ],
)
def test_a_cursor_that_leads_nowhere_does_not_replace_one_that_does(frame: bytes) -> None:
    protocol = opened()
    assert protocol.receive_frame(frame) == []
    assert protocol.position == ""
    protocol.receive_frame(server_frame())
    place = protocol.position
    protocol.receive_frame(frame)
    assert protocol.position == place


@pytest.mark.parametrize(
    "text", ["", "x", f"{ROOM_ID} then c e", f"{ROOM_ID} 12", f"{ROOM_ID} 12  e", f"1 12 {CURSOR} e"]
)
def test_what_is_no_position_of_this_broadcast_is_none(text: str) -> None:
    assert Position.parse(text, ROOM_ID) is None
