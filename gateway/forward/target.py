"""Where events are forwarded to: the interface, and the places in logs up to which they are there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from gateway.frames import Frame
from shared.cursor import Cursor
from shared.errors import BadCursor, ConfigError

PLACES_MAX: Final = 10_000  # rooms; the one that was not heard of for longest goes first
PLACES_MAX_BYTES: Final = 4 * 1024 * 1024


class Target(Protocol):
    """Takes events."""

    async def put(self, room: str, frames: Sequence[Frame], place: Cursor | None) -> None:
        """Return when they are there, however long that takes.

        Args:
            room: `platform:room`.
            frames: in order; gaps among them. None where only the place has moved.
            place: reached in the room's log with them.
        """


class Places:
    """How far each room is forwarded; in a file, so that the next process goes on from there."""

    def __init__(self, path: Path | None) -> None:
        """Read it; without a file they are forgotten with the process.

        Raises:
            ConfigError: it is there and cannot be read, or it cannot be written.
        """
        self._path = path
        self._places: dict[str, str] = {}
        try:
            if path is not None and path.exists():
                if path.stat().st_size > PLACES_MAX_BYTES:
                    raise ValueError
                read = json.loads(path.read_text("utf8"))
                self._places = {str(room): str(Cursor.parse(place)) for room, place in dict(read).items()}
        except (OSError, ValueError, TypeError, AttributeError, BadCursor):
            raise ConfigError(f"{path} is no file of places; remove it to begin at what happens now") from None
        try:
            self._write()  # to fail now, and not with the first events
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from None

    def of(self, room: str) -> Cursor | None:
        """Where a room was left, None when it is new."""
        return Cursor.parse(self._places[room]) if room in self._places else None

    def save(self, room: str, place: Cursor | None) -> None:
        """Note a place, at once or not at all.

        Raises:
            OSError: it cannot be written.
        """
        if place is None:
            return
        self._places.pop(room, None)
        self._places[room] = str(place)
        if len(self._places) > PLACES_MAX:
            del self._places[next(iter(self._places))]
        self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_text(json.dumps(self._places, indent=0), "utf8")
        new.replace(self._path)
