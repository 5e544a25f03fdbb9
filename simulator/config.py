"""How a simulator is set up: one frozen value, given to `create_app` and read by everything in it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Settings of one simulator.

    Attributes:
        seed: same seed, same people saying the same things in the same order.
        rooms: how many generated live rooms there are on each platform, beside the fixed ones.
        rate: messages a second in a lively room. Recorded sessions of 2026 had 4.
        payloads: JSONL files, or directories of them, that a host of its own plays; there is one on each platform.
        payload_rate: messages a second in its room.
        public_url: where viewers' browsers reach the simulator's pictures; no slash at the end.
        direct: let sockets in that come without a provider's token (`ws_direct=1`).
        keys: the providers' accepted API keys; empty: any key will do.
        strict_acks: a wrong or missing ack ends the connection instead of only being counted.
        push_s: between two pushes of what happened. Source: recorded session of 2024-12.
        ping_interval_s: announced to clients in `Handshake-Options`, where a platform does.
        silence_s: a connection without a heartbeat for so long is closed with 1000, as one platform does; of the other
            nothing is on record.
        ack_s: an ack that takes longer counts as missing.
        broadcast_s: how long hosts that come and go are live, from their first viewer on.
        break_s: how long they then stay away before they are live again.
    """

    seed: int = 1
    rooms: int = 0
    rate: float = 4.0
    payloads: tuple[Path, ...] = ()
    payload_rate: float = 50.0
    public_url: str = "http://127.0.0.1:8100"
    direct: bool = True
    keys: frozenset[str] = frozenset()
    strict_acks: bool = False
    push_s: float = 0.8
    ping_interval_s: int = 10
    silence_s: float = 60.0
    ack_s: float = 10.0
    broadcast_s: float = 60.0
    break_s: float = 60.0
