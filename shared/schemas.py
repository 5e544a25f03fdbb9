"""JSON Schemas of structs, as those read them who never saw the code. Pure.

What our encoder always writes is required in them, also where the struct has a default: msgspec, which knows them as a
decoder, would call that optional.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

DEFS: Final = "#/$defs/{name}"

Schema = dict[str, Any]


def of_written(types: Sequence[Any], refs: str = DEFS) -> tuple[list[Schema], dict[str, Schema]]:
    """Of what is encoded here: a reference to each, and all that these lead to by name.

    Args:
        types: structs, and whatever else msgspec knows.
        refs: where the definitions will stand, with `{name}` for their names.
    """
    return _components(types, refs, defaults=False)


def of_read(types: Sequence[Any], refs: str = DEFS) -> tuple[list[Schema], dict[str, Schema]]:
    """The same of what is decoded here, where a field with a default may be left out."""
    return _components(types, refs, defaults=True)


def _components(types: Sequence[Any], refs: str, *, defaults: bool) -> tuple[list[Schema], dict[str, Schema]]:
    found, definitions = msgspec.json.schema_components(types, ref_template=refs)
    return list(found), {name: _tidy(schema, defaults) for name, schema in definitions.items()}


def _tidy(schema: Any, defaults: bool) -> Any:
    if isinstance(schema, list):
        return [_tidy(part, defaults) for part in schema]
    if not isinstance(schema, dict):
        return schema
    # `discriminator` is OpenAPI's; JSON Schema has no such word, and AsyncAPI has it with another meaning.
    tidied = {word: _tidy(value, defaults) for word, value in schema.items() if word != "discriminator"}
    if "description" in schema and isinstance(schema["description"], str):
        tidied["description"] = re.sub(r"\n +", "\n", schema["description"])
    if "properties" in schema:
        tidied["properties"] = {name: _tidy(value, defaults) for name, value in schema["properties"].items()}
        if not defaults:
            written = {name for name, value in schema["properties"].items() if "default" in value}
            required = written | set(schema.get("required", ()))
            tidied["required"] = [name for name in schema["properties"] if name in required]
            for name in written:
                del tidied["properties"][name]["default"]
    return tidied
