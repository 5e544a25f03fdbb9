"""`make docs`: writes what is generated from the code, so that it is never out of date (a test compares).

- `shared/setting_names.txt`: every name a setting may have;
- the table of settings in `README.md`;
- `docs/events.schema.json` and `docs/events.md`: every event a client can receive, and the status frames.
"""

import json
import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from pydantic_settings import BaseSettings

from gateway.protocol import STEPS, StatusFrame
from gateway.settings import GatewaySettings
from gateway.texts import STATUS_TEXTS, Lang, Status
from ingestor.connectors.registry import SETTINGS
from ingestor.settings import IngestorSettings
from shared import events
from shared.settings import environment_names, table

ROOT = Path(__file__).parents[1]
CLASSES: Mapping[str, type[BaseSettings]] = {"gateway": GatewaySettings, "ingestor": IngestorSettings, **SETTINGS}
TABLE_START, TABLE_END = "<!-- settings: written by `make docs` -->", "<!-- end of settings -->"


def generated() -> dict[Path, str]:
    """Every generated file (README: with its table renewed) by its path."""
    readme = (ROOT / "README.md").read_text("utf8")
    before, _, rest = readme.partition(TABLE_START)
    _, _, after = rest.partition(TABLE_END)
    names = sorted({name for cls in CLASSES.values() for name in environment_names(cls).values()})
    return {
        ROOT / "shared" / "setting_names.txt": "\n".join(names) + "\n",
        ROOT / "README.md": f"{before}{TABLE_START}\n\n{table(CLASSES)}\n{TABLE_END}{after}",
        ROOT / "docs" / "events.schema.json": json.dumps(events.json_schema(), indent=1, ensure_ascii=False) + "\n",
        ROOT / "docs" / "events.md": "\n".join(event_reference()),
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
    yield ""
    yield "## `gap`"
    yield ""
    yield _text(events.Gap)
    yield ""
    yield from (f"- {field}" for field in _fields(events.Gap))
    yield ""
    yield "## Status frames"
    yield ""
    yield _text(StatusFrame)
    yield ""
    yield from (f"- `{status}`, step {STEPS[status]}: {STATUS_TEXTS[status][Lang.EN]}" for status in Status)
    yield ""
    yield "## Parts"
    shown = (events.User, events.Badge, events.ChatEmote, events.EmotePicture, events.BattleSide, events.Supporter,
             events.GoalPart, events.PollOption, events.RankEntry, events.CaptionText, events.Product,
             events.TopViewer)  # fmt: skip
    for part in shown:
        yield ""
        yield f"### {part.__name__}"
        yield ""
        yield _text(part)
        yield ""
        yield from (f"- {field}" for field in _fields(part))
    yield ""


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
    if arguments:
        return [kind for argument in arguments for kind in _kinds(argument)]
    names = {"str": "string", "int": "integer", "bool": "boolean"}
    name = getattr(hint, "__name__", str(hint))
    return [names.get(name, name)]


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, "utf8")
