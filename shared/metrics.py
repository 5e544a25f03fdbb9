"""Every Prometheus metric of the project, in one place. Names are `roomcast_<part>_<what>[_<unit>|_total]`."""

from prometheus_client import Counter, Gauge, Histogram, Info

from shared.version import VERSION

# --- every process ----------------------------------------------------------------------------------------------------

BUILD = Info("roomcast_build", "Which version this process runs.")
BUILD.info({"version": VERSION})
LOOP_LAG = Histogram(
    "roomcast_event_loop_lag_seconds",
    "How late, in seconds, the event loop comes to what is due: the process has more to do than it can.",
    # From what a timer is exact to, over a flush of a large room (some 50 ms), to where leases and pings get lost.
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

# --- ingestor ---------------------------------------------------------------------------------------------------------

ROOMS_HELD = Gauge("roomcast_ingestor_rooms", "Rooms this ingestor holds the lease of.")
ROOMS_LIMIT = Gauge("roomcast_ingestor_rooms_limit", "Rooms this ingestor holds at most.")
ROOMS_BY_PHASE = Gauge(
    "roomcast_ingestor_rooms_by_phase",
    "Rooms this ingestor holds, by the phase they are in: connected is what they should be.",
    ["platform", "phase"],
)
BUFFERED_BYTES = Gauge(
    "roomcast_ingestor_buffered_bytes",
    "Bytes of events that wait for Redis to take them; near 0 unless it is away or too slow.",
)
EVENTS_PUBLISHED = Counter("roomcast_ingestor_events_total", "Events stored and published.", ["platform", "type"])
EVENTS_OVERSIZED = Counter(
    "roomcast_ingestor_events_oversized_total", "Events above the size of a log entry: not sent."
)
EVENTS_DISCARDED = Counter(
    "roomcast_ingestor_events_discarded_total", "Events dropped because Redis was away too long."
)
ROOMS_STALLED = Gauge(
    "roomcast_ingestor_rooms_stalled", "Rooms of this ingestor whose events Redis does not take now: they wait."
)
LEASES = Counter(
    "roomcast_ingestor_leases_total",
    "Lease changes: acquired, and then left, handed_over, or lost to somebody else; taken_back is a kind of acquired.",
    ["what"],
)
for _what in "acquired left handed_over lost taken_back".split():
    LEASES.labels(_what)  # from 0 on: where a counter begins with its first value, Prometheus sees no increase
ROOMS_WANTED = Gauge(
    "roomcast_cluster_rooms_wanted",
    "Rooms that clients want, in the whole cluster, as this ingestor's last scan saw it.",
)
ROOMS_UNOWNED = Gauge(
    "roomcast_cluster_rooms_unowned",
    "Those of them that no ingestor holds and that do not rest: there is no place for them. An estimate where this "
    "ingestor does not know of many rooms; take the maximum over all ingestors.",
)
UPSTREAM_CONNECTS = Counter("roomcast_ingestor_upstream_connects_total", "Upstream connections opened.", ["platform"])
UPSTREAM_LOSSES = Counter("roomcast_ingestor_upstream_losses_total", "Upstreams lost or refused.", ["platform", "code"])
PUBLISH_SECONDS = Histogram(
    "roomcast_ingestor_publish_seconds",
    "From the receipt of a frame to its events being stored, of the oldest event of each batch.",
    # Some ms while all is well; seconds while Redis fails over, and the last of them while it is away.
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)

MESSAGES_UNKNOWN = Counter("roomcast_ingestor_messages_unknown_total", "Messages of a method nobody has described.")
MESSAGES_UNDECODABLE = Counter(
    "roomcast_ingestor_messages_undecodable_total", "Messages that did not decode: sent raw."
)
MESSAGES_LOST = Counter("roomcast_ingestor_messages_lost_total", "Messages lost to a bug in their decoder.")

RECORDED_BYTES = Counter("roomcast_ingestor_recorded_bytes_total", "Bytes of recordings written.")
RECORDING_FAULTS = Counter(
    "roomcast_ingestor_recording_faults_total", "Recordings that ended because the disk was full, slow or gone."
)

PLUGIN_FAULTS = Counter(
    "roomcast_ingestor_plugin_faults_total",
    "Calls of a plug-in's handler that raised, or returned no events of the room: things went on without it.",
    ["plugin", "handler"],
)
PLUGIN_SECONDS = Histogram(
    "roomcast_ingestor_plugin_seconds",
    "Time in a handler of a plug-in, during which the process does nothing else.",
    ["plugin"],
    buckets=(0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1),
)

# --- upstream protocol ------------------------------------------------------------------------------------------------

UPSTREAM_UNUSED = Counter(
    "roomcast_upstream_unused_total", "Frames and messages of upstreams that were not passed on.", ["platform", "what"]
)
TOKENS = Counter(
    "roomcast_upstream_tokens_total",
    "Attempts to open an upstream, by token provider.",
    ["platform", "provider", "result"],
)
TOKEN_SECONDS = Histogram(
    "roomcast_upstream_token_seconds",
    "Time that one of these attempts took, from asking the provider to the open upstream or the failure.",
    ["platform", "provider"],
    # A visitor's way takes two round trips, a provider asks the platform meanwhile. A token is dead after 30 s; a
    # provider may take 60.
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
QUOTA_REMAINING = Gauge(
    "roomcast_upstream_quota_remaining",
    "Calls that a token provider's last answer said are left, in whichever of its windows it tells; absent until told.",
    ["platform", "provider"],
)
PROVIDER_KEY = Gauge(
    "roomcast_upstream_provider_key",
    "Whether a token provider that takes a key has one: 0 or 1.",
    ["platform", "provider"],
)

# --- Redis link -------------------------------------------------------------------------------------------------------

REDIS_MALFORMED = Counter(
    "roomcast_redis_malformed_total", "Things found in Redis that no part of this system wrote.", ["where"]
)
for _where in "key state log channel wake room".split():
    REDIS_MALFORMED.labels(_where)
REDIS_REFUSALS = Counter(
    "roomcast_redis_refusals_total",
    "What Redis refused to do, by its word: OOM is memory used up, NOREPLICAS too few replicas.",
    ["word"],
)
LINK_FAULTS = Counter("roomcast_redis_link_faults_total", "Pub/sub connections that ended or had to be given up.")


def begin_platform(platform: str) -> None:
    """Tell of a platform's upstreams from the start, with 0."""
    ROOMS_BY_PHASE.labels(platform, "connected")
    UPSTREAM_CONNECTS.labels(platform)
    UPSTREAM_LOSSES.labels(platform, "upstream_lost")
    UPSTREAM_UNUSED.labels(platform, "bad_frame")


# --- gateway ----------------------------------------------------------------------------------------------------------

GATEWAY_CLIENTS = Gauge("roomcast_gateway_clients", "Clients connected to this gateway.")
GATEWAY_ROOMS = Gauge("roomcast_gateway_rooms", "Rooms open in this gateway.")
CLIENTS_LIMIT = Gauge(
    "roomcast_gateway_clients_limit", "Clients this gateway takes at most (ROOMCAST_CLIENTS_MAX): time for another one."
)
CONNECTS = Counter("roomcast_gateway_connects_total", "Sockets accepted, also of clients that were refused then.")
READY = Gauge("roomcast_gateway_ready", "1 while this gateway is ready for clients, as /readyz says, else 0.")
DRAINING = Gauge("roomcast_gateway_draining", "1 while this gateway sends its clients away to stop, else 0.")
DELIVERIES = Counter("roomcast_gateway_deliveries_total", "Events offered to clients.")
DELIVERED_BYTES = Counter("roomcast_gateway_delivered_bytes_total", "Bytes of events offered to clients.")
DELIVERY_SECONDS = Histogram(
    "roomcast_gateway_delivery_seconds",
    "From an event's receipt from upstream to its write to all sockets, in seconds, by the clocks of two hosts: of the "
    "oldest event in each flush of a room.",
    # From a flush at once, over the rests between flushes (some 30 ms), a take-over and a dead link that is replaced
    # (3 s), to what was buffered while Redis was away.
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
UNSENT_BYTES = Gauge(
    "roomcast_gateway_unsent_bytes",
    "Bytes that wait in this process for slow clients to read. What lies in the kernel, or in transports that are not "
    "full (at most 64 KiB each), is not among them.",
)
SLOW_CLIENTS = Gauge("roomcast_gateway_slow_clients", "Clients that do not take now what they are sent.")
CLOSES = Counter(
    "roomcast_gateway_closes_total",
    "Clients closed by this gateway, by the word of the reason; ping_timeout: they answered no ping.",
    ["code"],
)
SHED = Counter("roomcast_gateway_shed_total", "Events not sent to a client that reads too slowly.", ["type"])
CLIENT_ERRORS = Counter("roomcast_gateway_client_errors_total", "Error and closing frames told to clients.", ["code"])
CLIENT_FRAMES = Counter("roomcast_gateway_client_frames_total", "Frames that clients sent.", ["kind"])
GAPS = Counter(
    "roomcast_gateway_gaps_total",
    "Holes in what came of rooms' logs: healed by reading the log, or announced to clients where no log can help.",
    ["outcome"],
)
RECOVERIES = Counter(
    "roomcast_gateway_recoveries_total", "Clients that asked for the past, with a cursor or a number.", ["recovered"]
)
