"""The frame protocol: bytes in, messages and owed frames out."""

import gzip
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.connectors.base import Message, SeenIds, UpstreamProtocol
from ingestor.connectors.tiktok.frames import dialect as tiktok_dialect
from ingestor.connectors.webcast import (
    HEARTBEAT_MAX_S,
    HEARTBEAT_MIN_S,
    HEARTBEAT_S,
    MAX_BAD_FRAMES,
    MAX_CURSOR_BYTES,
    MAX_FRAME_BYTES,
    MAX_ITEMS,
    MAX_UNZIPPED_BYTES,
    Dialect,
    Told,
    WebcastProtocol,
    frame,
)
from protos import webcast_pb2 as pb
from shared.errors import RemoteProtocolError
from tests.pairs import Pair, Room


def told(response: pb.Response, message: pb.Message) -> Told:
    if message.wrds_version:
        return Told.SYNC
    return Told.HISTORY if response.is_first or message.is_history else Told.NEWS


DIALECT = Dialect(
    room_id="77",
    heartbeat=lambda count: b"beat %d" % count,
    enter_room=b"enter",
    ack=lambda log_id, internal_ext: b"ack %d %s" % (log_id, internal_ext),
    told=told,
    position=lambda cursor, response: cursor,
    cursor_header=b"im_cursor",
    greeting="Welcome",
)
OPENING = [b"beat 1", b"enter"]


def protocol(
    dialect: Dialect = DIALECT,
    *,
    seen: SeenIds | None = None,
    position: str = "",
    ping_interval_s: float | None = None,
    counts: Counter[str] | None = None,
) -> WebcastProtocol:
    """A protocol whose opening frames are out."""
    made = WebcastProtocol(
        dialect,
        seen=SeenIds() if seen is None else seen,
        position=position,
        ping_interval_s=ping_interval_s,
        count=lambda what: counts.update([what]) if counts is not None else None,
    )
    made.frames_to_send()
    return made


def chat(message_id: int, *, method: str = "Chat", history: bool = False) -> pb.Message:
    return pb.Message(method=method.encode(), payload=b"hello %d" % message_id, msg_id=message_id, is_history=history)


def server_frame(
    response: pb.Response,
    *,
    payload_type: bytes = b"msg",
    log_id: int = 7,
    zipped: bool = False,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    payload = response.SerializeToString()
    return pb.PushFrame(
        seq_id=1,
        log_id=log_id,
        service=8888,
        method=8,
        headers=[pb.Header(key=key.encode(), value=value.encode()) for key, value in headers.items()],
        payload_encoding=b"pb",
        payload_type=payload_type,
        payload=gzip.compress(payload) if zipped else payload,
    ).SerializeToString()


def ids(messages: Sequence[Message]) -> list[str]:
    return [message.id for message in messages]


# --- what we send -------------------------------------------------------------------------------------------------


def test_a_connection_opens_with_a_heartbeat_and_enters_the_room() -> None:
    opened: UpstreamProtocol = WebcastProtocol(DIALECT, seen=SeenIds())
    assert opened.frames_to_send() == OPENING
    assert opened.frames_to_send() == []


def test_a_dialect_may_enter_by_address_alone() -> None:
    opened = WebcastProtocol(replace(DIALECT, enter_room=b""), seen=SeenIds())
    assert opened.frames_to_send() == [b"beat 1"]


def test_heartbeats_count_on() -> None:
    beating = protocol()
    beating.heartbeat()
    beating.heartbeat()
    assert beating.frames_to_send() == [b"beat 2", b"beat 3"]


@pytest.mark.parametrize("payload_type", [b"msg", b"im_enter_room_resp"])
def test_a_frame_that_asks_for_it_is_acknowledged_with_its_internal_ext(payload_type: bytes) -> None:
    asked = protocol()
    response = pb.Response(need_ack=True, internal_ext=b'{"seq_id":345}')
    asked.receive_frame(server_frame(response, payload_type=payload_type, log_id=5953523861883309161))
    assert asked.frames_to_send() == [b'ack 5953523861883309161 {"seq_id":345}']


def test_a_frame_that_does_not_ask_is_not_acknowledged() -> None:
    silent = protocol()
    silent.receive_frame(server_frame(pb.Response(internal_ext=b"-")))
    assert silent.frames_to_send() == []


def test_frame_leaves_absent_fields_out() -> None:
    assert frame(b"hb").hex() == "3a026862"  # what clients before 2025 sent as a heartbeat


# --- what we receive ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload_type", [b"msg", b"im_enter_room_resp"])
def test_messages_come_out_in_order_of_arrival(payload_type: bytes) -> None:
    sent = [chat(9), chat(3, method="Gift"), chat(5, history=True)]
    messages = protocol().receive_frame(server_frame(pb.Response(messages=sent), payload_type=payload_type))
    assert messages == [
        Message("Chat", b"hello 9", "9", history=False, room_id="77"),
        Message("Gift", b"hello 3", "3", history=False, room_id="77"),
        Message("Chat", b"hello 5", "5", history=True, room_id="77"),
    ]


@pytest.mark.parametrize(
    ("zipped", "headers"),
    [
        (True, {"compress_type": "gzip"}),
        (True, {}),
        (True, {"compress_type": "none"}),
        (False, {"compress_type": "none"}),
        (False, {}),
    ],
)
def test_zipped_frames_are_told_by_header_or_by_their_first_bytes(zipped: bool, headers: dict[str, str]) -> None:
    wire = server_frame(pb.Response(messages=[chat(1)]), zipped=zipped, headers=headers)
    assert ids(protocol().receive_frame(wire)) == ["1"]


def test_an_empty_payload_is_not_unzipped() -> None:
    counts: Counter[str] = Counter()
    assert protocol(counts=counts).receive_frame(server_frame(pb.Response(), headers={"compress_type": "gzip"})) == []
    assert counts == {}


def test_a_heartbeat_answer_says_nothing() -> None:
    counts: Counter[str] = Counter()
    listening = protocol(counts=counts)
    answer = pb.PushFrame(
        headers=[pb.Header(key=b"im_cursor", value=b"ahead")], payload_type=b"hb", payload=gzip.compress(b"")
    )
    assert listening.receive_frame(answer.SerializeToString()) == []
    assert (listening.frames_to_send(), listening.position, counts) == ([], "", {})


def test_the_platform_may_ask_us_to_leave() -> None:
    leaving = protocol()
    assert not leaving.closing
    assert leaving.receive_frame(frame(b"close")) == []
    assert leaving.closing


def test_frames_of_other_types_are_counted_and_nothing_else() -> None:
    counts: Counter[str] = Counter()
    listening = protocol(counts=counts)
    for _ in range(MAX_BAD_FRAMES + 1):
        assert listening.receive_frame(server_frame(pb.Response(need_ack=True), payload_type=b"news")) == []
    assert listening.frames_to_send() == []
    assert counts == {"unknown_frame": MAX_BAD_FRAMES + 1}


def test_the_first_response_is_history_as_a_whole() -> None:
    (message,) = protocol().receive_frame(server_frame(pb.Response(messages=[chat(1)], is_first=True)))
    assert message.history


def test_a_method_that_is_no_text_is_passed_on_readable() -> None:
    broken = pb.Message(method=b"Chat\xff", msg_id=1)
    (message,) = protocol().receive_frame(server_frame(pb.Response(messages=[broken])))
    assert message.method == "Chat\N{REPLACEMENT CHARACTER}"


# --- once only ----------------------------------------------------------------------------------------------------


def test_a_message_is_passed_on_once() -> None:
    counts: Counter[str] = Counter()
    listening = protocol(counts=counts)
    assert ids(listening.receive_frame(server_frame(pb.Response(messages=[chat(1), chat(1), chat(2)])))) == ["1", "2"]
    assert ids(listening.receive_frame(server_frame(pb.Response(messages=[chat(2), chat(3)])))) == ["3"]
    assert counts == {"duplicate": 2}


def test_messages_without_an_id_all_pass() -> None:
    listening = protocol()
    assert ids(listening.receive_frame(server_frame(pb.Response(messages=[chat(0), chat(0)])))) == ["", ""]


def test_a_server_that_repeats_itself_shows_no_overlap() -> None:
    listening = protocol(position="c1", seen=SeenIds())
    listening.receive_frame(server_frame(pb.Response(messages=[chat(1), chat(1)])))
    assert not listening.overlapped


def test_a_message_of_an_earlier_connection_shows_overlap_and_is_dropped() -> None:
    seen = SeenIds()
    protocol(seen=seen).receive_frame(server_frame(pb.Response(messages=[chat(1), chat(2)])))
    second = protocol(seen=seen, position="c1")
    assert not second.overlapped
    assert ids(second.receive_frame(server_frame(pb.Response(messages=[chat(2), chat(3)])))) == ["3"]
    assert second.overlapped


def test_without_a_place_to_go_on_from_no_overlap_is_believed() -> None:
    """Chats are told again, likes and gifts are not: what is there says nothing about what is missing."""
    seen = SeenIds()
    protocol(seen=seen).receive_frame(server_frame(pb.Response(messages=[chat(1)])))
    second = protocol(seen=seen)
    assert ids(second.receive_frame(server_frame(pb.Response(messages=[chat(1), chat(2)])))) == ["2"]
    assert not second.overlapped


def test_how_things_stand_is_told_again_when_it_changed_and_shows_no_overlap() -> None:
    def state(version: int) -> bytes:
        return server_frame(pb.Response(messages=[pb.Message(method=b"Banner", msg_id=5, wrds_version=version)]))

    seen = SeenIds()
    first = protocol(seen=seen)
    assert [message.sync for message in first.receive_frame(state(1))] == [True]
    second = protocol(seen=seen, position="c1")
    assert second.receive_frame(state(1)) == []
    assert [message.sync for message in second.receive_frame(state(2))] == [True]
    assert not second.overlapped
    by_another_holder = SeenIds()
    by_another_holder.add("5")
    assert protocol(seen=by_another_holder, position="c1").receive_frame(state(1)) == []


def test_a_session_is_greeted_once() -> None:
    greeting = server_frame(pb.Response(messages=[chat(8, method="Welcome"), chat(9)]), payload_type=b"msg")
    assert ids(protocol().receive_frame(greeting)) == ["8", "9"]
    counts: Counter[str] = Counter()
    resumed = protocol(position="c1", counts=counts)
    assert ids(resumed.receive_frame(greeting)) == ["9"]
    assert counts == {"greeting": 1}


def test_a_later_message_of_the_greetings_kind_is_no_greeting() -> None:
    resumed = protocol(position="c1")
    resumed.receive_frame(server_frame(pb.Response(messages=[chat(8, method="Welcome")])))
    later = server_frame(pb.Response(messages=[chat(10, method="Welcome")]))
    assert ids(resumed.receive_frame(later)) == ["10"]


# --- bootstrap, cursor, interval ------------------------------------------------------------------------------------


def test_a_bootstrap_is_history_and_never_acknowledged() -> None:
    opening = protocol()
    messages = opening.receive_bootstrap(pb.Response(messages=[chat(1)], cursor=b"c1", need_ack=True))
    assert [(message.id, message.history) for message in messages] == [("1", True)]
    assert (opening.position, opening.frames_to_send()) == ("c1", [])


def test_bootstrap_and_socket_overlap_without_doubles() -> None:
    opening = protocol()
    opening.receive_bootstrap(pb.Response(messages=[chat(1)]))
    assert ids(opening.receive_frame(server_frame(pb.Response(messages=[chat(1), chat(2)])))) == ["2"]
    assert not opening.overlapped


def test_a_resumed_connection_keeps_its_place_until_the_socket_speaks() -> None:
    resumed = protocol(position="old")
    resumed.receive_bootstrap(pb.Response(cursor=b"now"))
    assert resumed.position == "old"
    resumed.receive_frame(server_frame(pb.Response(cursor=b"c2")))
    assert resumed.position == "c2"


def test_the_cursor_in_the_frames_header_is_the_newer_one() -> None:
    listening = protocol()
    listening.receive_frame(server_frame(pb.Response(cursor=b"c1")))
    assert listening.position == "c1"
    listening.receive_frame(server_frame(pb.Response(cursor=b"c2"), headers={"im_cursor": "c3"}))
    assert listening.position == "c3"
    listening.receive_frame(server_frame(pb.Response()))
    assert listening.position == "c3"


def test_a_cursor_that_is_none_is_not_followed() -> None:
    listening = protocol(position="c1")
    listening.receive_frame(server_frame(pb.Response(cursor=b"c" * (MAX_CURSOR_BYTES + 1))))
    assert listening.position == "c1"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (15, 15.0),
        (10_000, 10.0),
        (1_500, 1.5),
        (61, HEARTBEAT_MAX_S),
        (2**62, HEARTBEAT_MAX_S),
        (1, HEARTBEAT_MIN_S),
        (0, HEARTBEAT_S),
        (-5, HEARTBEAT_S),
    ],
)
def test_the_heartbeat_interval_is_read_in_seconds_or_milliseconds(told: int, seconds: float) -> None:
    response = pb.Response(heartbeat_duration=told)
    by_frame, by_bootstrap = protocol(), protocol()
    by_frame.receive_frame(server_frame(response))
    by_bootstrap.receive_bootstrap(response)
    assert by_frame.heartbeat_s == by_bootstrap.heartbeat_s == seconds


@pytest.mark.parametrize(("asked", "seconds"), [(3, 3.0), (0.01, HEARTBEAT_MIN_S), (900, HEARTBEAT_MAX_S)])
def test_the_handshakes_interval_goes_before_that_of_frames(asked: float, seconds: float) -> None:
    agreed = protocol(ping_interval_s=asked)
    agreed.receive_frame(server_frame(pb.Response(heartbeat_duration=20)))
    assert agreed.heartbeat_s == seconds


# --- bad frames ---------------------------------------------------------------------------------------------------

BAD_FRAMES = {
    "no protobuf": b"\xff\xff\xff",
    "length beyond the end": b"\x42\xff\xff\xff\xff\x0f",
    "endless number": b"\x08" + b"\xff" * 30,
    "group": b"\x0b\x0c",
    "fixed-size field cut short": b"\x0d\x01",
    "wide field cut short": b"\x09\x01",
    "too large": server_frame(pb.Response(internal_ext=bytes(MAX_FRAME_BYTES))),
    "too many headers": b"\x2a\x00" * (MAX_ITEMS + 1),
    "no gzip": pb.PushFrame(
        payload_type=b"msg", headers=[pb.Header(key=b"compress_type", value=b"gzip")], payload=b"plain"
    ).SerializeToString(),
    "gzip cut short": pb.PushFrame(payload_type=b"msg", payload=gzip.compress(b"\x50\x01")[:-3]).SerializeToString(),
    "gzip bomb": pb.PushFrame(
        payload_type=b"msg", payload=gzip.compress(bytes(MAX_UNZIPPED_BYTES * 2))
    ).SerializeToString(),
    "response is no protobuf": pb.PushFrame(payload_type=b"msg", payload=b"\x0a\x09x").SerializeToString(),
    "message is no protobuf": pb.PushFrame(payload_type=b"msg", payload=b"\x0a\x02\x0a\x09").SerializeToString(),
    "too many messages": server_frame(pb.Response(messages=[chat(n) for n in range(MAX_ITEMS + 1)])),
}


@pytest.mark.parametrize("bad", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_a_bad_frame_is_counted_and_costs_nothing_else(bad: bytes) -> None:
    counts: Counter[str] = Counter()
    listening = protocol(position="c1", counts=counts)
    assert listening.receive_frame(bad) == []
    assert (counts, listening.frames_to_send(), listening.position) == ({"bad_frame": 1}, [], "c1")
    assert ids(listening.receive_frame(server_frame(pb.Response(messages=[chat(1)])))) == ["1"]


def test_several_bad_frames_in_a_row_break_the_connection() -> None:
    broken = protocol()
    for _ in range(MAX_BAD_FRAMES - 1):
        broken.receive_frame(b"\xff")
    with pytest.raises(RemoteProtocolError):
        broken.receive_frame(b"\xff")


def test_a_readable_frame_between_bad_ones_keeps_the_connection() -> None:
    listening = protocol()
    for _ in range(3):
        for _ in range(MAX_BAD_FRAMES - 1):
            listening.receive_frame(b"\xff")
        listening.receive_frame(server_frame(pb.Response()))


def test_heartbeat_answers_do_not_hide_that_nothing_can_be_read() -> None:
    broken = protocol()
    with pytest.raises(RemoteProtocolError):
        for _ in range(MAX_BAD_FRAMES):
            broken.receive_frame(frame(b"hb"))
            broken.receive_frame(b"\xff")


def test_as_many_messages_as_the_ceiling_allows_pass() -> None:
    full = server_frame(pb.Response(messages=[chat(n + 1) for n in range(MAX_ITEMS)]))
    assert len(protocol().receive_frame(full)) == MAX_ITEMS


@pytest.mark.parametrize("name", ["gzip bomb", "too many messages", "too many headers", "endless number"])
def test_a_hostile_frame_is_refused_within_bounded_memory(name: str) -> None:
    victim = protocol()
    bad = BAD_FRAMES[name]
    tracemalloc.start()
    try:
        victim.receive_frame(bad)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_UNZIPPED_BYTES


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_random_bytes_never_raise_anything_else(junk: list[bytes]) -> None:
    victim = protocol()
    try:
        for piece in junk:
            victim.receive_frame(piece)
            victim.receive_frame(pb.PushFrame(payload_type=b"msg", payload=piece).SerializeToString())
    except RemoteProtocolError:
        pass


@given(st.data())
def test_a_damaged_frame_never_raises_anything_else(data: st.DataObject) -> None:
    wire = bytearray(
        server_frame(pb.Response(messages=[chat(1), chat(2)], need_ack=True), zipped=data.draw(st.booleans()))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    assert len(protocol().receive_frame(bytes(wire))) <= 2


def test_repr_answers_the_debugger() -> None:
    assert repr(protocol(position="c1")) == "<WebcastProtocol position='c1' heartbeats=1 closing=False>"


# --- both ends together -------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 5), st.lists(st.integers(1, 6), max_size=4)), min_size=1, max_size=8
    )
)
def test_over_any_number_of_connections_each_message_comes_once_and_in_order(
    connections: list[tuple[int, int, list[int]]],
) -> None:
    room, seen, position = Room(), SeenIds(), ""
    told: list[str] = []
    connections = [*connections, (0, 0, [1000])]
    for happened, overlap, frame_sizes in connections:
        room.happen(happened)
        before = len(told)
        client = WebcastProtocol(tiktok_dialect("7300000000000000001"), seen=seen, position=position)
        pair = Pair(room, client, int(position or 0), overlap=overlap)
        for most in frame_sizes:
            client.heartbeat()
            told += ids(pair.exchange(most))
        assert client.overlapped == any(number <= before for number in pair.told)
        position = client.position
    assert told == [str(number + 1) for number in range(len(room.messages))]
    # The ack of a connection's last frame is on its way when the connection ends.
    assert len(room.acks) == sum(1 for _, _, frame_sizes in connections if frame_sizes)
    assert room.heartbeats == [n for _, _, sizes in connections if sizes for n in range(1, len(sizes) + 2)]
