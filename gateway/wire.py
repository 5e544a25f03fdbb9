"""uvicorn's WebSocket side as this gateway needs it: a way for ready-made frames, and a ceiling on everything.

The application finds the way as the ASGI extension `EXTENSION`, a `Wire`. Under another server there is none, and the
application sends as any other does.

Whatever a client sends, or does not read, costs a bounded amount of memory and time, and nothing follows our close
frame, whoever closes first. uvicorn answers every ping, of clients that read nothing too; collects the fragments of a
message, and messages, without end; logs a traceback for text that is none, and for frames that come before the
application accepted; leaves a request it cannot read without an answer; keeps two timers for each client; and closes a
connection only when all was written, which a client that reads nothing puts off for ever.

Its internals that are used here are guarded by `tests/unit/gateway/test_wire.py`.
"""

import asyncio
from collections import deque
from typing import Final, Protocol, cast
from weakref import WeakKeyDictionary

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from gateway.conversation import Conversation
from gateway.frames import WINDOW_BITS
from gateway.keepalive import Keepalive
from shared import metrics
from shared.transports import bound_kernel, reset

EXTENSION: Final = "roomcast.wire"
WAITING_MAX = 1024  # messages the application has not read; one segment can carry 40,000 of them
LEAVE_S = 12.0  # to take what was written last, after uvicorn's 10 s for the answer to our close
LINGER_S = 1.0  # the same where no answer is expected: for a close frame to arrive
KERNEL_MAX_BYTES = 256 * 1024  # unsent bytes in the kernel

_DEFLATE = ServerPerMessageDeflateFactory(
    # No state is kept between messages: what is compressed once can be sent to all.
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    server_max_window_bits=WINDOW_BITS,
)
_WRITABLE = asyncio.Event()  # shared by all connections that are, which are most
_WRITABLE.set()


class Listener(Protocol):
    """Who uses a wire. Nothing here waits or raises."""

    def on_full(self) -> None:
        """The client reads more slowly than it is written to."""

    def on_free(self) -> None:
        """It has caught up."""

    def on_shutdown(self) -> None:
        """The server is about to end: close the client."""

    def on_gone(self) -> None:
        """Nothing can be written any more: a close was sent or received, or the connection is lost."""


class Wire(Protocol):
    """A connection as the application sees it, after it accepted it. Nothing here waits or raises.

    Attributes:
        transport: takes ready-made frames, in order, while the listener was not told otherwise.
        deflates: whether the client takes compressed messages, each by itself, of a window of `WINDOW_BITS`.
        listener: who is told of changes; set by the application, and told in the next tick when it comes too late.
    """

    transport: asyncio.Transport
    deflates: bool
    listener: Listener | None

    def finish(self, code: int, reason: str, *, within_s: float = LEAVE_S) -> None:
        """Close behind all that was written; reset the connection when that takes longer than `within_s`."""

    def reset(self) -> None:
        """End the connection at once, without what is unsent: the kernel would keep it for minutes."""


class Inbox:
    """What waits for the application, which reads in one place. An `asyncio.Queue` takes 2 KiB more, empty."""

    __slots__ = ("_messages", "_reader")

    def __init__(self) -> None:
        self._messages: deque[ASGIReceiveEvent] | None = None
        self._reader: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._messages or ())

    def empty(self) -> bool:
        return not self._messages

    def put_nowait(self, message: ASGIReceiveEvent) -> None:
        if self._messages is None:
            self._messages = deque()
        self._messages.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> ASGIReceiveEvent:
        while not self._messages:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._messages.popleft()
        if not self._messages:
            self._messages = None
        return message


_keepalives: WeakKeyDictionary[ServerState, Keepalive] = WeakKeyDictionary()
"""One for each running server: uvicorn makes connections, and gives them nothing else that they share."""


class WireProtocol(WebSocketsSansIOProtocol):
    """One connection, from its upgrade on. It is the `Wire` of its application."""

    # uvicorn's attributes with ours: as slots they take a third of what a dictionary of so many does.
    __slots__ = (
        *("_ended", "_farewell", "_keepalive", "_listener", "_parted", "deflates"),
        *("app", "app_state", "asgi_version", "client", "close_sent", "close_timeout", "close_timer", "config", "conn"),
        *("connections", "curr_msg_data_type", "default_headers", "disconnected", "frames", "handshake_complete"),
        *("handshake_initiated", "initial_response", "last_ping_rtt", "logger", "loop", "pending_ping_payload"),
        *("ping_interval", "ping_sent_at", "ping_timeout", "ping_timer", "pong_timer", "queue", "read_paused"),
        *("request", "response", "root_path", "scheme", "scope", "server", "tasks", "transport", "writable"),
    )

    conn: Conversation
    leave_s = LEAVE_S
    linger_s = LINGER_S

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = Conversation(
            extensions=[_DEFLATE] if config.ws_per_message_deflate else None,
            max_size=config.ws_max_size,
            logger=self.logger,
        )
        self.queue = Inbox()  # type: ignore[assignment]
        self.writable = _WRITABLE
        keepalive = _keepalives.get(server_state)
        if keepalive is None:
            keepalive = _keepalives[server_state] = Keepalive(config.ws_ping_interval, config.ws_ping_timeout)
        self._keepalive = keepalive
        self._listener: Listener | None = None
        self._farewell: asyncio.TimerHandle | None = None
        self._ended = False  # nothing is written any more
        self._parted = False  # nor read
        self.deflates = False

    # --- what the application does -----------------------------------------------------------------------------------

    @property
    def listener(self) -> Listener | None:
        """See `Wire`."""
        return self._listener

    @listener.setter
    def listener(self, listener: Listener | None) -> None:
        if not self._ended:
            self._listener = listener
        elif listener is not None:
            self.loop.call_soon(listener.on_gone)

    def finish(self, code: int, reason: str, *, within_s: float | None = None) -> None:
        """See `Wire`."""
        if self.disconnected:
            return
        if not self._ended:
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
            self.read_paused = False
            self.transport.resume_reading()
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
            self._end()
        self._leave_within(self.leave_s if within_s is None else within_s)

    def reset(self) -> None:
        """See `Wire`."""
        reset(self.transport)

    async def send(self, message: ASGISendEvent) -> None:
        if self._ended:
            raise ClientDisconnected
        await super().send(message)
        if self.close_sent:
            self._end()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self._end()
        self._leave_within(self.leave_s)

    def send_500_response(self) -> None:
        """The application failed."""
        if self.handshake_complete:
            self.finish(CloseCode.INTERNAL_ERROR, "")
        else:
            super().send_500_response()

    # --- what happens to the connection ------------------------------------------------------------------------------

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code != 101:
            return
        extensions = cast(dict[str, object], self.scope["extensions"])
        extensions[EXTENSION] = self
        for extension in self.conn.extensions:
            if isinstance(extension, PerMessageDeflate):
                self.deflates = extension.local_max_window_bits >= WINDOW_BITS  # less has to be asked for
        self.transport.pause_reading()  # what comes before the answer to the request is answered after it
        bound_kernel(self.transport, KERNEL_MAX_BYTES)

    def start_keepalive(self) -> None:
        """The application accepted."""
        self._keepalive.add(self)
        self.conn.forget_handshake()
        del self.request, self.response, self.scope
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._parted:
            return
        self.conn.taken = 0
        self.conn.receive_data(data)
        self.handle_events()  # what came before a fault counts, in one segment with it or not
        if self.conn.parser_exc is not None:
            self.handle_parser_exception()
        elif self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_ping(self) -> None:
        if not self._ended:
            super().handle_ping()

    def send_receive_event_to_app(self) -> None:
        if len(cast(Inbox, self.queue)) >= WAITING_MAX and not self._ended:
            self._fail(CloseCode.POLICY_VIOLATION, "too many messages")
        else:
            super().send_receive_event_to_app()

    def handle_close(self, event: Frame) -> None:
        if self._parted:
            return
        super().handle_close(event)
        self._end()
        self._leave_within(self.leave_s)

    def handle_parser_exception(self) -> None:
        """The client broke the rules, and websockets has said so, unless a close was sent before."""
        if self._parted:
            return
        close = self.conn.close_sent
        if close is not None and not self._ended:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": close.code, "reason": close.reason})
            self.transport.write(b"".join(self.conn.data_to_send()))
        self._end()
        self._part()

    def eof_received(self) -> None:
        self._end()
        self._leave_within(self.leave_s)

    def pause_writing(self) -> None:
        self.writable = asyncio.Event()
        self.conn.answers_pings = False  # nobody reads the answers
        if self._listener is not None:
            self._listener.on_full()

    def resume_writing(self) -> None:
        self.writable.set()
        self.writable = _WRITABLE
        self.conn.answers_pings = True
        if self._listener is not None:
            self._listener.on_free()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._farewell is not None:
            self._farewell.cancel()
        self._end()
        self.conn.parser.close()  # it holds what holds it

    def shutdown(self) -> None:
        """The server stops."""
        if self._listener is not None and self.handshake_complete:
            self._listener.on_shutdown()
        elif self.handshake_complete and not self._ended:
            self.finish(CloseCode.SERVICE_RESTART, "")
        elif not self.transport.is_closing():
            super().shutdown()
            self._end()
        self._leave_within(self.linger_s)

    # --- how it ends -------------------------------------------------------------------------------------------------

    def _fail(self, code: CloseCode, reason: str) -> None:
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def _end(self) -> None:
        """Nothing is written from here on."""
        self._ended = True
        self.stop_keepalive()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_gone()

    def _part(self) -> None:
        """Half-close, and take unread what the client still sends, for a moment.

        With bytes unread a connection is reset, and the client might not see why it was closed.
        """
        self._parted = self.close_sent = True
        self.frames = []
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(self.linger_s, self.transport.close)
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.transport.resume_reading()
        else:
            self.transport.close()
        self._leave_within(2 * self.linger_s)

    def _leave_within(self, seconds: float) -> None:
        """Reset the connection when it is still there then; of several such times the first one counts."""
        if self.disconnected:
            return
        at = self.loop.time() + seconds
        if self._farewell is not None:
            if self._farewell.when() <= at:
                return
            self._farewell.cancel()
        self._farewell = self.loop.call_at(at, self.reset)

    # --- keepalive: one timer for all connections --------------------------------------------------------------------

    def stop_keepalive(self) -> None:
        self._keepalive.discard(self)

    def ping(self, payload: bytes) -> None:
        """Ask the client for a sign of life."""
        if not self.transport.is_closing():
            self.conn.send_ping(payload)
            self.transport.write(b"".join(self.conn.data_to_send()))

    def handle_pong(self, event: Frame) -> None:
        self._keepalive.answered(self, bytes(event.data))

    def on_unanswered(self) -> None:
        """The client gave no sign of life in time."""
        if not self._ended:
            metrics.CLOSES.labels("ping_timeout").inc()
            self._fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
            self._leave_within(self.linger_s)
