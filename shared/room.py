"""The canonical key of a room: `platform:room`, as it stands in Redis keys, events and logs.

What users type is parsed in `platforms.py`; this file only knows the canonical form.
"""

import re
from dataclasses import dataclass

from shared.errors import BadRoom

# No braces, colons, spaces or control characters: the key is embedded in Redis keys, hash tags and log lines.
_PLATFORM = re.compile(r"[a-z][a-z0-9]{0,15}")
_ROOM = re.compile(r"[A-Za-z0-9@._-]{1,64}")


@dataclass(frozen=True, slots=True, order=True)
class RoomKey:
    """A room, or a name that points to one (`platforms.is_name` tells which).

    Raises:
        BadRoom: a part is empty, too long or holds other characters than `A-Z a-z 0-9 @ . _ -`.
    """

    platform: str
    room: str

    def __post_init__(self) -> None:
        if not _PLATFORM.fullmatch(self.platform):
            raise BadRoom("the platform is not a lower-case word")
        if not _ROOM.fullmatch(self.room):
            raise BadRoom("a room is 1 to 64 characters of A-Z a-z 0-9 @ . _ -")

    def __hash__(self) -> int:
        return hash(self.room)  # asked for with every message; of the platform there are few

    def __str__(self) -> str:
        return f"{self.platform}:{self.room}"

    @classmethod
    def parse(cls, text: str) -> "RoomKey":
        """Read `platform:room`, the form of `str(key)`.

        Raises:
            BadRoom: not of that form.
        """
        platform, _, room = text.partition(":")
        return cls(platform, room)
