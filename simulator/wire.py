"""Protobuf at the level of the wire: fields as they stand, without a schema. For rewriting recorded payloads. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number, its value (bytes unless it is a varint), and all of its bytes."""

    number: int
    value: int | bytes
    raw: bytes


def read_fields(data: bytes) -> Iterator[Field]:
    """The fields in the order they stand.

    Raises:
        ValueError: this is not protobuf, or uses groups.
    """
    at = 0
    while at < len(data):
        start = at
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == _VARINT:
            value, at = _read_varint(data, at)
        else:
            if kind == _LENGTH:
                size, at = _read_varint(data, at)
            elif kind in _FIXED_BYTES:
                size = _FIXED_BYTES[kind]
            else:
                raise ValueError(f"wire type {kind}")
            value, at = data[at : at + size], at + size
        if at > len(data) or number == 0:
            raise ValueError("cut short, or field number 0")
        yield Field(number, value, data[start:at])


def first_varint(data: bytes, number: int) -> int:
    """The first varint of this field, 0 when there is none."""
    for field in read_fields(data):
        if field.number == number and isinstance(field.value, int):
            return field.value
    return 0


def varint_field(number: int, value: int) -> bytes:
    """A field with a number in it."""
    return _varint(number << 3 | _VARINT) + _varint(value)


def length_delimited(number: int, value: bytes) -> bytes:
    """A field with bytes in it."""
    return _varint(number << 3 | _LENGTH) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("cut short")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a varint of more than ten bytes")
