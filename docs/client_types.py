"""The events as types of other languages, for the clients in `example/`: written from the structs, never by hand."""

import re
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, UnsetType

from shared import events

WORDS = "Generated from `shared/events.py` by `make docs`: every event there is, as it comes over the wire."
GROWS = "A newer gateway may send other types and other fields: pass over what you do not know."


def _structs() -> Iterator[type[Struct]]:
    """All of them, each behind those it is made of; the common fields of events first."""
    found = [cls for cls in vars(events).values() if isinstance(cls, type) and issubclass(cls, Struct)]
    yield from (cls for cls in found if cls.__module__ == events.__name__)


def _own_fields(cls: type[Struct]) -> Iterator[tuple[str, Any, bool]]:
    """Name, type and whether it may be absent, of each field that is not common to all events."""
    common = events.Event.__struct_fields__ if cls is not events.Event and issubclass(cls, events.Event) else ()
    hints = typing.get_type_hints(cls)
    for field in msgspec.structs.fields(cls):
        if field.name not in common:
            yield field.encode_name, hints[field.name], field.default is msgspec.UNSET


def _tag(cls: type[Struct]) -> str | None:
    return None if cls is events.Event or cls.__struct_config__.tag is None else str(cls.__struct_config__.tag)


def _name(cls: type[Struct]) -> str:
    return "Common" if cls is events.Event else cls.__name__


def _base(cls: type[Struct]) -> str | None:
    return "Common" if cls is not events.Event and issubclass(cls, events.Event) else None


def _spell(hint: Any, words: Mapping[Any, str], a_list: Callable[[str], str]) -> str:
    if typing.get_origin(hint) is list:
        return a_list(_spell(typing.get_args(hint)[0], words, a_list))
    if isinstance(hint, type):
        return words.get(hint, hint.__name__)
    parts = [part for part in typing.get_args(hint) if part is not UnsetType]
    return " | ".join(_spell(part, words, a_list) for part in parts)


def _names() -> list[str]:
    return [cls.__name__ for cls in events.EVENT_TYPES.values()] + [events.Gap.__name__]


def python() -> Iterator[str]:
    """The lines of `example/python/roomcast/events.py`."""
    yield f'"""{WORDS}'
    yield ""
    yield GROWS
    yield '"""'
    yield ""
    yield "from typing import Literal, NotRequired, TypeAlias, TypedDict"
    for cls in _structs():
        yield ""
        yield ""
        yield f"class {_name(cls)}({_base(cls) or 'TypedDict'}):"
        yield f'    """{(cls.__doc__ or "").strip()}{_end_of_docstring(cls)}"""'
        yield ""
        if tag := _tag(cls):
            yield f'    type: Literal["{tag}"]'
        for name, hint, optional in _own_fields(cls):
            kind = _spell(hint, {str: "str", int: "int", bool: "bool"}, lambda of: f"list[{of}]")
            yield f"    {name}: NotRequired[{kind}]" if optional else f"    {name}: {kind}"
    yield ""
    yield ""
    yield "Event: TypeAlias = ("
    yield from ("    " + ("| " if at else "") + name for at, name in enumerate(_names()))
    yield ")"
    yield '"""Any of them; `event["type"]` tells which."""'
    yield ""


def _end_of_docstring(cls: type[Struct]) -> str:
    return "\n    " if "\n" in (cls.__doc__ or "").strip() else ""


def typescript() -> Iterator[str]:
    """The lines of `example/javascript/events.d.ts`."""
    yield f"/** {WORDS}"
    yield " *"
    yield f" * {GROWS}"
    yield " */"
    for cls in _structs():
        yield ""
        yield "/** " + re.sub(r"\n *", "\n * ", (cls.__doc__ or "").strip()).replace(" * \n", " *\n") + " */"
        base = _base(cls)
        yield f"export interface {_name(cls)}{f' extends {base}' if base else ''} {{"
        if tag := _tag(cls):
            yield f'  type: "{tag}";'
        for name, hint, optional in _own_fields(cls):
            kind = _spell(hint, {str: "string", int: "number", bool: "boolean"}, _array)
            yield f"  {name}{'?' if optional else ''}: {kind};"
        yield "}"
    yield ""
    yield "/** Any of them; `event.type` tells which. */"
    yield "export type Event =\n  | " + "\n  | ".join(_names()) + ";"
    yield ""


def _array(of: str) -> str:
    return f"({of})[]" if "|" in of else f"{of}[]"
