"""What the gateway counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

STREAMS: Final = Gauge("tradedad_gateway_streams", "Open WebSocket streams")
SUBSCRIPTIONS: Final = Gauge(
    "tradedad_gateway_subscriptions", "Subscriptions of all streams together"
)
INSTRUMENTS: Final = Gauge(
    "tradedad_gateway_instruments", "Instruments of which a last quote is known"
)
QUOTES_IN: Final = Counter("tradedad_gateway_quotes_received_total", "Quotes from the bus")
STALE: Final = Counter(
    "tradedad_gateway_stale_quotes_total",
    "Quotes of a superseded leader, or no newer than the last, that were not passed on",
)
BAD_QUOTES: Final = Counter(
    "tradedad_gateway_bad_quotes_total", "Messages on quotes' subjects that are no quotes"
)
DELIVERIES: Final = Counter(
    "tradedad_gateway_deliveries_total", "Quotes handed to clients' sockets"
)
CONFLATED: Final = Counter(
    "tradedad_gateway_conflated_total", "Quotes replaced by newer ones before they were sent"
)
BYTES_OUT: Final = Counter("tradedad_gateway_sent_bytes_total", "Payload bytes to clients")
CLOSES: Final = Counter(
    "tradedad_gateway_closes_total", "Streams ended, by WebSocket close code", ["code"]
)
BATCH_QUOTES: Final = Histogram(
    "tradedad_gateway_batch_quotes",
    "Quotes in one message to a client",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
)
