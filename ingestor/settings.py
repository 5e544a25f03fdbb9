"""Settings of an ingestor, but for those of a platform, which stand in the platform's folder."""

import os
import socket

from pydantic import Field

from ingestor.connectors.settings import Words
from shared.settings import SharedSettings


class IngestorSettings(SharedSettings):
    """How many rooms one ingestor holds, and how long it waits for what."""

    ingestor_name: str = Field(
        default_factory=lambda: f"{socket.gethostname()[:40]}-{os.getpid()}", pattern=r"^[A-Za-z0-9._-]{1,60}$"
    )
    """Unique among ingestors; the default is host and process id."""
    ingestor_port: int = Field(0, ge=0, le=65_535)
    """Port for `/metrics`, `/healthz` and `/readyz` of an ingestor; 0: none."""
    max_rooms: int = Field(200, ge=1, le=10_000)
    """Rooms this ingestor holds at most; more wait for another one."""
    scan_interval_s: float = Field(3, ge=0.1, le=10)
    """How often demanded rooms are listed, which finds what a lost wake-up missed; well below the 20 s after which an
    ingestor counts as gone."""
    relief_rooms: int = Field(5, ge=0, le=50)
    """Rooms handed over at once at most, to ingestors that hold fewer; each costs a new upstream connection, often a
    paid token, and loads are told only every few seconds. 0: none, ever."""
    relief_excess_percent: float = Field(20, ge=5, le=1000)
    """How far above its share of all rooms an ingestor has to be, so that small differences are left as they are."""
    relief_held_s: float = Field(60, ge=0.1, le=86_400)
    """A room taken less than this ago is not handed over: it may still be opening, and no room moves all the time."""
    upstream_retries: int = Field(3, ge=0, le=20)
    """Attempts per outage of an upstream; the count starts anew with the first message."""
    upstream_silence_s: float = Field(30, ge=1, le=300)
    """No frame for this long, and the upstream counts as dead: three lost heartbeat answers."""
    upstream_mute_s: float = Field(120, ge=0.1, le=3600)
    """No message for this long, and the live check is made again beside the open upstream; then after twice as long."""
    upstream_backoff_s: float = Field(1, ge=0.01, le=60)
    """Pause before the first attempt of an outage; doubles with each, with jitter, up to 30 s."""
    offline_ttl_s: float = Field(30, ge=0.1, le=3600)
    """A room found not live is not asked about again for this long, however many want it."""
    wait_poll_s: float = Field(60, ge=1, le=3600)
    """A room that is not live, and that somebody waits for, is looked at again after this long, or a tenth more: once
    for the whole cluster, however many wait."""
    wait_gap_s: float = Field(0.5, ge=0.01, le=60)
    """Between two such looks at rooms of one platform, in the whole cluster, at least: where very many rooms are waited
    for, each is looked at less often."""
    failed_ttl_s: float = Field(30, ge=0.1, le=3600)
    """A room whose retries are used up rests this long."""
    buffer_bytes: int = Field(8 * 1024 * 1024, ge=64 * 1024, le=256 * 1024 * 1024)
    """Events of one room kept while Redis is away; beyond it they are dropped and announced as a gap."""
    plugins: Words[str] = ()
    """Plug-ins that see messages and events before they are published, in this order: names of Python modules, or of
    entry points of the group `roomcast.plugins`."""
    record_dir: str = ""
    """Folder where what comes from the platforms is recorded, raw, of every room that is held; empty: nothing is."""
    record_file_bytes: int = Field(32 * 1024 * 1024, ge=64 * 1024, le=4 * 1024**3)
    """Of one recording; then the room's next one begins."""
    record_file_s: float = Field(3600, ge=1, le=86_400)
    """The longest that one recording lasts."""
    record_total_bytes: int = Field(1024**3, ge=64 * 1024, le=1024**5)
    """Of all recordings in the folder; beyond it the oldest are removed."""
    drain_s: float = Field(5, ge=0.1, le=60)
    """Time for storing what is left when the process is asked to end."""
