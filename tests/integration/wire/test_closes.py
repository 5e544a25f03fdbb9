"""Who closes when: the orders in which two sides, and a server that stops, close a connection."""

import asyncio
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.wire_echo import (
    BYE,
    GOODBYE,
    Echo,
    HastyProtocol,
    path_of,
    until,
    words,
)
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
    close,
    frame,
    in_a_thread,
)


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
