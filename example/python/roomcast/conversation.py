"""What is said on the socket, and what it means: frames in and out as text, no I/O and no clock."""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from .events import Event

PAUSE_S = 1.0  # before the first new attempt; doubled for each further one
PAUSE_MAX_S = 30.0

NORMAL = 1000  # close code: coming back would give the same answer
CUT_OFF = 1006  # close code: gone without a word

ROOM_MAX = 512  # characters of a room; a gateway closes the whole connection for a command that is far too long

REMARKS = frozenset({"bad_option", "bad_cursor"})
"""Errors about how a room was asked for. Asking again would not help, and yet nothing is over."""


@dataclass(slots=True, eq=False)
class Room:
    """A room that was joined.

    Attributes:
        asked: what it was called then.
        cursor: of the last event that was handed out. Keep it, and `join(since=...)` goes on behind it.
        key: `platform:room` as the gateway writes what was asked for; empty until it has answered.
        target: `platform:room` of the broadcast that a name points to; its events are called so.
    """

    asked: str
    number: int
    options: dict[str, Any]
    cursor: str | None = None
    key: str = ""
    target: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """How things are: a step of the room's life, an error it may get over, or the connection is lost.

    Attributes:
        name: `connecting`, `connected`, `reconnecting`, `waiting` ...; the code of an error, as `unavailable`;
            `recovered`, `dropped`; or `lost`.
        text: the same for people.
        frame: all that the gateway said.
        again_s: the room is asked for anew after so many seconds, which the client does by itself.
    """

    name: str
    text: str = ""
    frame: dict[str, Any] = field(default_factory=dict)
    again_s: float | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more comes from the room. `code` says why: `ended`, `offline`, `not_found`, `restricted` ..."""

    code: str
    text: str = ""


Item = Event | State | Over


def pause_s(attempt: int, told_ms: int | None, jitter: float) -> float:
    """How long to wait before coming back.

    Args:
        attempt: how often that was tried without an event in between.
        told_ms: what the gateway asked for. The first time that is all; but who is sent away again and again goes slow.
        jitter: of [0, 1), so that not all clients of a lost gateway return in the same moment.
    """
    own_s = min(PAUSE_MAX_S, PAUSE_S * float(2 ** min(attempt, 10))) * (0.5 + jitter / 2)
    if told_ms is None:
        return own_s
    return max(told_ms / 1000, own_s if attempt else 0.0)


class Conversation:
    """The rooms, and how far each of them has come. `jitter` gives numbers of [0, 1)."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._rooms: dict[int, Room] = {}
        self._called: dict[str, Room] = {}  # by what frames call it: the name, and the broadcast it points to
        self._last: dict[str, Any] = {}
        self._attempt = 0
        self._count = 0

    @property
    def rooms(self) -> list[Room]:
        """Those that are not over."""
        return list(self._rooms.values())

    def join(self, asked: str, *, since: str | None, **options: Any) -> Room:
        """Note a room; `subscribe` asks for it.

        Raises:
            ValueError: it cannot be the text of a room.
        """
        _, name = _split(asked)
        if len(name) > ROOM_MAX:
            raise ValueError(f"a room has at most {ROOM_MAX} characters")
        name.encode()  # a lone surrogate cannot be sent: that is a ValueError too
        self._count += 1
        room = self._rooms[self._count] = Room(asked, self._count, options, since)
        return room

    def leave(self, room: Room) -> None:
        """Forget a room; `unsubscribe` tells the gateway."""
        self._rooms.pop(room.number, None)
        self._hang_up(room)

    def _hang_up(self, room: Room) -> None:
        self._called = {key: other for key, other in self._called.items() if other is not room}

    # --- what is said ------------------------------------------------------------------------------------------------

    def subscribe(self, room: Room) -> str:
        """Ask for a room, behind what came of it already."""
        options = dict(room.options)
        if room.cursor is not None:
            options["since"] = room.cursor
            options.pop("last", None)
        return _command("subscribe", room, **options)

    def unsubscribe(self, room: Room) -> str:
        """Ask for nothing more of it."""
        return _command("unsubscribe", room)

    # --- what is heard -----------------------------------------------------------------------------------------------

    def receive(self, text: str | bytes) -> tuple[Room, Item] | None:
        """Take in a frame; what it says of which room, if that is anything."""
        frame: dict[str, Any] = json.loads(text)
        room = self._room_of(frame)
        kind = frame.get("type")
        self._last = frame if room is None and "room" not in frame and frame.get("code") not in REMARKS else {}
        if kind == "pong":
            self._attempt = 0  # a link that lasted so long was worth having, though nothing happens in its rooms
            for key, cursor in frame.get("cursors", {}).items():
                if key in self._called:
                    self._called[key].cursor = cursor
        if room is None:
            return None
        if "time" in frame or kind == "gap":
            room.cursor = frame.get("cursor", room.cursor)
            self._attempt = room.attempt = 0
            return room, cast(Event, frame)
        return room, self._hear_state(room, frame)

    def _room_of(self, frame: dict[str, Any]) -> Room | None:
        number = frame.get("id")
        if isinstance(number, int):  # the answer to a command; ids of messages are strings
            return self._rooms.get(number)
        return self._called.get(f"{frame.get('platform')}:{frame.get('room')}")

    def _hear_state(self, room: Room, frame: dict[str, Any]) -> State | Over:
        code = str(frame.get("code", ""))
        text = str(frame.get("message") or frame.get("error") or "")
        match frame:
            case {"type": "subscribed", "platform": platform, "room": name}:
                room.key = f"{platform}:{name}"
                self._called[room.key] = room
            case {"type": "target", "platform": platform, "target": target}:
                if room.target != (now := f"{platform}:{target}"):
                    room.target, room.cursor = now, None if room.target else room.cursor  # the old one's leads nowhere
                self._called[room.target] = room
            case {"type": "recovered", "count": 0, "cursor": cursor}:
                room.cursor = cursor
            case {"status": "connected", "cursor": cursor} if room.cursor is None:
                room.cursor = cursor
            case {"code": "bad_cursor"}:
                room.cursor = None
            case {"status": "closing", "reconnect": True} | {"code": "internal"}:
                again_s = pause_s(room.attempt, frame.get("retry_in_ms"), self._jitter())
                room.attempt += 1
                self._hang_up(room)
                return State(code, text, frame, again_s)
            case {"status": "closing"} | {"error": _, "reconnect": False} if code not in REMARKS:
                self.leave(room)
                return Over(code, text)
        return State(code if "error" in frame else str(frame.get("status") or frame.get("type")), text, frame)

    def lost(self, code: int) -> tuple[list[tuple[Room, Item]], float | None]:
        """The socket is gone: what that is to each room, and after how many seconds to come back, if at all."""
        last, self._last = self._last, {}
        self._called.clear()
        if code == NORMAL or (code != CUT_OFF and last.get("reconnect") is False):
            over = Over(str(last.get("code", "closed")), str(last.get("message") or last.get("error") or ""))
            rooms, self._rooms = self.rooms, {}
            return [(room, over) for room in rooms], None
        again_s = pause_s(self._attempt, last.get("retry_in_ms") if last.get("reconnect") else None, self._jitter())
        self._attempt += 1
        return [(room, State("lost", again_s=again_s)) for room in self._rooms.values()], again_s


def _command(action: str, room: Room, **options: Any) -> str:
    platform, name = _split(room.asked)
    said = {"action": action, "id": room.number, "platform": platform, "room": name, **options}
    return json.dumps({key: value for key, value in said.items() if value is not None}, ensure_ascii=False)


def _split(asked: str) -> tuple[str | None, str]:
    """Platform and room; a link, or a room of the gateway's default platform, has no platform before it."""
    found = re.fullmatch(r"([a-z]+):(?!//)(.+)", asked, re.DOTALL)
    return (found[1], found[2]) if found else (None, asked)
