"""The `__ac_signature` cookie, which belongs to `__ac_nonce`. Pure: the time is passed in.

The site does not insist on it from those who have a `ttwid`. Source: a peer client's re-implementation, 2025, whose
answers are reproduced. Its arithmetic is that of a script: what has a name in it is named, the rest is only done.
"""

from typing import Final

_HEAD: Final = "_02B4Z6wo00f01"
_WORD: Final = 0xFFFFFFFF
_PRIME: Final = 65521  # the largest below 2**16
_XOR_STEP: Final = 65599
_MARK: Final = 0b10000000110000  # before the 32 bits of the mixed time
_SEAL: Final = 582085784
_PLATFORM_SEAL: Final = 524576


def ac_signature(site: str, nonce: str, user_agent: str, time_s: int) -> str:
    """Sign a visit.

    Args:
        site: host and path, without scheme and query.
        nonce: the cookie.
        user_agent: that of the visit.
        time_s: now, since 1970.
    """
    of_site = _hash(site, _hash(str(time_s), 0)) % _PRIME
    mixed = _MARK << 32 | (time_s ^ of_site * _PRIME) & _WORD
    start = _hash(str(mixed), 0)
    high = mixed >> 32
    sealed = _SEAL ^ mixed
    of_client = _hash(user_agent, start) % _PRIME << 16 | _hash(nonce, start) % _PRIME
    body = (
        _HEAD
        + _letters(mixed >> 2)
        + _letters(mixed << 28 | high >> 4)
        + _letters(high << 26 | sealed >> 6)
        + _letter(sealed & 0x3F)
        + _letters(of_client >> 2)
        + _letters(of_client << 28 | (_PLATFORM_SEAL ^ mixed) >> 4)
        + _letters(of_site)
    )
    return body + f"{_checksum(body):08x}"[-2:]


def _hash(text: str, start: int) -> int:
    value = start
    for character in text:
        value = (value ^ ord(character)) * _XOR_STEP & _WORD
    return value


def _checksum(text: str) -> int:
    value = 0
    for character in text:
        value = value * _XOR_STEP + ord(character) & _WORD
    return value


def _letters(number: int) -> str:
    """Thirty bits as five letters."""
    return "".join(_letter(number >> shift & 0x3F) for shift in (24, 18, 12, 6, 0))


def _letter(code: int) -> str:
    if code < 26:
        return chr(code + 65)
    if code < 52:
        return chr(code + 71)
    return chr(code - 4) if code < 62 else chr(code - 17)
