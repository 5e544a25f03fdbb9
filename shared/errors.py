"""Every error of the project, as one tree.

Errors are types with attributes; nobody reads their text. Library errors are translated in the file that touches the
library. `code` is the word a client sees for the error (the gateway's table of codes says what it means there).
"""

from typing import ClassVar


class RoomcastError(Exception):
    """Root of all errors raised by the project itself."""


class ConfigError(RoomcastError):
    """A setting or argument makes the start impossible. Fatal; the text is written for the operator."""


class BadRoom(RoomcastError):
    """What the user called a room is none on this platform. The text says why, without repeating the input."""


class BadCursor(RoomcastError):
    """Not of the form `<epoch>-<offset>`."""


class ProtocolError(RoomcastError):
    """A frame or message broke the protocol."""


class RemoteProtocolError(ProtocolError):
    """The peer erred: count it, and reconnect if it goes on."""


class LocalProtocolError(ProtocolError):
    """We erred: a bug. The room fails; others are not touched."""


class UpstreamError(RoomcastError):
    """The platform, or a provider for it, did not give what was asked."""

    code: ClassVar[str] = "upstream_lost"

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None) -> None:
        """Create the error.

        Args:
            detail: for operators and clients alike; never holds keys, cookies or signed URLs.
            retry_after_s: how long the peer asked us to wait, where it did.
        """
        super().__init__(detail or self.code)
        self.detail = detail
        self.retry_after_s = retry_after_s


class RoomNotLive(UpstreamError):
    """The room cannot be watched now; asking again at once would give the same answer."""


class RoomOffline(RoomNotLive):
    """The room exists and is not live."""

    code = "offline"


class RoomBanned(RoomNotLive):
    """The platform has closed the room or its host's account."""

    code = "offline"  # to those who wait for it, it is that: bans end


class RoomNotFound(RoomNotLive):
    """The platform knows no such room or user."""

    code = "not_found"


class RoomRestricted(RoomNotLive):
    """Age or region restricted for the session we have."""

    code = "restricted"


class LoginRequired(RoomNotLive):
    """The room is shown to logged-in sessions only, and no cookie is set."""

    code = "login_required"


class UpstreamRefused(UpstreamError):
    """A platform or provider refuses to serve us."""

    code = "blocked"


class Blocked(UpstreamRefused):
    """Risk control: captcha, device block, bad signature, detected client."""


class RateLimited(UpstreamRefused):
    """Too many requests; `retry_after_s` is the announced wait, where announced."""

    code = "rate_limited"


class KeyRefused(UpstreamRefused):
    """The provider refuses the API key or its credit. Asking again does not help before an operator acts."""

    code = "key_refused"


class UpstreamUnavailable(UpstreamError):
    """A network fault, a time-out or an answer of the 5xx kind: the peer may be well again in a moment."""


class UpstreamClosed(UpstreamError):
    """The open connection ended. `close_code` is the WebSocket's, 1006 where there was none."""

    def __init__(self, detail: str = "", *, close_code: int = 1006) -> None:
        super().__init__(detail)
        self.close_code = close_code


class UpstreamLeft(UpstreamClosed):
    """We left a connection that worked, as planned: the next one follows at once, and nobody is told of a loss."""


class LeaseLost(RoomcastError):
    """Somebody else may hold the room: stop publishing now."""


class BrokerUnavailable(RoomcastError):
    """Redis cannot be asked or refuses to store. Keep clients, retry, report not ready."""


class Malformed(BrokerUnavailable):
    """A key holds what no part of this system wrote, and is of no use before somebody removes it."""


class NotDone(BrokerUnavailable):
    """Redis was not even asked, or it refused: nothing was done."""


def is_retryable(error: BaseException) -> bool:
    """Whether trying again, after a pause, can succeed without anybody acting."""
    if isinstance(error, RoomNotLive | KeyRefused):
        return False
    return isinstance(error, UpstreamError | RemoteProtocolError | BrokerUnavailable)
