"""Whether the signature of a socket's address is right, as far as a server can tell. Pure.

Source: what public clients of 2025 and 2026 send, agreeing in 42 published and recorded values; what the platform
itself looks at is not known. Counter, environment and draws are the client's own: any will do.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from simulator.douyin.arithmetic import decode, rc4

SIGNED: Final = (
    "live_id", "aid", "version_code", "webcast_sdk_version", "room_id", "sub_room_id", "sub_channel_id", "did_rule",
    "user_unique_id", "device_platform", "device_type", "ac", "identity",
)  # fmt: skip

_ALPHABET: Final = b"Dkdpgh4ZKsQB80/Mfvw36XI1R25+WUAlEi7NLboqYTOPuzmFjJnryx9HVGcaStCe"
_LENGTH: Final = 16
_SOCKET_MODE: Final = 0x40  # bit of the first byte
_NO_BODY: Final = b"\x45\x3f"  # the last two bytes of the hash of a hash of nothing


def stub(query: Mapping[str, str]) -> bytes:
    """What is signed of a query: 16 bytes."""
    return hashlib.md5(",".join(f"{name}={query.get(name, '')}" for name in SIGNED).encode()).digest()  # noqa: S324


def wrong_with(signature: str, query: Mapping[str, str]) -> str | None:
    """What is wrong with a signature of this query; None when nothing is."""
    if not signature:
        return "missing"
    if len(signature) != _LENGTH:
        return "length"
    try:
        flags, key, *cipher = decode(_ALPHABET, signature)
    except ValueError:
        return "alphabet"
    if not flags & _SOCKET_MODE:
        return "mode"
    plain = rc4(bytes([key]), bytes(cipher))
    check = 0
    for byte in plain[:-1]:
        check ^= byte
    if plain[-1] != check:
        return "checksum"
    if plain[4:6] != _NO_BODY:
        return "body"
    if plain[6:8] != hashlib.md5(stub(query)).digest()[14:16]:  # noqa: S324 - the platform's choice
        return "stub"
    return None
