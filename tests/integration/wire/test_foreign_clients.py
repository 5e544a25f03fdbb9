"""What clients of other authors see: aiohttp, wsproto, Node."""

import pytest

from tests.conftest import need
from tests.frames import read
from tests.wire_echo import GOODBYE, Echo, path_of
from tests.wire_peers import (
    TEXT,
    Peer,
    Talk,
    Talker,
    aiohttp_client,
    frame,
    inflate,
    node_clients,
    node_has_websocket,
    wsproto_client,
)


@pytest.fixture(params=[aiohttp_client, wsproto_client], ids=["aiohttp", "wsproto"])
def talker(request: pytest.FixtureRequest) -> Talker:
    found: Talker = request.param
    return found


MESSAGES: list[str | bytes] = ["", "x", "κόσμε😀", "y" * 125, "y" * 126, "y" * 65535, b"", b"\x00\xff", bytes(65536)]


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
async def test_foreign_client_gets_back_what_it_sends(
    port: int, deflating: tuple[Echo, int], talker: Talker, compress: bool
) -> None:
    url = f"ws://127.0.0.1:{deflating[1] if compress else port}{path_of()}"
    talk = await talker(url, MESSAGES, closes=(4000, "κόσμε"), compress=compress)
    assert talk.received == MESSAGES
    assert (talk.code, talk.reason) == (4000, "κόσμε")
    assert talk.extensions.startswith("permessage-deflate") == compress


@pytest.mark.parametrize("code", [1000, 4999])
async def test_foreign_client_is_told_code_and_reason(port: int, talker: Talker, code: int) -> None:
    url = f"ws://127.0.0.1:{port}{path_of()}"
    talk = await talker(url, ["first", f"close {code} κόσμε"])
    assert (talk.received, talk.code, talk.reason) == (["first"], code, "κόσμε")


GATEWAY_PATH = "/ws/@somebody?lang=en&since=nonsense"


ASKS: list[str | bytes] = ['{"type": "ping"}', '{"action": "close"}']


def is_what_the_gateway_says(talk: Talk) -> bool:
    frames = [read(text) for text in talk.received]
    said = [found.get("status") or found.get("type") or found["code"] for found in frames]
    return said == ["connecting", "bad_cursor", "pong", "closing"] and (talk.code, talk.reason) == (1000, "requested")


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
async def test_foreign_client_reads_the_gateways_ready_made_frames(
    gateway_port: int, talker: Talker, compress: bool
) -> None:
    talk = await talker(f"ws://127.0.0.1:{gateway_port}{GATEWAY_PATH}", ASKS, compress=compress)
    assert is_what_the_gateway_says(talk)


@pytest.mark.parametrize("new_loop", ["uvloop"], indirect=True)
def test_node_understands_everything_as_well(port: int, deflating: tuple[Echo, int], gateway_port: int) -> None:
    need("node", "nodejs")
    if not node_has_websocket():
        pytest.skip("this Node has no WebSocket of its own")
    plain, compressed, told, gateway = node_clients(
        (f"ws://127.0.0.1:{port}{path_of()}", MESSAGES, (4000, "κόσμε")),
        (f"ws://127.0.0.1:{deflating[1]}{path_of()}", MESSAGES, (4000, "κόσμε")),
        (f"ws://127.0.0.1:{port}{path_of()}", ["first", "close 1013 κόσμε"], None),
        (f"ws://127.0.0.1:{gateway_port}{GATEWAY_PATH}", ASKS, None),
    )
    for talk in (plain, compressed):
        assert (talk.received, talk.code, talk.reason) == (MESSAGES, 4000, "κόσμε")
    assert plain.extensions == ""
    assert compressed.extensions.startswith("permessage-deflate") and gateway.extensions == compressed.extensions
    assert (told.received, told.code, told.reason) == (["first"], 1013, "κόσμε")
    assert is_what_the_gateway_says(gateway)


def test_each_frame_of_the_gateway_is_compressed_by_itself(gateway_port: int) -> None:
    ask = frame(TEXT, b'{"type": "ping"}') + frame(TEXT, b'{"action": "close"}')
    seen = {}
    for offer in ("", "permessage-deflate", "permessage-deflate; server_max_window_bits=9"):
        with Peer(gateway_port).upgrade(
            GATEWAY_PATH, *([f"Sec-WebSocket-Extensions: {offer}"] if offer else [])
        ) as peer:
            peer.send(ask + GOODBYE)
            frames = [got for got in peer.rest()[0] if got.opcode == TEXT]
        seen[offer] = [got.compressed for got in frames]
        plain = [inflate(got.payload, bits=12) if got.compressed else got.payload for got in reversed(frames)]
        assert all(read(text) for text in plain)
    assert any(seen["permessage-deflate"])
    assert not any(seen[""])
    assert not any(seen["permessage-deflate; server_max_window_bits=9"])
