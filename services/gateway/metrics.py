"""The gateway's metrics."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

STREAMS: Final = Gauge("tradedad_gateway_streams", "Open WebSocket streams.")
SUBSCRIPTIONS: Final = Gauge(
    "tradedad_gateway_subscriptions", "Keys and wildcards that streams subscribe to.", ["channel"]
)
INSTRUMENTS: Final = Gauge("tradedad_gateway_instruments", "Instruments with a last quote.")
RECEIVED_MESSAGES: Final = Counter(
    "tradedad_gateway_received_messages_total", "Messages from NATS that were stored as the newest."
)
STALE_MESSAGES: Final = Counter(
    "tradedad_gateway_stale_messages_total",
    "Quotes and order books dropped: from a superseded leader, or not newer than the last. Also"
    " coverages of a superseded leader.",
)
LATE_MESSAGES: Final = Counter(
    "tradedad_gateway_late_messages_total",
    "Quotes and order books too old to be live, delivered in snapshots only.",
)
MALFORMED_MESSAGES: Final = Counter(
    "tradedad_gateway_malformed_messages_total",
    "Messages from NATS that could not be decoded and were skipped, by kind.",
    ["kind"],
)
DELIVERIES: Final = Counter(
    "tradedad_gateway_deliveries_total", "Channel messages written to clients' sockets."
)
SENT_BYTES: Final = Counter(
    "tradedad_gateway_sent_bytes_total", "Bytes of frames written to clients' sockets."
)
CONFLATIONS: Final = Counter(
    "tradedad_gateway_conflations_total",
    "Times that a client fell behind and was caught up with the newest messages only.",
)
BEHIND_STREAMS: Final = Gauge(
    "tradedad_gateway_behind_streams", "Streams whose client does not read what is sent."
)
CLOSED_STREAMS: Final = Counter(
    "tradedad_gateway_closed_streams_total",
    "Streams that ended, by WebSocket close code.",
    ["code"],
)
REFUSED_STREAMS: Final = Counter(
    "tradedad_gateway_refused_streams_total",
    "Handshakes that were refused, by error code.",
    ["code"],
)
REVOKED_STREAMS: Final = Counter(
    "tradedad_gateway_revoked_streams_total", "Streams ended because their session was revoked."
)
FLUSH_SECONDS: Final = Histogram(
    "tradedad_gateway_flush_seconds",
    "Time to write to the clients of one tick of the wheel.",
    buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
)
FLUSH_INTERVAL_SECONDS: Final = Gauge(
    "tradedad_gateway_flush_interval_seconds",
    "Time between two flushes of a client; 0 while each message is written at once.",
)
LATENCY_SECONDS: Final = Histogram(
    "tradedad_gateway_latency_seconds",
    "Time from ingest's receipt of a frame to the write of its quote; one quote of each flush.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2),
)
HTTP_REQUESTS: Final = Counter(
    "tradedad_gateway_http_requests_total", "HTTP requests, by route and status.",
    ["route", "status"],
)  # fmt: skip
HTTP_REQUEST_SECONDS: Final = Histogram(
    "tradedad_gateway_http_request_seconds",
    "Time from a request's headers to the end of its answer, streams excepted.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
PAGE_REPORTS: Final = Counter(
    "tradedad_gateway_page_reports_total",
    "Reports of browsers about the page, by kind: violations of its policy, its errors, others.",
    ["kind"],
)
UPSTOX_HOOKS: Final = Counter(
    "tradedad_gateway_upstox_hooks_total",
    "Posts of Upstox's webhook (order) and notifier (token) that were passed on to trading, by "
    "whether it has answered.",
    ["kind", "outcome"],
)
