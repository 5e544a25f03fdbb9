"""What is said on sockets, as an AsyncAPI 3.0 document, made of the structs that are sent and read."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from gateway import commands, protocol
from gateway.close_codes import OUTCOMES
from gateway.query import PLATFORM, QUERY, ROOM
from gateway.texts import ERROR_TEXTS, Lang
from shared import schemas
from shared.events import EVENT_TYPES, Gap
from shared.platforms import DEFAULT_PLATFORM, PLATFORMS
from shared.version import VERSION

ROOM_FRAMES: Final[tuple[type[Struct], ...]] = (
    protocol.StatusFrame,
    protocol.ErrorFrame,
    protocol.ClosingFrame,
    protocol.RecoveredFrame,
    protocol.DroppedFrame,
    protocol.PongFrame,
    Gap,
    *EVENT_TYPES.values(),
)
"""What a client of one room is sent."""

FRAMES: Final[tuple[type[Struct], ...]] = (
    protocol.SubscribedFrame,
    protocol.TargetFrame,
    protocol.UnsubscribedFrame,
    protocol.SubscriptionsFrame,
    *ROOM_FRAMES,
)
"""What a client of many rooms is sent."""

ROOM_COMMANDS: Final[tuple[type[Struct], ...]] = (commands.Ping, commands.Close)
COMMANDS: Final[tuple[type[Struct], ...]] = (
    commands.Subscribe,
    commands.Unsubscribe,
    commands.ListRooms,
    *ROOM_COMMANDS,
)

_REFS = "#/components/schemas/{name}"
_COMMAND = "{name}Command"  # an event has the name of one


def document() -> dict[str, Any]:
    """The document."""
    messages = {_name(frame): _message(frame, frame.__name__) for frame in FRAMES}
    messages |= {_command(name): _message(name, _COMMAND.format(name=name.__name__)) for name in COMMANDS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "roomcast",
            "version": VERSION,
            "description": "Chat of live rooms over WebSocket. Every frame is text, and holds one JSON object. Fields "
            "and types may be added: a client leaves alone what it does not know. An optional field that is not known "
            "is absent, never null.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "gateway": {"host": "localhost:8000", "protocol": "ws", "description": "A gateway, or a balancer."}
        },
        "channels": {
            "room": _channel("/ws/{platform}/{room}", "One room.", ROOM_FRAMES, ROOM_COMMANDS),
            "roomByItself": _channel(
                "/ws/{room}", f"One room; of `{DEFAULT_PLATFORM}`, or where the link leads.", ROOM_FRAMES, ROOM_COMMANDS
            ),
            "rooms": _channel(
                "/ws",
                "Any number of rooms. `lang` holds for all; other options are the defaults of each `subscribe`.",
                FRAMES,
                COMMANDS,
            ),
        },
        "operations": {
            f"{action}{channel[0].upper()}{channel[1:]}": _operation(action, channel, names)
            for channel, sent, heard in (
                ("room", ROOM_FRAMES, ROOM_COMMANDS),
                ("roomByItself", ROOM_FRAMES, ROOM_COMMANDS),
                ("rooms", FRAMES, COMMANDS),
            )
            for action, names in (("send", map(_name, sent)), ("receive", map(_command, heard)))
        },
        "components": {
            "messages": messages,
            "schemas": schemas.of_written(FRAMES, _REFS)[1] | _command_schemas(),
        },
    }


def _channel(
    address: str, description: str, sent: Iterable[type[Struct]], heard: Iterable[type[Struct]]
) -> dict[str, Any]:
    names = [*map(_name, sent), *map(_command, heard)]
    parameters: dict[str, Any] = {}
    if "{platform}" in address:
        parameters["platform"] = {"description": PLATFORM, "enum": list(PLATFORMS)}
    if "{room}" in address:
        parameters["room"] = {"description": ROOM}
    return {
        "address": address,
        "description": f"{description}\n\n{_closes()}",
        **({"parameters": parameters} if parameters else {}),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "query": {"type": "object", "properties": _plain(QUERY)}}},
    }


def _operation(action: str, channel: str, names: Iterable[str]) -> dict[str, Any]:
    """`action` is the gateway's."""
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _closes() -> str:
    """What each code means for the connection, as Markdown."""
    lines = ["How a connection ends: the word begins the reason of the close.", "", "| code | close | come back |"]
    lines.append("|---|---|---|")
    for code, outcome in OUTCOMES.items():
        if outcome.close is not None:
            lines.append(f"| `{code}` | {outcome.close} | {'yes' if outcome.reconnect else 'no'} |")
    lines += ["", "Told in an error frame, while the connection stays:", ""]
    lines += [
        f"- `{code}`: {ERROR_TEXTS[code][Lang.EN].detail}." for code, outcome in OUTCOMES.items() if not outcome.close
    ]
    return "\n".join(lines)


def _message(cls: type[Struct], schema: str) -> dict[str, Any]:
    told = (cls.__doc__ or "").strip()
    return {
        "name": str(cls.__struct_config__.tag or cls.__name__),
        "title": cls.__name__,
        "summary": told.partition("\n")[0],
        "payload": {"$ref": _REFS.format(name=schema)},
    }


def _name(frame: type[Struct]) -> str:
    return str(frame.__struct_config__.tag or frame.__name__.removesuffix("Frame").lower())


def _command(command: type[Struct]) -> str:
    return f"{command.__struct_config__.tag}_command"


def _command_schemas() -> dict[str, Any]:
    """The commands, with what their options are: the structs take any value, to tell what is wrong with it."""
    _, found = schemas.of_read(COMMANDS, _REFS.replace("{name}", _COMMAND))
    options: dict[str, Any] = _plain(QUERY)
    options["events"] = {"oneOf": [options["events"], {"type": "array", "items": {"type": "string"}}]}
    options["wait"] = {"type": "boolean", "description": options["wait"]["description"]}
    properties = found[commands.Subscribe.__name__]["properties"]
    properties |= {name: options[name] for name in properties.keys() & options.keys()}
    return {_COMMAND.format(name=name): schema for name, schema in found.items()}


def _plain(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: dict(row) for name, row in table.items()}
