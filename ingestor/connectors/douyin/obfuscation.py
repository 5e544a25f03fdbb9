"""What Douyin's page scripts hide bytes with: RC4, and base64 with its letters shuffled. Pure, and no secret.

Source: three independent re-implementations by peer clients, 2025 and 2026.
"""

import base64
from typing import Final

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def rc4(key: bytes, plain: bytes) -> bytes:
    """Textbook RC4, no bytes dropped; twice with one key gives back what was put in."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 0xFF
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in plain:
        i = (i + 1) & 0xFF
        j = (j + state[i]) & 0xFF
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 0xFF])
    return bytes(out)


def shuffled_base64(raw: bytes, alphabet: bytes) -> str:
    """Base64 in another order of letters; padded with `=`."""
    return base64.b64encode(raw).translate(bytes.maketrans(_BASE64, alphabet)).decode("ascii")
