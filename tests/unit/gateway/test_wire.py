"""What `gateway.wire` and `gateway.conversation` know of the insides of uvicorn and websockets, and their own orders.

uvicorn's protocol class and websockets' parser are no public interfaces: each release may change them. The first tests
here fail when one of them did, and say what to do.
"""

import asyncio
import hashlib
import inspect
import weakref
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvicorn
import websockets
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import Server, ServerState
from websockets.exceptions import PayloadTooBig
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, Opcode
from websockets.frames import Frame as WebSocketFrame
from websockets.protocol import Protocol
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from gateway.conversation import TAKEN_MAX_BYTES, Conversation, TooMuchAtOnce
from gateway.wire import EXTENSION, WAITING_MAX, Wire, WireProtocol
from tests.measured import measured

WHAT_TO_DO = (
    "{} {} is not as it was when gateway/wire.py and gateway/conversation.py were written. Read what changed in {}, "
    "see whether they still fit, run tests/integration/wire/, and then write here: {!r}"
)

KNOWN = {
    WebSocketsSansIOProtocol: "0bbcec98938432f7",
    HttpToolsProtocol.handle_websocket_upgrade: "179c4f769386ab89",
    HttpToolsProtocol.data_received: "010a7ae59a5d3b1a",
    Server.shutdown: "9b33c50562992b1e",
    ServerProtocol.parse: "8c4d10340de4d32f",
    ServerProtocol.__init__: "8792b72850840da2",
    Protocol: "7308e632faa1a6ed",
    PerMessageDeflate: "9248004475f4b33c",
    PayloadTooBig: "06ea6fad1d16f713",
    WebSocketFrame.parse: "2964f6b18f3ae45d",
    Close: "7c170a25439f58f5",
    StreamReader: "ce642455b6483e75",
}
"""What is overridden, called or relied on, with a digest of its source."""


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.__qualname__)
def test_insides_are_the_known_ones(known: Callable[..., object]) -> None:
    digest = hashlib.sha256(inspect.getsource(known).encode()).hexdigest()[:16]
    library = uvicorn if known.__module__.startswith("uvicorn") else websockets
    name = f"{known.__module__}.{known.__qualname__}"
    assert digest == KNOWN[known], WHAT_TO_DO.format(library.__name__, library.__version__, name, digest)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(WireProtocol, WebSocketsSansIOProtocol), (Conversation, ServerProtocol)],
    ids=lambda c: c.__name__,
)
def test_what_is_overridden_is_there_and_takes_the_same(ours: type, theirs: type) -> None:
    new = {"finish", "reset", "ping", "on_unanswered", "forget_handshake", "_fail", "_end", "_part", "_leave_within"}
    for name, method in vars(ours).items():
        if inspect.isfunction(method) and name not in new:
            known = inspect.signature(getattr(theirs, name)).parameters
            assert list(inspect.signature(method).parameters) == list(known), name


# --- one connection on a transport that keeps a record ----------------------------------------------------------------


class Transport:
    """What a connection does to its transport, in words; what it writes.

    Attributes:
        full: what is written stays in the buffer.
    """

    def __init__(self) -> None:
        self.done: list[str] = []
        self.written = b""
        self.full = False
        self.closing = False

    def write(self, data: bytes) -> None:
        if data:
            self.written += data
            self.done.append("write")

    def close(self) -> None:
        self.closing = True
        self.done.append("close")

    def abort(self) -> None:
        self.closing = True
        self.done.append("abort")

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.done.append("write_eof")

    def pause_reading(self) -> None:
        self.done.append("pause_reading")

    def resume_reading(self) -> None:
        self.done.append("resume_reading")

    def get_extra_info(self, name: str) -> None:
        return None


class Listener:
    """Keeps what it is told, with what was done to the transport before."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._transport = connection.transport
        self.told: list[str] = []

    def on_full(self) -> None:
        self.told.append("full")

    def on_free(self) -> None:
        self.told.append("free")

    def on_shutdown(self) -> None:
        self._connection.protocol.finish(1012, "")

    def on_gone(self) -> None:
        self.told.append("gone")
        self._transport.done.append("gone")


class Connection:
    """A client and its application, which waits for orders."""

    HEAD = (
        b"GET /ws/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )

    def __init__(self) -> None:
        self.transport = Transport()
        self.listener = Listener(self)
        self.state = ServerState()
        self._orders: asyncio.Queue[Callable[[], Any] | None] = asyncio.Queue()
        config = Config(cast(Any, self._application), interface="asgi3", lifespan="off", log_config=None)
        config.load()
        self.protocol = WireProtocol(config, self.state, {})
        self.protocol.connection_made(cast(Any, self.transport))
        self.protocol.data_received(self.HEAD)

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        self.wire: Wire = scope["extensions"][EXTENSION]
        self.receive, self.send = receive, send
        while (order := await self._orders.get()) is not None:
            await order()

    async def accept(self) -> "Connection":
        await asyncio.sleep(0)
        await self.send({"type": "websocket.accept"})
        self.wire.listener = self.listener
        self.transport.done.clear()
        self.transport.written = b""
        return self

    def receive_data(self, data: bytes) -> None:
        """Bytes come in, as long as the transport reads."""
        if not self.transport.closing:
            self.protocol.data_received(data)

    def half_close(self) -> None:
        """The client sends nothing any more."""
        if not self.transport.closing:
            self.protocol.eof_received()
            self.transport.close()

    def leave(self) -> None:
        """The application returns."""
        self._orders.put_nowait(None)

    def lose(self) -> None:
        """The connection is lost."""
        if not self.protocol.disconnected:
            self.transport.closing = True
            self.protocol.connection_lost(None)


@pytest.fixture
async def accepted() -> Any:
    connection = await Connection().accept()
    yield connection
    connection.leave()
    connection.lose()
    await asyncio.gather(*connection.state.tasks)


def masked(first: int, payload: bytes = b"") -> bytes:
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


CLOSE = masked(0x88, b"\x03\xe8")
OUR_CLOSE = b"\x88\x02"


def test_instance_has_no_dictionary() -> None:
    """An attribute that is not among the slots costs each client more than a kilobyte."""
    names = set(WireProtocol.__slots__)

    async def work() -> None:
        connection = await Connection().accept()
        assert vars(connection.protocol) == {}, "uvicorn has new attributes: name them in WireProtocol.__slots__"
        unset = {name for name in names if not hasattr(connection.protocol, name)}
        assert unset == {"request", "response", "scope"}, (
            "uvicorn has lost attributes: take them out of WireProtocol.__slots__"
        )
        connection.leave()
        connection.lose()
        await asyncio.gather(*connection.state.tasks)

    asyncio.run(work())


async def test_nothing_is_read_between_request_and_answer() -> None:
    connection = Connection()
    assert connection.transport.done == ["pause_reading"]
    await asyncio.sleep(0)
    await connection.send({"type": "websocket.accept"})
    assert connection.transport.done == ["pause_reading", "write", "resume_reading"]
    connection.leave()
    connection.lose()
    await asyncio.gather(*connection.state.tasks)


async def test_request_is_forgotten_with_the_answer() -> None:
    connection = Connection()
    request = weakref.ref(connection.protocol.request)
    await connection.accept()
    assert request() is None
    connection.leave()
    connection.lose()
    await asyncio.gather(*connection.state.tasks)


ENDS: dict[str, Callable[[Connection], object]] = {
    "we close": lambda c: c.wire.finish(1000, "done"),
    "client closes": lambda c: c.receive_data(CLOSE),
    "client breaks the rules": lambda c: c.receive_data(b"\xff\xff"),
    "client sends text that is none": lambda c: c.receive_data(masked(0x81, b"\xff")),
    "client half-closes": lambda c: c.half_close(),
    "connection is lost": lambda c: c.lose(),
    "server stops": lambda c: c.protocol.shutdown(),
    "client does not answer pings": lambda c: c.protocol.on_unanswered(),
    "client floods": lambda c: c.receive_data(masked(0x81, b"x") * (WAITING_MAX + 1)),
}


@pytest.mark.parametrize("second", ENDS)
@pytest.mark.parametrize("first", ENDS)
async def test_listener_is_told_at_once_and_nothing_is_written_after(
    accepted: Connection, first: str, second: str
) -> None:
    ENDS[first](accepted)
    assert accepted.listener.told == ["gone"]
    written = accepted.transport.written
    assert written.count(b"\x88") <= 1
    assert accepted.transport.done.index("gone") > accepted.transport.done.index("write") if written else True
    accepted.receive_data(masked(0x89, b"ping"))
    ENDS[second](accepted)
    with pytest.raises(ClientDisconnected):
        await accepted.send({"type": "websocket.send", "text": "late"})
    assert accepted.transport.written == written
    assert accepted.protocol.conn.writes in ([], [b""])  # nor kept for later
    assert accepted.listener.told == ["gone"]


async def test_client_that_answers_no_ping_is_counted_among_the_closed(accepted: Connection) -> None:
    before = measured("gateway_closes_total", code="ping_timeout")
    accepted.protocol.on_unanswered()
    accepted.protocol.on_unanswered()
    assert measured("gateway_closes_total", code="ping_timeout") == before + 1


@pytest.mark.parametrize("end", ENDS)
async def test_application_is_told_of_every_end(accepted: Connection, end: str) -> None:
    ENDS[end](accepted)
    accepted.lose()
    assert (await accepted.receive())["type"] == "websocket.connect"
    async with asyncio.timeout(5):
        while (await accepted.receive())["type"] != "websocket.disconnect":
            pass


@pytest.mark.parametrize("end", ENDS)
async def test_listener_that_comes_too_late_is_told_as_well(accepted: Connection, end: str) -> None:
    accepted.wire.listener = None
    ENDS[end](accepted)
    accepted.wire.listener = accepted.listener
    await asyncio.sleep(0)
    assert accepted.listener.told == ["gone"]


@pytest.mark.parametrize("end", [end for end in ENDS if end != "connection is lost"])
async def test_every_end_has_a_time_after_which_the_connection_is_reset(accepted: Connection, end: str) -> None:
    ENDS[end](accepted)
    assert accepted.protocol._farewell is not None


async def test_application_that_closes_or_leaves_ends_the_writing(accepted: Connection) -> None:
    await accepted.send({"type": "websocket.close", "code": 1000})
    assert accepted.listener.told == ["gone"]


async def test_application_that_returns_ends_the_writing(accepted: Connection) -> None:
    accepted.leave()
    await asyncio.gather(*accepted.state.tasks)
    assert accepted.listener.told == ["gone"]
    assert accepted.transport.closing


async def test_close_with_a_ping_in_the_same_segment_is_answered_while_the_buffer_is_full(accepted: Connection) -> None:
    accepted.protocol.pause_writing()
    accepted.receive_data(masked(0x89, b"ping") + CLOSE)
    assert accepted.transport.written == b"\x88\x02\x03\xe8"


async def test_full_and_free_are_told_and_release_who_waits(accepted: Connection) -> None:
    accepted.protocol.pause_writing()
    waiting = asyncio.create_task(accepted.send({"type": "websocket.send", "text": "x"}))
    await asyncio.sleep(0)
    assert not waiting.done()
    accepted.protocol.resume_writing()
    await waiting
    assert accepted.listener.told == ["full", "free"]
    assert accepted.transport.written == b"\x81\x01x"


async def test_what_came_before_a_fault_counts(accepted: Connection) -> None:
    accepted.receive_data(masked(0x81, b"before") + b"\xff\xff")
    types = [await accepted.receive() for _ in range(3)]
    assert [message["type"] for message in types] == ["websocket.connect", "websocket.receive", "websocket.disconnect"]


async def test_messages_are_kept_in_order_for_an_application_that_reads_late(accepted: Connection) -> None:
    assert (await accepted.receive())["type"] == "websocket.connect"
    reading = asyncio.create_task(accepted.receive())
    await asyncio.sleep(0)
    accepted.receive_data(b"".join(masked(0x81, b"%d" % number) for number in range(5)))
    texts = [(await reading)["text"], *[(await accepted.receive())["text"] for _ in range(4)]]
    assert texts == ["0", "1", "2", "3", "4"]


async def test_reader_that_gave_up_loses_no_message(accepted: Connection) -> None:
    assert (await accepted.receive())["type"] == "websocket.connect"
    reading = asyncio.create_task(accepted.receive())
    await asyncio.sleep(0)
    reading.cancel()
    accepted.receive_data(masked(0x81, b"kept"))
    await asyncio.wait([reading])
    assert (await accepted.receive())["text"] == "kept"


async def test_what_inflates_out_of_one_segment_is_bounded() -> None:
    connection = Connection()
    many = WebSocketFrame(Opcode.BINARY, bytes(TAKEN_MAX_BYTES // 4))
    for _ in range(4):
        connection.protocol.conn.recv_frame(many)
    with pytest.raises(TooMuchAtOnce):
        connection.protocol.conn.recv_frame(many)
    connection.protocol.data_received(b"")
    assert connection.protocol.conn.taken == 0
