"""`permessage-deflate`, from outside: what is agreed on, what is read, and what is kept for it."""

import pytest

from tests.wire_echo import BYE, GOODBYE, Echo, is_in_order, path_of, words
from tests.wire_peers import (
    BINARY,
    MORE,
    PING,
    TEXT,
    Peer,
    Received,
    deflate,
    frame,
    inflate,
)

ACCEPTED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


OFFERS: dict[str, str | None] = {
    "permessage-deflate": f"{ACCEPTED}; server_max_window_bits=12",
    "permessage-deflate; server_no_context_takeover": f"{ACCEPTED}; server_max_window_bits=12",
    "permessage-deflate; client_no_context_takeover": f"{ACCEPTED}; server_max_window_bits=12",
    "permessage-deflate; client_max_window_bits": f"{ACCEPTED}; server_max_window_bits=12",
    "permessage-deflate; server_max_window_bits=8": None,  # zlib has no such window
    **{
        f"permessage-deflate; server_max_window_bits={bits}": f"{ACCEPTED}; server_max_window_bits={min(bits, 12)}"
        for bits in range(9, 16)
    },
    **{
        f"permessage-deflate; client_max_window_bits={bits}": (
            f"{ACCEPTED}; server_max_window_bits=12; client_max_window_bits={bits}"
        )
        for bits in range(8, 16)
    },
    "permessage-deflate; server_max_window_bits=16": None,
    "permessage-deflate; server_max_window_bits=012": None,
    "permessage-deflate; server_max_window_bits": None,
    "permessage-deflate; server_no_context_takeover=1": None,
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover": None,
    "permessage-deflate; unknown": None,
    "x-webkit-deflate-frame": None,
    "permessage-deflate; server_max_window_bits=8, permessage-deflate": f"{ACCEPTED}; server_max_window_bits=12",
    "permessage-deflate, permessage-deflate": f"{ACCEPTED}; server_max_window_bits=12",
}


OFFER = "Sec-WebSocket-Extensions: permessage-deflate"


LONG = "abcdefgh" * 200


@pytest.mark.parametrize("offer", OFFERS)
def test_compression_is_agreed_on_as_far_as_both_can(deflating: tuple[Echo, int], offer: str) -> None:
    answer = OFFERS[offer]
    with Peer(deflating[1]).upgrade(path_of(), f"Sec-WebSocket-Extensions: {offer}") as peer:
        assert peer.header("Sec-WebSocket-Extensions") == answer
        for _ in range(3):
            peer.send(frame(TEXT, LONG.encode()))
            got = peer.next()
            assert got.compressed == (answer is not None)
            bits = 9 if "server_max_window_bits=9" in offer else 12
            assert (inflate(got.payload, bits=bits) if got.compressed else got.payload).decode() == LONG


@pytest.mark.parametrize("headers", [[], ["Sec-WebSocket-Extensions: x-other"]])
def test_who_does_not_offer_compression_gets_none(deflating: tuple[Echo, int], headers: list[str]) -> None:
    with Peer(deflating[1]).upgrade(path_of(), *headers) as peer:
        assert peer.header("Sec-WebSocket-Extensions") is None
        peer.send(frame(TEXT, LONG.encode()))
        assert not peer.next().compressed


def test_who_offers_compression_gets_none_where_it_is_off(port: int) -> None:
    with Peer(port).upgrade(path_of(), OFFER) as peer:
        assert peer.header("Sec-WebSocket-Extensions") is None
        peer.send(frame(TEXT, b"x", reserved=4))
        assert words(peer.rest()[0]) == [("close", 1002)]


ZEROS = deflate(bytes(1 << 20))


DEFLATED: dict[str, tuple[bytes, list[object]]] = {
    "compressed": (frame(TEXT, deflate(b"hello"), reserved=4) + GOODBYE, ["hello", BYE]),
    "compressed, empty": (frame(TEXT, deflate(b""), reserved=4) + GOODBYE, ["", BYE]),
    "not compressed": (frame(TEXT, b"hello") + GOODBYE, ["hello", BYE]),
    "compressed with a small window": (
        frame(BINARY, deflate(LONG.encode() * 10, bits=9), reserved=4) + GOODBYE,
        [LONG.encode() * 10, BYE],
    ),
    "in fragments": (
        frame(TEXT, deflate(b"hello")[:3], reserved=4, last=False) + frame(PING) + frame(MORE, deflate(b"hello")[3:])
        + GOODBYE,
        [("pong", b""), "hello", BYE],
    ),
    "as large as may be": (frame(BINARY, deflate(bytes(65536)), reserved=4) + GOODBYE, [bytes(65536), BYE]),
    "bomb": (frame(BINARY, ZEROS, reserved=4), [("close", 1009)]),
    "bomb in fragments": (
        frame(BINARY, ZEROS[:20], reserved=4, last=False) + frame(MORE, ZEROS[20:], last=False),
        [("close", 1009)],
    ),
    "bomb in many fragments": (
        frame(BINARY, ZEROS[:20], reserved=4, last=False)
        + b"".join(frame(MORE, ZEROS[at : at + 20], last=False) for at in range(20, len(ZEROS), 20)),
        [("close", 1009)],
    ),
    "one byte too large": (frame(BINARY, deflate(bytes(65537)), reserved=4), [("close", 1009)]),
    "rubbish": (frame(BINARY, b"\xff" * 20, reserved=4), [("close", 1002)]),
    "no text": (frame(TEXT, deflate(b"\xff"), reserved=4), [("close", 1007)]),
    "ping that says it is compressed": (frame(PING, b"x", reserved=4), [("close", 1002)]),
    "fragment that says it is compressed": (
        frame(TEXT, deflate(b"hello")[:3], reserved=4, last=False) + frame(MORE, deflate(b"hello")[3:], reserved=4),
        [("close", 1002)],
    ),
    "other reserved bits": (frame(TEXT, deflate(b"x"), reserved=6), [("close", 1002)]),
}  # fmt: skip


@pytest.mark.parametrize("case", DEFLATED)
def test_compressed_messages_are_read_and_bounded(deflating: tuple[Echo, int], case: str) -> None:
    echo, port = deflating
    sent, expected = DEFLATED[case]
    path = path_of()
    with Peer(port).upgrade(path, OFFER) as peer:
        peer.send(sent)
        frames, end = peer.rest()
    plain = [Received(got.opcode, inflate(got.payload, bits=12)) if got.compressed else got for got in frames]
    assert is_in_order(words(plain), expected), words(plain)
    assert end == "eof"
    code = next(word[1] for word in expected if isinstance(word, tuple) and word[0] == "close")
    echo.hears(path, *(word for word in expected if isinstance(word, str | bytes)), f"gone {code}")


def test_no_connection_keeps_a_compressor(deflating: tuple[Echo, int]) -> None:
    echo, port = deflating
    with Peer(port).upgrade(path_of(), OFFER) as peer:
        for _ in range(3):
            peer.send(frame(TEXT, deflate(LONG.encode()), reserved=4))
            assert peer.next().compressed
        kept = [
            vars(extension).keys() & {"decoder", "encoder"}
            for connection in echo.server.server_state.connections.copy()
            for extension in connection.conn.extensions  # type: ignore[union-attr]
        ]
        assert kept != []
        assert not any(kept)
