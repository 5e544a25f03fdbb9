"""Which of several errors to pass on. Pure."""

from collections.abc import Sequence
from typing import Final

from shared.errors import Blocked, KeyRefused, RateLimited, RoomNotLive, RoomRestricted, UpstreamError

_TELLING: Final[tuple[type[UpstreamError], ...]] = (
    RoomRestricted,
    RoomNotLive,
    KeyRefused,
    RateLimited,
    Blocked,
    UpstreamError,
)


def most_telling(errors: Sequence[UpstreamError]) -> UpstreamError:
    """Of what several providers said, what helps most: about the room, then about us, then about the way there."""
    return min(errors, key=lambda error: next(rank for rank, kind in enumerate(_TELLING) if isinstance(error, kind)))
