"""What is kept of a recording over its connections. Nothing here performs I/O."""

from collections.abc import Mapping
from typing import Protocol

from google.protobuf.message import Message as ProtobufMessage

from ingestor.connectors.base import Decoder, Message
from ingestor.connectors.webcast import Dialect
from ingestor.recording import Header, Opened
from shared.errors import RoomNotFound
from shared.events import Event
from shared.room import RoomKey


class Recorded(Protocol):
    """What is needed of a platform whose recordings are played."""

    @property
    def decoder(self) -> "_MakeDecoder": ...

    @property
    def dialect(self) -> "_MakeDialect": ...


class _MakeDecoder(Protocol):
    def __call__(self, room: RoomKey, *, gifts: bool = True) -> Decoder: ...


class _MakeDialect(Protocol):
    def __call__(self, room_id: str, position: str = "") -> Dialect: ...


class Play:
    """One recording that is being played; lives as long as the room's lease, and decodes for it."""

    def __init__(self, room: RoomKey, platforms: Mapping[str, Recorded]) -> None:
        """Nothing of it is known yet."""
        self.opened: Opened | None = None
        """The latest opening, or the next one where a connection ended."""
        self.place: int | None = None
        """Where the connection before this one ended, None when there was none."""
        self._room = room
        self._platforms = platforms
        self._platform: Recorded | None = None
        self._decoder: Decoder | None = None

    def found(self, header: Header) -> Recorded:
        """The platform that was recorded.

        Raises:
            RoomNotFound: it is not known here.
        """
        if header.platform not in self._platforms:
            raise RoomNotFound("it is a recording of a platform that is not known here")
        self._platform = self._platforms[header.platform]
        return self._platform

    def decode(self, message: Message, received_ms: int) -> list[Event]:
        """See `Decoder`; the events are of our room."""
        decoder = self._recorded_decoder()
        return decoder.decode(message, received_ms) if decoder else []

    def content(self, message: Message) -> ProtobufMessage | None:
        """See `Decoder`."""
        decoder = self._recorded_decoder()
        return decoder.content(message) if decoder else None

    def _recorded_decoder(self) -> Decoder | None:
        """That of the platform that was recorded; None before anything is connected."""
        if self._decoder is None and self._platform is not None and self.opened is not None:
            self._decoder = self._platform.decoder(self._room, gifts=self.opened.live.gifts)
        return self._decoder
