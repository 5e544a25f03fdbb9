"""How the options of a room's address are described; `gateway.options` reads them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.options import LAST_MAX
from gateway.texts import DEFAULT_LANG, Lang
from shared.events import ALWAYS_SENT, EVENT_TYPES

QUERY: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "events": {
            "type": "string",
            "description": "Only these types of events, with commas between: "
            + ", ".join(f"`{name}`" for name in EVENT_TYPES)
            + "; `social` is `follow` and `share`; `all` is every type. Default: all but `raw`. Always sent: "
            + ", ".join(f"`{name}`" for name in sorted(ALWAYS_SENT))
            + ".",
            "examples": ["chat,gift"],
        },
        "since": {
            "type": "string",
            "pattern": "^[0-9]{1,16}-[0-9]{1,16}$",
            "description": "The `cursor` of the last event you have seen; what follows it is sent first.",
            "examples": ["1765432100000000-480"],
        },
        "last": {
            "type": "integer",
            "minimum": 1,
            "maximum": LAST_MAX,
            "description": "Begin with so many of the latest events. Nothing beside `since`.",
        },
        "wait": {
            "type": "string",
            "enum": ["1", "true", "0", "false"],
            "description": "Stay while the room is not live.",
        },
        "lang": {
            "type": "string",
            "enum": [lang.value for lang in Lang],
            "default": DEFAULT_LANG.value,
            "description": "Language of the texts of status and error frames.",
        },
    }
)
"""JSON Schema of each option by its name."""

ROOM = "What users of the platform call it, percent-encoded: an id, an `@name`, a link."
PLATFORM = "Where the room is."
