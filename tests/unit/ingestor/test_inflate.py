"""Unzipping what a peer sent, never past a bound."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.connectors.inflate import RATIO_MAX, SMALL_OUTPUT_BYTES, InflateError, inflate

MIB = 1024 * 1024


@given(st.binary(max_size=5000))
def test_what_was_zipped_comes_back(plain: bytes) -> None:
    assert inflate(gzip.compress(plain), MIB) == plain
    assert inflate(zlib.compress(plain), MIB) == plain


def test_members_are_joined_and_padding_is_skipped() -> None:
    assert inflate(gzip.compress(b"ab") + gzip.compress(b"") + gzip.compress(b"cd") + b"\0" * 9, MIB) == b"abcd"


def test_output_may_reach_the_bound_and_not_pass_it() -> None:
    packed = gzip.compress(bytes(1000))
    assert len(inflate(packed, 1000)) == 1000
    with pytest.raises(InflateError):
        inflate(packed, 999)


def test_members_share_one_bound() -> None:
    with pytest.raises(InflateError):
        inflate(gzip.compress(bytes(600)) * 2, 1000)


def test_small_outputs_need_no_ratio() -> None:
    packed = gzip.compress(bytes(SMALL_OUTPUT_BYTES))
    assert len(packed) * RATIO_MAX < SMALL_OUTPUT_BYTES
    assert len(inflate(packed, MIB)) == SMALL_OUTPUT_BYTES


def test_a_bomb_is_told_by_its_ratio() -> None:
    bomb = gzip.compress(bytes(6 * MIB))
    assert len(bomb) * RATIO_MAX < 6 * MIB
    with pytest.raises(InflateError):
        inflate(bomb, 8 * MIB)


@pytest.mark.parametrize("cut", [1, 5, 12, -1, -9])
def test_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(InflateError):
        inflate(gzip.compress(b"some text that is long enough")[:cut], MIB)


def test_something_else_behind_it_is_refused() -> None:
    with pytest.raises(InflateError):
        inflate(gzip.compress(b"ab") + b"junk", MIB)


@given(st.binary(min_size=1, max_size=200))
def test_random_bytes_cost_nothing_but_an_error(junk: bytes) -> None:
    try:
        inflate(b"\x1f\x8b\x08" + junk, MIB)
    except InflateError:
        pass
