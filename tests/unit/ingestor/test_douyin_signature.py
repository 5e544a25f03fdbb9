"""The signature that opens a socket."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.connectors.douyin.obfuscation import rc4, shuffled_base64
from ingestor.connectors.douyin.signature import SIGNED_NAMES, sign, stub

FIXTURE = Path(__file__).parents[2] / "fixtures" / "douyin" / "signatures.json"
VECTORS = json.loads(FIXTURE.read_text("utf8"))["socket"]
ALPHABET = "Dkdpgh4ZKsQB80/Mfvw36XI1R25+WUAlEi7NLboqYTOPuzmFjJnryx9HVGcaStCe"
QUERY = {
    "live_id": "1",
    "aid": "6383",
    "version_code": "180800",
    "webcast_sdk_version": "1.0.15",
    "room_id": "7690000000000000001",
    "did_rule": "3",
    "user_unique_id": "7660000000000000002",
    "device_platform": "web",
    "identity": "audience",
}
STUB = stub(QUERY)
DRAW = st.floats(min_value=0, max_value=1, exclude_max=True)


def as_read_by_the_server(signature: str) -> tuple[int, bytes]:
    """Flags and the ten bytes beneath, letter by letter."""
    bits = 0
    for letter in signature:
        bits = bits << 6 | ALPHABET.index(letter)
    flags, key, *hidden = bits.to_bytes(12, "big")
    return flags, rc4(bytes((key,)), bytes(hidden))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["signature"])
def test_vectors_are_reproduced(vector: dict[str, Any]) -> None:
    query = {**QUERY, **{name: vector[name] for name in ("webcast_sdk_version", "room_id", "user_unique_id")}}
    assert stub(query) == vector["stub"]
    signature = sign(
        vector["stub"],
        counter=vector["counter"],
        draws=tuple(vector["draws"]),
        environment=vector["environment"],
        behaviour=vector["behaviour"],
    )
    assert signature == vector["signature"]


def test_thirteen_parts_of_the_query_are_signed_in_their_order_and_absent_ones_as_empty() -> None:
    signed = (
        "live_id=1,aid=6383,version_code=180800,webcast_sdk_version=1.0.15,room_id=7690000000000000001,sub_room_id=,"
        "sub_channel_id=,did_rule=3,user_unique_id=7660000000000000002,device_platform=web,device_type=,ac=,"
        "identity=audience"
    )
    assert hashlib.md5(signed.encode()).hexdigest() == STUB
    assert stub(dict(reversed([*QUERY.items(), ("cursor", "r-1"), ("signature", "x")]))) == STUB


@pytest.mark.parametrize("name", SIGNED_NAMES)
def test_every_signed_part_changes_the_stub(name: str) -> None:
    assert stub({**QUERY, name: "else"}) != STUB


@given(st.integers(min_value=0, max_value=2**40), DRAW, DRAW, DRAW, st.binary(min_size=16, max_size=16))
def test_a_signature_passes_the_servers_checks(
    counter: int, coin: float, salt: float, key: float, digest: bytes
) -> None:
    signature = sign(digest.hex(), counter=counter, draws=(coin, salt, key))
    assert len(signature) == 16
    flags, plain = as_read_by_the_server(signature)
    assert flags in (0x40, 0x50)
    assert plain[:4] == bytes((counter % 64, 0, 1, 14))
    assert plain[4:6] == b"\x45\x3f"  # of a request without a body
    assert plain[6:8] == hashlib.md5(digest).digest()[-2:]
    assert plain[8] < 255
    check = 0
    for byte in plain[:9]:
        check ^= byte
    assert plain[9] == check


def test_only_the_counter_tells_calls_with_equal_draws_apart() -> None:
    calls = [sign(STUB, counter=counter, draws=(0.25, 0.25, 0.25)) for counter in range(1, 66)]
    assert len(set(calls[:64])) == 64
    assert calls[64] == calls[0]


@pytest.mark.parametrize(
    ("key", "plain", "cipher"),
    [
        (b"Key", b"Plaintext", "bbf316e8d940af0ad3"),
        (b"Wiki", b"pedia", "1021bf0420"),
        (b"Secret", b"Attack at dawn", "45a01f645fc35b383552544b9bf5"),
    ],
)
def test_rc4_is_the_textbooks(key: bytes, plain: bytes, cipher: str) -> None:
    assert rc4(key, plain).hex() == cipher
    assert rc4(key, rc4(key, plain)) == plain


def test_base64_is_shuffled_by_its_letters_only() -> None:
    assert shuffled_base64(b"\0\0\0", ALPHABET.encode()) == "DDDD"
    assert shuffled_base64(b"\xff\xff\xff", ALPHABET.encode()) == "eeee"
    assert shuffled_base64(b"\0", ALPHABET.encode()) == "DD=="
