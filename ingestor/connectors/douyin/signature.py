"""The `signature` that opens a socket: what is signed, and how. Pure: counter and randomness are passed in.

Nothing of it depends on the time or on the user agent. Source: the page's script (webmssdk 1.0.0.53) run with pinned
randomness, and two re-implementations by peer clients, which agree on all vectors; state of 2026-09.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from ingestor.connectors.douyin.obfuscation import rc4, shuffled_base64

SIGNED_NAMES: Final = (
    "live_id",
    "aid",
    "version_code",
    "webcast_sdk_version",
    "room_id",
    "sub_room_id",
    "sub_channel_id",
    "did_rule",
    "user_unique_id",
    "device_platform",
    "device_type",
    "ac",
    "identity",
)
"""The parts of the query that are signed, in this order."""

ENVIRONMENT: Final = 1
BEHAVIOUR: Final = 14
"""What the script found out about its browser; this pair is that of most clients, others are let in too."""

_ALPHABET: Final = b"Dkdpgh4ZKsQB80/Mfvw36XI1R25+WUAlEi7NLboqYTOPuzmFjJnryx9HVGcaStCe"
_FOR_SOCKET: Final = 0x40
_COIN: Final = 0x10


def stub(query: Mapping[str, str]) -> str:
    """What is signed of a socket's query; it has to be the query that is sent.

    Args:
        query: names and values before percent-encoding; of absent ones the value is empty.

    Returns:
        32 hexadecimal digits, in lower case.
    """
    return _md5(",".join(f"{name}={query.get(name, '')}" for name in SIGNED_NAMES).encode()).hex()


def sign(
    stub: str,
    *,
    counter: int,
    draws: tuple[float, float, float],
    environment: int = ENVIRONMENT,
    behaviour: int = BEHAVIOUR,
) -> str:
    """Sign a stub.

    Args:
        stub: of the query.
        counter: which signature of this visit it is, 1, 2, 3 ...; six bits of it are told.
        draws: each at least 0 and below 1, in the order in which the script draws them.
        environment, behaviour: one byte each.

    Returns:
        16 characters, `+` and `/` among them: to be percent-encoded.
    """
    coin, salt, key = draws
    of_body, of_stub = _md5(_md5(b"")), _md5(bytes.fromhex(stub))
    plain = bytes((counter & 0x3F, 0, environment, behaviour, *of_body[-2:], *of_stub[-2:], int(255 * salt)))
    check = 0
    for byte in plain:
        check ^= byte
    key_byte = int(255 * key)
    flags = _FOR_SOCKET | (_COIN if int(100 * coin) & 1 else 0)
    return shuffled_base64(bytes((flags, key_byte)) + rc4(bytes((key_byte,)), plain + bytes((check,))), _ALPHABET)


def _md5(raw: bytes) -> bytes:
    return hashlib.md5(raw, usedforsecurity=False).digest()
