"""The query of a client's address."""

import pytest

from gateway.close_codes import Code
from gateway.options import DEFAULT_FILTER, LAST_MAX, QUERY_MAX_CHARS, EventFilter, Options, parse_options, read_options
from gateway.texts import Lang
from shared.cursor import Cursor


def test_no_options() -> None:
    assert parse_options("") == Options()
    assert parse_options("x&y=1") == Options()  # of another version


def test_all_options() -> None:
    assert parse_options("lang=EN&events=chat,gift&since=1765432100000000-4&last=5") == Options(
        lang=Lang.EN, wanted=EventFilter(frozenset({"chat", "gift"}), rest=False), since=Cursor(1765432100000000, 4)
    )
    assert [parse_options(f"wait={word}").wait for word in ("1", "true", "True", "0", "false")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert parse_options(f"last={LAST_MAX}").last == LAST_MAX


@pytest.mark.parametrize(
    ("query", "code", "detail"),
    [
        ("lang=fr", Code.BAD_OPTION, "lang: zh or en"),
        ("lang=", Code.BAD_OPTION, "lang: zh or en"),
        ("events=", Code.BAD_OPTION, "events: (empty)"),
        ("events=talk", Code.BAD_OPTION, "events: talk"),
        ("since=", Code.BAD_CURSOR, "since: a cursor is two numbers with a hyphen between"),
        ("since=1-2-3", Code.BAD_CURSOR, "since: a cursor is two numbers with a hyphen between"),
        ("since=9007199254740992-1", Code.BAD_CURSOR, "since: a cursor's numbers are below 2^53"),
        ("wait=", Code.BAD_OPTION, "wait: 1 or 0"),
        ("wait=yes", Code.BAD_OPTION, "wait: 1 or 0"),
        ("last=0", Code.BAD_OPTION, f"last: 1 to {LAST_MAX}"),
        ("last=-1", Code.BAD_OPTION, f"last: 1 to {LAST_MAX}"),
        ("last=%C2%B2", Code.BAD_OPTION, f"last: 1 to {LAST_MAX}"),
        ("last=%D9%A3", Code.BAD_OPTION, f"last: 1 to {LAST_MAX}"),
        (f"last={LAST_MAX + 1}", Code.BAD_OPTION, f"last: 1 to {LAST_MAX}"),
        ("last=" + "9" * 1000, Code.BAD_OPTION, f"last: 1 to {LAST_MAX}"),
        ("x" * (QUERY_MAX_CHARS + 1), Code.BAD_OPTION, f"the query is longer than {QUERY_MAX_CHARS} characters"),
    ],
)
def test_bad_option_is_named_and_its_default_holds(query: str, code: Code, detail: str) -> None:
    assert parse_options(query) == Options(problems=((code, detail),))


@pytest.mark.parametrize(("given", "wait"), [({}, True), ({"wait": "false"}, False), ({"wait": "perhaps"}, True)])
def test_who_waits_unless_told_otherwise(given: dict[str, str], wait: bool) -> None:
    options = read_options(given, Options(wait=True))
    assert (options.wait, len(options.problems)) == (wait, given.get("wait") == "perhaps")


def test_bad_since_leaves_last_in_force() -> None:
    options = parse_options("since=x&last=3")
    assert (options.since, options.last, len(options.problems)) == (None, 3, 1)


def test_named_words_are_few_and_short() -> None:
    options = parse_options("events=" + ",".join(f"{'long' * 20}{number}" for number in range(15)))
    assert len(options.problems[0][1]) < 8 * 40


@pytest.mark.parametrize(
    ("events", "wanted", "unwanted"),
    [
        (None, ["chat", "like", "gap", "live_status", "ended", "new_type"], ["raw"]),
        ("chat", ["chat", "gap", "live_status", "ended"], ["like", "raw", "new_type"]),
        ("social", ["follow", "share"], ["chat"]),
        (" CHAT , social ", ["chat", "follow"], ["gift"]),
        ("all", ["chat", "raw", "new_type"], []),
        ("raw", ["raw", "ended"], ["chat"]),
        ("talk,chat", ["chat"], ["like"]),
        ("talk", ["chat", "like"], ["raw"]),
    ],
)
def test_filter(events: str | None, wanted: list[str], unwanted: list[str]) -> None:
    chosen = parse_options("" if events is None else f"events={events}").wanted
    assert [word for word in wanted + unwanted if chosen.wants(word)] == wanted
    assert chosen.wants_raw == ("raw" in wanted)


def test_equal_filters_are_one_group() -> None:
    assert parse_options("events=gift,chat").wanted == parse_options("events=chat,gift,chat").wanted
    assert hash(parse_options("").wanted) == hash(DEFAULT_FILTER)
