"""Unzips what a peer sent, never past a bound. Pure."""

import zlib

RATIO_MAX = 200
"""Output per input byte. Captured frames unzip to 2 to 6 times their size; a bomb reaches 1000."""

SMALL_OUTPUT_BYTES = 64 * 1024
"""Output that needs no ratio: a short text of one letter is no bomb."""

_STEP_BYTES = 1024 * 1024  # at a time: zlib grows its output by doubling, which would cost twice the bound

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # recognised by the header


class InflateError(ValueError):
    """Not gzip or zlib, cut short, followed by something else, or larger than the bound."""


class InflateTooLarge(InflateError):
    """Larger than the bound."""


def inflate(packed: bytes, max_bytes: int) -> bytes:
    """Unzip gzip (several members too) or zlib data.

    Raises:
        InflateTooLarge, InflateError: see there. No more than the bound, and one byte, was ever unzipped.
    """
    left = min(max_bytes, max(SMALL_OUTPUT_BYTES, RATIO_MAX * len(packed)))
    parts = []
    while packed:
        stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        while not stream.eof:
            try:
                part = stream.decompress(packed, min(left + 1, _STEP_BYTES))
            except zlib.error:
                raise InflateError("not gzip or zlib") from None
            if len(part) > left:
                raise InflateTooLarge("larger than the bound")
            packed = stream.unconsumed_tail
            if not packed and not part and not stream.eof:
                raise InflateError("cut short")
            parts.append(part)
            left -= len(part)
        packed = stream.unused_data.lstrip(b"\0")  # gzip files may be padded with zeros
    return b"".join(parts)
