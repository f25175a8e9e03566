"""What the gateway counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

STREAMS: Final = Gauge("tradedad_gateway_streams", "Open WebSocket streams")
SUBSCRIPTIONS: Final = Gauge(
    "tradedad_gateway_subscriptions",
    "Keys and wildcards that all streams together have subscribed to",
    ["channel"],
)
INSTRUMENTS: Final = Gauge(
    "tradedad_gateway_instruments", "Instruments of which a last quote is known"
)
MESSAGES_IN: Final = Counter(
    "tradedad_gateway_messages_received_total", "Messages from the bus that were news"
)
STALE: Final = Counter(
    "tradedad_gateway_stale_quotes_total",
    "Quotes of a superseded leader, or no newer than the last, that were not passed on",
)
LATE: Final = Counter(
    "tradedad_gateway_late_quotes_total",
    "Quotes that came too late to pass for live, and were passed on in snapshots only",
)
BAD_QUOTES: Final = Counter(
    "tradedad_gateway_bad_quotes_total", "Messages on quotes' subjects that are no quotes"
)
DELIVERIES: Final = Counter(
    "tradedad_gateway_deliveries_total", "Quotes and other messages handed to clients' sockets"
)
CONFLATIONS: Final = Counter(
    "tradedad_gateway_conflations_total",
    "Times that a client did not take what was sent, and got the newest of each only",
)
BEHIND: Final = Gauge(
    "tradedad_gateway_behind_streams", "Streams whose client does not take what is sent"
)
BYTES_OUT: Final = Counter("tradedad_gateway_sent_bytes_total", "Bytes of frames to clients")
CLOSES: Final = Counter(
    "tradedad_gateway_closes_total", "Streams ended, by WebSocket close code", ["code"]
)
REFUSED: Final = Counter(
    "tradedad_gateway_refused_streams_total", "Streams not opened, by error code", ["code"]
)
REVOCATIONS: Final = Counter(
    "tradedad_gateway_revoked_streams_total", "Streams ended because their session was revoked"
)
FLUSH_SECONDS: Final = Histogram(
    "tradedad_gateway_flush_seconds",
    "Time to write to those clients whose turn it is",
    buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
)
TURN_SECONDS: Final = Gauge(
    "tradedad_gateway_flush_interval_seconds",
    "Time between two flushes of a client, as the load sets it",
)
LATENCY: Final = Histogram(
    "tradedad_gateway_latency_seconds",
    "From ingest receiving a frame to its quote being written; the oldest of each flush",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2),
)
HTTP_REQUESTS: Final = Counter(
    "tradedad_gateway_http_requests_total", "HTTP requests by route and status",
    ["route", "status"],
)  # fmt: skip
HTTP_SECONDS: Final = Histogram(
    "tradedad_gateway_http_request_seconds",
    "From a request's headers to its whole answer, but for streams",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LOOP_LAG: Final = Histogram(
    "tradedad_gateway_loop_lag_seconds",
    "How much later than asked the event loop came round",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)
