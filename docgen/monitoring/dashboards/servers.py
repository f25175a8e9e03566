"""Servers: NATS with its streams, MongoDB's replica set, and certificates."""

from typing import Final

from docgen.monitoring.panels import Dashboard, Row, panel, stat
from docgen.monitoring.promql import rate

SERVERS: Final = Dashboard(
    "tradedad-servers",
    "Trade Dad: servers",
    (
        Row(
            "Now",
            (
                stat("NATS servers up", "short", "Of all that are known.", "sum(tradedad_nats_up)"),
                stat("Streams without a leader", "short", "Nothing is stored in them.",
                     "count(tradedad_nats_stream_has_leader == 0) or vector(0)"),
                stat("MongoDB members up", "short", "Of all that are known.",
                     "sum(tradedad_mongodb_up)"),
                stat("Primaries", "short", "Exactly one is right.",
                     'max(tradedad_mongodb_members{state="primary"})'),
                stat("Replication lag", "s", "Of the member that is furthest behind.",
                     "max(tradedad_mongodb_replication_lag_seconds)"),
                stat("First certificate to end", "s", "Time left.",
                     "min(tradedad_certificate_expiry_timestamp_seconds) - time()"),
            ),
        ),
        Row(
            "NATS",
            (
                panel("Connections", "short", "Open client connections.",
                      each_server="tradedad_nats_connections"),
                panel("Connections opened", "ops", "Many mean that clients reconnect.",
                      each_server=rate("tradedad_nats_opened_connections_total", "server")),
                panel("Slow consumers", "ops", "Clients that were disconnected.",
                      each_server=rate("tradedad_nats_slow_consumers_total", "server")),
                panel("Servers in the cluster", "short", "That each server is connected with.",
                      each_server="tradedad_nats_cluster_servers"),
                panel("JetStream's disk", "percentunit", "Share of the disk that it may use.",
                      each_server="tradedad_nats_storage_bytes / tradedad_nats_storage_limit_bytes"),
                panel("Memory", "bytes", "Resident memory of each server.",
                      each_server="tradedad_nats_memory_bytes"),
            ),
        ),
        Row(
            "Streams",
            (
                panel("Messages", "short", "In each stream.",
                      each_stream="tradedad_nats_stream_messages"),
                panel("Size", "bytes", "Without replicas.",
                      each_stream="tradedad_nats_stream_bytes"),
                panel("New messages", "ops", "Growth of the last sequence.",
                      each_stream="deriv(tradedad_nats_stream_last_sequence[5m])"),
                panel("Pending", "short", "Not yet sent to the slowest consumer.",
                      each_stream="tradedad_nats_stream_pending_messages"),
                panel("Consumers", "short", "Of each stream.",
                      each_stream="tradedad_nats_stream_consumers"),
            ),
        ),
        Row(
            "MongoDB",
            (
                panel("Members", "short", "By state.", each_state="tradedad_mongodb_members"),
                panel("Replication lag", "s", "Behind the newest operation.",
                      each_member="tradedad_mongodb_replication_lag_seconds"),
                panel("Oplog window", "s", "A member may be away as long.",
                      each_member="tradedad_mongodb_oplog_window_seconds"),
                panel("Connections", "short", "Open, and still accepted.",
                      each_member="tradedad_mongodb_connections",
                      left="min(tradedad_mongodb_connections_left)"),
                panel("Free disk", "percentunit", "Of the disk with a member's data.",
                      each_member="tradedad_mongodb_disk_free_bytes / tradedad_mongodb_disk_bytes"),
            ),
        ),
        Row(
            "Certificates",
            (
                panel("Time left", "s", "Until the end of each certificate.",
                      each_certificate="tradedad_certificate_expiry_timestamp_seconds - time()"),
                panel("Read", "short", "1 if it could be read.",
                      each_certificate="tradedad_certificate_read"),
            ),
        ),
    ),
)  # fmt: skip
