"""What providers' answers mean."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.connectors.telling import most_telling
from ingestor.connectors.tiktok.bootstrap import (
    Bootstrap,
    refusal,
    response_of_json,
    route_params,
)
from ingestor.connectors.webcast import MAX_ITEMS
from ingestor.connectors.websocket import is_socket_url
from protos import webcast_pb2 as pb
from shared.errors import (
    Blocked,
    KeyRefused,
    RateLimited,
    RoomNotFound,
    RoomOffline,
    RoomRestricted,
    UpstreamError,
    UpstreamUnavailable,
)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (401, KeyRefused),
        (402, KeyRefused),
        (403, KeyRefused),
        (404, RoomNotFound),
        (429, RateLimited),
        (4003110, RoomRestricted),
        (500, UpstreamUnavailable),
        ("429", UpstreamUnavailable),
        (None, UpstreamUnavailable),
        ([], UpstreamUnavailable),
    ],
)
def test_a_code_in_a_body_has_its_type(code: object, error: type[UpstreamError]) -> None:
    refused = refusal("Somebody", code, 3.0)
    assert (type(refused), refused.retry_after_s) == (error, 3.0)


def test_the_most_telling_error_is_about_the_room_then_about_us() -> None:
    order = [RoomRestricted(), RoomOffline(), KeyRefused(), RateLimited(), Blocked(), UpstreamUnavailable()]
    for first in range(len(order)):
        assert most_telling(order[: first - 1 : -1] if first else order[::-1]) is order[first]


def test_a_response_in_json_is_read_like_one_in_protobuf() -> None:
    fields = {
        "cursor": "c1",
        "internalExt": "fetch_time:1|x",
        "pushServer": "wss://h/p",
        "heartbeatDuration": "10000",
        "routeParams": {"wrss": "w", "imprp": ""},
        "messages": [
            {"method": "WebcastChatMessage", "payload": b64encode(b"hi").decode(), "msgId": "73", "isHistory": True}
        ],
    }
    assert response_of_json(fields) == pb.Response(
        cursor=b"c1",
        internal_ext=b"fetch_time:1|x",
        push_server=b"wss://h/p",
        heartbeat_duration=10000,
        route_params=[pb.RouteParam(key=b"wrss", value=b"w"), pb.RouteParam(key=b"imprp", value=b"")],
        messages=[pb.Message(method=b"WebcastChatMessage", payload=b"hi", msg_id=73, is_history=True)],
    )


def test_what_is_not_as_it_should_be_is_left_out() -> None:
    fields = {
        "cursor": 7,
        "heartbeatDuration": "9" * 30,
        "routeParams": [],
        "messages": ["x", {"payload": "?", "msgId": -1, "isHistory": 1}],
    }
    assert response_of_json(fields) == pb.Response(messages=[pb.Message()])


def test_messages_of_a_response_have_a_ceiling() -> None:
    assert len(response_of_json({"messages": [{}] * (MAX_ITEMS + 5)}).messages) == MAX_ITEMS


@given(
    st.dictionaries(
        st.sampled_from(["cursor", "messages", "routeParams", "heartbeatDuration"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
    )
)
def test_no_json_raises(fields: dict[str, object]) -> None:
    assert isinstance(response_of_json(fields), pb.Response)


def test_route_params_keep_their_order() -> None:
    response = pb.Response(route_params=[pb.RouteParam(key=b"z", value=b"1"), pb.RouteParam(key=b"a", value=b"\xff")])
    assert list(route_params(response).items()) == [("z", "1"), ("a", "\N{REPLACEMENT CHARACTER}")]


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("wss://webcast16-ws-alisg.tiktok.com/webcast/im/", True),
        ("ws://127.0.0.1:8080/x?a=%20", True),
        ("https://host/", False),
        ("wss:///path", False),
        ("wss://host/a b", False),
        ("wss://host/\r\nCookie: x", False),
        ("wss://хост/", False),
        ("wss://host:99999/", False),
        ("wss://[::1/", False),
        ("wss://host/" + "x" * 8000, False),
        ("", False),
    ],
)
def test_a_socket_address_from_outside_is_checked(text: str, fit: bool) -> None:
    assert is_socket_url(text) is fit


def test_a_bootstrap_shows_no_secrets() -> None:
    shown = repr(Bootstrap("wss://h/?wrss=SECRET", {"ttwid": "SECRET"}, "Mozilla/5.0", pb.Response(cursor=b"SECRET")))
    assert "SECRET" not in shown
