"""Every Prometheus metric of the project, in one place. Names are `roomcast_<part>_<what>[_<unit>|_total]`."""

from prometheus_client import Counter, Gauge, Histogram

# --- ingestor ---------------------------------------------------------------------------------------------------------

ROOMS_HELD = Gauge("roomcast_ingestor_rooms", "Rooms this ingestor holds the lease of.")
EVENTS_PUBLISHED = Counter("roomcast_ingestor_events_total", "Events stored and published.", ["platform", "type"])
EVENTS_OVERSIZED = Counter(
    "roomcast_ingestor_events_oversized_total", "Events above the size of a log entry: not sent."
)
EVENTS_DISCARDED = Counter(
    "roomcast_ingestor_events_discarded_total", "Events dropped because Redis was away too long."
)
LEASES = Counter("roomcast_ingestor_leases_total", "Lease changes.", ["what"])
UPSTREAM_CONNECTS = Counter("roomcast_ingestor_upstream_connects_total", "Upstream connections opened.", ["platform"])
UPSTREAM_LOSSES = Counter("roomcast_ingestor_upstream_losses_total", "Upstreams lost or refused.", ["platform", "code"])
PUBLISH_SECONDS = Histogram(
    "roomcast_ingestor_publish_seconds",
    "From the receipt of a frame to its events being stored.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)

# --- upstream protocol ------------------------------------------------------------------------------------------------

# --- Redis link -------------------------------------------------------------------------------------------------------

REDIS_MALFORMED = Counter(
    "roomcast_redis_malformed_total", "Things found in Redis that no part of this system wrote.", ["where"]
)
LINK_FAULTS = Counter("roomcast_redis_link_faults_total", "Pub/sub connections that ended or had to be given up.")

# --- gateway ----------------------------------------------------------------------------------------------------------
