"""Settings of replays."""

from pydantic import Field

from shared.settings import RoomcastSettings


class ReplaySettings(RoomcastSettings):
    """Where recordings are, and how fast they are played."""

    replay_dir: str = ""
    """Folder of the recordings that `replay:NAME` plays; empty: there are none."""
    replay_speed: float = Field(1, ge=1, le=1000)
    """How many times faster than it happened; pauses of more than 10 s are cut to that."""
