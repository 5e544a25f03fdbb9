"""What one step of each part costs, and where that was measured."""

import json
import statistics
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
BENCHMARK, MEASURED = DOCS / "benchmark.json", DOCS / "scale.json"

# What an event costs in a flush, fitted by hand to docs/benchmark.md: a table of docs/scale.md shows how well.
WRITE_US = 11.5  # to write to a client, whatever the number of events
EVENT_US = 0.25  # for each event in that write
FLUSH_US = 60.0  # to flush a room, whatever the number of clients


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of CPU, or bytes, for one step. The names are those of `docs/scale.json`.

    Attributes:
        redis_call_us: a call of the publish script, and
        redis_entry_us: an entry in it, stored and published to nobody.
        redis_write_us: a gateway that hears the channel, once for each call, and
        redis_copy_us: once for each entry.
        redis_renewal_us: a lease renewed, and the demand looked at.
        redis_scanned_us: a wanted room in an ingestor's scan.
        log_entry_bytes: an entry in the log, as Redis counts.
        ingestor_frame_us: an upstream frame, and
        ingestor_message_us: a message in it, up to its place in the log.
        ingestor_scanned_us: a wanted room in a scan.
        gateway_intake_us: an event read from Redis.
        gateway_join_us: a client that comes: handshake, first frames, its place in the room.
        gateway_ping_us: a ping to a client and its answer, with what is looked at every second.
        gateway_client_kib: memory of an idle client.
        gateway_room_kib: the same of a room in which enough was said: a gateway keeps its newest events.
        event_bytes: on the wire, to one client.
        event_bytes_deflated: the same, compressed.
    """

    redis_call_us: float
    redis_entry_us: float
    redis_write_us: float
    redis_copy_us: float
    redis_renewal_us: float
    redis_scanned_us: float
    log_entry_bytes: float
    ingestor_frame_us: float
    ingestor_message_us: float
    ingestor_scanned_us: float
    gateway_intake_us: float
    gateway_join_us: float
    gateway_ping_us: float
    gateway_client_kib: float
    gateway_room_kib: float
    event_bytes: float
    event_bytes_deflated: float
    gateway_write_us: float = WRITE_US
    gateway_event_us: float = EVENT_US
    gateway_flush_us: float = FLUSH_US


def read() -> Costs:
    """As they were measured."""
    known = {field.name for field in fields(Costs)}
    measured = json.loads(MEASURED.read_text("utf8"))["costs"]
    busy = {record["variant"]: record for record in benchmark("busy")}
    return Costs(
        **{name: value for name, value in measured.items() if name in known},
        gateway_client_kib=_median(benchmark("memory"), "gateway", "kib_at_10000"),
        event_bytes=busy["gateway"]["wire_bytes"],
        event_bytes_deflated=busy["gateway-deflate"]["wire_bytes"],
    )


def benchmark(case: str) -> list[dict[str, Any]]:
    """The figures of one case of `docs/benchmark.json`, each with its load and variant."""
    records = json.loads(BENCHMARK.read_text("utf8"))["measurements"]
    return [
        {**record["figures"], "load": record["load"], "variant": record["variant"]}
        for record in records
        if record["case"] == case and record["figures"]
    ]


def _median(records: list[dict[str, Any]], variant: str, name: str) -> float:
    return float(statistics.median(record[name] for record in records if record["variant"] == variant))
