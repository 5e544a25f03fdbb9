"""The documents about the gateway: valid by the official schemas, and true of what is sent, read and served."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from gateway import answers, asyncapi, documents, openapi, protocol
from gateway.app import create_app
from gateway.close_codes import Code
from gateway.commands import parse_command
from gateway.options import Options, read_options
from gateway.query import QUERY
from gateway.settings import GatewaySettings
from gateway.texts import Lang, Status
from shared.cursor import Cursor
from shared.redis_client import open_redis
from shared.room import RoomKey
from shared.version import VERSION
from tests import frames

ROOT = Path(__file__).parents[3]
OFFICIAL = ROOT / "tests" / "fixtures" / "asyncapi" / "3.0.0.json"  # of npm's @asyncapi/specs 6.11.1, as it is there
ROOM = RoomKey("tiktok", "7300000000000000001")
CURSOR = Cursor(1765432100000000, 480)

Document = dict[str, Any]


# --- valid ------------------------------------------------------------------------------------------------------------


def asyncapi_faults(document: Document) -> list[str]:
    validator = jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text("utf8")))
    return [error.message for error in validator.iter_errors(document)]


def test_the_asyncapi_document_is_valid() -> None:
    assert asyncapi_faults(asyncapi.document()) == []


def test_the_official_schema_would_find_a_fault() -> None:
    document = asyncapi.document()
    document["operations"]["sendRoom"]["action"] = "shout"
    document["channels"]["room"]["bindings"]["ws"]["method"] = "PUT"
    assert len(asyncapi_faults(document)) >= 2


def test_the_openapi_document_is_valid() -> None:
    OpenAPIV31SpecValidator(openapi.document()).validate()


@pytest.mark.parametrize("document", [asyncapi.document, openapi.document])
def test_every_schema_in_it_is_one_and_every_reference_leads_somewhere(document: Callable[[], Document]) -> None:
    found = document()
    for schema in found["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in references(found):
        target: Any = found
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def references(part: Any) -> set[str]:
    if isinstance(part, list):
        return {reference for item in part for reference in references(item)}
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return own | {reference for item in part.values() for reference in references(item)}


def test_they_name_the_version_of_the_project() -> None:
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text("utf8")
    assert asyncapi.document()["info"]["version"] == openapi.document()["info"]["version"] == VERSION


# --- complete ---------------------------------------------------------------------------------------------------------


def test_every_frame_there_is_is_described() -> None:
    said = {cls for name, cls in vars(protocol).items() if name.endswith("Frame") and issubclass(cls, msgspec.Struct)}
    assert said <= set(asyncapi.FRAMES)


def test_every_option_that_is_read_is_described() -> None:
    document = asyncapi.document()
    assert set(document["components"]["schemas"]["SubscribeCommand"]["properties"]) - {
        *("action", "id", "platform", "room")
    } == set(QUERY) - {"lang"}
    assert set(read_by_options()) <= set(QUERY)


def read_by_options() -> set[str]:
    class Noting(dict[str, str]):
        def __contains__(self, name: object) -> bool:
            asked.add(str(name))
            return False

        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return default

    asked: set[str] = set()
    assert read_options(Noting()) == Options()
    return asked


def test_every_address_that_is_served_is_described(tmp_path: Path) -> None:
    settings = GatewaySettings(_env_file=None, redis_url="memory://documents")  # type: ignore[call-arg, arg-type]
    app = create_app(settings, open_redis("memory://documents", name="documents"))
    served = {route.path.replace(":path}", "}") for route in app.routes if isinstance(route, Route)}
    described = set(openapi.document()["paths"])
    assert served == {path for path in described if not path.startswith("/sse/")}


# --- true -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"action": "subscribe", "id": 1, "room": "@ana", "events": "chat,gift", "last": 20, "wait": True},
        {"action": "subscribe", "id": "x", "platform": "tiktok", "room": "@ana", "events": ["chat"], "since": "1-2"},
        {"action": "unsubscribe", "room": "@ana"},
        {"action": "list", "id": 3},
        {"type": "ping"},
        {"action": "close"},
    ],
)  # fmt: skip
def test_commands_as_they_are_described_are_understood(said: Document) -> None:
    command = parse_command(json.dumps(said))
    name = f"{type(command).__name__}Command"
    document = asyncapi.document()
    assert name in document["components"]["schemas"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(said)


@pytest.mark.parametrize(
    "frame",
    [
        protocol.status_frame(Status.CONNECTED, Lang.EN, ROOM, cursor=CURSOR),
        protocol.error_frame(Code.OFFLINE, Lang.EN, ROOM),
        protocol.closing_frame(Code.DRAINING, Lang.ZH, cursors={ROOM: CURSOR}),
        protocol.pong_frame(1, CURSOR),
        protocol.subscriptions_frame(1, [protocol.subscribed_room(ROOM, ROOM, CURSOR, Status.CONNECTED)]),
        protocol.gap_frame(ROOM, after=CURSOR, before=CURSOR, reason="trimmed"),
    ],
)
def test_frames_are_read_as_they_are_described(frame: str) -> None:
    assert frames.read(frame) == json.loads(frame)


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"dance"}',
        '{"type":"pong"}',  # without our clock
        '{"type":"pong","timestamp":1,"more":1}',
        '{"type":"pong","timestamp":1,"cursor":null}',
        '{"type":"pong","timestamp":"1"}',
        '{"status":"closing","message":"","code":"bored","reconnect":true}',
        '{"status":"dancing","message":"","step":1,"total_steps":4,"platform":"a","room":"b"}',
        '{"status":"connected","message":"","step":4,"platform":"a","room":"b"}',  # `total_steps` is always there
        '{"code":"offline"}',
        "[]",
    ],
)
def test_what_is_not_described_fails_the_test_that_receives_it(frame: str) -> None:
    with pytest.raises(AssertionError, match="a gateway said"):
        frames.read(frame)


def test_what_always_is_written_is_required() -> None:
    found = asyncapi.document()["components"]["schemas"]
    assert {"delta", "total", "diamonds", "final"} <= set(found["Gift"]["required"])
    assert "to_user" not in found["Gift"]["required"]
    assert "platform" not in found["SubscribeCommand"]["required"]


def test_an_answer_with_a_field_too_many_is_found() -> None:
    assert frames.misfit({"status": "ok"}, answers.State) == ""
    assert frames.misfit({"status": "ok", "more": 1}, answers.State)
    assert frames.misfit({}, answers.State)


def test_a_document_is_made_once() -> None:
    assert documents.written("openapi.json") is documents.written("openapi.json")
