"""The SM3 hash (GB/T 32905-2016), for OpenSSL is often built without it. Pure.

Source: the standard, and draft-sca-cfrg-sm3-02.
"""

import struct
from typing import Final

_START: Final[tuple[int, ...]] = (
    0x7380166F,
    0x4914B2B9,
    0x172442D7,
    0xDA8A0600,
    0xA96F30BC,
    0x163138AA,
    0xE38DEE4D,
    0xB0FB0E4E,
)
_BLOCK: Final = 64  # bytes
_WORD: Final = 0xFFFFFFFF


def sm3(message: bytes) -> bytes:
    """The 32 bytes of the hash."""
    padding = b"\x80" + bytes(-(len(message) + 9) % _BLOCK) + struct.pack(">Q", len(message) * 8)
    padded = message + padding
    state = _START
    for start in range(0, len(padded), _BLOCK):
        state = _compress(state, padded[start : start + _BLOCK])
    return struct.pack(">8I", *state)


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    words = list(struct.unpack(">16I", block))
    for n in range(16, 68):
        mixed = words[n - 16] ^ words[n - 9] ^ _left(words[n - 3], 15)
        words.append(mixed ^ _left(mixed, 15) ^ _left(mixed, 23) ^ _left(words[n - 13], 7) ^ words[n - 6])
    a, b, c, d, e, f, g, h = state
    for n in range(64):
        constant = 0x79CC4519 if n < 16 else 0x7A879D8A
        first = _left(_left(a, 12) + e + _left(constant, n % 32), 7)
        second = first ^ _left(a, 12)
        if n < 16:
            of_abc, of_efg = a ^ b ^ c, e ^ f ^ g
        else:
            of_abc, of_efg = (a & b) | (a & c) | (b & c), (e & f) | (~e & g)
        sum_abc = of_abc + d + second + (words[n] ^ words[n + 4])
        sum_efg = of_efg + h + first + words[n]
        a, b, c, d = sum_abc & _WORD, a, _left(b, 9), c
        e, f, g, h = _permuted(sum_efg & _WORD), e, _left(f, 19), g
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def _permuted(word: int) -> int:
    return word ^ _left(word, 9) ^ _left(word, 17)


def _left(word: int, bits: int) -> int:
    word &= _WORD
    return (word << bits | word >> (32 - bits)) & _WORD
