"""Settings of a forwarder, beside those of a gateway."""

from pydantic import Field, SecretStr

from shared.settings import RoomcastSettings


class ForwardSettings(RoomcastSettings):
    """Where events go, in what portions, and how much is kept."""

    forward_linger_ms: float = Field(200, ge=0, le=60_000)
    """How long an event may wait for others to be written or posted with it."""

    forward_file_bytes: int = Field(64 * 1024 * 1024, ge=1024, le=1024**4)
    """Of a file of events; then it is put aside as `FILE.1`."""
    forward_files_kept: int = Field(10, ge=1, le=10_000)
    """Files put aside that are kept; the oldest is removed for the next one."""

    forward_webhook_url: SecretStr = SecretStr("")
    """Where events are posted, `https://` or `http://`; treated as a secret, for it may hold one."""
    forward_webhook_secret: SecretStr = SecretStr("")
    """Key of the signature that says who posted; empty: nothing is signed."""
    forward_batch_events: int = Field(100, ge=1, le=10_000)
    """Events of one post at most."""
    forward_batch_bytes: int = Field(512 * 1024, ge=64 * 1024, le=64 * 1024 * 1024)
    """Bytes of one post at most, but for a single event that is larger."""
    forward_timeout_s: float = Field(10, ge=0.1, le=300)
    """Time for one post to be answered."""
    forward_retry_max_s: float = Field(60, ge=0.1, le=3600)
    """Longest pause before a post is tried again; the first is 0.5 s, and each doubles."""
