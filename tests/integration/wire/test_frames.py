"""Frames and messages, from outside: what raw clients get for whatever they send."""

import pytest

from gateway.conversation import FRAGMENTS_MAX
from tests.wire_echo import BYE, GOODBYE, Echo, is_in_order, path_of, until, words
from tests.wire_peers import (
    BINARY,
    CLOSE,
    MORE,
    PING,
    PONG,
    TEXT,
    Peer,
    close,
    frame,
)

KOSME = "κόσμε".encode()


CASES: dict[str, tuple[bytes, list[object]]] = {
    # sizes
    **{
        f"{kind} of {size}": (frame(opcode, b"*" * size) + GOODBYE, [payload * size, BYE])
        for kind, opcode, payload in (("text", TEXT, "*"), ("binary", BINARY, b"*"))
        for size in (0, 1, 125, 126, 127, 128, 65535, 65536)
    },
    "too large": (frame(TEXT, b"*" * 65537), [("close", 1009)]),
    "too large, says the head": (frame(TEXT, size=1 << 40), [("close", 1009)]),
    "too large, in fragments": (
        frame(TEXT, b"*" * 40000, last=False) + frame(MORE, b"*" * 40000),
        [("close", 1009)],
    ),
    "too large, and more behind it": (frame(TEXT, b"*" * 65537) + frame(BINARY, b"*" * 60000) * 20, [("close", 1009)]),
    # pings
    "ping": (frame(PING) + GOODBYE, [("pong", b""), BYE]),
    "ping with payload": (frame(PING, bytes(range(125))) + GOODBYE, [("pong", bytes(range(125))), BYE]),
    "ping too long": (frame(PING, bytes(126)), [("close", 1002)]),
    "many pings": (
        b"".join(frame(PING, b"%d" % number) for number in range(50)) + GOODBYE,
        [*(("pong", b"%d" % number) for number in range(50)), BYE],
    ),
    "pong nobody asked for": (frame(PONG, b"?") + frame(PING, b"!") + GOODBYE, [("pong", b"!"), BYE]),
    "ping in fragments": (frame(PING, b"a", last=False) + frame(MORE, b"b"), [("close", 1002)]),
    "pong in fragments": (frame(PONG, b"a", last=False), [("close", 1002)]),
    "close in fragments": (frame(CLOSE, b"\x03\xe8", last=False), [("close", 1002)]),
    # reserved
    **{
        f"reserved bits {bits}": (
            frame(PING, b"before") + frame(opcode, b"x", reserved=bits),
            [("pong", b"before"), ("close", 1002)],
        )
        for bits in range(1, 8)
        for opcode in (TEXT, PING, CLOSE)
    },
    **{
        f"opcode {opcode}": (
            frame(PING, b"before") + frame(opcode, b"x") + frame(PING, b"after"),
            [("pong", b"before"), ("close", 1002)],
        )
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "not masked": (frame(PING, b"before") + frame(TEXT, b"x", masked=False), [("pong", b"before"), ("close", 1002)]),
    # fragments
    "fragments": (
        frame(TEXT, b"a", last=False) + frame(MORE, b"b", last=False) + frame(MORE, b"c") + GOODBYE,
        ["abc", BYE],
    ),
    "fragments with a ping between": (
        frame(BINARY, b"a", last=False) + frame(PING, b"!") + frame(MORE, b"b") + GOODBYE,
        [("pong", b"!"), b"ab", BYE],
    ),
    "empty fragments": (
        frame(TEXT, last=False) + frame(MORE, last=False) * (FRAGMENTS_MAX - 2) + frame(MORE) + GOODBYE,
        ["", BYE],
    ),
    "too many fragments": (
        frame(TEXT, last=False) + frame(MORE, last=False) * (FRAGMENTS_MAX - 1) + frame(MORE),
        [("close", 1009)],
    ),
    "two messages in fragments": (
        (frame(TEXT, b"a", last=False) + frame(MORE, b"b")) * 2 + GOODBYE,
        ["ab", "ab", BYE],
    ),
    "continuation of nothing": (frame(MORE, b"x"), [("close", 1002)]),
    "continuation after the end": (
        frame(PING) + frame(TEXT, b"a", last=False) + frame(MORE, b"b") + frame(MORE, b"c"),
        [("pong", b""), "ab", ("close", 1002)],
    ),
    "message amid another": (frame(TEXT, b"a", last=False) + frame(TEXT, b"b"), [("close", 1002)]),
    "close amid a message": (frame(TEXT, b"a", last=False) + GOODBYE, [BYE]),
    # text
    "text of wide characters": (frame(TEXT, KOSME + "😀".encode()) + GOODBYE, ["κόσμε😀", BYE]),
    **{
        f"text cut at {at}": (
            frame(TEXT, KOSME[:at], last=False) + frame(PING) + frame(MORE, KOSME[at:]) + GOODBYE,
            [("pong", b""), "κόσμε", BYE],
        )
        for at in range(len(KOSME))
    },
    **{
        f"no text: {name}": (frame(TEXT, b"ok " + bad + b" ok"), [("close", 1007)])
        for name, bad in {
            "byte": b"\xff",
            "continuation": b"\x80",
            "overlong": b"\xc0\xaf",
            "surrogate": b"\xed\xa0\x80",
            "beyond": b"\xf4\x90\x80\x80",
            "short": b"\xe2\x82",
        }.items()
    },
    "no text: ends too early": (frame(TEXT, KOSME[:-1]), [("close", 1007)]),
    "no text: ends too early, in fragments": (
        frame(TEXT, KOSME[:-1], last=False) + frame(MORE, b""),
        [("close", 1007)],
    ),
    "no text: found in the first fragment": (
        frame(TEXT, b"\xff", last=False) + frame(PING, b"late"),
        [("close", 1007)],
    ),
    "no text: found across fragments": (
        frame(TEXT, b"\xc3", last=False) + frame(MORE, b"(", last=False) + GOODBYE,
        [("close", 1007)],
    ),
    "no text, and a close behind it": (frame(TEXT, b"\xff") + GOODBYE, [("close", 1007)]),
    "no text before, text now": (
        frame(BINARY, b"\xff", last=False) + frame(MORE, b"\xff") + frame(TEXT, b"x") + GOODBYE,
        [b"\xff\xff", "x", BYE],
    ),
    # closes
    "close without a code": (frame(CLOSE), [("close", None)]),
    "close of one byte": (frame(CLOSE, b"\x03"), [("close", 1002)]),
    "close with the longest reason": (close(1000, b"x" * 123), [BYE]),
    "close with a longer reason": (close(1000, b"x" * 124), [("close", 1002)]),
    "close with a reason that is no text": (close(1000, b"\xff"), [("close", 1007)]),
    "close with a reason that ends too early": (close(1000, KOSME[:-1]), [("close", 1007)]),
    **{
        f"close {code}": (close(code), [("close", code)])
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
    },
    **{
        f"close {code}, which is none": (close(code), [("close", 1002)])
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "close after the close": (GOODBYE + close(1001), [BYE]),
    "message after the close": (GOODBYE + frame(TEXT, b"late"), [BYE]),
    "ping after the close": (GOODBYE + frame(PING, b"late"), [BYE]),
    "rubbish after the close": (GOODBYE + b"\xff\xff\xff", [BYE]),
}  # fmt: skip


ONE_BY_ONE_MAX = 2000  # bytes; what is longer takes long, and shows nothing new


@pytest.mark.parametrize(
    ("case", "one_by_one"),
    [(case, False) for case in CASES] + [(case, True) for case in CASES if len(CASES[case][0]) < ONE_BY_ONE_MAX],
)
def test_client_gets_the_answer_that_the_rules_demand(port: int, echo: Echo, case: str, one_by_one: bool) -> None:
    sent, expected = CASES[case]
    path = path_of()
    with Peer(port).upgrade(path) as peer:
        peer.send(sent, one_by_one=one_by_one)
        frames, end = peer.rest()
    got = words(frames)
    assert is_in_order(got, expected), f"{got} instead of {expected}"
    assert end == "eof" or " after the close" in case  # which nobody reads
    messages = [word for word in expected if isinstance(word, str | bytes)]
    code = next(word[1] for word in expected if isinstance(word, tuple) and word[0] == "close")
    echo.hears(path, *messages, f"gone {code or 1005}")


@pytest.mark.parametrize("at", range(40))
def test_client_may_go_at_any_byte(port: int, echo: Echo, at: int) -> None:
    path = path_of()
    whole = frame(TEXT, b"one", last=False) + frame(PING, b"!") + frame(MORE, b"two") + frame(TEXT, b"x") + GOODBYE
    with Peer(port).upgrade(path) as peer:
        peer.send(whole[:at])
        peer.half_close()
        _, end = peer.rest()
    assert end == "eof"
    until(lambda: str(echo.heard[path][-1]).startswith("gone"))


@pytest.mark.parametrize("at", [1, 20, 60, 120])
def test_client_may_go_amid_its_request(port: int, at: int) -> None:
    with Peer(port) as peer:
        peer.send(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"[:at])
        peer.half_close()
        assert peer.rest() == ([], "eof")


def test_flood_of_messages_is_refused(port: int) -> None:
    with Peer(port).upgrade(path_of()) as peer:
        peer.send(frame(BINARY) * 40_000)
        frames, end = peer.rest()
    assert words(frames)[-1] == ("close", 1008)
    assert end == "eof"
