"""The query of a client's address, read once: `events=`, `lang=`, `since=`, `last=`, `wait=`.

A bad option never refuses the client: it is told, and the option's default holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from gateway.close_codes import Code
from gateway.texts import DEFAULT_LANG, Lang
from shared.cursor import Cursor
from shared.errors import BadCursor
from shared.events import ALWAYS_SENT, EVENT_TYPES

QUERY_MAX_CHARS = 2048  # every type by name is 250
LAST_MAX = 500  # events; a replay longer than a screen belongs to `since`

_SWITCH = {"1": True, "true": True, "0": False, "false": False}
_GROUPS = {"social": frozenset({"follow", "share"})}


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which types a client gets.

    Attributes:
        types: wanted by name.
        rest: all others too, also types that only a newer ingestor knows; but never `raw`, which costs the cluster
            bytes and must be asked for.
    """

    types: frozenset[str] = frozenset()
    rest: bool = True

    def wants(self, event_type: str) -> bool:
        """Whether an event of this type is sent."""
        return event_type in self.types or event_type in ALWAYS_SENT or (self.rest and event_type != "raw")

    @property
    def wants_raw(self) -> bool:
        """Whether `raw` events must be published for this client."""
        return "raw" in self.types


DEFAULT_FILTER = EventFilter()


@dataclass(frozen=True, slots=True)
class Options:
    """What a client asked for.

    Attributes:
        wait: it stays while the room is not live.
        problems: the error's code and its detail, to be told after `connecting`.
    """

    lang: Lang = DEFAULT_LANG
    wanted: EventFilter = DEFAULT_FILTER
    since: Cursor | None = None
    last: int = 0
    wait: bool = False
    problems: Sequence[tuple[Code, str]] = ()


DEFAULT_OPTIONS = Options()


def parse_options(query: str, last_event_id: str = "") -> Options:
    """Read the query string; of a repeated option the last one counts. Unknown options are left to the future.

    `last_event_id` is the header of who comes back to an event stream: a `since` that is newer than the query's.
    """
    if len(query) > QUERY_MAX_CHARS:
        return Options(problems=((Code.BAD_OPTION, f"the query is longer than {QUERY_MAX_CHARS} characters"),))
    given = dict(parse_qsl(query, keep_blank_values=True, errors="replace"))
    return read_options(given | {"since": last_event_id} if last_event_id else given)


def read_options(given: Mapping[str, str], defaults: Options = DEFAULT_OPTIONS) -> Options:
    """Read options by name; what is not given is as in the defaults, but for `since` and `last`."""
    problems: list[tuple[Code, str]] = []

    lang = defaults.lang
    if "lang" in given:
        try:
            lang = Lang(given["lang"].lower())
        except ValueError:
            problems.append((Code.BAD_OPTION, "lang: zh or en"))

    wanted = defaults.wanted
    if "events" in given:
        wanted, unknown = _parse_events(given["events"])
        if unknown:
            problems.append((Code.BAD_OPTION, f"events: {', '.join(unknown)}"))

    since = None
    if "since" in given:
        try:
            since = Cursor.parse(given["since"])
        except BadCursor as error:
            problems.append((Code.BAD_CURSOR, f"since: {error}"))

    last = 0
    if "last" in given and since is None:
        text = given["last"]
        if text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= LAST_MAX:
            last = int(text)
        else:
            problems.append((Code.BAD_OPTION, f"last: 1 to {LAST_MAX}"))

    wait = defaults.wait
    if "wait" in given:
        switch = _SWITCH.get(given["wait"].lower())
        if switch is None:
            problems.append((Code.BAD_OPTION, "wait: 1 or 0"))
        else:
            wait = switch

    return Options(lang=lang, wanted=wanted, since=since, last=last, wait=wait, problems=tuple(problems))


def _parse_events(text: str) -> tuple[EventFilter, list[str]]:
    """The filter, and the words that name no type. Without any known word the default holds."""
    types: set[str] = set()
    rest = False
    unknown: list[str] = []
    for word in dict.fromkeys(word.strip().lower() for word in text.split(",")):
        if word == "all":
            rest = True
            types.add("raw")
        elif word in _GROUPS:
            types |= _GROUPS[word]
        elif word in EVENT_TYPES:
            types.add(word)
        elif len(unknown) < 8:
            unknown.append(word[:32] or "(empty)")
    return EventFilter(frozenset(types), rest) if types else DEFAULT_FILTER, unknown
