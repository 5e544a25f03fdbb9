"""Pictures, composed texts, and people told in part, as parts of events. Pure.

A composed text comes as a pattern, and the pieces for its places. All platforms write them alike, each in its own
schema; the protocols here are what these have in common.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol, TypeVar

from ingestor.connectors.sanitize import count, cut, decimal, text
from shared.events import TEXT_MAX_BYTES, Supporter, User

SUPPORTERS_MAX: Final = 10  # of one side of a battle; captured: 3

_PLACE: Final = re.compile(r"\{([0-9]{1,3})(?::[^{}]*)?\}")


class Picture(Protocol):
    """One picture, at several addresses."""

    @property
    def url_list(self) -> Sequence[bytes]: ...


class Named(Protocol):
    """A user, as far as a text needs one."""

    nickname: bytes


class Pattern(Protocol):
    """A text without pieces."""

    default_pattern: bytes


_U = TypeVar("_U", bound=Named)
_U_co = TypeVar("_U_co", bound=Named, covariant=True)


class PieceUser(Protocol[_U_co]):
    """A person in a text."""

    @property
    def user(self) -> _U_co: ...

    def HasField(self, field_name: str) -> bool: ...  # noqa: N802 - protobuf's name


class PieceGift(Protocol):
    """A gift in a text."""

    @property
    def name_ref(self) -> Pattern: ...


class Piece(Protocol[_U_co]):
    """What stands at one place of a text; only one of these is filled."""

    string_value: bytes

    @property
    def user_value(self) -> PieceUser[_U_co]: ...

    @property
    def gift_value(self) -> PieceGift: ...

    @property
    def pattern_ref_value(self) -> Pattern: ...


class Composed(Protocol[_U_co]):
    """A text as pattern and pieces."""

    default_pattern: bytes

    @property
    def pieces(self) -> Sequence[Piece[_U_co]]: ...


class Scorer(Protocol):
    """Somebody who scored for one side of a battle."""

    user_id: int
    nickname: bytes
    score: int

    @property
    def avatar_thumb(self) -> Picture: ...


def image(picture: Picture) -> str:
    """One URL of a picture, "" when there is none."""
    return text(picture.url_list[0]) if picture.url_list else ""


def render(composed: Composed[Named]) -> str:
    """A text that comes as a pattern and the pieces for its places, as one string."""
    pattern = text(composed.default_pattern)
    parts: list[str] = []
    length = end = 0
    for place in _PLACE.finditer(pattern):
        index = int(place[1])
        piece = _piece(composed.pieces[index]) if index < len(composed.pieces) else place[0]
        parts += (pattern[end : place.start()], piece)
        length += len(piece)
        end = place.end()
        if length > TEXT_MAX_BYTES:
            break
    return cut("".join((*parts, pattern[end:])))


def people_in(composed: Composed[_U]) -> Iterator[_U]:
    """The users that a composed text speaks of."""
    return (piece.user_value.user for piece in composed.pieces if piece.user_value.HasField("user"))


def somebody(user_id: str, *, unique_id: str = "", nickname: str = "", avatar: str = "") -> User:
    """A user of whom a message tells a few parts only."""
    return User(id=user_id, unique_id=unique_id, nickname=nickname, avatar=avatar, roles=[], badges=[])


def supporters(scorers: Iterable[Scorer]) -> list[Supporter]:
    """The first of those who scored for one side of a battle."""
    return [
        Supporter(
            user=somebody(decimal(scorer.user_id), nickname=text(scorer.nickname), avatar=image(scorer.avatar_thumb)),
            score=count(scorer.score),
        )
        for scorer in islice(scorers, SUPPORTERS_MAX)
    ]


def _piece(piece: Piece[Named]) -> str:
    return text(
        piece.string_value
        or piece.user_value.user.nickname
        or piece.gift_value.name_ref.default_pattern
        or piece.pattern_ref_value.default_pattern
    )
