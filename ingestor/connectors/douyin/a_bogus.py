"""The `a_bogus` at the end of a query to the web site. Pure: time and randomness are passed in.

The site does not insist on it; browsers send it. Source: a peer client's re-implementation, 2025, whose answers are
reproduced; the layout is that of the page's script.
"""

from typing import Final

from ingestor.connectors.douyin.obfuscation import rc4, shuffled_base64
from ingestor.connectors.douyin.sm3 import sm3
from ingestor.connectors.user_agent import system_of

_AID: Final = 6383
_OPTIONS: Final = (0, 1, 14)
_PAGE_ID: Final = 110624
_DURATION_MS: Final = 100  # that the script seems to have taken
_SALT: Final = b"cus"
_USER_AGENT_KEY: Final = bytes((0, 1, 14))
_BODY_KEY: Final = b"y"
_USER_AGENT_ALPHABET: Final = b"ckdp1h4ZKsUB80/Mfvw36XIgR25+WQAlEi7NLboqYTOPuzmFjJnryx9HVGDaStCe"
_ALPHABET: Final = b"Dkdpgh2ZmsQB80/MfvV36XI1R45-WUAlEixNLwoqYTOPuzKFjJnry79HbGcaStCe"
_SCREEN: Final = "1920|1080|1920|1040|0|30|0|0|1872|92|1920|1040|1857|92|1|24|"  # then the platform

_ORDER: Final = (
    *(18, 20, 52, 26, 30, 34, 58, 38, 40, 53, 42, 21, 27, 54, 55, 31, 35, 57, 39, 41, 43, 22),
    *(28, 32, 60, 36, 23, 29, 33, 37, 44, 45, 59, 46, 47, 48, 49, 50, 24, 25, 65, 66, 70, 71),
)
"""In which the numbered fields are written."""

_PREFIX_OPTIONS: Final = ((3, 45), (1, 0), (1, 5))


def a_bogus(query: str, user_agent: str, *, time_ms: int, draws: tuple[float, float, float]) -> str:
    """Sign the query of a GET.

    Args:
        query: percent-encoded, as it is sent, without the signature.
        user_agent: that it is sent with.
        time_ms: now, since 1970.
        draws: each at least 0 and below 1.

    Returns:
        Some 170 characters, `/` and `=` among them: to be percent-encoded.
    """
    screen = (_SCREEN + system_of(user_agent)[0]).encode()
    fields = _fields(query, user_agent, time_ms, screen)
    check = 0
    for number in _ORDER:
        check ^= fields[number]
    plain = bytes(fields[number] for number in _ORDER) + screen + bytes((check,))
    return shuffled_base64(_prefix(draws) + rc4(_BODY_KEY, plain), _ALPHABET).rstrip("=") + "="


def _fields(query: str, user_agent: str, time_ms: int, screen: bytes) -> dict[int, int]:
    """The bytes of the signature by their numbers in the page's script."""
    of_query, of_body = (_twice(text) for text in (query.encode(), b""))
    of_user_agent = sm3(shuffled_base64(rc4(_USER_AGENT_KEY, user_agent.encode()), _USER_AGENT_ALPHABET).encode())
    end_ms = time_ms + _DURATION_MS
    fields = {18: 44, 48: 3, 70: 0, 71: 0}
    numbered = (
        (20, (time_ms & 0xFFFFFFFF).to_bytes(4, "big")),
        (24, (time_ms >> 32 & 0xFFFF).to_bytes(2, "little")),
        (26, _OPTIONS[0].to_bytes(4, "big")),
        (30, _OPTIONS[1].to_bytes(2, "big")),
        (32, _OPTIONS[1].to_bytes(4, "big")[:2]),
        (34, _OPTIONS[2].to_bytes(4, "big")),
        (38, of_query[21:23]),
        (40, of_body[21:23]),
        (42, of_user_agent[23:25]),
        (44, (end_ms & 0xFFFFFFFF).to_bytes(4, "big")),
        (49, (end_ms >> 32 & 0xFFFF).to_bytes(2, "little")),
        (52, _PAGE_ID.to_bytes(4, "big")),
        (57, _AID.to_bytes(4, "little")),
        (65, len(screen).to_bytes(2, "little")),
    )
    for first, raw in numbered:
        fields.update(enumerate(raw, first))
    return fields


def _prefix(draws: tuple[float, float, float]) -> bytes:
    """Twelve bytes of noise with two options woven into each four of them."""
    prefix = bytearray()
    for draw, (even, odd) in zip(draws, _PREFIX_OPTIONS, strict=True):
        noise = int(10_000 * draw)
        for byte, option in ((noise & 0xFF, even), (noise >> 8, odd)):
            prefix += bytes(((byte & 0xAA) | (option & 0x55), (byte & 0x55) | (option & 0xAA)))
    return bytes(prefix)


def _twice(text: bytes) -> bytes:
    return sm3(sm3(text + _SALT))
