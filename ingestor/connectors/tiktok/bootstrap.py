"""What opens one socket of one room, and how it is read from providers' answers. Pure.

Source: the providers' documentation, and the clients of both, 2025 and 2026.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ingestor.connectors.json_answers import Json
from ingestor.connectors.tiktok.answers import AGE_RESTRICTED
from ingestor.connectors.webcast import MAX_ITEMS
from protos import webcast_pb2 as pb
from shared.errors import (
    KeyRefused,
    RateLimited,
    RoomNotFound,
    RoomRestricted,
    UpstreamError,
    UpstreamUnavailable,
)

_CODES: Final[Mapping[int, type[UpstreamError]]] = {
    401: KeyRefused,
    402: KeyRefused,
    403: KeyRefused,
    404: RoomNotFound,
    429: RateLimited,
    AGE_RESTRICTED: RoomRestricted,
}


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What opens a socket, once, and within 30 s of its issue.

    Attributes:
        url: ready to be opened.
        cookies: for the handshake.
        user_agent: the one that was signed with.
        response: cursor, interval and first messages; empty where nobody was asked for them.
    """

    url: str = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    user_agent: str
    response: pb.Response = field(repr=False)


def refusal(peer: str, code: object, retry_after_s: float | None = None) -> UpstreamError:
    """The error for a code in the body of an answer, whatever HTTP said."""
    number = code if isinstance(code, int) else 0
    return _CODES.get(number, UpstreamUnavailable)(f"{peer} answered code {number}", retry_after_s=retry_after_s)


def response_of_json(fields: Json) -> pb.Response:
    """Read a Response in protobuf's JSON form. What is not as it should be is left out."""
    route_params = fields.get("routeParams")
    messages = fields.get("messages")
    return pb.Response(
        cursor=_bytes(fields.get("cursor")),
        internal_ext=_bytes(fields.get("internalExt")),
        push_server=_bytes(fields.get("pushServer")),
        heartbeat_duration=_number(fields.get("heartbeatDuration")),
        route_params=[
            pb.RouteParam(key=_bytes(key), value=_bytes(value))
            for key, value in (route_params.items() if isinstance(route_params, dict) else ())
        ],
        messages=[
            _message(item)
            for item in (messages[:MAX_ITEMS] if isinstance(messages, list) else ())
            if isinstance(item, dict)
        ],
    )


def route_params(response: pb.Response) -> dict[str, str]:
    """In the order they came, as text."""
    return {
        param.key.decode("utf8", "replace"): param.value.decode("utf8", "replace") for param in response.route_params
    }


def _message(item: Json) -> pb.Message:
    try:
        payload = base64.b64decode(_bytes(item.get("payload")), validate=True)
    except (binascii.Error, ValueError):
        payload = b""
    return pb.Message(
        method=_bytes(item.get("method")),
        payload=payload,
        msg_id=_number(item.get("msgId")),
        is_history=item.get("isHistory") is True,
    )


def _bytes(value: object) -> bytes:
    return value.encode("utf8", "replace") if isinstance(value, str) else b""


def _number(value: object) -> int:
    """A 64-bit number; JSON writes it as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= 19:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 2**63 else 0
