"""The simulator's checks of signatures, on values that public clients made."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.douyin import a_bogus, signature
from simulator.douyin.arithmetic import rc4, sm3
from tests.conftest import CAPTURES
from tests.simulators import VISITOR, douyin_query, douyin_signature, one_key_rc4, spelled

ROOM = 7690183442860198697
QUERY = douyin_query(ROOM)
HTTP_QUERY = "aid=6383&app_name=douyin_web&room_id=7690183442860198697"


def captured(name: str) -> Any:
    path = CAPTURES / "douyin" / name
    if not path.exists():
        pytest.skip("the captures are not beside this repository")
    return json.loads(path.read_text("utf8"))


def published(vector: dict[str, Any]) -> Iterator[str]:
    """The signatures of one query: of three environments."""
    yield vector["signature"]
    for other in vector["other_environments"].values():
        yield other if isinstance(other, str) else other["signature"]


# The socket


def test_published_signatures_are_right_whatever_their_environment() -> None:
    seen = 0
    for vector in captured("signature_vectors.json")["vectors"]:
        query = dict(pair.split("=", 1) for pair in vector["joined"].split(","))
        assert signature.stub(query).hex() == vector["x_ms_stub"]
        for value in published(vector):
            assert signature.wrong_with(value, query) is None
            assert signature.wrong_with(value, {**query, "room_id": str(ROOM + 1)}) == "stub"
            seen += 1
    assert seen == 60


def test_a_signature_made_by_the_notes_is_right() -> None:
    for key in range(0, 255, 16):
        assert signature.wrong_with(douyin_signature(QUERY, key=key), QUERY) is None


@pytest.mark.parametrize("name", ["room_id", "user_unique_id", "webcast_sdk_version", "aid", "identity"])
def test_a_signature_belongs_to_its_address(name: str) -> None:
    assert signature.wrong_with(douyin_signature(QUERY), {**QUERY, name: "7"}) == "stub"


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("", "missing"),
        ("Dkdpgh4ZKsQB80", "length"),
        ("Dkdpgh4ZKsQB80/\u00e9", "alphabet"),
        ("Dkdpgh4ZKsQB80-_", "alphabet"),
        ("Dkdpgh4ZKsQB80 M", "alphabet"),
    ],
)
def test_what_is_no_signature_is_wrong(value: str, wrong: str) -> None:
    assert signature.wrong_with(value, QUERY) == wrong


@pytest.mark.parametrize(
    ("flags", "plain", "wrong"),
    [
        (0x10, [1, 0, 1, 14, 0x45, 0x3F, 0, 0, 63], "mode"),
        (0x40, [1, 0, 1, 14, 0x45, 0x3E, 0, 0, 63], "body"),
        (0x40, [1, 0, 1, 14, 0x45, 0x3F, 0, 0, 63], "stub"),
    ],
)
def test_each_part_of_a_signature_is_looked_at(flags: int, plain: list[int], wrong: str) -> None:
    check = 0
    for byte in plain:
        check ^= byte
    assert signature.wrong_with(spelled(bytes([flags, 5]) + one_key_rc4(5, bytes([*plain, check]))), QUERY) == wrong
    off = spelled(bytes([0x40, 5]) + one_key_rc4(5, bytes([*plain, check ^ 1])))
    assert signature.wrong_with(off, QUERY) == "checksum"


def test_our_own_arithmetic_is_the_standards() -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    assert rc4(b"Key", b"Plaintext").hex() == "bbf316e8d940af0ad3"
    assert rc4(b"\x3f", b"x" * 40) == one_key_rc4(0x3F, b"x" * 40)


# HTTP


def test_published_a_bogus_values_are_right_for_their_request_only() -> None:
    for vector in captured("http_signature_vectors.json")["a_bogus"]:
        value, query, agent = vector["a_bogus"], vector["query"], vector["user_agent"]
        assert a_bogus.wrong_with(value, query, agent) is None
        assert a_bogus.wrong_with(value, f"{query}&x=1", agent) == "query"
        assert a_bogus.wrong_with(value, query, f"{agent} Edg/134.0") == "user_agent"


@pytest.mark.parametrize(
    ("value", "wrong"), [("", "missing"), ("00000000", "length"), ("!", "alphabet"), ("D" * 192, "length")]
)
def test_what_is_no_a_bogus_is_wrong(value: str, wrong: str) -> None:
    assert a_bogus.wrong_with(value, HTTP_QUERY, VISITOR) == wrong
