"""Recorded payloads as a room: JSONL lines with `method` and `payload_b64`, each played once, in order.

Payloads are changed as little as possible: only room id and message id of the common header, at the level of the wire,
so that fields nobody knows and the order of all of them stay as they were.
"""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from protos.webcast_pb2 import Message
from simulator.source import ControlAction, MessageIds, ends_broadcast
from simulator.wire import Field, first_varint, length_delimited, read_fields, varint_field

_COMMON = 1  # field of nearly every message; captured WebcastWeeklyRankRewardMessages have it in 3
_MSG_ID, _ROOM_ID = 2, 3  # fields of the common header


class BadPayloads(Exception):
    """A payload file cannot be played. The text names file and line."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One recorded message."""

    method: str
    payload: bytes


def load_payloads(paths: Iterable[Path]) -> tuple[Payload, ...]:
    """Read files, and the `*.jsonl` of directories in order of name.

    Raises:
        BadPayloads: one cannot be read, or has a line of another form.
    """
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not found:
            raise BadPayloads(f"{path}: no *.jsonl in it")
        files += found
    return tuple(payload for file in files for payload in _read(file))


def placed(method: str, payload: bytes, room_id: int, msg_id: int) -> Message:
    """A message whose common header names this room and this id; a header that cannot be read stays as it is.

    Args:
        msg_id: 0 leaves the header's own.
    """
    try:
        payload = _with_header(method, payload, room_id, msg_id)
    except ValueError:
        pass  # not protobuf: somebody wants to see what a client does with it
    return Message(method=method.encode(), payload=payload, msg_id=msg_id)


class Playback:
    """A source that plays payloads once, from the moment somebody listens. Messages that end the room come last."""

    def __init__(
        self,
        payloads: Sequence[Payload],
        room_id: int,
        random: Random,
        *,
        rate: float,
        control: Callable[[ControlAction, int, int, int], Message],
    ) -> None:
        """Place the payloads in the room.

        Args:
            control: (action, room id, message id, ms) -> a control message of the platform.
        """
        self.rate = rate
        self.viewers = 100
        self.given: Counter[str] = Counter()
        self._room_id = room_id
        self._control = control
        self._waiting = _placed_once(payloads, room_id, random)
        self.ids = MessageIds(random, taken=[message.msg_id for message in self._waiting])
        self._played = 0
        self._owed = 0.0

    def advance(self, elapsed_s: float, now_ms: int) -> list[Message]:
        """The messages that are due."""
        self._owed += elapsed_s * self.rate
        count = int(self._owed)
        self._owed -= count
        due = self._waiting[self._played : self._played + count]
        self._played += len(due)
        return due

    def past(self, now_ms: int) -> list[Message]:
        """Nothing was said before."""
        return []

    def greeting(self, now_ms: int) -> list[Message]:
        """Nobody is greeted: the room consists of the payloads alone."""
        return []

    def control(self, action: ControlAction, now_ms: int) -> Message:
        """A control message."""
        return self._control(action, self._room_id, self.ids.next(now_ms), now_ms)


def _placed_once(payloads: Sequence[Payload], room_id: int, random: Random) -> list[Message]:
    """All payloads in this room, each with an id of its own: recorded ones where they are free, else made up."""
    recorded = [_recorded_id(payload) for payload in payloads]
    made_up = MessageIds(random, taken=recorded)
    messages: list[Message] = []
    used: set[int] = set()
    for payload, msg_id in zip(payloads, recorded, strict=True):
        chosen = msg_id if msg_id and msg_id not in used else made_up.next(0)
        used.add(chosen)
        messages.append(placed(payload.method, payload.payload, room_id, chosen))
    return sorted(messages, key=ends_broadcast)


def _read(file: Path) -> Iterator[Payload]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadPayloads(f"{file}: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            yield Payload(item["method"], b64decode(item["payload_b64"], validate=True))
        except (KeyError, TypeError, ValueError):
            raise BadPayloads(f"{file}:{number}: not an object with method and payload_b64") from None


def _recorded_id(payload: Payload) -> int:
    try:
        for field in read_fields(payload.payload):
            if (header := _header(payload.method, field)) is not None:
                msg_id = first_varint(header, _MSG_ID)
                return msg_id if 0 < msg_id < 1 << 63 else 0
    except ValueError:
        pass
    return 0


def _with_header(method: str, payload: bytes, room_id: int, msg_id: int) -> bytes:
    parts: list[bytes] = []
    for field in read_fields(payload):
        header = _header(method, field)
        parts.append(
            field.raw if header is None else length_delimited(field.number, _with_ids(header, room_id, msg_id))
        )
    return b"".join(parts)


def _header(method: str, field: Field) -> bytes | None:
    """The common header, if this field is it."""
    if not isinstance(field.value, bytes):
        return None
    names_method = field.value.startswith(length_delimited(1, method.encode()))
    return field.value if field.number == _COMMON or names_method else None


def _with_ids(common: bytes, room_id: int, msg_id: int) -> bytes:
    parts: list[bytes] = []
    has_id = False
    for field in read_fields(common):
        if field.number == _ROOM_ID:
            parts.append(varint_field(_ROOM_ID, room_id))
        elif field.number == _MSG_ID and msg_id:
            parts.append(varint_field(_MSG_ID, msg_id))
            has_id = True
        else:
            parts.append(field.raw)
    if msg_id and not has_id:
        parts.append(varint_field(_MSG_ID, msg_id))
    return b"".join(parts)
