"""What one client is told about its room's life: each step once, in order; then losses, returns and the end.

The room's phase comes from the cluster (`shared.phases`); this file turns it into frames for one client, given what
that client was told before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from msgspec import UNSET

from gateway.close_codes import OUTCOMES, Code
from gateway.protocol import closing_frame, error_frame, status_frame
from gateway.texts import ERROR_TEXTS, Lang, Status
from shared.cursor import Cursor
from shared.phases import Phase, RoomPhase
from shared.room import RoomKey

_STEPS: Mapping[Phase, tuple[int, Status]] = MappingProxyType(
    {
        Phase.ACQUIRED: (2, Status.CREATING_CRAWLER),
        Phase.RESOLVING: (3, Status.GETTING_TOKEN),
        Phase.CHECKING_LIVE: (4, Status.CHECKING_LIVE),
        Phase.CONNECTED: (5, Status.CONNECTED),
    }
)
"""Phases that are steps, in order. The last one may come again after a loss; the others are told once or left out."""


@dataclass(frozen=True, slots=True)
class Told:
    """What to tell.

    Attributes:
        frames: in order.
        code: the word of the error or end among them.
        since: the place for the reason of a close.
        waits: the room is not live, and the client waits for it.
    """

    frames: tuple[str, ...] = ()
    code: Code | None = None
    since: Cursor | None = None
    waits: bool = False

    @property
    def closes(self) -> bool:
        """Whether the client is closed behind the frames."""
        return self.code is not None and OUTCOMES[self.code].close is not None


NOTHING = Told()


class Progress:
    """What one client knows of its room.

    Args:
        lang: of the texts.
        many: the client has other rooms too, so that the end of this one has to say which it is.
        wait: that the room is not live is no end.

    Attributes:
        status: the last step the client was told.
    """

    __slots__ = ("_connected", "_lang", "_many", "_phase", "_step", "_wait", "_waits_because", "status")

    def __init__(self, lang: Lang, *, many: bool = False, wait: bool = False) -> None:
        self.status = Status.CONNECTING
        self._lang = lang
        self._many = many
        self._wait = wait
        self._step = 1
        self._connected = False
        self._waits_because: Code | None = None
        self._phase: RoomPhase | None = None

    def interrupted(self) -> None:
        """The client was told that something is wrong: `connected` is news again, and so is `waiting`."""
        self._connected = False
        self._waits_because = None
        self._phase = None

    def advance(self, room: RoomKey, phase: RoomPhase, *, position: Cursor | None, now_ms: int) -> Told:
        """Take the room's present phase in.

        Args:
            room: as the client is to read it.
            phase: seen before or not; the same one twice is told once.
            position: where the client may resume from.
            now_ms: the time.
        """
        if phase == self._phase:
            return NOTHING
        self._phase = phase
        if phase.phase in _STEPS:
            return self._tell_step(room, phase, position)
        if self._wait and (code := _absence(phase)) is not None:
            return self._tell_absence(room, phase, code, now_ms)
        match phase.phase:
            case Phase.RECONNECTING:
                self._connected = False
                self._waits_because = None
                return Told((self._reconnecting(room, phase),))
            case Phase.NOT_LIVE:
                return self._refusal(room, phase, _code(phase, Code.OFFLINE), now_ms)
            case Phase.FAILED:
                self._connected = False
                self._waits_because = None
                return self._refusal(room, phase, _code(phase, Code.UPSTREAM_LOST), now_ms)
            case Phase.ENDED if self._connected:
                named = room if self._many else None
                return Told((closing_frame(Code.ENDED, self._lang, named, cursor=position),), Code.ENDED, position)
            case Phase.ENDED:
                return self._refusal(room, phase, Code.ENDED, now_ms)
        return NOTHING  # a target: the client is moved there

    def _tell_step(self, room: RoomKey, phase: RoomPhase, position: Cursor | None) -> Told:
        step, status = _STEPS[phase.phase]
        if phase.phase is Phase.CONNECTED:
            if self._connected:
                return NOTHING
            self._connected = True
            self._waits_because = None
        elif step <= self._step:
            return NOTHING
        self._step, self.status = step, status
        return Told((status_frame(status, self._lang, room, cursor=position if self._connected else None),))

    def _tell_absence(self, room: RoomKey, phase: RoomPhase, code: Code, now_ms: int) -> Told:
        """The room is waited for. Looks that find what was found before are not told, nor are their steps."""
        self._connected = False
        self._step = max(self._step, 4)
        known = self._waits_because
        if code is known or (known is Code.ENDED and code is Code.OFFLINE):  # it is offline because it has ended
            return Told(waits=True)
        self._waits_because, self.status = code, Status.WAITING
        retry_in_ms = phase.retry_at - now_ms
        frame = status_frame(
            Status.WAITING, self._lang, room, code=code, retry_in_ms=retry_in_ms if retry_in_ms > 0 else UNSET
        )
        return Told((frame,), waits=True)

    def _reconnecting(self, room: RoomKey, phase: RoomPhase) -> str:
        self._step, self.status = max(self._step, 4), Status.RECONNECTING  # the steps before a loss are over
        return status_frame(Status.RECONNECTING, self._lang, room, attempt=phase.attempt, retry_in_ms=phase.retry_in_ms)

    def _refusal(self, room: RoomKey, phase: RoomPhase, code: Code, now_ms: int) -> Told:
        retry_in_ms = max(phase.retry_in_ms, phase.retry_at - now_ms) if OUTCOMES[code].reconnect else 0
        # That a room is not live needs no more words than the table has; why an upstream failed does.
        detail = phase.detail if phase.phase is Phase.FAILED else ""
        frame = error_frame(
            code, self._lang, room, detail=detail, retry_in_ms=retry_in_ms if retry_in_ms > 0 else UNSET
        )
        return Told((frame,), code)


def _absence(phase: RoomPhase) -> Code | None:
    """Why a room that can be waited for is not live."""
    if phase.phase is Phase.ENDED:
        return Code.ENDED
    code = _code(phase, Code.OFFLINE) if phase.phase is Phase.NOT_LIVE else Code.NOT_FOUND
    return None if code is Code.NOT_FOUND else code


def _code(phase: RoomPhase, default: Code) -> Code:
    """The phase's word, if this version has a text for it."""
    try:
        code = Code(phase.code)
    except ValueError:
        return default
    return code if code in ERROR_TEXTS else default
