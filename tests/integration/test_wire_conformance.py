"""The rules of RFC 6455 and RFC 7692, from outside: what raw and foreign clients see, whatever they send.

The cases are those of the Autobahn test suite in small, and those it has not: the orders in which two sides close.
Each is run on both event loops, and in one segment as well as byte by byte, with the same result.
"""

import asyncio
import logging
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
import uvloop

from gateway.conversation import FRAGMENTS_MAX
from gateway.wire import EXTENSION, WireProtocol
from tests.conftest import need
from tests.frames import read
from tests.gateways import running_gateway
from tests.servers import served
from tests.wire_peers import (
    BINARY,
    CLOSE,
    DEADLINE_S,
    MORE,
    PING,
    PONG,
    TEXT,
    Peer,
    Received,
    Talk,
    Talker,
    aiohttp_client,
    close,
    deflate,
    frame,
    in_a_thread,
    inflate,
    node_clients,
    node_has_websocket,
    wsproto_client,
)

MESSAGE_MAX = 64 * 1024
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


class HastyProtocol(WireProtocol):
    """For tests that wait for the end of its patience."""

    leave_s = 0.3
    linger_s = 0.3


class Echo:
    """An application that says what it is told; its path and what it hears tell it what to do.

    Attributes:
        heard: what it received, by path.
        gates: who comes to `/late/...` is accepted when its event is set.
        server: it runs on.
    """

    def __init__(self) -> None:
        self.heard: dict[str, list[Any]] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.server: uvicorn.Server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        heard = self.heard[path] = []
        if path.startswith("/late"):
            self.loop = asyncio.get_running_loop()
            gate = self.gates[path] = asyncio.Event()
            await gate.wait()
        heard.append((await receive())["type"])
        await send({"type": "websocket.accept"})
        if path.startswith("/full"):
            await self._fill(scope["extensions"][EXTENSION], path)
        while (message := await receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            heard.append(text if text is not None else message["bytes"])
            try:
                if text is not None and text.startswith("close "):
                    _, code, reason = text.split(" ", 2)
                    await send({"type": "websocket.close", "code": int(code), "reason": reason})
                else:
                    await send({**message, "type": "websocket.send"})
            except OSError:
                pass  # it has left, or broke the rules; what it said before is read to the end
        heard.append(f"gone {message['code']}")

    async def _fill(self, wire: Any, path: str) -> None:
        """Write more than the client's and our kernel take, and then end as the path says."""
        piece = bytes([0x80 | BINARY, 127]) + (1 << 16).to_bytes(8) + bytes(1 << 16)
        while wire.transport.get_write_buffer_size() < 1 << 20:
            wire.transport.write(piece)
            await asyncio.sleep(0)
        self.heard[path].append("full")
        if path.endswith("/finish"):
            wire.finish(1013, "slow", within_s=wire.leave_s)
        elif path.endswith("/reset"):
            wire.reset()

    @asynccontextmanager
    async def running(
        self, protocol: type[WireProtocol] = WireProtocol, *, compression: bool = False, pings_s: float = 20
    ) -> AsyncIterator[int]:
        """Serve it, on the port that is the value."""
        config = uvicorn.Config(
            self, host="127.0.0.1", port=0, ws=protocol, ws_max_size=MESSAGE_MAX, log_config=None, lifespan="off",
            ws_per_message_deflate=compression, timeout_graceful_shutdown=3, log_level="warning",
            ws_ping_interval=pings_s, ws_ping_timeout=pings_s,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        async with served(self.server) as port:
            yield port

    def clients(self) -> list[object]:
        """Addresses of those that are connected."""
        return [getattr(found, "client", None) for found in self.server.server_state.connections.copy()]

    def open_gate(self, path: str) -> None:
        """Let a late one in."""
        until(lambda: path in self.gates)
        self.loop.call_soon_threadsafe(self.gates[path].set)

    def hears(self, path: str, *messages: object) -> None:
        """Return when it has heard exactly this, after the connect."""
        until(lambda: self.heard.get(path, [])[1:] == list(messages), lambda: self.heard.get(path))


def until(condition: Callable[[], bool], shown: Callable[[], object] = str) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.002)


@pytest.fixture(scope="module", params=LOOPS)
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    return LOOPS[request.param]


@pytest.fixture(scope="module")
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def port(new_loop: Callable[[], asyncio.AbstractEventLoop], echo: Echo) -> Iterator[int]:
    with in_a_thread(new_loop, echo.running) as port:
        yield port


@pytest.fixture(scope="module")
def hasty(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[tuple[Echo, int]]:
    echo = Echo()
    with in_a_thread(new_loop, partial(echo.running, HastyProtocol)) as port:
        yield echo, port


@pytest.fixture(scope="module")
def deflating(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[tuple[Echo, int]]:
    echo = Echo()
    with in_a_thread(new_loop, partial(echo.running, compression=True)) as port:
        yield echo, port


@pytest.fixture(scope="module")
def gateway_port(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[int]:
    @asynccontextmanager
    async def lifetime() -> AsyncIterator[int]:
        async with running_gateway("memory://conformance", compression=True) as gateway:
            yield gateway.port

    with in_a_thread(new_loop, lifetime) as port:
        yield port


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    loud = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert loud == []


_paths = iter(range(1_000_000))


def path_of(kind: str = "echo") -> str:
    """A path that nobody used before."""
    return f"/{kind}/{next(_paths)}"


def words(frames: list[Received]) -> list[object]:
    """Frames made short: payloads, ("pong", payload), ("close", code)."""
    found: list[object] = []
    for got in frames:
        if got.opcode == CLOSE:
            found.append(("close", struct.unpack("!H", got.payload[:2])[0] if got.payload else None))
        elif got.opcode == PONG:
            found.append(("pong", got.payload))
        else:
            found.append(got.payload.decode() if got.opcode == TEXT else got.payload)
    return found


# --- what is right, and what is not -----------------------------------------------------------------------------------

GOODBYE = close(1000)
BYE = ("close", 1000)
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


def is_in_order(got: list[object], expected: list[object]) -> bool:
    """Whether it is what was expected, but for messages that the application had no time to answer before the end."""
    for word in expected:
        if got[:1] == [word]:
            got = got[1:]
        elif not isinstance(word, str | bytes):
            return False
    return not got


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


# --- who closes when --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001, 1013, 3000, 4999])
def test_server_closes_with_code_and_reason(port: int, echo: Echo, code: int) -> None:
    path = path_of()
    with Peer(port).upgrade(path) as peer:
        peer.send(frame(TEXT, f"close {code} warum nicht".encode()))
        assert peer.next() == Received(CLOSE, struct.pack("!H", code) + b"warum nicht")
        peer.send(close(code))
        assert peer.rest() == ([], "eof")
    echo.hears(path, f"close {code} warum nicht", f"gone {code}")


def test_nothing_follows_the_servers_close(port: int) -> None:
    with Peer(port).upgrade(path_of()) as peer:
        peer.send(frame(TEXT, b"close 1000 "))
        assert peer.next().opcode == CLOSE
        peer.send(frame(PING, b"late") + frame(TEXT, b"late") + frame(TEXT, b"\xff", last=False))
        peer.send(frame(MORE, b"late") + GOODBYE)
        assert peer.rest() == ([], "eof")


@pytest.mark.parametrize("rest", [GOODBYE, frame(PING) + GOODBYE, b"\xff\xff", frame(TEXT, b"\xff")])
def test_both_close_at_once(port: int, rest: bytes) -> None:
    with Peer(port).upgrade(path_of()) as peer:
        peer.send(frame(TEXT, b"close 1000 ") + rest)
        frames, end = peer.rest()
    assert len([got for got in frames if got.opcode == CLOSE]) == 1
    assert frames[-1].opcode == CLOSE
    assert end == "eof"


def test_client_that_does_not_answer_the_close_is_reset(hasty: tuple[Echo, int]) -> None:
    with Peer(hasty[1]).upgrade(path_of()) as peer:
        peer.send(frame(TEXT, b"close 1000 "))
        frames, end = peer.rest()
    assert words(frames) == [BYE]
    assert end == "reset"


@pytest.mark.parametrize("one_by_one", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", []),
        (GOODBYE, [BYE]),
        (frame(PING, b"early") + GOODBYE, [("pong", b"early"), BYE]),
        (b"\xff\xff", [("close", 1002)]),
        (frame(TEXT, b"\xff"), [("close", 1007)]),
    ],
)
def test_what_comes_before_the_server_accepted_is_answered_after(
    port: int, echo: Echo, sent: bytes, expected: list[object], one_by_one: bool
) -> None:
    path = path_of("late")
    with Peer(port) as peer:
        peer.ask(path)
        until(lambda: path in echo.gates)
        peer.send(sent, one_by_one=one_by_one)
        peer.half_close()
        echo.open_gate(path)
        peer.read_head()
        frames, end = peer.rest()
    assert words(frames) == expected
    assert end == "eof"
    until(lambda: str(echo.heard[path][-1]).startswith("gone"))


def orphans(local_port: int) -> int:
    """Sockets of this port that the kernel still keeps with something to send, though nobody has them."""
    states = ("04", "0B", "09")  # FIN-WAIT-1, CLOSING, LAST-ACK
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{local_port:04X}") and row[3] in states for row in rows)


def is_lost_unread(peer: Peer) -> bool:
    """Whether the connection ended by a reset; what came before is passed over."""
    try:
        while peer.socket.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


@pytest.mark.parametrize("how", ["finish", "reset", "eof", "close", "break"])
def test_client_that_does_not_read_is_reset_in_time_and_leaves_no_orphan(hasty: tuple[Echo, int], how: str) -> None:
    echo, port = hasty
    path = f"{path_of('full')}/{how}"
    with Peer(port, receive_bytes=4096) as peer:
        address = peer.socket.getsockname()
        peer.ask(path)
        until(lambda: "full" in echo.heard.get(path, []))
        peer.send({"close": GOODBYE, "break": b"\xff\xff"}.get(how, b""))
        if how == "eof":
            peer.half_close()
        until(lambda: str(echo.heard[path][-1]).startswith("gone"))
        until(lambda: address not in echo.clients())
        assert orphans(address[1]) == 0
        assert is_lost_unread(peer)


@pytest.mark.parametrize(("how", "code"), [("finish", 1013), ("break", 1002), ("close", 1000)])
def test_client_that_reads_late_gets_all_and_the_close_behind_it(port: int, echo: Echo, how: str, code: int) -> None:
    path = f"{path_of('full')}/{how}"
    with Peer(port, receive_bytes=4096) as peer:
        peer.ask(path)
        until(lambda: "full" in echo.heard.get(path, []))
        peer.send({"close": GOODBYE, "break": b"\xff\xff"}.get(how, b""))
        until(lambda: str(echo.heard[path][-1]).startswith("gone"))
        peer.read_head()
        frames = [peer.next()]
        while frames[-1].opcode == BINARY:
            frames.append(peer.next())
        assert len(frames) > 16
        assert words(frames[-1:]) == [("close", code)]
        peer.send(close(code))
        assert peer.rest()[0] == []


def test_who_answers_pings_stays_and_who_does_not_is_closed(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with in_a_thread(new_loop, partial(Echo().running, pings_s=0.2)) as port:
        with Peer(port).upgrade(path_of()) as alive, Peer(port).upgrade(path_of()) as dead:
            for _ in range(3):
                ping = alive.next()
                assert ping.opcode == PING
                alive.send(frame(PONG, b"of another") + frame(PONG, ping.payload))
            dead.send(frame(PONG, b"of another"))
            alive.send(GOODBYE)
            frames, end = dead.rest()
        assert [got.opcode for got in frames] == [PING, CLOSE]
        assert words(frames)[-1] == ("close", 1011)
        assert end == "eof"


# --- when the server stops --------------------------------------------------------------------------------------------

STATES: dict[str, tuple[bytes, list[object]]] = {
    "idle": (b"", [("close", 1012)]),
    "amid a frame": (frame(TEXT, b"hello")[:4], [("close", 1012)]),
    "amid a message": (frame(TEXT, b"a", last=False), [("close", 1012)]),
    "closed by us": (frame(TEXT, b"close 1000 "), [BYE]),
}


def test_server_stops_whatever_its_clients_are_at(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    echo = Echo()
    hasty = partial(echo.running, HastyProtocol)

    def turn_away(peer: Peer) -> bytes:
        peer.read_head()
        echo.open_gate("/late")  # now that it is too late
        return peer.head

    with ThreadPoolExecutor() as threads, ExitStack() as peers:
        with in_a_thread(new_loop, hasty) as port:
            full = peers.enter_context(Peer(port, receive_bytes=4096))
            full.ask("/full")
            late = peers.enter_context(Peer(port))
            late.ask("/late")
            others = {state: peers.enter_context(Peer(port)).upgrade("/" + quote(state)) for state in STATES}
            for state, peer in others.items():
                peer.send(STATES[state][0])
            until(lambda: "full" in echo.heard.get("/full", []) and "/late" in echo.gates)
            until(lambda: echo.heard["/closed by us"][1:] != [])
            turned_away = threads.submit(turn_away, late)
            began = time.monotonic()
        assert time.monotonic() - began < DEADLINE_S
        assert turned_away.result().startswith(b"HTTP/1.1 500 ")
        for state, peer in others.items():
            assert words(peer.rest()[0]) == STATES[state][1], state
        assert is_lost_unread(full)


def test_clients_that_answer_let_the_server_stop_at_once(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    echo = Echo()

    def answer(peer: Peer) -> str:
        assert words([peer.next()]) == [("close", 1012)]
        peer.send(close(1012))
        return peer.rest()[1]

    with ThreadPoolExecutor() as threads, ExitStack() as peers:
        with in_a_thread(new_loop, echo.running) as port:
            ends = [threads.submit(answer, peers.enter_context(Peer(port)).upgrade(path_of())) for _ in range(5)]
        assert [end.result() for end in ends] == ["eof"] * 5


# --- compression ------------------------------------------------------------------------------------------------------

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


# --- foreign clients --------------------------------------------------------------------------------------------------


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
