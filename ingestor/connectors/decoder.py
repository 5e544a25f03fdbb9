"""From messages to events, driven by a platform's table: an event, or `raw`. Nothing here performs I/O.

Whatever bytes come, a message makes one valid event that fits into a log entry, and nothing is raised.
"""

import base64
import functools
import logging
import typing
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtobufMessage
from msgspec import UNSET

from ingestor.connectors.base import Message
from ingestor.connectors.header import Head, head_of
from ingestor.connectors.sanitize import decimal
from protos import webcast_pb2 as pb
from shared import metrics
from shared.events import ENTRY_MAX_BYTES, RAW_PAYLOAD_MAX_BYTES, Event, Raw, encode
from shared.room import RoomKey

logger = logging.getLogger(__name__)

DECODED_MAX_BYTES: Final = 256 * 1024
"""Of a payload that is looked into; captured ones stay below 50 KB. Two bytes on the wire can cost 100 in memory."""

WEIGHED_FROM_BYTES: Final = 4 * 1024
"""Of a payload from which on its event is measured. In JSON a byte becomes 6 at most, lists have their ceilings: the
event of a smaller payload is far below the size of a log entry."""

METHOD_MAX_CHARS: Final = 128  # the longest known method has 40

_LONGEST_CURSOR: Final = f"{2**53 - 1}-{2**53 - 1}"


@dataclass(frozen=True, slots=True)
class Decode:
    """How one kind of message is read.

    Attributes:
        schema: of its payload; has a `common`.
        event: makes the event; None means that the message has none of its own, and is passed on as `raw`.
    """

    schema: type[ProtobufMessage]
    event: Callable[[Any, Head], Event | None]

    @property
    def types(self) -> tuple[str, ...]:
        """The types of event it can make, as its signature says."""
        made = typing.get_type_hints(self.event)["return"]
        return tuple(str(cls.__struct_config__.tag) for cls in typing.get_args(made) or (made,) if cls is not NoneType)


@dataclass(frozen=True, slots=True)
class MessageTable:
    """A platform's messages by name.

    Attributes:
        decoders: how to read those that can make an event.
        raw_methods: known, and without an event of their own.
    """

    decoders: Mapping[str, Decode]
    raw_methods: Set[str]

    def types(self) -> dict[str, tuple[str, ...]]:
        """Every known method with the types of event it can make."""
        table = {method: decode.types for method, decode in self.decoders.items()}
        return dict(sorted((table | dict.fromkeys(self.raw_methods, ("raw",))).items()))


def room_of(message: Message) -> str:
    """The room that a message says it is from, "" when it does not tell."""
    common = _header_of(message.payload)
    return decimal(common.room_id) if common else ""


def _as_it_is(event: Event) -> Event:
    return event


class WebcastDecoder:
    """Decodes the messages of one room; `Decoder` in `base.py` says what that means."""

    def __init__(
        self, room: RoomKey, table: MessageTable, complete: Callable[[Event], Event | None] = _as_it_is
    ) -> None:
        """Create it for a canonical room.

        Args:
            room: ours.
            table: the platform's messages.
            complete: adds what a message left out because earlier ones told it; None when that is not known, and the
                message therefore `raw`.
        """
        self._room = room
        self._table = table
        self._complete = complete

    def decode(self, message: Message, received_ms: int) -> list[Event]:
        """The event of a message."""
        decode = self._table.decoders.get(message.method)
        if decode is None:
            if message.method not in self._table.raw_methods:
                metrics.MESSAGES_UNKNOWN.inc()
                _tell_unknown(message.method[:METHOD_MAX_CHARS])
            return [self._raw(message, received_ms)]
        try:
            if len(message.payload) > DECODED_MAX_BYTES:
                raise _Undecodable("too large to be decoded")
            return [self._event(decode, message, received_ms) or self._raw(message, received_ms)]
        except _Undecodable as error:
            metrics.MESSAGES_UNDECODABLE.inc()
            return [self._raw(message, received_ms, str(error))]

    def content(self, message: Message) -> ProtobufMessage | None:
        """The payload, parsed anew."""
        decode = self._table.decoders.get(message.method)
        if decode is None or len(message.payload) > DECODED_MAX_BYTES:
            return None
        try:
            return decode.schema.FromString(message.payload)
        except DecodeError:
            return None

    def _event(self, decode: Decode, message: Message, received_ms: int) -> Event | None:
        try:
            content: Any = decode.schema.FromString(message.payload)
        except DecodeError:
            raise _Undecodable("not of the method's schema") from None
        # Rooms that broadcast together could tell each other's news. The web player drops what names another room
        # (2026), and no recorded session has any: it is passed on, labelled by its own header, but is no event of ours.
        if message.room_id and str(content.common.room_id) not in (message.room_id, "0"):
            return None
        event = decode.event(content, head_of(self._room, message, content.common, received_ms))
        event = event and self._complete(event)
        if (
            event is not None
            and len(message.payload) > WEIGHED_FROM_BYTES
            and len(encode(event, _LONGEST_CURSOR)) > ENTRY_MAX_BYTES
        ):
            raise _Undecodable("its event would be too large")
        return event

    def _raw(self, message: Message, received_ms: int, decode_error: str = "") -> Raw:
        head = head_of(self._room, message, _header_of(message.payload), received_ms)
        return Raw(
            **head,
            method=message.method[:METHOD_MAX_CHARS],
            payload=base64.b64encode(message.payload[:RAW_PAYLOAD_MAX_BYTES]).decode(),
            truncated=len(message.payload) > RAW_PAYLOAD_MAX_BYTES or UNSET,
            decode_error=decode_error or UNSET,
        )


class _Undecodable(ValueError):
    """A message that was expected to make an event and cannot."""


@functools.lru_cache(maxsize=1000)
def _tell_unknown(method: str) -> None:
    logger.info("unknown message method=%r", method)


def _header_of(payload: bytes) -> pb.MessageHeader | None:
    """The common header of any message; of a broken one too, when it came first and is whole."""
    try:
        message = pb.AnyMessage.FromString(payload)
    except DecodeError:
        return _leading_header(payload)
    return message.common if message.HasField("common") else None


def _leading_header(payload: bytes) -> pb.MessageHeader | None:
    if payload[:1] != b"\x0a":  # field 1, with a length
        return None
    length = shift = 0
    for position, byte in enumerate(payload[1:4], start=2):  # headers stay far below 2 MiB
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            try:
                return pb.MessageHeader.FromString(payload[position : position + length])
            except DecodeError:
                return None
    return None
