"""The gateway: streams, latency to clients, slow clients, HTTP."""

from typing import Final

from docgen.monitoring.panels import Dashboard, Row, panel, stat
from docgen.monitoring.promql import quantile, rare, rate

GATEWAY: Final = Dashboard(
    "tradedad-gateway",
    "Trade Dad: gateway",
    (
        Row(
            "Streams",
            (
                stat("Gateways", "short", "Gateways that answer.", 'sum(up{job="gateway"})'),
                stat("Open streams", "short", "WebSocket streams.",
                     "sum(tradedad_gateway_streams)"),
                stat("Clients behind", "short", "Streams whose client does not read.",
                     "sum(tradedad_gateway_behind_streams)"),
                stat("Error budget, 1 h", "percentunit",
                     "Share of quotes written later than 50 ms after their receipt.",
                     "gateway:late_quotes:ratio_rate1h"),
                stat("Instruments", "short", "Instruments with a last quote.",
                     "max(tradedad_gateway_instruments)"),
                stat("Keys fetched", "s", "Time since the keys of tokens were fetched.",
                     'time() - min(tradedad_jwks_fetched_timestamp_seconds{job="gateway"})'),
                panel("Streams", "short", "Open streams of each gateway.",
                      each_instance="tradedad_gateway_streams"),
                panel("Subscriptions", "short", "Keys and wildcards by channel.",
                      each_channel="sum by (channel) (tradedad_gateway_subscriptions)"),
                panel("Ended streams", "ops", "By close code.",
                      each_code=rare("tradedad_gateway_closed_streams_total", "code")),
                panel("Refused handshakes", "ops", "By error code.",
                      each_code=rare("tradedad_gateway_refused_streams_total", "code")),
                panel("Slow clients", "ops", "Times that a client fell behind.",
                      conflations=rate("tradedad_gateway_conflations_total")),
                panel("Revoked streams", "ops", "Ended because the session was revoked.",
                      revoked=rate("tradedad_gateway_revoked_streams_total")),
            ),
        ),
        Row(
            "Delivery",
            (
                panel("Latency", "s", "From ingest's receipt of a frame to the write of its quote.",
                      p50=quantile(0.5, "tradedad_gateway_latency_seconds"),
                      p99=quantile(0.99, "tradedad_gateway_latency_seconds")),
                panel("Late quotes", "percentunit", "Share of quotes written after 50 ms.",
                      over_5m="gateway:late_quotes:ratio_rate5m",
                      over_1h="gateway:late_quotes:ratio_rate1h",
                      over_6h="gateway:late_quotes:ratio_rate6h"),
                panel("Deliveries", "ops", "Messages written to sockets, by gateway.",
                      each_instance=rate("tradedad_gateway_deliveries_total", "instance")),
                panel("Bytes sent", "Bps", "By gateway.",
                      each_instance=rate("tradedad_gateway_sent_bytes_total", "instance")),
                panel("Messages from NATS", "ops", "Stored, dropped and skipped.",
                      received=rate("tradedad_gateway_received_messages_total"),
                      stale=rate("tradedad_gateway_stale_messages_total"),
                      late=rate("tradedad_gateway_late_messages_total"),
                      malformed=rare("tradedad_gateway_malformed_messages_total")),
                panel("Flush", "s", "Time of one write, and between two.",
                      p99=quantile(0.99, "tradedad_gateway_flush_seconds"),
                      interval="max(tradedad_gateway_flush_interval_seconds)"),
            ),
        ),
        Row(
            "HTTP",
            (
                panel("Requests", "reqps", "By route.",
                      each_route=rate("tradedad_gateway_http_requests_total", "route")),
                panel("Errors", "reqps", "Answers with a status from 500 on.",
                      each_status=rare('tradedad_gateway_http_requests_total{status=~"5.."}',
                                       "status")),
                panel("Time, p99", "s", "By route, streams excepted.",
                      each_route=quantile(0.99, "tradedad_gateway_http_request_seconds", "route")),
                panel("Dropped and malformed", "ops", "Idle connections and bad requests.",
                      dropped=rate('tradedad_http_dropped_connections_total{job="gateway"}'),
                      malformed=rare('tradedad_malformed_http_requests_total{job="gateway"}')),
                panel("Reports of browsers", "ops", "Policy violations and errors of the page.",
                      each_kind=rare("tradedad_gateway_page_reports_total", "kind")),
                panel("Failed fetches of keys", "ops", "The gateways ask auth for them.",
                      failures=rate("tradedad_jwks_fetch_failures_total")),
                panel("Event loop lag", "s", "p99 of each gateway.",
                      each_instance=(
                          'job_instance:event_loop_lag_seconds:p99_5m{job="gateway"}')),
            ),
        ),
    ),
)  # fmt: skip
