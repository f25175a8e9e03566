"""The overview: whether the system does its work, and which service does not."""

from typing import Final

from docgen.monitoring.panels import Dashboard, Row, panel, stat
from docgen.monitoring.promql import WINDOW, rare, rate

OVERVIEW: Final = Dashboard(
    "tradedad-overview",
    "Trade Dad: overview",
    (
        Row(
            "Now",
            (
                stat("Feed live", "short", "1 while the leader of ingest receives data.",
                     "max(tradedad_ingest_feed_live)"),
                stat("Market open", "short", "1 while any segment trades.",
                     "max(tradedad_ingest_market_open)"),
                stat("Feed silence", "s", "Time without a frame while trades are expected.",
                     "max(tradedad_ingest_feed_silence_seconds)"),
                stat("Token's life left", "s", "Until the access token of Upstox expires.",
                     "max(tradedad_ingest_token_expiry_timestamp_seconds) - time()"),
                stat("Open streams", "short", "WebSocket streams of all gateways.",
                     "sum(tradedad_gateway_streams)"),
                stat("Firing alerts", "short", "Alerts that fire now.",
                     'count(ALERTS{alertstate="firing"}) or vector(0)'),
            ),
        ),
        Row(
            "Processes",
            (
                panel("Processes that answer", "short", "Scrape targets that answer, by service.",
                      each_job="sum by (job) (up)"),
                panel("Dependencies that are away", "short",
                      "Processes to which a dependency is not available.",
                      each_dependency="count by (dependency) (tradedad_dependency_up == 0)"
                      " or vector(0)"),
                panel("Leases held", "short", "Holders of each lease: exactly one is right.",
                      each_lease="sum by (lease) (tradedad_leading)"),
                panel("Versions", "short", "Processes of each version.",
                      each_version="count by (version) (tradedad_build_info)"),
                panel("CPU", "percentunit", "Cores that each process uses.",
                      each_job_and_instance=rate("process_cpu_seconds_total", "job", "instance")),
                panel("Memory", "bytes", "Resident memory of each process.",
                      each_job_and_instance="process_resident_memory_bytes"),
                panel("Event loop lag, p99", "s", "Delay of a timer of the event loop.",
                      each_job_and_instance="job_instance:event_loop_lag_seconds:p99_5m"),
                panel("Open files", "percentunit", "Open descriptors as a share of the limit.",
                      each_job_and_instance="process_open_fds / process_max_fds"),
                panel("Clock skew", "s", "How far a clock is ahead of its peer's.",
                      each_job_and_peer="max by (job, peer) (tradedad_clock_skew_seconds)"),
            ),
        ),
        Row(
            "Flow of data",
            (
                panel("Quotes", "ops", "Quotes that ingest publishes.",
                      quotes="ingest:quotes:rate1m"),
                panel("Deliveries", "ops", "Messages written to clients.",
                      deliveries="gateway:deliveries:rate1m"),
                panel("Entries of the tick stream", "ops", "Entries that the persister reads.",
                      entries=rate("tradedad_persister_entries_total")),
            ),
        ),
        Row(
            "Servers",
            (
                panel("MongoDB latency, p99", "s", "Commands by service.",
                      each_job="job:mongodb_command_seconds:p99_5m"),
                panel("MongoDB failures", "ops", "Commands that failed, by service.",
                      each_job=rare("tradedad_mongodb_command_failures_total", "job")),
                panel("Free disk", "bytes", "Free space of the disks of NATS and MongoDB.",
                      each_store="min by (store) (tradedad_disk_free_bytes)"),
                panel("Bus errors", "ops", "Errors of the NATS client.",
                      each_kind=rare("tradedad_bus_errors_total", "kind")),
                panel("Bus requests", "ops", "Requests over the bus by subject and outcome.",
                      each_subject_and_code=rate("tradedad_bus_requests_total", "subject", "code")),
                panel("Bus request duration", "s", "Mean time to handle a request.",
                      each_subject="sum by (subject)"
                      f" (rate(tradedad_bus_request_duration_seconds_sum[{WINDOW}]))"
                      " / sum by (subject)"
                      f" (rate(tradedad_bus_request_duration_seconds_count[{WINDOW}]))"),
            ),
        ),
    ),
)  # fmt: skip
