"""What goes with requests to the web site: `a_bogus`, `__ac_signature`, and the hash beneath the first."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.connectors.douyin.a_bogus import a_bogus
from ingestor.connectors.douyin.ac_signature import ac_signature
from ingestor.connectors.douyin.obfuscation import rc4
from ingestor.connectors.douyin.sm3 import sm3

FIXTURE = Path(__file__).parents[2] / "fixtures" / "douyin" / "signatures.json"
VECTORS = json.loads(FIXTURE.read_text("utf8"))
ALPHABET = "Dkdpgh2ZmsQB80/MfvV36XI1R45-WUAlEixNLwoqYTOPuzKFjJnry79HbGcaStCe"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
DRAWS = (0.12345, 0.98765, 0.55555)
NOW_MS = 1_790_000_000_000


def as_read_by_the_server(signature: str) -> tuple[bytes, bytes]:
    """The noise before it, and the bytes beneath, letter by letter."""
    letters = signature.removesuffix("=")
    bits = 0
    for letter in letters:
        bits = bits << 6 | ALPHABET.index(letter)
    raw = (bits >> len(letters) * 6 % 8).to_bytes(len(letters) * 6 // 8, "big")
    return raw[:12], rc4(b"y", raw[12:])


@pytest.mark.parametrize("vector", VECTORS["a_bogus"])
def test_vectors_of_a_bogus_are_reproduced(vector: dict[str, Any]) -> None:
    signature = a_bogus(vector["query"], vector["user_agent"], time_ms=vector["time_ms"], draws=tuple(vector["draws"]))
    assert signature == vector["a_bogus"]


@pytest.mark.parametrize("vector", VECTORS["ac_signature"])
def test_vectors_of_ac_signature_are_reproduced(vector: dict[str, Any]) -> None:
    found = ac_signature(vector["site"], vector["nonce"], vector["user_agent"], vector["time_s"])
    assert found == vector["ac_signature"]


@given(st.text(max_size=200), st.sampled_from([WINDOWS, MAC]), st.integers(min_value=0, max_value=2**43))
def test_a_bogus_passes_the_servers_checks(query: str, user_agent: str, time_ms: int) -> None:
    noise, plain = as_read_by_the_server(a_bogus(query, user_agent, time_ms=time_ms, draws=DRAWS))
    assert noise[0] & 0x55 == 3 & 0x55  # an option is woven into the noise
    header, screen = plain[:44], plain[44:-1]
    assert screen.decode().split("|")[-1] == ("Win32" if user_agent == WINDOWS else "MacIntel")
    check = 0
    for byte in header:
        check ^= byte
    assert plain[-1] == check
    of_query = sm3(sm3(query.encode() + b"cus"))
    assert (header[7], header[18]) == (of_query[21], of_query[22])
    assert bytes((header[1], header[11], header[21], header[26])) == (time_ms % 2**32).to_bytes(4, "big")


def test_draws_change_the_noise_alone() -> None:
    ones, others = (
        as_read_by_the_server(a_bogus("a=1", WINDOWS, time_ms=NOW_MS, draws=draws))
        for draws in (DRAWS, (0.5, 0.25, 0.125))
    )
    assert ones[0] != others[0]
    assert ones[1] == others[1]


@pytest.mark.parametrize(
    ("site", "nonce", "user_agent", "time_s"),
    [
        ("live.douyin.com/", "0" * 21, WINDOWS, 1_790_000_000),
        ("live.douyin.com/1", "1" * 21, WINDOWS, 1_790_000_000),
        ("live.douyin.com/1", "0" * 21, MAC, 1_790_000_000),
        ("live.douyin.com/1", "0" * 21, WINDOWS, 1_790_000_001),
    ],
)
def test_all_of_a_visit_is_in_its_ac_signature(site: str, nonce: str, user_agent: str, time_s: int) -> None:
    usual = ac_signature("live.douyin.com/1", "0" * 21, WINDOWS, 1_790_000_000)
    other = ac_signature(site, nonce, user_agent, time_s)
    assert other != usual
    assert len(other) == len(usual)
    assert other.startswith("_02B4Z6wo00f01")


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
        (b"", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"),
    ],
)
def test_sm3_is_the_standards(message: bytes, digest: str) -> None:
    assert sm3(message).hex() == digest


@pytest.mark.skipif("sm3" not in hashlib.algorithms_available, reason="this OpenSSL has no SM3")
@given(st.binary(max_size=300))
def test_sm3_agrees_with_openssl(message: bytes) -> None:
    assert sm3(message) == hashlib.new("sm3", message).digest()
