"""TikTok's client frames, byte for byte as documented."""

from ingestor.connectors.base import SeenIds
from ingestor.connectors.tiktok.frames import dialect
from ingestor.connectors.webcast import WebcastProtocol

ROOM = "7300000000000000001"
ROOM_VARINT = bytes.fromhex("8180e8e2aaeab3a765")
HEARTBEAT_1 = b"\x32\x02pb\x3a\x02hb\x42\x0c\x08" + ROOM_VARINT + b"\x10\x01"
ENTER_ROOM = b"\x32\x02pb\x3a\x0dim_enter_room\x42\x19\x08" + ROOM_VARINT + b"\x20\x0c\x2a\x08audience\x4a\x010"


def test_the_opening_frames_are_the_documented_bytes() -> None:
    assert WebcastProtocol(dialect(ROOM), seen=SeenIds()).frames_to_send() == [HEARTBEAT_1, ENTER_ROOM]


def test_heartbeats_carry_their_number() -> None:
    assert dialect(ROOM).heartbeat(300) == b"\x32\x02pb\x3a\x02hb\x42\x0d\x08" + ROOM_VARINT + b"\x10\xac\x02"


def test_an_ack_is_the_log_id_and_the_internal_ext_as_received() -> None:
    text = b'{"server_fetch_time":1734919517658,"msg_type":"r"}'
    assert dialect(ROOM).ack(7, text) == b"\x10\x07\x32\x02pb\x3a\x03ack\x42" + bytes([len(text)]) + text


def test_an_empty_internal_ext_is_answered_with_a_dash() -> None:
    assert dialect(ROOM).ack(7, b"") == b"\x10\x07\x32\x02pb\x3a\x03ack\x42\x01-"
