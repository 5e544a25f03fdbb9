"""uvicorn's WebSocket side with ceilings. Whatever a client sends, or does not read, costs a bounded amount of memory.

uvicorn answers every ping, also of clients that read nothing; collects the fragments of a message without end; logs a
traceback for text that is none; leaves a request it cannot read without an answer; and closes a connection only when
all was written, which a client that reads nothing puts off for ever.
"""

import asyncio

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

FRAGMENTS_MAX = 256  # of one message; empty ones cost no bytes, so the limit of bytes does not count them
LEAVE_S = 12.0  # to take what was written last, after uvicorn's 10 s for the answer to our close


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection, from its upgrade on."""

    leave_s = LEAVE_S
    _farewell: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

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

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.disconnected:
            self._leave_within(self.leave_s)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._leave_within(0)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._farewell is not None:
            self._farewell.cancel()
        super().connection_lost(exc)

    def _fail(self, code: CloseCode, reason: str) -> None:
        self.frames = []
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    def _leave_within(self, seconds: float) -> None:
        if self._farewell is not None:
            self._farewell.cancel()
        self._farewell = self.loop.call_later(seconds, self.transport.abort)
