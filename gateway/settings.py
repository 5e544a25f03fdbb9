"""Settings of the gateway."""

import os
import socket
from functools import cached_property

from pydantic import AliasChoices, Field

from gateway.subscriber import SendLimits
from shared.settings import SharedSettings


class GatewaySettings(SharedSettings):
    """What a gateway reads from the environment."""

    port: int = Field(8000, ge=0, le=65_535, validation_alias=AliasChoices("PORT", "port"))
    """Port to listen on; 0 takes a free one."""
    gateway_name: str = Field(
        default_factory=lambda: f"{socket.gethostname()[:40]}-{os.getpid()}", pattern=r"^[A-Za-z0-9._-]{1,60}$"
    )
    """How this gateway is called in /rooms and in the load index; unique; host and process id by default."""
    trusted_proxies: str = "127.0.0.1,::1"
    """Addresses or networks, with commas between, whose `X-Forwarded-For` is believed. `*` believes everybody."""

    clients_max: int = Field(20_000, ge=1, le=1_000_000)
    """Clients of this process; more are sent away with `overloaded`."""
    clients_per_address: int = Field(2_000, ge=1, le=1_000_000)
    """Clients of one address (of IPv6: of one /64); more are sent away with `overloaded`."""
    rooms_per_client: int = Field(50, ge=1, le=1_000)
    """Rooms of one client that takes several on one socket; more are refused with `too_many_rooms`."""
    new_rooms_per_minute: int = Field(120, ge=1, le=100_000)
    """Rooms that one address may start; each costs the cluster a token. More have to wait, with `rate_limited`."""
    queued_rooms_per_address: int = Field(500, ge=1, le=100_000)
    """Rooms of one address that wait to be started; more are refused with `too_many_rooms`, alone `overloaded`."""
    client_frames_per_s: float = Field(20, ge=1, le=1_000)
    """Client frames read per second in the long run; whoever sends more is read no faster."""

    flush_max_ms: float = Field(30, ge=0, le=1_000)
    """How long an event may wait for others to be written with it, where much is written; 0: not at all."""
    compression: bool = False
    """Compress events for clients that offer `permessage-deflate`: less than half the bytes, for more CPU."""

    send_soft_bytes: int = Field(256 * 1024, ge=4 * 1024, le=64 * 1024 * 1024)
    """Unsent bytes of one client from which on the least valuable events are shed."""
    send_hard_bytes: int = Field(1024 * 1024, ge=64 * 1024, le=256 * 1024 * 1024)
    """Unsent bytes of one client beyond which it is closed with `slow_consumer`."""
    send_age_s: float = Field(30, ge=1, le=600)
    """A client whose oldest unsent bytes are older is closed with `slow_consumer`."""

    ping_interval_s: float = Field(20, ge=1, le=600)
    """Between two WebSocket pings to a client, or two signs of life in an event stream."""
    ping_timeout_s: float = Field(20, ge=1, le=600)
    """A client that does not answer a ping for so long is gone."""
    untaken_after_s: float = Field(10, ge=0.1, le=600)
    """A room that nobody has taken for so long is reported with `no_ingestor` or `no_capacity`."""
    linger_s: float = Field(5, ge=0, le=600)
    """How long the channel of a room is kept after its last client here left."""
    drain_notice_s: float = Field(3, ge=0, le=120)
    """After SIGTERM `/readyz` says no for so long before anything else changes: time for balancers to see it."""
    drain_window_s: float = Field(10, ge=0, le=600)
    """Clients are then sent away over at most so long, so that they do not all return at once; 0: at once."""
    shutdown_s: float = Field(8, ge=1, le=300)
    """How long the last clients may take to leave when the gateway stops."""

    @cached_property
    def flush_max_s(self) -> float:
        """`flush_max_ms` in seconds."""
        return self.flush_max_ms / 1000

    @cached_property
    def send_limits(self) -> SendLimits:
        """The three limits of a client's unsent bytes."""
        return SendLimits(self.send_soft_bytes, max(self.send_hard_bytes, self.send_soft_bytes + 1), self.send_age_s)
