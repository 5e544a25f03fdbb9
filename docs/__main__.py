"""`make docs`: writes what is generated from the code, so that it is never out of date (a test compares).

- `shared/setting_names.txt`: every name a setting may have;
- the table of settings in `README.md`;
- `docs/events.schema.json` and `docs/events.md`: every event a client can receive, the status frames, and what is said
  on a connection for many rooms;
- `docs/asyncapi.json` and `docs/openapi.json`: what is said on sockets and answered over HTTP, as a gateway serves it;
- the events as types, for the clients in `example/`.
"""

import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from pydantic_settings import BaseSettings

from docs import client_types
from gateway import commands, documents, protocol
from gateway.close_codes import Code
from gateway.forward.settings import ForwardSettings
from gateway.settings import GatewaySettings
from gateway.texts import ERROR_TEXTS, STATUS_TEXTS, Lang, Status
from ingestor.connectors.registry import SETTINGS
from ingestor.settings import IngestorSettings
from shared import events
from shared.settings import environment_names, table

ROOT = Path(__file__).parents[1]
CLASSES: Mapping[str, type[BaseSettings]] = {
    "gateway": GatewaySettings, "forward": ForwardSettings, "ingestor": IngestorSettings, **SETTINGS
}  # fmt: skip
TABLE_START, TABLE_END = "<!-- settings: written by `make docs` -->", "<!-- end of settings -->"

EVENT_STREAM = """\
# Event streams

At `/sse/{room}` and `/sse/{platform}/{room}`, with the options of a socket's address, for `EventSource` and `curl -N`.
Every frame is one message, its `data` the JSON. An event's `id` is its `cursor`, so that `Last-Event-ID` resumes; it
counts as `since`, and more than the one in the address. Other frames have no id, but for `pong`: it comes by itself, to
a client whose place is not that of the last event it got. Signs of life are comments.

Behind the frame that says why, the stream ends; `EventSource` comes back by itself, and a client closes it where
`reconnect` is false. What is no room gets status 400 and the error as JSON. A client that comes back to a room that is
over, and has read all of it, gets 204, unless it waits.
"""


def generated() -> dict[Path, str]:
    """Every generated file (README: with its table renewed) by its path."""
    readme = (ROOT / "README.md").read_text("utf8")
    before, _, rest = readme.partition(TABLE_START)
    _, _, after = rest.partition(TABLE_END)
    names = sorted({name for cls in CLASSES.values() for name in environment_names(cls).values()})
    return {
        ROOT / "shared" / "setting_names.txt": "\n".join(names) + "\n",
        ROOT / "README.md": f"{before}{TABLE_START}\n\n{table(CLASSES)}\n{TABLE_END}{after}",
        **{ROOT / "docs" / name: documents.written(name) for name in documents.DOCUMENTS},
        ROOT / "docs" / "events.md": "\n".join(event_reference()),
        ROOT / "example" / "python" / "roomcast" / "events.py": "\n".join(client_types.python()),
        ROOT / "example" / "javascript" / "events.d.ts": "\n".join(client_types.typescript()),
    }


def event_reference() -> Iterator[str]:
    """The event reference as Markdown lines, from the structs and their docstrings."""
    yield "# Events"
    yield ""
    yield "Generated from `shared/events.py`; the JSON Schema is in `events.schema.json`. A `?` marks a field that"
    yield "is absent when unknown. *Shed* is the order in which events are left out for a client that is too slow."
    yield ""
    yield "Every event has: " + ", ".join(_fields(events.Event)) + "."
    yield ""
    yield (events.Event.__doc__ or "").strip().replace("\n    ", "\n")
    common = set(events.Event.__struct_fields__)
    for name, cls in events.EVENT_TYPES.items():
        yield from _event(name, cls, common)
    yield from _described("## `gap`", events.Gap)
    yield ""
    yield "## Status frames"
    yield ""
    yield _text(protocol.StatusFrame)
    yield ""
    yield from (f"- `{status}`, step {protocol.STEPS[status]}: {STATUS_TEXTS[status][Lang.EN]}" for status in Status)
    yield ""
    yield "## Parts"
    shown = (events.User, events.Badge, events.ChatEmote, events.EmotePicture, events.BattleSide, events.Supporter,
             events.GoalPart, events.PollOption, events.RankEntry, events.CaptionText, events.Product,
             events.TopViewer)  # fmt: skip
    for part in shown:
        yield from _described(f"### {part.__name__}", part)
    yield ""
    yield from many_rooms_reference()
    yield from EVENT_STREAM.splitlines()
    yield ""


def _event(name: str, cls: type[events.Event], common: set[str]) -> Iterator[str]:
    """One type of event; `common` fields are told elsewhere."""
    yield ""
    yield f"## `{name}`"
    yield ""
    yield _text(cls)
    yield f"Shed: {cls.shed or 'never'}."
    yield ""
    yield from (f"- {field}" for field in _fields(cls, leave_out=common))
    detail = typing.get_type_hints(cls).get(name)
    if isinstance(detail, type) and issubclass(detail, msgspec.Struct):
        yield ""
        yield f"`{name}`: {_text(detail)}"
        yield ""
        yield from (f"- {field}" for field in _fields(detail))


def _described(heading: str, cls: type[msgspec.Struct]) -> Iterator[str]:
    """A struct under its heading, field by field."""
    yield ""
    yield heading
    yield ""
    yield _text(cls)
    yield ""
    yield from (f"- {field}" for field in _fields(cls))


def many_rooms_reference() -> Iterator[str]:
    """What client and gateway say to each other on a connection for many rooms, from the structs."""
    yield "# Many rooms on one socket"
    yield ""
    yield "At `/ws`, without a room. The query's `lang` holds for all; its other options but `since` and `last` are the"
    yield "defaults of every `subscribe`. A client says these, one JSON object per text frame of at most"
    yield f"{protocol.CLIENT_FRAME_MAX_BYTES // 1024} KiB. The answer repeats the `id`, which is an integer or"
    yield f"at most {commands.ID_MAX_CHARS} characters."
    for command in (commands.Subscribe, commands.Unsubscribe, commands.ListRooms, commands.Ping, commands.Close):
        yield from _tagged(command)
    yield ""
    yield "Besides the frames of each room, which are those of a connection of its own, it is told these:"
    frames = (protocol.SubscribedFrame, protocol.TargetFrame, protocol.UnsubscribedFrame, protocol.SubscriptionsFrame,
              protocol.PongFrame)  # fmt: skip
    for frame in frames:
        yield from _tagged(frame)
    for untagged in (protocol.SubscribedRoom, protocol.ClosingFrame, protocol.ErrorFrame):
        yield from _described(f"### {untagged.__name__}", untagged)
    yield ""
    answers = (Code.BAD_COMMAND, Code.BAD_ROOM, Code.TOO_MANY_ROOMS, Code.ALREADY_SUBSCRIBED, Code.NOT_SUBSCRIBED)
    yield "An error that answers a command has its `id`, and ends nothing but what was asked for:"
    yield ""
    yield from (f"- `{code}`: {ERROR_TEXTS[code][Lang.EN].detail}." for code in answers)
    yield ""


def _tagged(cls: type[msgspec.Struct]) -> Iterator[str]:
    config = cls.__struct_config__
    yield ""
    yield f"## `{config.tag}`"
    yield ""
    yield f"`{config.tag_field}`: `{config.tag}`. {_text(cls)}"
    if fields := _fields(cls):
        yield ""
        yield from (f"- {field}" for field in fields)


def _text(cls: type[msgspec.Struct]) -> str:
    return re.sub(r"\n\s+", "\n", (cls.__doc__ or "").strip())


def _fields(cls: type[msgspec.Struct], leave_out: frozenset[str] | set[str] = frozenset()) -> list[str]:
    hints = typing.get_type_hints(cls)
    lines = []
    for field in msgspec.structs.fields(cls):
        if field.name not in leave_out:
            kinds = [kind for kind in _kinds(hints[field.name]) if kind != "UnsetType"]
            optional = "?" if field.default is msgspec.UNSET else ""
            lines.append(f"`{field.encode_name}`{optional} {' or '.join(kinds)}")
    return lines


def _kinds(hint: object) -> list[str]:
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is list:
        return [f"list of {' or '.join(_kinds(arguments[0]))}"]
    if typing.get_origin(hint) is dict:
        return [f"object of {' or '.join(_kinds(arguments[1]))}"]
    if typing.get_origin(hint) is typing.Literal:
        return ["string"]
    if arguments:
        return [kind for argument in arguments for kind in _kinds(argument)]
    names = {
        "str": "string",
        "int": "integer",
        "bool": "boolean",
        "Any": "see above",
        "Code": "string",
        "Status": "string",
    }
    name = getattr(hint, "__name__", str(hint))
    return [names.get(name, name)]


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, "utf8")
