"""The arithmetic under Douyin's signatures: RC4, SM3, and base64 with other alphabets. Pure.

Written from the protocol notes, and apart from the client's on purpose: two readings that have to agree.
"""

import base64
from typing import Final

_STANDARD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MASK: Final = 0xFFFFFFFF


def rc4(key: bytes, text: bytes) -> bytes:
    """Textbook RC4; the same way back."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 0xFF
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in text:
        i = (i + 1) & 0xFF
        j = (j + state[i]) & 0xFF
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 0xFF])
    return bytes(out)


def encode(alphabet: bytes, raw: bytes) -> bytes:
    """Base64 with another alphabet, and the ordinary padding."""
    return base64.b64encode(raw).translate(bytes.maketrans(_STANDARD, alphabet))


def decode(alphabet: bytes, text: str) -> bytes:
    """The way back, of a text without padding.

    Raises:
        ValueError: the text has other characters, or a length that cannot be.
    """
    if not text.isascii():
        raise ValueError("not ASCII")
    standard = text.encode().translate(bytes.maketrans(alphabet, _STANDARD))
    if any(character not in alphabet for character in text.encode()):
        raise ValueError("a character that the alphabet has not")
    return base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)


def sm3(message: bytes) -> bytes:
    """The hash of GB/T 32905-2016, 32 bytes. Not every OpenSSL has it."""
    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    padded = message + b"\x80" + b"\x00" * (-(len(message) + 9) % 64) + (8 * len(message)).to_bytes(8)
    for start in range(0, len(padded), 64):
        state = _compress(state, padded[start : start + 64])
    return b"".join(word.to_bytes(4) for word in state)


def _compress(state: list[int], block: bytes) -> list[int]:
    words = [int.from_bytes(block[at : at + 4]) for at in range(0, 64, 4)]
    for j in range(16, 68):
        mixed = words[j - 16] ^ words[j - 9] ^ _left(words[j - 3], 15)
        words.append(mixed ^ _left(mixed, 15) ^ _left(mixed, 23) ^ _left(words[j - 13], 7) ^ words[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        constant = 0x79CC4519 if j < 16 else 0x7A879D8A
        ss1 = _left((_left(a, 12) + e + _left(constant, j % 32)) & _MASK, 7)
        ss2 = ss1 ^ _left(a, 12)
        ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        gg = e ^ f ^ g if j < 16 else (e & f) | (~e & g)
        tt1 = (ff + d + ss2 + (words[j] ^ words[j + 4])) & _MASK
        tt2 = (gg + h + ss1 + words[j]) & _MASK
        a, b, c, d = tt1, a, _left(b, 9), c
        e, f, g, h = tt2 ^ _left(tt2, 9) ^ _left(tt2, 17), e, _left(f, 19), g
    return [old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


def _left(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & _MASK if bits else word
