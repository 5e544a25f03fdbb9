"""uvicorn's WebSocket side as this gateway needs it: a way for ready-made frames, and a ceiling on everything.

The application finds the way as the ASGI extension `EXTENSION`, a `Wire`. Under another server there is none, and the
application sends as any other does.

Whatever a client sends, or does not read, costs a bounded amount of memory and time. uvicorn answers every ping, of
clients that read nothing too; collects the fragments of a message without end; logs a traceback for text that is none;
leaves a request it cannot read without an answer; keeps two timers for each client; and closes a connection only when
all was written, which a client that reads nothing puts off for ever.
"""

import asyncio
import socket
import struct
from typing import Final, Protocol, cast
from weakref import WeakKeyDictionary

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from gateway.frames import WINDOW_BITS
from gateway.keepalive import Keepalive

EXTENSION: Final = "roomcast.wire"
FRAGMENTS_MAX = 256  # of one message; empty ones cost no bytes, so the limit of bytes does not count them
LEAVE_S = 12.0  # to take what was written last, after uvicorn's 10 s for the answer to our close
KERNEL_MAX_BYTES = 256 * 1024  # unsent bytes in the kernel: it would take 4 MiB before a slow client shows
UNSENT_MAX_BYTES = 64 * 1024  # in the transport, above which the client counts as slow; and below which no more:
UNSENT_MIN_BYTES = 16 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


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
        listener: who is told of changes; set by the application.
    """

    transport: asyncio.Transport
    deflates: bool
    listener: Listener | None

    def finish(self, code: int, reason: str, *, within_s: float = LEAVE_S) -> None:
        """Close behind all that was written; reset the connection when that takes longer than `within_s`."""

    def reset(self) -> None:
        """End the connection at once, without what is unsent: the kernel would keep it for minutes."""


_keepalives: WeakKeyDictionary[ServerState, Keepalive] = WeakKeyDictionary()
"""One for each running server: uvicorn makes connections, and gives them nothing else that they share."""


class WireProtocol(WebSocketsSansIOProtocol):
    """One connection, from its upgrade on. It is the `Wire` of its application."""

    leave_s = LEAVE_S
    listener: Listener | None = None
    deflates = False
    _farewell: asyncio.TimerHandle | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        if config.ws_per_message_deflate:
            self.conn.available_extensions = [
                # No state is kept between messages: what is compressed once can be sent to all.
                ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
            ]
        keepalive = _keepalives.get(server_state)
        if keepalive is None:
            keepalive = _keepalives[server_state] = Keepalive(config.ws_ping_interval, config.ws_ping_timeout)
        self._keepalive = keepalive

    # --- what the application does -----------------------------------------------------------------------------------

    def finish(self, code: int, reason: str, *, within_s: float | None = None) -> None:
        """See `Wire`."""
        if not (self.close_sent or self.disconnected or self.transport.is_closing()):
            try:
                self.conn.send_close(code, reason)
            except InvalidState:
                pass
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
            if self.read_paused:
                self.read_paused = False
                self.transport.resume_reading()
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        self._tell_gone()
        self._leave_within(self.leave_s if within_s is None else within_s)

    def reset(self) -> None:
        """See `Wire`."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None and not self.disconnected:
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            except (OSError, RuntimeError):
                pass  # closed a moment ago
        self.transport.abort()

    # --- what happens to the connection ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code != 101:
            return
        extensions = cast(dict[str, object], self.scope["extensions"])
        extensions[EXTENSION] = self
        for extension in self.conn.extensions:
            if isinstance(extension, PerMessageDeflate):
                self.deflates = extension.local_max_window_bits >= WINDOW_BITS  # less has to be asked for
        self.transport.set_write_buffer_limits(UNSENT_MAX_BYTES, UNSENT_MIN_BYTES)
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_MAX_BYTES)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.listener is not None:
            self.listener.on_full()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.listener is not None:
            self.listener.on_free()

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # nobody reads the answers: no more of them are kept

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= FRAGMENTS_MAX:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "not UTF-8")
                return
        super().send_receive_event_to_app()

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self._tell_gone()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._tell_gone()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._farewell is not None:
            self._farewell.cancel()
        super().connection_lost(exc)
        self._tell_gone()

    def shutdown(self) -> None:
        if self.listener is not None:
            self.listener.on_shutdown()
        else:
            super().shutdown()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.disconnected:
            self._leave_within(self.leave_s)

    def _fail(self, code: CloseCode, reason: str) -> None:
        self.frames = []
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    def _tell_gone(self) -> None:
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.on_gone()

    def _leave_within(self, seconds: float) -> None:
        """Reset the connection when it is still there then; of several such times the first one counts."""
        at = self.loop.time() + seconds
        if self._farewell is not None:
            if self._farewell.when() <= at:
                return
            self._farewell.cancel()
        self._farewell = self.loop.call_at(at, self.reset)

    # --- keepalive: one timer for all connections --------------------------------------------------------------------

    def start_keepalive(self) -> None:
        self._keepalive.add(self)

    def stop_keepalive(self) -> None:
        self._keepalive.discard(self)

    def ping(self, payload: bytes) -> None:
        """Ask the client for a sign of life."""
        if not (self.close_sent or self.transport.is_closing()):
            self.conn.send_ping(payload)
            self.transport.write(b"".join(self.conn.data_to_send()))

    def handle_pong(self, event: Frame) -> None:
        self._keepalive.answered(self, bytes(event.data))

    def on_unanswered(self) -> None:
        """The client gave no sign of life in time."""
        self.keepalive_timeout()
        self._tell_gone()
        self._leave_within(0)
