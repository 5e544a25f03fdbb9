from array import array
from itertools import pairwise

import pytest

from bench.counter import (
    PING,
    FrameCounter,
    LengthCounter,
    MarkCounter,
    Sequence,
    Tally,
    count_engineio_pings,
    find_pings,
)
from bench.marks import MARK_BYTES, event

HEAD = 64
LONG = bytes((0xC1, 127)) + (300).to_bytes(8) + b"z" * 300
EPOCH = 1765432100000000


def frame(payload: bytes, head: int = 0x81) -> bytes:
    if len(payload) < 126:
        return bytes((head, len(payload))) + payload
    return bytes((head, 126)) + len(payload).to_bytes(2) + payload


def frames(*numbers: int) -> bytes:
    return b"".join(frame(event("7300000000000000001", n, 1_000_000 + n, f"{EPOCH}-{n}")) for n in numbers)


def cut(data: bytes, *places: int) -> list[bytes]:
    return [data[start:end] for start, end in pairwise((0, *places, len(data)))]


def search(chunks: list[bytes]) -> Sequence:
    """Feed them as the load client does: into one buffer, behind the rest of the chunk before."""
    counter = MarkCounter()
    for chunk in chunks:
        buffer = bytearray(HEAD) + chunk
        start = HEAD - len(counter.rest)
        buffer[start:HEAD] = counter.rest
        counter.feed(buffer, start, len(buffer))
    return counter.sequence


def read(chunks: list[bytes]) -> tuple[Sequence, list[int], list[tuple[int, bytes]]]:
    latencies = array("q")
    control: list[tuple[int, bytes]] = []
    counter = FrameCounter(lambda opcode, payload: control.append((opcode, payload)), latencies)
    for chunk in chunks:
        counter.feed(chunk, 2_000_000)
    return counter.sequence, latencies.tolist(), control


@pytest.mark.parametrize("numbers", [(1, 2, 3), (9, 10, 11), (998, 999, 1000, 1001)])
def test_both_ways_count_the_same_wherever_the_stream_is_cut(numbers: tuple[int, ...]) -> None:
    data = frames(*numbers)
    whole = Sequence(first=numbers[0], last=numbers[-1])
    for place in range(len(data) + 1):
        assert search(cut(data, place)) == whole
        assert read(cut(data, place))[0] == whole
    assert search([bytes((byte,)) for byte in data]) == whole
    assert read([bytes((byte,)) for byte in data])[0] == whole


@pytest.mark.parametrize(
    ("numbers", "gaps", "doubles"),
    [((1, 2, 4, 5), 1, 0), ((1, 2, 2, 3), 0, 1), ((1, 2, 3, 7), 3, 0), ((4, 5, 4), 0, 1)],
)
def test_what_is_missing_or_doubled_is_seen_wherever_the_stream_is_cut(
    numbers: tuple[int, ...], gaps: int, doubles: int
) -> None:
    data = frames(*numbers)
    for place in range(len(data) + 1):
        for counted in (search(cut(data, place)), read(cut(data, place))[0]):
            assert (bool(counted.gaps), bool(counted.doubles)) == (bool(gaps), bool(doubles)), place
    assert read([data])[0] == Sequence(numbers[0], max(numbers), gaps, doubles)


def test_a_missing_event_is_seen_in_a_long_read_after_long_reads_without_fault() -> None:
    good, faulty = list(range(100, 200)), list(range(200, 300))
    faulty.remove(250)
    counted = search([frames(*good[:50]), frames(*good[50:]), frames(*faulty)])
    assert (counted.gaps, counted.doubles, counted.last) == (1, 0, 299)


def test_one_left_out_and_another_doubled_is_seen_by_who_reads_each_frame() -> None:
    counted = read([frames(1, 2, 2, 4)])[0]
    assert (counted.gaps, counted.doubles) == (1, 1)


def test_every_latency_of_a_sampled_client_is_kept() -> None:
    assert read([frames(1, 2)])[1] == [999_999, 999_998]


def test_percentiles_are_values_that_were_there() -> None:
    tally = Tally(latencies=array("q", [n * 1_000_000 for n in range(1, 1001)]))
    assert tally.percentiles_ms(50, 99, 99.9, 100) == [500, 990, 999, 1000]
    assert Tally().percentiles_ms(99) == [0]


def test_compressed_messages_are_read() -> None:
    import zlib

    def deflated(payload: bytes) -> bytes:
        compressor = zlib.compressobj(wbits=-15)
        return frame((compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4], 0xC1)

    data = [deflated(event("7300000000000000001", n, 1, f"{EPOCH}-{n}")) for n in (1, 2, 4)]
    status = deflated(b'{"status":"connected","message":"in the room"}')
    assert read([status, *data])[0] == Sequence(1, 4, gaps=1)


def test_messages_are_followed_by_their_lengths_wherever_the_stream_is_cut() -> None:
    ping = frame(b"abcd", 0x80 | PING)
    data = frame(b"short", 0xC1) + ping + frame(b"x" * 300, 0xC1) + LONG + ping + frame(b"y" * 200, 0xC1)
    control: list[tuple[int, bytes]] = []
    for place in range(len(data) + 1):
        control.clear()
        counter = LengthCounter(lambda *frame: control.append(frame), Sequence(first=1, last=7))
        for chunk in cut(data, place):
            buffer = bytearray(HEAD) + chunk
            start = HEAD - len(counter.rest)
            buffer[start:HEAD] = counter.rest
            counter.feed(buffer, start, len(buffer))
        assert counter.sequence.last == 11, place
        assert control == [(PING, b"abcd")] * 2, place


def test_pings_are_found_wherever_the_stream_is_cut() -> None:
    ping = frame(b"\x81\x04ab", 0x80 | PING)
    data = frames(1) + ping + frame(b"x" * 0x289) + ping + frames(2)
    for place in range(len(data) + 1):
        found = []
        rest = b""
        for chunk in cut(data, place):
            buffer = bytearray(HEAD) + chunk
            buffer[HEAD - len(rest) : HEAD] = rest
            found += find_pings(buffer, HEAD - len(rest), HEAD, len(buffer))
            rest = bytes(buffer[max(HEAD - len(rest), len(buffer) - MARK_BYTES + 1) :])
        assert found == [b"\x81\x04ab"] * 2, place
    assert [payload for opcode, payload in read([data])[2] if opcode == PING] == [b"\x81\x04ab"] * 2


def test_heartbeats_of_engineio_are_found_once() -> None:
    data = bytearray(HEAD) + frame(b"2") + frame(b"42[1]")
    assert count_engineio_pings(data, HEAD, HEAD, len(data)) == 1
    assert count_engineio_pings(data, HEAD, HEAD + 2, len(data)) == 1
    assert count_engineio_pings(data, HEAD, HEAD + 3, len(data)) == 0
    assert read([bytes(data[HEAD:])])[2] == [(0, b"2")]
