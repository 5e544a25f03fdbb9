"""What a gateway says, read as a client reads it; whatever the documents do not know fails the test that received it.

Every frame is compared with its struct: types, missing fields, fields too many. The JSON Schemas that are published
are made of the same structs but read by another library, which takes a hundred times as long: they are asked about the
first frame of every form.
"""

import json
import re
from functools import cache
from typing import Any

import jsonschema
import msgspec

from gateway import asyncapi, openapi

Frame = dict[str, Any]

_TYPES = {str(cls.__struct_config__.tag): cls for cls in asyncapi.FRAMES if cls.__struct_config__.tag}
_UNTAGGED = {cls.__name__: cls for cls in asyncapi.FRAMES if not cls.__struct_config__.tag}
_forms_seen: set[tuple[str, ...]] = set()


def read(text: str | bytes) -> Frame:
    """A frame that a gateway sent.

    Raises:
        AssertionError: it is not among those that the AsyncAPI document describes.
    """
    frame = json.loads(text)
    assert isinstance(frame, dict), f"a gateway said {text!r}"
    cls = _type_of(frame)
    fault = misfit(frame, cls)
    assert not fault, f"{fault}; a gateway said {text!r}"
    form = (cls.__name__, *sorted(frame))
    if form not in _forms_seen:
        _asyncapi_validator(cls.__name__).validate(frame)
        _forms_seen.add(form)
    return frame


def read_answer(path: str, status: int, text: str) -> Any:
    """What a gateway answered with to a request, as JSON.

    Raises:
        AssertionError: it is not what the OpenAPI document promises at that path.
    """
    answer = json.loads(text)
    described = next(statuses for known, statuses in openapi.ANSWERS.items() if _matches(known, path))
    assert status in described, f"{path} answered {status}, which is not described"
    fault = misfit(answer, described[status])
    assert not fault, f"{fault}; {path} answered {text!r}"
    _openapi_validator(described[status].__name__).validate(answer)
    return answer


def is_described(path: str) -> bool:
    """Whether the answers of a path are JSON that is described."""
    return any(_matches(known, path) for known in openapi.ANSWERS)


def misfit(said: Any, cls: Any) -> str:
    """Why something is not exactly what its type describes; empty when it is."""
    try:
        exact = msgspec.to_builtins(msgspec.convert(said, cls))
    except msgspec.ValidationError as error:
        return str(error)
    return "" if exact == said else f"as {cls.__name__} it would be {exact!r}"


def _type_of(frame: Frame) -> Any:
    if "type" in frame:
        assert frame["type"] in _TYPES, f"a gateway said {frame!r}"
        return _TYPES[frame["type"]]
    if "status" in frame:
        return _UNTAGGED["ClosingFrame" if frame["status"] == "closing" else "StatusFrame"]
    return _UNTAGGED["ErrorFrame"]


def _matches(template: str, path: str) -> bool:
    pattern = re.sub(r"\\{\w+\\}", "[^/]*", re.escape(template))
    return re.fullmatch(pattern, path.partition("?")[0]) is not None


@cache
def _asyncapi_validator(name: str) -> jsonschema.Draft202012Validator:
    return _validator(asyncapi.document(), name)


@cache
def _openapi_validator(name: str) -> jsonschema.Draft202012Validator:
    return _validator(openapi.document(), name)


def _validator(document: dict[str, Any], name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": document["components"]["schemas"]}}
    )
