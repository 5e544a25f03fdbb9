"""Unzips what a peer sent, never past a bound. Pure."""

import zlib

RATIO_MAX = 200
"""Output per input byte. Captured frames unzip to 2 to 6 times their size; a bomb reaches 1000."""

SMALL_OUTPUT_BYTES = 64 * 1024
"""Output that needs no ratio: a short text of one letter is no bomb."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # recognised by the header


class InflateError(ValueError):
    """Not gzip or zlib, cut short, followed by something else, or larger than the bound."""


def inflate(packed: bytes, max_bytes: int) -> bytes:
    """Unzip gzip (several members too) or zlib data.

    Raises:
        InflateError: see there. No more than the bound, and one byte, was ever unzipped.
    """
    left = min(max_bytes, max(SMALL_OUTPUT_BYTES, RATIO_MAX * len(packed)))
    parts = []
    while packed:
        stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            part = stream.decompress(packed, left + 1)
        except zlib.error:
            raise InflateError("not gzip or zlib") from None
        if len(part) > left:
            raise InflateError("larger than the bound")
        if not stream.eof:
            raise InflateError("cut short")
        parts.append(part)
        left -= len(part)
        packed = stream.unused_data.lstrip(b"\0")  # gzip files may be padded with zeros
    return b"".join(parts)
