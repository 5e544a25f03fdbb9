"""Handlers of others, which see what is decoded before it is counted and published, and may change it.

A plug-in is a module with one or two tables:

    MESSAGES = {"WebcastChatMessage": on_chat}    # method -> handler(Heard)
    EVENTS = {"chat": on_chat_event}              # type -> handler(room, event)

A handler returns None to leave things as they are, or what to go on with instead: nothing, one event or several. What
it gets wrong stays with it: a handler that raises, or returns what is no event of the room, is counted and told once,
and things go on as if it had returned None. Events are its own copies: what it does to their lists changes nothing that
goes on. It runs in the ingestor's loop: while it works, no room gets on.
"""

import importlib
import importlib.metadata
import inspect
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import msgspec
from google.protobuf.message import Message as ProtobufMessage
from msgspec import UNSET

from ingestor.connectors.base import Message
from shared import metrics
from shared.errors import ConfigError
from shared.events import ENTRY_MAX_BYTES, EVENT_TYPES, Event, decode, encode, type_of
from shared.room import RoomKey

logger = logging.getLogger(__name__)

GROUP: Final = "roomcast.plugins"  # of entry points
RETURNED_MAX: Final = 100  # events, by one handler


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, as a handler sees it.

    Attributes:
        room: whose it is.
        message: method, id, and the payload as it came.
        content: the payload as protobuf, made for this handler alone; None where its schema is not known, or it is not
            of it.
        events: what it was decoded to: its event or `raw`, or what the plug-ins before made of it.
    """

    room: RoomKey
    message: Message
    content: Any
    events: Sequence[Event]


OnMessage = Callable[[Heard], Iterable[Event] | None]
OnEvent = Callable[[RoomKey, Event], Iterable[Event] | None]
Parse = Callable[[Message], ProtobufMessage | None]


class _Refused(ValueError):
    """What a handler returned cannot be gone on with."""


class Plugin:
    """One module's handlers."""

    def __init__(self, name: str, messages: Mapping[str, OnMessage], events: Mapping[str, OnEvent]) -> None:
        """Put it together; `load` reads the tables from modules."""
        self.name = name
        self._messages = messages
        self._events = events
        self._told: set[str] = set()
        self._seconds = metrics.PLUGIN_SECONDS.labels(name)

    def apply(self, room: RoomKey, message: Message, found: list[Event], parse: Parse) -> list[Event]:
        """What to go on with. Never raises."""
        on_message = self._messages.get(message.method)
        if on_message is not None:
            found = self._asked(
                message.method,
                lambda copies: on_message(Heard(room, message, parse(message), tuple(copies))),
                room,
                found,
            )
        if not self._events:
            return found
        return [ready for event in found for ready in self._of_event(room, event)]

    def _of_event(self, room: RoomKey, event: Event) -> list[Event]:
        kind = type_of(event)
        on_event = self._events.get(kind)
        return [event] if on_event is None else self._asked(kind, lambda copies: on_event(room, *copies), room, [event])

    def _asked(
        self, handler: str, ask: Callable[[list[Event]], Iterable[Event] | None], room: RoomKey, found: list[Event]
    ) -> list[Event]:
        began_s = time.perf_counter()
        try:
            returned = ask([_read(encode(event, "0-0")) for event in found])
            return found if returned is None else _checked(room, returned)
        except KeyboardInterrupt:
            raise
        except BaseException:  # also what is meant to end a task or a process: it is not theirs to end
            metrics.PLUGIN_FAULTS.labels(self.name, handler).inc()
            if handler not in self._told:
                self._told.add(handler)
                logger.exception("plug-in failed plugin=%s handler=%s room=%s", self.name, handler, room)
            return found
        finally:
            self._seconds.observe(time.perf_counter() - began_s)


def load(names: Iterable[str]) -> list[Plugin]:
    """The plug-ins of these names, in this order: entry points of packages, else modules.

    Raises:
        ConfigError: there is none of a name, or it is not made as one. An operator who asks for one wants no room to
            run without it.
    """
    return [_load(name) for name in names]


def _load(name: str) -> Plugin:
    found = importlib.metadata.entry_points(group=GROUP, name=name)
    try:
        module: object = next(iter(found)).load() if found else importlib.import_module(name)
    except Exception as error:  # it is not our code
        raise ConfigError(f"plug-in {name} cannot be loaded: {type(error).__name__}: {error}") from error
    messages, events = getattr(module, "MESSAGES", {}), getattr(module, "EVENTS", {})
    for table in (messages, events):
        if not isinstance(table, Mapping) or not all(isinstance(key, str) and callable(table[key]) for key in table):
            raise ConfigError(f"plug-in {name}: MESSAGES and EVENTS are dicts of a name and a function")
        if any(inspect.iscoroutinefunction(handler) for handler in table.values()):
            raise ConfigError(f"plug-in {name}: handlers are called, not awaited: no `async def`")
    if not messages and not events:
        raise ConfigError(f"plug-in {name} has neither MESSAGES nor EVENTS")
    if unknown := sorted(events.keys() - EVENT_TYPES.keys()):
        raise ConfigError(f"plug-in {name}: there is no event of type {', '.join(unknown)}")
    return Plugin(name, dict(messages), dict(events))


def _checked(room: RoomKey, returned: Iterable[Event]) -> list[Event]:
    """What a handler returned, as events that are fit for the log.

    Raises:
        _Refused: it is not.
    """
    events = list(islice(returned, RETURNED_MAX + 1))
    if len(events) > RETURNED_MAX:
        raise _Refused(f"more than {RETURNED_MAX} events")
    return [_valid(room, event) for event in events]


def _valid(room: RoomKey, event: object) -> Event:
    if not isinstance(event, Event):
        raise _Refused(f"a {type(event).__name__} is no event")
    if (event.platform, event.room) != (room.platform, room.room):
        raise _Refused("an event of another room")
    encoded = encode(event, "0-0")
    if len(encoded) > ENTRY_MAX_BYTES:
        raise _Refused("an event that is too large for the log")
    return _read(encoded)  # what was made here has the types that it is said to have; this may not


def _read(encoded: bytes) -> Event:
    """An event that shares nothing with the one that was encoded."""
    event = decode(encoded)
    if not isinstance(event, Event):
        raise _Refused("no event")
    return msgspec.structs.replace(event, cursor=UNSET)
