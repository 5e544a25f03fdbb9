"""What an ingestor tells gateways about a room's life: the phase, as it stands in the state hash and on the channel.

Gateways render it in the client's language; clients never see this form. A phase is written by the holder of the lease
(`broker.set_phase`, fenced by it) as field `phase` of the state hash, and travels as a channel message without an id:
`- phase 0 <json>`.
"""

from enum import StrEnum

import msgspec


class Phase(StrEnum):
    """In the order of a good day; the last three are where it can end."""

    ACQUIRED = "acquired"
    """An ingestor has the lease."""
    RESOLVING = "resolving"
    """Looking the room up."""
    CHECKING_LIVE = "checking_live"
    """Asking whether it is live; then a token, then the connection."""
    CONNECTED = "connected"
    """Upstream is up and events flow."""
    RECONNECTING = "reconnecting"
    """Upstream was lost; `attempt` follows in `retry_in_ms`."""
    TARGET = "target"
    """Only of names: it points to the room `target`."""
    NOT_LIVE = "not_live"
    """Offline, ended before we came, not found, restricted: `code` says which. Not asked again before `retry_at`."""
    ENDED = "ended"
    """The broadcast is over; its last event is in the log. Not asked again before `retry_at`."""
    FAILED = "failed"
    """Retries used up, or refused: `code` says which. Nobody takes the room before `retry_at`."""


RESTING = frozenset({Phase.NOT_LIVE, Phase.ENDED, Phase.FAILED})
"""Phases in which nobody holds the room, and in which it is left alone until `retry_at`."""


_NO_ERRORS = frozenset({"", "offline", "ended"})


class RoomPhase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A phase with what belongs to it.

    Attributes:
        at: when it began, ms since 1970.
        code: the error's word (offline, not_found, restricted, login_required, blocked, rate_limited, key_refused,
            upstream_lost), of NOT_LIVE, FAILED and RECONNECTING.
        detail: the error for people, in English; holds no secrets.
        attempt: of RECONNECTING, 1 for the first.
        retry_in_ms: of RECONNECTING, the pause before that attempt; of a refusal, the wait it announced.
        retry_at: of RESTING phases, ms since 1970: when the room may be taken again.
        target: of TARGET, the room half of the canonical key.
    """

    phase: Phase
    at: int
    code: str = ""
    detail: str = ""
    attempt: int = 0
    retry_in_ms: int = 0
    retry_at: int = 0
    target: str = ""

    @property
    def is_error(self) -> bool:
        """Whether something went wrong: that a broadcast is over, or has not begun, is no error."""
        return self.code not in _NO_ERRORS

    def rests(self, now_ms: int) -> bool:
        """Whether the room is to be left alone at `now_ms`."""
        return self.phase in RESTING and now_ms < self.retry_at


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RoomPhase)


def encode_phase(phase: RoomPhase) -> bytes:
    """JSON for the state hash and the channel."""
    return _encoder.encode(phase)


def decode_phase(data: bytes) -> RoomPhase:
    """Read it back.

    Raises:
        msgspec.DecodeError: malformed, or a phase this version does not know.
    """
    try:
        return _decoder.decode(data)
    except (RecursionError, UnicodeDecodeError) as error:  # msgspec does not count these among its own
        raise msgspec.DecodeError(str(error)) from error
