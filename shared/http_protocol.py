"""uvicorn's HTTP side with ceilings. Everything a peer can make us hold before it is a client is bounded here.

uvicorn with httptools collects the head of a request without end, waits for the rest of it without end, and writes a
warning into the log for everything that it does not understand.
"""

import asyncio
from operator import attrgetter
from typing import cast
from weakref import ref

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.transports import STREAM, bound_kernel, reset

HEAD_MAX_BYTES = 32 * 1024  # browsers send 1 KB, with the cookies of other services on the same host a few more
REQUEST_S = 30.0  # from the connection, or a request's first byte, to the answer taken: no page of ours takes one


class HttpProtocol(HttpToolsProtocol):
    """One connection, until it is closed or becomes a WebSocket."""

    request_s = REQUEST_S
    _head_bytes = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_MAX_BYTES:
                self.send_400_response("The head of the request is too large.")
                return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        except HttpParserError:
            self.send_400_response("This is no HTTP request.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {STREAM: ref(self)}  # type: ignore[dict-item] # which holds no objects, by its types
        self._set_deadline()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True

    def handle_websocket_upgrade(self) -> None:
        self._clear_deadline()
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment] # it holds this object, which nobody needs any more

    # --- an answer without end (`shared.transports.Stream`) ---------------------------------------

    def begin_stream(self, kernel_max_bytes: int) -> None:
        self._clear_deadline()
        bound_kernel(self.transport, kernel_max_bytes)
        if self.scope["http_version"] == "1.0":  # which knows no chunks: the end of the connection is the answer's
            self.cycle.chunked_encoding = False

    def announce(self, size: int) -> None:
        if self.cycle.chunked_encoding is False:
            self.cycle.expected_content_length = size  # uvicorn would have the length of the whole

    def end_stream(self, within_s: float) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(within_s, self.reset)

    def reset(self) -> None:
        reset(self.transport)

    # --- an answer with one ------------------------------------------------------------------------------------------

    def _set_deadline(self) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(self.request_s, self.transport.abort)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class MachinesProtocol(HttpProtocol):
    """One connection of a scraper, an orchestrator or a person: few come, and each asks at once.

    Where too many are open the oldest one makes place, so that those who only hold a connection keep nobody out.
    """

    request_s = 3.0
    connections_max = 64
    _made_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._made_at = self.loop.time()
        if len(self.connections) >= self.connections_max:
            oldest = cast(MachinesProtocol, min(self.connections, key=attrgetter("_made_at")))
            self.connections.discard(oldest)
            oldest.reset()
        super().connection_made(transport)
