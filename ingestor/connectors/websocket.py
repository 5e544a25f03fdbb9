"""The WebSocket to an upstream: moves frames and knows no meaning.

Nothing of an address but its host may be logged or raised: its query is signed. Cookies neither.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.frames import Opcode
from websockets.protocol import State

from ingestor.connectors.http_client import tls_context
from shared.errors import UpstreamClosed, UpstreamUnavailable

MAX_QUEUED_FRAMES: Final = 8
"""Frames read ahead of us; then the socket is not read, and the platform's TCP waits."""

SEND_TIMEOUT_S: Final = 10.0
"""A peer that takes no bytes for this long is gone, whatever TCP says."""

CLOSE_HANDSHAKE_S: Final = 1.0
CLOSE_TIMEOUT_S: Final = 1.8  # the handshake's time does not bound the writing before it

_URL_MAX: Final = 8000  # characters; a request line above it is refused by most servers


def is_socket_url(text: str) -> bool:
    """Whether somebody else's text can be opened as a WebSocket."""
    if len(text) > _URL_MAX or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        url = urlsplit(text)
        return url.scheme in ("ws", "wss") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


class HandshakeRefused(UpstreamUnavailable):
    """The server answered, but not with 101. What its headers mean is the platform's affair."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        """Create the error.

        Args:
            status: of HTTP.
            headers: of the answer, names in lower case.
        """
        super().__init__(f"the socket was refused with HTTP {status}")
        self.status = status
        self.headers = headers


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc  # a signed address and its cookies are for one host


class WebSocketTransport:
    """An open WebSocket. Keepalive pings are off: the platforms answer them with empty pongs (recorded 2024-12)."""

    def __init__(self, connection: ClientConnection) -> None:
        """Take over an open connection; use `open` instead.

        Args:
            connection: just opened.
        """
        self._connection = connection

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        headers: Mapping[str, str],
        user_agent: str,
        proxy: str | None,
        timeout_s: float,
        max_frame_bytes: int,
    ) -> "WebSocketTransport":
        """Connect and shake hands.

        Raises:
            HandshakeRefused: the server answered something else than 101.
            UpstreamUnavailable: no connection, not in time, or an answer that is no handshake.
        """
        try:
            connection = await _Connect(
                url,
                additional_headers=dict(headers),
                user_agent_header=user_agent,
                proxy=proxy,
                ssl=tls_context() if url[:4].lower() == "wss:" else None,
                open_timeout=timeout_s,
                compression=None,
                ping_interval=None,
                close_timeout=CLOSE_HANDSHAKE_S,
                max_size=max_frame_bytes,
                max_queue=MAX_QUEUED_FRAMES,
            )
        except InvalidStatus as error:
            answer = error.response
            raise HandshakeRefused(
                answer.status_code, {name.lower(): value for name, value in answer.headers.raw_items()}
            ) from None
        except TimeoutError:
            raise UpstreamUnavailable("the socket did not open in time") from None
        except InvalidURI:
            raise UpstreamUnavailable("the address of the socket is none") from None
        except (OSError, InvalidHandshake, WebSocketException, ValueError) as error:
            raise UpstreamUnavailable(f"the socket could not be opened ({type(error).__name__})") from None
        return cls(connection)

    @property
    def handshake_headers(self) -> Mapping[str, str]:
        """Headers of the server's handshake, names in lower case."""
        response = self._connection.response
        return {name.lower(): value for name, value in response.headers.raw_items()} if response else {}

    async def receive(self) -> list[bytes]:
        """The binary frames that came in; text is skipped, no platform means anything by it.

        Raises:
            UpstreamClosed: there is none any more.
        """
        connection = self._connection
        frames: list[bytes] = []
        try:
            while not frames:
                message = await connection.recv()
                if isinstance(message, bytes):
                    frames.append(message)
        except ConnectionClosed as closed:
            raise _upstream_closed(closed) from None
        # Nothing is waited for from here on, so neither the end of the connection nor a cancellation can lose a frame.
        # One that comes in fragments, or is text, is left to `recv`.
        read = connection.recv_messages.frames.queue
        while read and read[0].opcode is Opcode.BINARY and read[0].fin:
            frames.append(bytes(read.popleft().data))
        connection.recv_messages.maybe_resume()
        return frames

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send frames, in order.

        Raises:
            UpstreamClosed: they cannot be sent any more.
        """
        connection = self._connection
        try:
            if connection.state is State.OPEN and not connection.paused:
                # It waits for nobody: what `send` does around these two costs several times as much as they do.
                for frame in frames:
                    connection.protocol.send_binary(frame)
                connection.transport.write(b"".join(connection.protocol.data_to_send()))
                return
            async with asyncio.timeout(SEND_TIMEOUT_S):
                for frame in frames:
                    await connection.send(frame)
        except ConnectionClosed as closed:
            raise _upstream_closed(closed) from None
        except TimeoutError:
            raise UpstreamClosed("the socket takes no more bytes") from None

    async def aclose(self) -> None:
        """Close, within 2 s. Never raises; may be called twice."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._connection.close()
        except TimeoutError:
            pass
        finally:
            self._connection.transport.abort()  # does nothing when it is closed


def _upstream_closed(closed: ConnectionClosed) -> UpstreamClosed:
    """Only what the server said counts: a close frame of ours, as after too large a frame, is 1006 to the worker."""
    code = closed.rcvd.code if closed.rcvd else 1006
    return UpstreamClosed(f"the socket was closed with code {code}", close_code=code)
