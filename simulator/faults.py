"""What the simulator breaks on purpose. Everything that decides whether a fault strikes is here; nothing performs I/O.

A fault is armed for a room or for all, and strikes a number of times, for a number of seconds, or until it is cleared.
Damage to frames is done to a copy: the sound frame follows, so that the list of sent messages stays true.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

ARMED_MAX = 200  # faults at once; more is a mistake of whoever arms them
PATH_MAX = 200


class FaultKind(StrEnum):
    """The faults there are; `FAULTS` says what each does and takes."""

    REFUSE_HANDSHAKE = "refuse_handshake"
    RATE_LIMIT = "rate_limit"
    REFUSE_KEY = "refuse_key"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_EMPTY = "provider_empty"
    CAPTCHA = "captcha"
    DELAY_HTTP = "delay_http"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    CORRUPT_FRAME = "corrupt_frame"
    CORRUPT_GZIP = "corrupt_gzip"
    CORRUPT_PAYLOAD = "corrupt_payload"
    UNKNOWN_FRAME = "unknown_frame"


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a platform says no to a socket: HTTP status, and the two handshake headers where it sends them."""

    http_status: int
    status: str = ""
    message: str = ""


# Source: recorded handshakes, 2024 to 2026. All but the last two come as HTTP 200 without a body.
REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        "device_blocked": Refusal(200, "415", "DEVICE_BLOCKED"),
        "no_cookie": Refusal(200, "417", "http: named cookie not present"),
        "bad_secret": Refusal(200, "417", "illegal secret key"),
        "bad_app_id": Refusal(200, "417", "illegal app_id"),
        "bad_request": Refusal(400),
        "unavailable": Refusal(503),
    }
)


@dataclass(frozen=True, slots=True)
class FaultType:
    """What a kind of fault does, and the options it takes with their defaults."""

    does: str
    options: Mapping[str, str | float] = field(default_factory=dict)
    of_a_room: bool = True


FAULTS: Final[Mapping[FaultKind, FaultType]] = MappingProxyType(
    {
        FaultKind.REFUSE_HANDSHAKE: FaultType(
            "the socket is refused, where its path begins with `path`", {"reason": "device_blocked", "path": ""}
        ),
        FaultKind.RATE_LIMIT: FaultType(
            "429 from token providers and web APIs", {"retry_after_s": 1.0}, of_a_room=False
        ),
        FaultKind.REFUSE_KEY: FaultType("401 from token providers", of_a_room=False),
        FaultKind.PROVIDER_ERROR: FaultType(
            "a 5xx from token providers and web APIs", {"status": 503.0}, of_a_room=False
        ),
        FaultKind.PROVIDER_EMPTY: FaultType(
            "success from token providers and web APIs, with nothing in it", of_a_room=False
        ),
        FaultKind.CAPTCHA: FaultType("a captcha instead of the live page or its JSON", of_a_room=False),
        FaultKind.DELAY_HTTP: FaultType(
            "every HTTP answer and handshake comes late", {"delay_s": 1.0}, of_a_room=False
        ),
        FaultKind.DELAY: FaultType("frames are held back", {"delay_s": 0.5}),
        FaultKind.DUPLICATE: FaultType("messages come again, in a frame of their own"),
        FaultKind.REORDER: FaultType("messages of a frame come in reverse order"),
        FaultKind.CORRUPT_FRAME: FaultType("a frame that is no protobuf comes before the sound one"),
        FaultKind.CORRUPT_GZIP: FaultType("a frame whose gzip is broken comes before the sound one"),
        FaultKind.CORRUPT_PAYLOAD: FaultType("a message whose payload is no protobuf comes along"),
        FaultKind.UNKNOWN_FRAME: FaultType("a frame of an unknown type and a text frame come before the sound one"),
    }
)


class BadFault(ValueError):
    """What was asked for is no fault. The text says why."""


@dataclass(slots=True)
class Fault:
    """An armed fault. `room` 0 stands for all rooms; `left` None for any number of times."""

    kind: FaultKind
    room: int
    left: int | None
    until_s: float | None
    options: Mapping[str, str | float]

    def number(self, name: str) -> float:
        """A numeric option."""
        return float(self.options[name])

    @property
    def path(self) -> str:
        """What the path begins with where it strikes."""
        return str(self.options.get("path", ""))

    def describe(self, now_s: float) -> dict[str, Any]:
        """For people and tests."""
        seconds = None if self.until_s is None else max(0.0, self.until_s - now_s)
        return {"kind": self.kind, "room": str(self.room), "left": self.left, "seconds": seconds, **self.options}


class Faults:
    """The armed faults of one simulator."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self.struck = dict.fromkeys(FaultKind, 0)

    def arm(
        self,
        kind: str,
        now_s: float,
        *,
        room: int = 0,
        count: int | None = None,
        duration_s: float | None = None,
        options: Mapping[str, object] = MappingProxyType({}),
    ) -> Fault:
        """Arm a fault.

        Raises:
            BadFault: no such kind or option, an option out of its range, or too many are armed.
        """
        if kind not in FAULTS:
            raise BadFault(f"kind is one of {', '.join(FAULTS)}")
        defaults = FAULTS[FaultKind(kind)].options
        if unknown := options.keys() - defaults.keys():
            raise BadFault(f"{kind} takes {', '.join(defaults) or 'no options'}, not {', '.join(sorted(unknown))}")
        chosen: dict[str, str | float] = dict(defaults)
        for name, value in options.items():
            chosen[name] = _option(name, value)
        if room and not FAULTS[FaultKind(kind)].of_a_room:
            raise BadFault(f"{kind} is not a fault of one room")
        if len(self._armed) >= ARMED_MAX:
            raise BadFault(f"{ARMED_MAX} faults are armed: clear some first")
        until_s = None if duration_s is None else now_s + duration_s
        fault = Fault(FaultKind(kind), room, count, until_s, MappingProxyType(chosen))
        self._armed.append(fault)
        return fault

    def take(self, kind: FaultKind, room: int, now_s: float, *, path: str = "") -> Fault | None:
        """The fault that strikes now, if any; it is then one time nearer to its end.

        Args:
            path: where it may strike, for faults that are bound to a path.
        """
        self._armed = [fault for fault in self._armed if fault.until_s is None or now_s < fault.until_s]
        for fault in self._armed:
            if fault.kind is kind and fault.room in {0, room} and path.startswith(fault.path):
                self.struck[kind] += 1
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left <= 0:
                        self._armed.remove(fault)
                return fault
        return None

    def clear(self) -> int:
        """Disarm all; returns how many there were."""
        count = len(self._armed)
        self._armed.clear()
        return count

    def describe(self, now_s: float) -> list[dict[str, Any]]:
        """The armed faults."""
        return [fault.describe(now_s) for fault in self._armed]


def _option(name: str, value: object) -> str | float:
    if name == "reason":
        if not isinstance(value, str) or value not in REFUSALS:
            raise BadFault(f"reason is one of {', '.join(REFUSALS)}")
        return value
    if name == "path":
        if not isinstance(value, str) or not value.startswith("/") or len(value) > PATH_MAX:
            raise BadFault(f"path begins with a slash and has at most {PATH_MAX} characters")
        return value
    low, high = (500.0, 599.0) if name == "status" else (0.0, 3600.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadFault(f"{name} is a number of {low:g} to {high:g}")
    return float(value)
