"""Recorded sessions of the real platform, where they are at hand: what we send is what was sent."""

import json
import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingestor.connectors.base import SeenIds
from ingestor.connectors.handshake import ping_interval_s
from ingestor.connectors.tiktok.browser import Browser
from ingestor.connectors.tiktok.frames import dialect
from ingestor.connectors.webcast import WebcastProtocol
from protos import webcast_pb2 as pb

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "tiktok"
ROOM = "7300000000000000001"

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures are not at hand")


def frames_of(path: Path) -> Iterator[bytes]:
    raw, place = path.read_bytes(), 0
    while place < len(raw):
        (size,) = struct.unpack_from("<I", raw, place)
        yield raw[place + 4 : place + 4 + size]
        place += 4 + size


def opened() -> WebcastProtocol:
    protocol = WebcastProtocol(dialect(ROOM), seen=SeenIds())
    protocol.frames_to_send()
    return protocol


def streams() -> list[dict[str, Any]]:
    manifest = CAPTURES / "MANIFEST.json"
    return json.loads(manifest.read_text("utf8"))["frame_streams"] if manifest.exists() else []


@pytest.mark.parametrize("stream", streams(), ids=lambda stream: stream["file"])
def test_a_recorded_stream_gives_its_messages_and_acks(stream: dict[str, Any]) -> None:
    protocol = opened()
    frames = list(frames_of(CAPTURES / stream["file"]))
    assert len(frames) == len(stream["expected_frames"]) == stream["frames"]
    found = 0
    for wire, expected in zip(frames, stream["expected_frames"], strict=True):
        messages = protocol.receive_frame(wire)
        assert [[message.method, message.id] for message in messages] == expected["messages"]
        found += len(messages)
        acks = [pb.PushFrame.FromString(sent) for sent in protocol.frames_to_send()]
        assert [(str(ack.log_id), ack.payload.decode()) for ack in acks] == (
            [(expected["log_id"], expected["ack_payload_utf8"])] if expected["need_ack"] else []
        )
        assert all((ack.payload_type, ack.payload_encoding) == (b"ack", b"pb") for ack in acks)
    assert found == stream["messages"]


def session() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CAPTURES / "wirelog_2024-12-23.json").read_text("utf8"))
    return found


def without_encoding(sent: bytes) -> bytes:
    """The recorded client of 2024 left `payload_encoding` out, as clients did then."""
    older = pb.PushFrame.FromString(sent)
    older.ClearField("payload_encoding")
    return older.SerializeToString()


def test_recorded_acks_are_reproduced_byte_for_byte() -> None:
    events = session()["events"]
    acks = [(asked, sent) for asked, sent in pairwise(events) if asked.get("note") == "ack being sent"]
    assert len(acks) > 10
    for asked, sent in acks:
        response = pb.Response(need_ack=True, internal_ext=asked["payload_utf8"].encode())
        protocol = opened()
        protocol.receive_frame(
            pb.PushFrame(
                log_id=int(asked["log_id"]), payload_type=b"msg", payload=response.SerializeToString()
            ).SerializeToString()
        )
        (ack,) = protocol.frames_to_send()
        wire = without_encoding(ack)
        assert len(wire) == sent["len"]
        if "hex" in sent:
            assert wire.hex() == sent["hex"]
        else:
            assert wire.hex().startswith(sent["hex_head"])
            assert wire.hex().endswith(sent["hex_tail"])


def test_a_recorded_end_of_a_frame_is_read_as_the_platform_meant_it() -> None:
    """`internal_ext` is a dash, the interval 15, an ack is wanted: the last bytes of a short frame of the session."""
    tail = bytes.fromhex(next(e["hex_tail"] for e in session()["events"] if e.get("hex_tail", "").endswith("4801")))
    response = pb.Response.FromString(tail[tail.index(b"\x2a\x01-") :])
    protocol = opened()
    protocol.receive_frame(
        pb.PushFrame(log_id=9, payload_type=b"msg", payload=response.SerializeToString()).SerializeToString()
    )
    assert protocol.heartbeat_s == 15
    assert protocol.frames_to_send() == [dialect(ROOM).ack(9, b"-")]


def test_the_recorded_handshake_agrees_with_the_frames_about_the_interval() -> None:
    headers = dict(line.lower().split(": ", 1) for line in session()["handshake"]["response_headers"])
    assert ping_interval_s(headers) == 15


def test_the_recorded_client_sent_no_name_in_its_query_that_ours_does_not_know() -> None:
    browser = Browser("Mozilla/5.0 (X11)", "https://www.tiktok.com", device_id="7")
    ours = browser.socket_url("wss://h/", ROOM, route_params=[("wrss", "w")], cursor="c", internal_ext="e")
    recorded = session()["handshake"]["request_line"]
    names = re.compile(r"[?&]([a-z_]+)=")
    left_out = {"imprp", "debug", "host", "history_comment_cursor"}  # empty, or gone from clients since
    assert set(names.findall(recorded)) - set(names.findall(ours)) == left_out
